"""A comparison for a person at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe

_FIGURES = (
    ("bundles", "bundles", "{:,.0f}"),
    ("incremental_margin", "incremental margin", "{:,.2f}"),
    ("incremental_margin_low", "  5 %", "{:,.2f}"),
    ("incremental_margin_high", "  95 %", "{:,.2f}"),
    ("revenue", "revenue", "{:,.2f}"),
    ("margin", "margin", "{:,.2f}"),
    ("margin_rate", "margin rate", "{:.4f}"),
    ("discount_spend", "discounts", "{:,.2f}"),
    ("objective", "objective", "{:,.4f}"),
    ("bound", "proven bound", "{:,.4f}"),
    ("gap", "gap", "{:.6f}"),
)
_SHOWN = 40  # differing offers listed; --json has all


def show_comparison(console: Console, result: dict[str, Any]) -> None:
    """Print figures side by side with differences to the first, then what differs and why."""
    scenarios = result["scenarios"]
    console.print(_figures(scenarios, str(result["currency"])))
    for label, keys in result["changed_keys"].items():
        text = Text("changed in ").append_text(safe(label)).append(": ")
        console.print(text.append_text(safe(", ".join(keys) or "nothing")))
    differing = [offer for offer in result["offers"] if not offer["same"]]
    same = len(result["offers"]) - len(differing)
    console.print(f"{same} offers are the same in all, {len(differing)} are not")
    if differing:
        console.print(_offers(differing[:_SHOWN], [str(row["label"]) for row in scenarios]))
    if len(differing) > _SHOWN:
        console.print(f"and {len(differing) - _SHOWN} more (--json lists all)")


def _figures(scenarios: list[dict[str, Any]], currency: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"money in {currency}")
    for row in scenarios:
        table.add_column(safe(str(row["label"])), justify="right")
    table.add_row("status", *[str(row["status"]) for row in scenarios])
    for key, heading, form in _FIGURES:
        cells = [_cell(row[key], form) for row in scenarios[:1]]
        for row in scenarios[1:]:
            cells.append(f"{_cell(row[key], form)} {_difference(scenarios[0], row, key, form)}")
        table.add_row(heading, *cells)
    return table


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _difference(first: dict[str, Any], row: dict[str, Any], key: str, form: str) -> str:
    if first[key] is None or row[key] is None:
        return ""
    difference = row[key] - first[key]
    shown = form.format(abs(difference))
    if shown == form.format(0):
        return "(=)"
    return f"({'+' if difference >= 0 else '−'}{shown})"


def _offers(offers: list[dict[str, Any]], labels: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bundle", overflow="fold", ratio=1)
    for label in labels:
        table.add_column(safe(label), justify="right", no_wrap=True)
    for offer in offers:
        levels = [offer["levels"][label] for label in labels]
        cells = ["–" if level is None else f"{100 * level:g} %" for level in levels]
        table.add_row(safe(str(offer["name"]), 90), *cells)
    return table
