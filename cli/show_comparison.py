"""A comparison for a person at a terminal: reads well at 100 columns, whatever is compared."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe

_FIGURES = (
    ("bundles", "bundles", "{:,.0f}"),
    ("incremental_margin", "incr. margin", "{:,.2f}"),
    ("revenue", "revenue", "{:,.2f}"),
    ("margin", "margin", "{:,.2f}"),
    ("margin_rate", "rate", "{:.1%}"),
    ("discount_spend", "discounts", "{:,.2f}"),
    ("gap", "gap", "{:.3%}"),
)
_SHOWN = 40  # differing offers listed; --json has all
_NAME = 24  # characters of a scenario's name
_BUNDLE = 44  # characters of a bundle's name


def show_comparison(console: Console, result: dict[str, Any]) -> None:
    """Print figures with differences to the first, what differs and why, and the cross-evaluation.

    Scenarios are numbered, and the numbers head the columns of the tables below the first.
    """
    scenarios = result["scenarios"]
    console.print(_figures(scenarios, str(result["currency"])))
    console.print()
    for number, keys in enumerate(result["changed_keys"].values(), start=2):
        text = Text(f"{number} differs from 1 in: ")
        console.print(text.append_text(safe(", ".join(keys) or "nothing")))
    _print_offers(console, result["offers"], [str(row["label"]) for row in scenarios])
    _print_cross(console, result)


def _figures(scenarios: list[dict[str, Any]], currency: str) -> Table:
    """A scenario a row; under each but the first its differences to the first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column(f"money in {currency}", no_wrap=True)
    for _, heading, _ in _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for number, row in enumerate(scenarios, start=1):
        name = safe(str(row["label"]), _NAME)
        table.add_row(str(number), name, *[_cell(row[key], form) for key, _, form in _FIGURES])
        status = Text(str(row["status"]), style="dim")
        if number == 1:
            table.add_row("", status)
        else:
            differences = [_difference(scenarios[0], row, key, form) for key, _, form in _FIGURES]
            table.add_row("", status, *[Text(cell, style="dim") for cell in differences])
    return table


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _difference(first: dict[str, Any], row: dict[str, Any], key: str, form: str) -> str:
    if first[key] is None or row[key] is None or key == "gap":
        return ""
    difference = row[key] - first[key]
    shown = form.format(abs(difference))
    if shown == form.format(0):
        return "="
    return f"{'+' if difference >= 0 else '−'}{shown}"


def _print_offers(console: Console, offers: list[dict[str, Any]], labels: list[str]) -> None:
    differing = [offer for offer in offers if not offer["same"]]
    console.print(f"\n{len(offers) - len(differing)} offers are the same in all plans")
    if not differing:
        return
    console.print(f"{len(differing)} are not, or are at another level:")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bundle", no_wrap=True, overflow="ellipsis", max_width=_BUNDLE)
    for number in range(1, len(labels) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for offer in differing[:_SHOWN]:
        levels = [offer["levels"][label] for label in labels]
        cells = ["–" if level is None else f"{100 * level:g} %" for level in levels]
        table.add_row(safe(str(offer["name"]), _BUNDLE), *cells)
    console.print(table)
    if len(differing) > _SHOWN:
        console.print(f"and {len(differing) - _SHOWN} more (--json lists all)")


def _print_cross(console: Console, result: dict[str, Any]) -> None:
    labels = [str(row["label"]) for row in result["scenarios"]]
    entries = {(entry["plan"], entry["under"]): entry for entry in result["cross"]}
    for note in result["notes"]:
        console.print(Text("note: ").append_text(safe(str(note))))
    if not entries:
        return
    console.print("\nwhat each plan (row) would earn under each scenario (column)")
    console.print(_matrix(labels, entries, "incremental_margin"))
    console.print("\nregret: what it falls short of that scenario's own plan, in its objective")
    console.print(_matrix(labels, entries, "regret"))
    _print_broken(console, labels, entries)
    robust = result["robust"]
    if robust["plan"] is None:
        console.print(Text("no robust choice: ").append_text(safe(str(robust["why"]))))
        return
    text = Text("robust choice: ").append_text(safe(str(robust["plan"])))
    text.append(f" loses at most {max(robust['largest_regret'], 0.0):,.2f}; ")
    console.print(text.append_text(safe(str(robust["why"]))))


def _matrix(labels: list[str], entries: dict[tuple[str, str], dict[str, Any]], key: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("plan", no_wrap=True)
    for number in range(1, len(labels) + 1):
        table.add_column(f"{number} ", justify="right", no_wrap=True)
    for number, plan in enumerate(labels, start=1):
        if (plan, labels[0]) in entries:
            cells = [_entry_cell(entries[plan, under], key) for under in labels]
            table.add_row(str(number), safe(plan, _NAME), *cells)
    return table


def _entry_cell(entry: dict[str, Any], key: str) -> str:
    """A figure; ``*`` where the plan breaks a rule there."""
    mark = "*" if entry["broken_rules"] else " "
    return ("–" if entry[key] is None else f"{entry[key]:,.2f}") + mark


def _print_broken(
    console: Console, labels: list[str], entries: dict[tuple[str, str], dict[str, Any]]
) -> None:
    number = {label: str(k) for k, label in enumerate(labels, start=1)}
    broken: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for entry in entries.values():
        if entry["broken_rules"]:
            key = (entry["plan"], tuple(entry["broken_rules"]))
            broken.setdefault(key, []).append(number[entry["under"]])
    if not broken:
        all_judged = all(entry["broken_rules"] is not None for entry in entries.values())
        where = "under any scenario" if all_judged else "where it could be judged"
        console.print(f"no plan breaks a rule {where}")
        return
    console.print("* breaks rules there, so that it may earn more than that scenario's own plan:")
    for (plan, rules), under in broken.items():
        text = Text(f"  {number[plan]} under {', '.join(under)}: ")
        console.print(text.append_text(safe(", ".join(rules))))
