"""The report of a plan: one page of one file, made from the plan's folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .page import render_page
from .page.numbers import NOTHING, amount, count, counted, money, percent, units
from .report_accounts import account_of
from .report_background import assumptions, data_quality, held_out, proof
from .report_charts import (
    gain_text,
    level_chart,
    margin_chart,
    price_chart,
    stock_chart,
    waterfall_chart,
)
from .report_data import REPORT_FILE, Bundle, Product, ReportedPlan, reported_plan
from .report_money import money_steps

if TYPE_CHECKING:
    from ..solver import Plan

_SHOWN_LEVELS = 12  # bundles whose profit against discount is shown side by side
_SHOWN_STOCKS = 15
_BY_PRODUCT = ("product-exposure", "stock")  # kinds with a row for every product
_BINDING = 1e-6  # relative slack below which a rule is said to bind


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of bundles; ``kind`` is how it is sorted."""

    heading: str
    kind: str = "number"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is read, and the plain number behind it for sorting and copying."""

    text: str
    value: str


def report_page(files: Mapping[str, bytes]) -> str:
    """The page for the files of a plan folder, name -> content.

    The same files give the same page, byte for byte: no clock, no seconds of the run.

    Raises
    ------
    ValueError, KeyError
        the files are not those of a plan.
    """
    plan = reported_plan(files)
    report, currency = plan.report, plan.currency
    empty = not plan.bundles
    columns, rows = _table(plan)
    return render_page(
        "report.html.j2",
        script="tables.js",
        name=report["name"],
        week=report["week"],
        currency=currency,
        summary=_summary(plan),
        figures=_figures(plan),
        changed=plan.changed,
        warnings=report.get("warnings", []),
        empty=empty,
        columns=columns,
        rows=rows,
        sizes=sorted({len(bundle.products) for bundle in plan.bundles}),
        discounts=sorted({bundle.figure("level") for bundle in plan.bundles}),
        margins=None if empty else margin_chart(plan.bundles, currency),
        payers=_payers(plan),
        multiples=_multiples(plan),
        detailed=plan.detailed,
        accounts=[account_of(plan, bundle) for bundle in plan.bundles],
        automatic=report["assumptions"]["redemption"] == "automatic",
        **_stock(plan),
        **_rules(plan),
        held_out=held_out(plan),
        assumptions=assumptions(plan),
        quality=data_quality(plan),
        proof=proof(plan),
    )


def files_with_report(plan: Plan) -> dict[str, bytes]:
    """The files of a plan's folder, its report among them."""
    return plan.files({REPORT_FILE: report_page(plan.files()).encode("utf-8")})


def _summary(plan: ReportedPlan) -> str:
    report, kpis = plan.report, plan.report["kpis"]
    if not plan.bundles:
        return f"No bundle is offered in week {report['week']}."
    low, high = kpis["incremental_margin_low"], kpis["incremental_margin_high"]
    margin = kpis["incremental_margin"]
    more = "less" if margin < 0 else "more"
    text = (
        f"{counted(len(plan.bundles), 'bundle')} for week {report['week']}, expected to bring "
        f"{money(abs(margin), plan.currency)} {more} margin a week than without them, "
        f"after everything the offers cost (90 %: {amount(low)} to {amount(high)})."
    )
    if plan.objective != "margin":
        text += f" They were chosen for another objective: {plan.objective}."
    return text


def _figures(plan: ReportedPlan) -> list[tuple[str, str, str]]:
    """Headline figures: what, how much, and what goes with it."""
    report, kpis, currency = plan.report, plan.report["kpis"], plan.currency
    low, high = kpis["incremental_margin_low"], kpis["incremental_margin_high"]
    sold = sum(bundle.figure("bundle_units") for bundle in plan.bundles)
    anyway = sum(bundle.figure("subsidised_units") for bundle in plan.bundles)
    gap = report["gap"]
    figures = [
        (
            "Incremental margin a week",
            money(kpis["incremental_margin"], currency),
            f"90 %: {amount(low)} to {amount(high)}",
        ),
        ("Bundles", count(len(plan.bundles)), f"{units(sold)} sold a week"),
        ("Revenue of the bundles", money(kpis["revenue"], currency), "a week, tax included"),
        (
            "Margin of the bundles",
            money(kpis["margin"], currency),
            f"{percent(kpis['margin_rate'])} of revenue net of tax" if sold else "",
        ),
        (
            "Discounts given",
            money(kpis["discount_spend"], currency),
            f"{percent(anyway / sold, 0)} of bundles sold go to shoppers who buy all of it anyway"
            if sold
            else "",
        ),
        (
            "Proof",
            str(report["status"]),
            "gap unknown" if gap is None else f"gap {percent(gap, 3)}",
        ),
    ]
    if report.get("overlap"):
        together = money(report["overlap"]["together"], currency)
        figures.insert(
            1, ("As bundles compete for shoppers", together, "incremental margin a week")
        )
    return figures


