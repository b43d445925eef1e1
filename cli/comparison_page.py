"""A comparison as a page of one file: figures, causes, offers that differ, each plan elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .page import render_page
from .page.numbers import NOTHING, amount, change, count, percent
from .page.svg import WIDTH, Drawing, Scale, wrapped
from .page.text import shown

_FIGURES: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("bundles", "bundles", lambda value: NOTHING if value is None else count(value)),
    ("incremental_margin", "incremental margin", amount),
    ("revenue", "revenue", amount),
    ("margin", "margin", amount),
    ("margin_rate", "margin rate", percent),
    ("discount_spend", "discounts", amount),
    ("gap", "gap", lambda value: percent(value, 3)),
)
_TONES = {"optimal": "good", "feasible": "fair"}
_SHADE = 70  # per cent of the soft colour behind the largest regret
_ROW = 46  # pixels of the chart: a scenario's name and its bar


@dataclass(frozen=True, slots=True)
class _Scenario:
    number: int
    label: str
    status: str
    tone: str
    cells: list[tuple[str, str]]
    message: str
    keys: list[str] | None


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    shade: int
    broken: str


def comparison_page(result: dict[str, Any]) -> str:
    """The page of what ``solver.comparison.compare`` returns."""
    scenarios = [
        _scenario(number, row, result) for number, row in enumerate(result["scenarios"], start=1)
    ]
    offers = result["offers"]
    return render_page(
        "comparison.html.j2",
        title=f"{scenarios[0].label} beside {_others(len(scenarios) - 1)}",
        currency=result["currency"],
        headings=[heading for _, heading, _ in _FIGURES],
        scenarios=scenarios,
        chart=_chart(result),
        findings=_findings(result),
        notes=[shown(str(note)) for note in result["notes"]],
        same=sum(bool(offer["same"]) for offer in offers),
        offers=[_offer(offer) for offer in offers if not offer["same"]],
        margins=_matrix(result, "incremental_margin"),
        regrets=_matrix(result, "regret"),
        broken=_broken(result),
    )


def _others(number: int) -> str:
    return "another scenario" if number == 1 else f"{number} other scenarios"


def _scenario(number: int, row: dict[str, Any], result: dict[str, Any]) -> _Scenario:
    first = result["scenarios"][0]
    keys = result["changed_keys"].get(row["label"]) if number > 1 else None
    return _Scenario(
        number=number,
        label=shown(str(row["label"])),
        status=str(row["status"]),
        tone=_TONES.get(str(row["status"]), "bad"),
        cells=[
            (form(row[key]), "" if number == 1 else _difference(first, row, key, form))
            for key, _, form in _FIGURES
        ],
        message=shown(str(row.get("message") or "")),
        keys=None if keys is None else [shown(str(key)) for key in keys],
    )


def _difference(
    first: dict[str, Any], row: dict[str, Any], key: str, form: Callable[[Any], str]
) -> str:
    """The difference to the first, in the figure's own form; nothing where there is none."""
    if first[key] is None or row[key] is None or key == "gap":
        return ""
    difference = row[key] - first[key]
    if form(difference) == form(0):
        return "="
    if form is amount:
        return change(difference)
    return f"+{form(difference)}" if difference > 0 else form(difference)


