"""A frontier for a person at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe
from .frontier_words import (
    ends_sentence,
    knee_sentences,
    point_notes,
    proof_sentence,
    unsolved_sentences,
    value_text,
)
from .page.numbers import NOTHING, amount, percent

_MONEY = ("objective", "bound")
_ACCOUNTS = ("incremental_margin", "discount_spend")


def show_frontier(console: Console, result: dict[str, Any]) -> None:
    """Print a row a point, then the knee, the proof and what has no plan."""
    keys = [str(key["key"]) for key in result["keys"]]
    console.print(_points(result, keys))
    for sentence in (
        ends_sentence(result),
        *knee_sentences(result),
        proof_sentence(result),
        *unsolved_sentences(result),
    ):
        if sentence:
            console.print(safe(sentence))


def _points(result: dict[str, Any], keys: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in keys:
        table.add_column(safe(key.rpartition(".")[2]), justify="right")
    for name in ("objective", "bound", "gap", "incremental margin", "5 to 95 %", "discounts"):
        table.add_column(name, justify="right")
    table.add_column("rate", justify="right")
    table.add_column("bundles", justify="right")
    table.add_column("", overflow="fold")
    for point in result["points"]:
        values = [value_text(point["values"][key]) for key in keys]
        table.add_row(*values, *_figures(point), _notes(point))
    return table


def _figures(point: dict[str, Any]) -> list[str]:
    if point["objective"] is None:
        return [NOTHING] * 8
    low, high = point["incremental_margin_low"], point["incremental_margin_high"]
    objective, bound = (amount(point[name]) for name in _MONEY)
    margin, spend = (amount(point[name]) for name in _ACCOUNTS)
    return [
        objective,
        bound,
        percent(point["gap"], 3),
        margin,
        f"{amount(low)} to {amount(high)}",
        spend,
        percent(point["margin_rate"]),
        f"{point['bundles']:,}",
    ]


def _notes(point: dict[str, Any]) -> Text:
    knee = "knee; " if point["knee"] else ""
    return safe(f"{knee}{point_notes(point)}".removesuffix("; "))
