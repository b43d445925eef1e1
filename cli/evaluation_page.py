"""Held-out scores as a page of one file: tables, and charts of how well they are calibrated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from .page import render_page
from .page.charts import FAINT, INK, MARK, SERIES, SOFT, drawing, svg_of
from .score_tables import ScoreTable, tables_of
from .score_words import CALIBRATION, SECTIONS, Words, expected_range, level_text, plain

_TONES = {"flat": "good", "within limits": "fair", "not flat": "bad"}
_CLOSING = (
    "Everything above was learned from the earlier weeks alone. Shaded rows are what plans are "
    "made from; the others are what they are compared with."
)


@dataclass(frozen=True, slots=True)
class _Chart:
    svg: Markup
    caption: str
    verdict: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One kind of count of the calibration."""

    title: str
    meaning: str
    verdict: str
    tone: str
    histograms: list[_Chart]
    table: ScoreTable
    reliability: _Chart | None


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    meaning: str
    better: str
    tables: list[ScoreTable] = field(default_factory=list)
    charts: list[_Chart] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)


def evaluation_page(scores: dict[str, Any]) -> str:
    """The page of what ``models.evaluate`` returns."""
    weeks = f"{scores['train_weeks']} weeks, scored on the {scores['test_weeks']} after"
    between = f"{scores['first_scored_week']} to {scores['last_scored_week']}"
    return render_page(
        "evaluation.html.j2",
        name=scores["name"],
        summary=f"Learned on {weeks} ({between}). {scores['products']:,} products.",
        sections=[
            score_section(key, section)
            for key, section in scores.items()
            if isinstance(section, dict) and key != "seconds"
        ],
        closing=_CLOSING,
    )


def score_section(key: str, scores: dict[str, Any]) -> _Section:
    """One section of held-out scores, as ``scores.html.j2`` shows it."""
    words = SECTIONS.get(key, Words(plain(key).capitalize(), ""))
    if key == "calibration":
        parts = [_part(name, part) for name, part in scores.items()]
        return _Section(words.title, words.meaning, words.better, parts=parts)
    charts = [_recall_chart(scores)] if key == "next_product" and "methods" in scores else []
    return _Section(words.title, words.meaning, words.better, tables_of(scores), charts)


def _part(key: str, part: dict[str, Any]) -> _Part:
    words = CALIBRATION.get(key, Words(plain(key).capitalize(), ""))
    verdict = part["verdict"] or "too few counts to say"
    points = part.get("reliability")
    return _Part(
        title=words.title,
        meaning=f"{words.meaning} {level_text(part)}".rstrip(),
        verdict=verdict,
        tone=_TONES.get(verdict, "fair"),
        histograms=[
            _histogram(f"{key.replace('_', '-')}-{at}", group)
            for at, group in enumerate(part["groups"])
        ],
        table=_flatness_table(part),
        reliability=_reliability_chart(key.replace("_", "-"), points) if points else None,
    )


def _flatness_table(part: dict[str, Any]) -> ScoreTable:
    rows = tuple(
        (
            expected_range(group),
            f"{group['counts']:,}",
            f"{group['distance']:.3f}",
            f"{group['noise']:.3f}",
            f"{group['inside_90']:.1%}",
            group["verdict"],
        )
        for group in part["groups"]
    )
    headings = ("", "counts", "off by", "chance", "in 90 %", "")
    title = f"By expected count; within limits up to {part['limit']:g}"
    return ScoreTable(title, headings, rows, (False,) * len(rows))


def _histogram(name: str, group: dict[str, Any]) -> _Chart:
    """Shares of the ten tenths of what was predicted, with twice their standard errors."""
    shares, spread = group["histogram"], group["histogram_spread"]
    with drawing(2.1, 1.4) as (figure, axes):
        at = [(k + 0.5) / len(shares) for k in range(len(shares))]
        axes.bar(at, shares, width=0.085, color=SOFT)
        double = [2 * error for error in spread]
        axes.errorbar(at, shares, double, fmt="none", ecolor=SERIES, elinewidth=1)
        axes.axhline(1 / len(shares), color=MARK, linewidth=1)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(0.2, 1.1 * max(s + d for s, d in zip(shares, double, strict=True))))
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.locator_params(axis="y", nbins=3)
    expected = expected_range(group)
    shown = ", ".join(f"{share:.3f}" for share in shares)
    svg = svg_of(
        figure,
        name,
        f"Where counts fell in what was predicted, {expected} expected",
        f"Shares of the ten tenths of the predicted distribution: {shown}. Flat would be 0.100.",
    )
    verdict = group["verdict"]
    return _Chart(svg, f"{expected} expected:", verdict, _TONES[verdict])


def _reliability_chart(name: str, points: list[dict[str, float]]) -> _Chart:
    """Observed over predicted probability, with 90 % intervals."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    predicted = [point["predicted"] for point in points]
    ratio = [point["observed"] / point["predicted"] for point in points]
    below = [max(r - p["low"] / p["predicted"], 0.0) for r, p in zip(ratio, points, strict=True)]
    above = [max(p["high"] / p["predicted"] - r, 0.0) for r, p in zip(ratio, points, strict=True)]
    with drawing(3.7, 2.4) as (figure, axes):
        axes.axhline(1.0, color=MARK, linewidth=1)
        axes.errorbar(
            predicted, ratio, [below, above], fmt="o", color=SERIES, markersize=4, elinewidth=1.2
        )
        axes.set_xscale("log")
        decades = math.log10(max(predicted) / min(predicted))
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("predicted probability per visit")
        axes.set_ylabel("observed / predicted")
        axes.tick_params(which="minor", color=FAINT, length=2)
    shown = "; ".join(
        f"predicted {point['predicted']:.2g}, observed {point['observed']:.2g}" for point in points
    )
    svg = svg_of(figure, f"{name}-reliability", "Observed over predicted probability", shown)
    caption = "Observed over predicted probability, by predicted probability, with 90 % intervals."
    return _Chart(svg, caption)


def _recall_chart(scores: dict[str, Any]) -> _Chart:
    """Recall of every method as bars."""
    recalls = {
        key: found["recall_at_10"]
        for key, found in scores["methods"].items()
        if "recall_at_10" in found
    }
    ranked = sorted(recalls, key=lambda key: recalls[key])
    with drawing(3.7, 0.35 + 0.28 * len(ranked)) as (figure, axes):
        colours = [SERIES if key == "beliefs" else SOFT for key in ranked]
        axes.barh([_short(key) for key in ranked], [recalls[key] for key in ranked], color=colours)
        for at, key in enumerate(ranked):
            axes.text(recalls[key], at, f" {recalls[key]:.3f}", va="center", color=INK)
        axes.set_xlim(0, 1.2 * max(max(recalls.values()), 1e-3))
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    shown = "; ".join(f"{_short(key)} {recalls[key]:.3f}" for key in reversed(ranked))
    svg = svg_of(figure, "recall", "Recall at 10 of each method", shown)
    return _Chart(svg, "Recall@10: how often the hidden product is among the first ten.")


def _short(key: str) -> str:
    return plain(key).removesuffix(" (this is used)")
