"""A plan for a person at a terminal: the table of bundles and a short account."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..solver.plan_folder import PlanFolder
from .console import money, safe

_BINDING = 1e-6  # relative slack below which a rule is said to bind
_BY_PRODUCT = ("product-exposure", "stock")  # kinds with a row for every product


def show_plan(console: Console, plan: PlanFolder) -> None:
    """Print the plan's headline, its bundles, who pays, the rules that bind and the proof."""
    report = plan.report
    currency = str(report["currency"])
    console.print(_headline(report, currency))
    if len(plan.offers):
        console.print(bundle_table(plan.offers))
        console.print(_who_pays(plan.offers, report, currency))
    for line in _account(report):
        console.print(line)
    for warning in report["warnings"]:
        console.print(Text("warning: ").append_text(safe(str(warning))))
    console.print(Text("plan: ").append_text(safe(str(plan.folder))))


def bundle_table(offers: pd.DataFrame) -> Table:
    """The rows of plan.csv that a person decides by."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bundle", overflow="fold", ratio=1)
    for heading in ("list", "price", "off", "sold", "had anyway", "earns", "90 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in offers.to_dict("records"):
        already = row["subsidised_units"] / row["bundle_units"] if row["bundle_units"] else 0.0
        table.add_row(
            safe(str(row["name"]), 90),
            f"{row['list_price']:,.2f}",
            f"{row['bundle_price']:,.2f}",
            f"{100 * row['discount']:.1f} %",
            _units(row["bundle_units"]),
            f"{100 * already:.0f} %",
            f"{row['incremental_margin']:,.2f}",
            f"{row['incremental_margin_low']:,.2f} … {row['incremental_margin_high']:,.2f}",
        )
    return table


def _headline(report: dict[str, Any], currency: str) -> Text:
    kpis = report["kpis"]
    text = Text()
    text.append_text(safe(f"{report['name']} {report['week']}")).append(": ")
    bundles = kpis["bundles"]
    text.append(f"{bundles} bundle{'' if bundles == 1 else 's'}", style="bold")
    if bundles:
        text.append(", incremental margin ")
        text.append(money(kpis["incremental_margin"], currency), style="bold")
        low, high = kpis["incremental_margin_low"], kpis["incremental_margin_high"]
        text.append(f" a week (90 %: {low:,.2f} to {high:,.2f})")
        if report["overlap"] is not None:
            text.append(", were no product shared; as bundles compete for shoppers ")
            text.append(money(report["overlap"]["together"], currency), style="bold")
    return text


def _who_pays(offers: pd.DataFrame, report: dict[str, Any], currency: str) -> Text:
    """The discounts by who gets them (the four rows of docs/economics.md, summed)."""
    off = offers["list_price"] - offers["bundle_price"]
    spend = float(report["kpis"]["discount_spend"])
    subsidy = float((offers["subsidised_units"] * off).sum())
    if spend <= 0:
        return Text("No discount is given.")
    return Text(
        f"Discounts of {money(spend, currency)}: {money(subsidy, currency)} "
        f"({100 * subsidy / spend:.0f} %) goes to shoppers who would have bought both anyway, "
        f"{money(spend - subsidy, currency)} to shoppers who add a product for it."
    )


def _account(report: dict[str, Any]) -> list[Text]:
    lines = [Text("Rules that bind: ").append_text(safe(_binding(report["rules"])))]
    if prices := _prices(report.get("prices", [])):
        lines.append(Text("What rules cost: ").append_text(safe(prices)))
    bound = "none" if report["bound"] is None else f"{report['bound']:,.4f}"
    gap = "unknown" if report["gap"] is None else f"{100 * report['gap']:.4f} %"
    limit = f" ({report['limit']} limit)" if report["limit"] else ""
    lines.append(
        Text(
            f"{report['status']}{limit}: objective {report['objective']:,.4f}, "
            f"proven bound {bound}, gap {gap}, over {report['offers']:,} offers "
            f"of {report['candidates']:,} candidates; "
        ).append_text(safe(f"engine {report['engine']}; verified independently"))
    )
    stages = ", ".join(f"{name} {value:.1f}" for name, value in report["seconds"].items())
    lines.append(Text(f"Seconds: {stages}"))
    return lines


def _binding(rules: list[dict[str, Any]]) -> str:
    """Names of the rules without slack; rows of one rule for many products are counted."""
    counts: dict[str, int] = {}
    for rule in rules:
        slack, limit = rule["slack"], rule["limit"] or 0.0
        if slack is not None and abs(slack) <= _BINDING * max(1.0, abs(limit)):
            label = str(rule["kind"] if rule["kind"] in _BY_PRODUCT else rule["name"])
            counts[label] = counts.get(label, 0) + 1
    shown = [
        f"{label} ({count} product{'' if count == 1 else 's'})" if label in _BY_PRODUCT else label
        for label, count in counts.items()
    ]
    return ", ".join(shown) or "none"


def _prices(prices: list[dict[str, Any]]) -> str:
    """What the objective would gain by one step of each rule that costs most, by exact re-solves.

    ``one more bundle: +41.20; plan margin 1 point lower: +300.00 to +320.00``
    """
    shown = []
    for price in prices:
        change, low, high = (price[key] for key in ("change", "change_low", "change_high"))
        if high is not None and high < 0.005:
            continue  # nothing to the last digit shown
        if change is not None:
            gain = f"+{change:,.2f}"
        elif high is not None:
            gain = f"+{low:,.2f} to +{high:,.2f}"
        else:
            gain = f"+{low:,.2f} or more"
        shown.append(f"{price['step_text']}: {gain}")
    return "; ".join(shown)


def _units(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