def _table(plan: ReportedPlan) -> tuple[list[Column], list[dict[str, Any]]]:
    segments = any(bundle.segments for bundle in plan.bundles)
    columns = [
        Column("bundle", "text"),
        Column("list"),
        Column("price"),
        Column("off"),
        Column("sold"),
        Column("had anyway"),
        Column("units added"),
        Column("discounts"),
        Column("margin rate"),
        Column("earns"),
        Column("90 % low"),
        Column("90 % high"),
        *([Column("shown to", "text")] if segments else []),
        Column("id", "text"),
    ]
    return columns, [_row(bundle, segments=segments) for bundle in plan.bundles]


def _row(bundle: Bundle, *, segments: bool) -> dict[str, Any]:
    sold = bundle.figure("bundle_units")
    anyway = bundle.figure("subsidised_units") / sold if sold else None
    cells = [
        _money_cell(bundle.figure("list_price")),
        _money_cell(bundle.figure("bundle_price")),
        _percent_cell(bundle.figure("discount")),
        _units_cell(sold),
        _percent_cell(anyway, 0),
        _units_cell(bundle.figure("incremental_units")),
        _money_cell(bundle.figure("discount_spend")),
        _percent_cell(bundle.row["margin_rate"]),
        _money_cell(bundle.figure("incremental_margin")),
        _money_cell(bundle.figure("incremental_margin_low")),
        _money_cell(bundle.figure("incremental_margin_high")),
    ]
    return {
        "number": bundle.number,
        "name": bundle.name,
        "id": bundle.bundle_id,
        "size": len(bundle.products),
        "level": bundle.figure("level"),
        "cells": cells,
        "segments": bundle.segments if segments else None,
    }


def _money_cell(value: float) -> Cell:
    return Cell(amount(value), f"{value:.2f}")


def _percent_cell(share: float | None, digits: int = 1) -> Cell:
    return Cell(percent(share, digits), "" if share is None else f"{share:.6g}")


def _units_cell(value: float) -> Cell:
    return Cell(units(value), f"{value:.6g}")


def _payers(plan: ReportedPlan) -> Markup | None:
    if not plan.bundles or not plan.detailed:
        return None
    return waterfall_chart(money_steps(plan), "Incremental margin", plan.currency)


def _multiples(plan: ReportedPlan) -> list[tuple[int, str, Markup]]:
    """Profit against discount of the bundles that bring most: number, name, chart."""
    return [
        (bundle.number, bundle.name, level_chart(bundle.levels, plan.currency))
        for bundle in plan.bundles[:_SHOWN_LEVELS]
        if bundle.levels
    ]


def _stock(plan: ReportedPlan) -> dict[str, Any]:
    """Products of the plan with a limited stock, the tightest first: rows and a chart."""
    limits = {
        rule["name"].removeprefix("stock[").removesuffix("]"): rule["limit"]
        for rule in plan.report["rules"]
        if rule["kind"] == "stock"
    }
    limited: list[tuple[Product, float]] = []
    for key, product in plan.products.items():
        if product.stock is not None:
            limit = limits.get(key)
            limited.append((product, product.stock if limit is None else float(limit)))
    limited.sort(key=lambda entry: -_use(*entry))
    rows = [
        (
            product.title,
            units(product.stock),
            units(limit),
            units(product.alone),
            units(product.added),
            percent(_use(product, limit), 0),
        )
        for product, limit in limited
    ]
    return {
        "stock_rows": rows,
        "stock_shown": min(len(limited), _SHOWN_STOCKS),
        "stock": stock_chart(limited[:_SHOWN_STOCKS]) if limited else None,
    }


def _use(product: Product, limit: float) -> float:
    return (product.alone + product.added) / limit if limit > 0 else 1.0


def _rules(plan: ReportedPlan) -> dict[str, Any]:
    """Rules with their slack, those of every product in one row, and what they cost."""
    rules, prices = plan.report["rules"], plan.report.get("prices", [])
    rows = [_rule_row(rule) for rule in rules if rule["kind"] not in _BY_PRODUCT]
    for kind in _BY_PRODUCT:
        held = [rule for rule in rules if rule["kind"] == kind]
        binding = sum(_binds(rule) for rule in held)
        if held:
            name = f"{kind}, {counted(len(held), 'product')}"
            binds = f"{count(binding)} of {count(len(held))}" if binding else ""
            rows.append((name, NOTHING, NOTHING, NOTHING, binds))
    shown = [
        (price["step_text"], price["change_low"], price["change_high"])
        for price in prices
        if price["change_high"] is None or price["change_high"] >= 0.005
    ]
    return {
        "rule_rows": rows,
        "rule_prices": [(text, gain_text(low, high)) for text, low, high in shown],
        "price_chart": price_chart(shown, plan.currency) if shown else None,
        "priced": bool(prices),
    }


def _rule_row(rule: Mapping[str, Any]) -> tuple[str, ...]:
    value, limit, slack = (rule.get(key) for key in ("value", "limit", "slack"))
    return (
        str(rule["name"]),
        _figure(value),
        "none" if limit is None else _figure(limit),
        _figure(slack),
        "yes" if _binds(rule) else "",
    )


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{round(value, 2):,.10g}".replace("-", "\u2212")


def _binds(rule: Mapping[str, Any]) -> bool:
    slack, limit = rule.get("slack"), rule.get("limit") or 0.0
    return slack is not None and abs(slack) <= _BINDING * max(1.0, abs(limit))
