"""A plan for a person at a terminal: the table of bundles and a short account."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..solver.plan_folder import PlanFolder
from .console import money, safe

_BINDING = 1e-6


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
            safe(str(row["name"]), 68),
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
    bound = [
        str(rule["name"])
        for rule in report["rules"]
        if rule["slack"] is not None
        and abs(rule["slack"]) <= _BINDING * max(1.0, abs(rule["limit"] or 0.0))
    ]
    shown = ", ".join(bound[:6]) + (f" and {len(bound) - 6} more" if len(bound) > 6 else "")
    gap = report["gap"]
    lines = [
        Text("Rules that bind: ").append_text(safe(shown or "none")),
        Text(
            f"{report['status']}: objective {report['objective']:,.4f}, proven bound "
            f"{report['bound']:,.4f}, gap {100 * gap:.4f} % over {report['offers']:,} offers "
            f"of {report['candidates']:,} candidates ({report['engine']}); "
            "verified independently"
        ),
    ]
    stages = ", ".join(f"{name} {value:.1f}" for name, value in report["seconds"].items())
    lines.append(Text(f"Seconds: {stages}"))
    return lines


def _units(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
