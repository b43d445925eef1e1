"""Recommendations for a person at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe


def show_recommendations(console: Console, result: dict[str, Any]) -> None:
    """A table a group, and what the ranking is and is not."""
    if not result["segments"]:
        console.print("This plan was made without segments: one group, all shoppers.")
    for group in result["groups"]:
        console.print()
        console.print(_heading(group))
        if not group["bundles"]:
            console.print("no bundle of the plan is shown to this group")
            continue
        console.print(_bundles(group["bundles"], str(result["currency"])))
    console.print()
    console.print(
        "Ranked by expected incremental margin of a visit that sees the offer: probability × gain, "
        "an expectation of the model and no promise that anybody buys."
    )


def _heading(group: dict[str, Any]) -> Text:
    text = safe(str(group["name"]))
    text.stylize("bold")
    if "customers" not in group:
        return text
    count = f"{group['customers']:,} customers, " if group["customers"] else ""
    return text.append(
        f": {count}{100 * group['share_of_visits']:.0f} % of visits, "
        f"{group['spend_per_visit']:,.2f} a visit, {group['items_per_visit']:.1f} items, "
        f"price sensitivity {group['price_sensitivity']:.1f}",
        style="not bold",
    )


def _bundles(rows: list[dict[str, Any]], currency: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    table.add_column("bundle", overflow="fold", ratio=1)
    for heading in ("price", "takes it", f"{currency} per 1,000 visits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["rank"]),
            safe(str(row["name"]), 90),
            f"{row['bundle_price']:,.2f}",
            f"{100 * row['probability']:.3g} %",
            f"{row['margin_per_1000_visits']:,.2f}",
        )
    return table
