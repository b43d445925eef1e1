"""A frontier as a page of one file: the curve, a table of its points, how to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .frontier_charts import MOST_LINES, curve_chart, interval_chart, lines_chart, small_chart
from .frontier_words import (
    ends_sentence,
    knee_sentences,
    point_notes,
    proof_sentence,
    unsolved_sentences,
    value_text,
)
from .page import render_page
from .page.numbers import NOTHING, amount, percent
from .page.text import shown

_SMALL: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("bundles", "bundles in the plan", lambda value: f"{value:,.6g}"),
    ("discount_spend", "given away in discounts", amount),
    ("revenue", "revenue of the bundles", amount),
    ("margin_rate", "margin rate of the bundles", percent),
)
_TONES = {"optimal": "good", "feasible": "fair", "infeasible": "bad", "unknown": "bad"}
_SHADE = 85  # per cent of the soft colour behind the best point of a grid


@dataclass(frozen=True, slots=True)
class _Chart:
    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class _Row:
    values: list[str]
    status: str
    tone: str
    cells: list[str]
    notes: str
    knee: bool


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    shade: int
    knee: bool


def frontier_page(result: dict[str, Any]) -> str:
    """The page of what ``solver.frontier_report.frontier_report`` returns."""
    keys = [str(key["key"]) for key in result["keys"]]
    charts = _charts(result, keys)
    return render_page(
        "frontier.html.j2",
        title=f"What {' and '.join(keys)} {'is' if len(keys) == 1 else 'are'} worth",
        name=shown(result["name"]),
        summary=_summary(result),
        findings=[
            text
            for text in (
                ends_sentence(result),
                *knee_sentences(result),
                proof_sentence(result),
                *unsolved_sentences(result),
            )
            if text
        ],
        charts=charts,
        grid=_grid(result, keys) if len(keys) > 1 else None,
        keys=[shown(key) for key in keys],
        unit=result["unit"],
        currency=result["currency"],
        rows=[_row(point, keys) for point in result["points"]],
        directions=_directions(result),
    )


def _summary(result: dict[str, Any]) -> str:
    done, asked = len(result["points"]), result["points_asked"]
    count = f"{done} points" if done == asked else f"{done} of {asked} points"
    return f"{result['week']}, {count}, money in {result['currency']}."


def _charts(result: dict[str, Any], keys: list[str]) -> list[_Chart]:
    points, key = result["points"], keys[0]
    if not any(point["objective"] is not None for point in points):
        return []
    crosses = " Crosses: the rules conflict." if any(p["conflict"] for p in points) else ""
    if len(keys) > 1:
        lines = _lines(result, keys)
        if len(lines) > MOST_LINES:
            return []
        svg = lines_chart(lines, key, result["unit"])
        return [_Chart(svg, f"A line for each {shown(keys[1])}; rings mark knees.{crosses}")]
    return [
        _Chart(
            curve_chart(points, key, result["unit"]),
            f"Shaded up to the proven bound; lines between points guide the eye.{crosses}",
        ),
        _Chart(
            interval_chart(points, key, result["currency"]),
            "Shaded: the 90 % interval, from what is believed of shoppers.",
        ),
        *(
            _Chart(small_chart(points, key, name, title, number), "")
            for name, title, number in _SMALL
        ),
    ]


def _lines(result: dict[str, Any], keys: list[str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The points of each value of the second key."""
    return [
        (value_text(value), [p for p in result["points"] if p["values"][keys[1]] == value])
        for value in sorted({point["values"][keys[1]] for point in result["points"]})
    ]


def _grid(result: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Objectives with the first key across and the second down, shaded from least to most."""
    points = {tuple(point["values"][key] for key in keys): point for point in result["points"]}
    earned = [p["objective"] for p in points.values() if p["objective"] is not None]
    low, high = min(earned, default=0.0), max(earned, default=0.0)
    across, down = (key["values"] for key in result["keys"])
    return {
        "across": [value_text(value) for value in across],
        "rows": [
            (
                value_text(second),
                [_cell(points.get((first, second)), low, high) for first in across],
            )
            for second in down
        ],
    }


def _cell(point: dict[str, Any] | None, low: float, high: float) -> _Cell:
    if point is None:
        return _Cell("not done", 0, False)
    if point["objective"] is None:
        return _Cell("conflict" if point["conflict"] else NOTHING, 0, False)
    share = (point["objective"] - low) / (high - low) if high > low else 0.0
    return _Cell(amount(point["objective"]), round(_SHADE * share), point["knee"])


def _row(point: dict[str, Any], keys: list[str]) -> _Row:
    low, high = point["incremental_margin_low"], point["incremental_margin_high"]
    between = NOTHING if low is None else f"{amount(low)} to {amount(high)}"
    cells = [
        NOTHING if point["bundles"] is None else f"{point['bundles']:,}",
        amount(point["objective"]),
        amount(point["bound"]),
        percent(point["gap"], 3),
        amount(point["incremental_margin"]),
        between,
        amount(point["revenue"]),
        amount(point["margin"]),
        percent(point["margin_rate"]),
        amount(point["discount_spend"]),
    ]
    status = str(point["status"])
    values = [value_text(point["values"][key]) for key in keys]
    return _Row(values, status, _TONES[status], cells, shown(point_notes(point)), point["knee"])


def _directions(result: dict[str, Any]) -> list[str]:
    """Whether points prove something for each other, a sentence a key."""
    return [
        f"{shown(key['key'])}: a {key['looser']} value is a looser rule, so a looser point's bound "
        "holds for the tighter ones, and a tighter point's plan is a plan for the looser ones."
        if key["looser"]
        else f"{shown(key['key'])}: points prove nothing for each other."
        for key in result["keys"]
    ]