def _chart(result: dict[str, Any]) -> Markup | None:
    """Incremental margin of each plan with its 90 % interval; None where there is one at most."""
    rows = [row for row in result["scenarios"] if row["incremental_margin"] is not None]
    if len(rows) < 2:
        return None
    drawing = Drawing(_ROW * len(rows) + 24)
    ends = [row[f"incremental_margin_{end}"] for row in rows for end in ("low", "high")]
    across = Scale([*ends, *(row["incremental_margin"] for row in rows)], 8, WIDTH - 8)
    bottom = _ROW * len(rows) + 4
    for tick in across.ticks(3):
        drawing.line(across(tick), 0, across(tick), bottom, "rule")
        drawing.text(across(tick), bottom + 16, amount(tick).removesuffix(".00"), "quiet", "middle")
    for k, row in enumerate(rows):
        middle = _ROW * k + 29
        low, high = row["incremental_margin_low"], row["incremental_margin_high"]
        drawing.text(8, middle - 13, wrapped(shown(str(row["label"])), WIDTH - 90, lines=1)[0])
        drawing.text(WIDTH - 8, middle - 13, amount(row["incremental_margin"]), "strong", "end")
        drawing.bar(across(0.0), across(row["incremental_margin"]), middle - 7, 14, "soft")
        drawing.line(across(low), middle, across(high), middle, "whisker")
        drawing.dot(across(row["incremental_margin"]), middle, "series")
    parts = [f"{row['label']} {amount(row['incremental_margin'])}" for row in rows]
    return drawing.svg(
        f"Incremental margin of each plan under its own scenario, {result['currency']} a week",
        f"{', '.join(parts)}; the line of each is its 90 % interval",
    )


def _findings(result: dict[str, Any]) -> list[str]:
    """What the comparison comes to, in sentences."""
    first, *others = result["scenarios"]
    sentences = []
    for row in others:
        if first["incremental_margin"] is None or row["incremental_margin"] is None:
            continue
        difference = row["incremental_margin"] - first["incremental_margin"]
        keys = ", ".join(result["changed_keys"][row["label"]]) or "nothing that is planned with"
        sentences.append(
            f"{shown(str(row['label']))}: {change(difference)} {result['currency']} a week beside "
            f"{shown(str(first['label']))}; it changes {shown(keys)}."
        )
    robust = result["robust"]
    if robust["plan"] is None:
        return [*sentences, f"No plan is a robust choice: {shown(str(robust['why']))}."]
    loses = amount(max(robust["largest_regret"], 0.0))
    return [
        *sentences,
        f"The robust choice is {shown(str(robust['plan']))}: {shown(str(robust['why']))}, {loses}.",
    ]


def _offer(offer: dict[str, Any]) -> tuple[str, list[str]]:
    levels = offer["levels"].values()
    cells = [NOTHING if level is None else percent(level, 1) for level in levels]
    return shown(str(offer["name"])), [cell.replace(".0", "") for cell in cells]


def _matrix(result: dict[str, Any], key: str) -> list[tuple[int, str, list[_Cell]]]:
    """Each plan under each scenario: figures, shaded by how much is lost where it is regret."""
    labels = [row["label"] for row in result["scenarios"]]
    entries = {(entry["plan"], entry["under"]): entry for entry in result["cross"]}
    largest = max((entry["regret"] or 0.0 for entry in entries.values()), default=0.0)
    rows = []
    for number, plan in enumerate(labels, start=1):
        if (plan, labels[0]) not in entries:
            continue
        cells = []
        for under in labels:
            entry = entries[plan, under]
            lost = max(entry["regret"] or 0.0, 0.0) if key == "regret" else 0.0
            shade = round(_SHADE * lost / largest) if largest > 0 else 0
            broken = ", ".join(entry["broken_rules"] or ())
            cells.append(_Cell(amount(entry[key]), shade, shown(broken)))
        rows.append((number, shown(str(plan)), cells))
    return rows


def _broken(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Plan, scenario, and what it breaks there with values and limits."""
    return [
        (
            shown(str(entry["plan"])),
            shown(str(entry["under"])),
            shown("; ".join(map(breach_words, entry["breaches"]))),
        )
        for entry in result["cross"]
        if entry["broken_rules"]
    ]


def breach_words(breach: dict[str, Any]) -> str:
    """``bundle-count: 6, at most 3``; ``excluded[1]: 0001+0002``."""
    if "bundles" in breach:
        return f"{breach['rule']}: {', '.join(breach['bundles'])}"
    side, limit = ("at least", "at_least") if "at_least" in breach else ("at most", "at_most")
    return f"{breach['where']}: {breach['value']:,.6g}, {side} {breach[limit]:,.6g}"
