"""The charts of a plan's report: what a pricing team looks at before it agrees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from .page.numbers import amount, change, percent, units
from .page.svg import WIDTH, Drawing, Scale, wrapped
from .report_data import Bundle, Level, Product

_LABELLED = 25  # bundles with a line of their own; of more only the ranks fit
_ROW, _LINE = 30, 15  # height of a row's bar with its margins, and of a line of its label
_NO_GAIN = "no-gain"  # the filter of offers that earn nothing
_STEPS = 8  # straight pieces of a demand curve
_MARGIN = 8  # room at the left and right of a plot


def margin_chart(bundles: Sequence[Bundle], currency: str) -> Markup:
    """Incremental margin of every bundle with its 90 % interval."""
    chart = _by_name(bundles) if len(bundles) <= _LABELLED else _by_rank(bundles)
    said = [
        f"{bundle.name}: {amount(bundle.figure('incremental_margin'))} "
        f"({amount(bundle.figure('incremental_margin_low'))} to "
        f"{amount(bundle.figure('incremental_margin_high'))})"
        for bundle in bundles[:_LABELLED]
    ]
    rest = len(bundles) - len(said)
    more = f"; and {rest} more, in the table" if rest else ""
    return chart.svg(f"Incremental margin by bundle, {currency} a week", "; ".join(said) + more)


def _by_name(bundles: Sequence[Bundle]) -> Drawing:
    labels = [wrapped(bundle.name, WIDTH - 2 * _MARGIN - 56, lines=3) for bundle in bundles]
    height = sum(_ROW + _LINE * len(label) for label in labels) + 20
    chart = Drawing(height)
    scale = _scale_of_intervals(bundles, _MARGIN, WIDTH - _MARGIN)
    y = 0.0
    _ticks_below(chart, scale, height - 18)
    for bundle, label in zip(bundles, labels, strict=True):
        value = bundle.figure("incremental_margin")
        for line in label:
            y += _LINE
            chart.text(_MARGIN, y, line)
        chart.text(WIDTH - _MARGIN, y, amount(value), "strong", "end")
        _interval(chart, bundle, scale, y + 12)
        y += _ROW
    return chart


def _by_rank(bundles: Sequence[Bundle]) -> Drawing:
    """Without names: bundles from left to right as in the table."""
    chart = Drawing(230)
    values = [
        bundle.figure(f"incremental_margin{end}") for bundle in bundles for end in ("_low", "_high")
    ]
    scale = Scale(values, 200, 10)
    for tick in scale.ticks(5):
        chart.line(46, scale(tick), WIDTH - _MARGIN, scale(tick), "rule")
        chart.text(42, scale(tick) + 4, _tick(tick), "quiet", "end")
    step = (WIDTH - _MARGIN - 54) / len(bundles)
    for place, bundle in enumerate(bundles):
        x = 50 + step * (place + 0.5)
        low, high = (scale(bundle.figure(f"incremental_margin{end}")) for end in ("_low", "_high"))
        chart.line(x, low, x, high, "whisker thin")
        chart.dot(x, scale(bundle.figure("incremental_margin")), "series", min(3.0, 0.6 * step + 1))
    chart.line(46, scale(0.0), WIDTH - _MARGIN, scale(0.0), "axis")
    chart.text(50, 222, "1st", "quiet")
    chart.text(WIDTH - _MARGIN, 222, f"{len(bundles)}th of the table", "quiet", "end")
    return chart


def _scale_of_intervals(bundles: Sequence[Bundle], start: float, end: float) -> Scale:
    ends = ("incremental_margin_low", "incremental_margin_high")
    return Scale([bundle.figure(column) for bundle in bundles for column in ends], start, end)


def _interval(chart: Drawing, bundle: Bundle, scale: Scale, y: float) -> None:
    low, value, high = (
        scale(bundle.figure(f"incremental_margin{end}")) for end in ("_low", "", "_high")
    )
    chart.line(scale(0.0), y - 8, scale(0.0), y + 8, "axis")
    chart.line(low, y, high, y, "whisker")
    chart.line(low, y - 4, low, y + 4, "whisker thin")
    chart.line(high, y - 4, high, y + 4, "whisker thin")
    chart.dot(value, y, "series")


def level_chart(levels: Sequence[Level], currency: str, break_even: float | None = None) -> Markup:
    """What a bundle earns at each discount: its own marked, refused ones hollow."""
    chart = Drawing(168)
    deepest = max([level.discount for level in levels] + [break_even or 0.0])
    across = Scale([level.discount for level in levels], 52, WIDTH - 18, also=(0.0, deepest))
    up = Scale([level.margin for level in levels], 128, 18)
    for tick in up.ticks(3):
        chart.line(46, up(tick), WIDTH - _MARGIN, up(tick), "rule")
        chart.text(42, up(tick) + 4, _tick(tick), "quiet", "end")
    chart.line(46, up(0.0), WIDTH - _MARGIN, up(0.0), "axis")
    for tick in across.ticks(5):
        chart.text(across(tick), 145, percent(tick, 0), "quiet", "middle")
    if break_even is not None and break_even > 0.0:
        chart.line(across(break_even), 18, across(break_even), 128, "mark dashed")
    chart.path([(across(level.discount), up(level.margin)) for level in levels], "curve")
    for level in levels:
        kind = "mark" if level.chosen else "hollow" if level.left_out else "series"
        chart.dot(across(level.discount), up(level.margin), kind, 5 if level.chosen else 3.5)
    chart.text(WIDTH - _MARGIN, 163, f"discount; {currency} a week upwards", "quiet", "end")
    said = "; ".join(
        f"{percent(level.discount)} off earns {amount(level.margin)}"
        + (" (chosen)" if level.chosen else f" ({refusal(level)})" if level.left_out else "")
        for level in levels
    )
    return chart.svg(f"Incremental margin by discount, {currency} a week", said)


def refusal(level: Level) -> str:
    """Why a level could not be chosen."""
    return "would not gain" if level.left_out == _NO_GAIN else f"refused: {level.left_out}"


def waterfall_chart(steps: Sequence[tuple[str, float]], total: str, currency: str) -> Markup:
    """Steps one after the other from nothing to their sum, which ``total`` names."""
    reached = [0.0]
    for _, value in steps:
        reached.append(reached[-1] + value)
    scale = Scale(reached, _MARGIN, WIDTH - _MARGIN)
    rows = [
        *(
            (label, value, *ends)
            for (label, value), ends in zip(steps, pairwise(reached), strict=True)
        ),
        (total, reached[-1], 0.0, reached[-1]),
    ]
    chart = Drawing(44 * len(rows) + 4)
    chart.line(scale(0.0), 0, scale(0.0), chart.height, "axis")
    for place, (label, value, start, end) in enumerate(rows):
        y, last = 44 * place, place == len(rows) - 1
        chart.text(_MARGIN, y + 14, label, "strong" if last else "")
        shown = amount(value) if last else change(value)
        chart.text(WIDTH - _MARGIN, y + 14, shown, "strong" if last else "", "end")
        chart.bar(scale(start), scale(end), y + 20, 14, "soft" if last else _tone(value))
        if not last:
            chart.line(scale(end), y + 20, scale(end), y + 44 + 34, "rule")
    said = "; ".join(f"{label} {change(value)}" for label, value in steps)
    return chart.svg(
        f"Who pays for the discounts, {currency} a week", f"{said}; {total} {amount(reached[-1])}"
    )


def stock_chart(products: Sequence[tuple[Product, float]]) -> Markup:
    """Of each product the share of its stock that is sold alone and added; ``limit`` marked.

    Parameters
    ----------
    products
        with a limited stock, each with the units of it that may be planned with.
    """
    labels = [wrapped(product.title, WIDTH - 2 * _MARGIN) for product, _ in products]
    chart = Drawing(sum(_ROW + _LINE * (1 + len(label)) for label in labels))
    y, said = 0.0, []
    for (product, limit), label in zip(products, labels, strict=True):
        stock = product.stock or 0.0
        used = product.alone + product.added
        scale = Scale([stock, used], _MARGIN, WIDTH - _MARGIN, also=(0.0, limit))
        for line in label:
            y += _LINE
            chart.text(_MARGIN, y, line)
        y += 6
        chart.bar(_MARGIN, WIDTH - _MARGIN, y, 12, "track")
        chart.bar(_MARGIN, scale(product.alone), y, 12, "soft")
        chart.bar(scale(product.alone), scale(used), y, 12, "series")
        chart.line(scale(limit), y - 3, scale(limit), y + 15, "mark")
        words = f"{units(product.alone)} alone + {units(product.added)} added of {units(stock)}"
        chart.text(_MARGIN, y + 27, words, "quiet")
        y += _ROW + _LINE - 6
        said.append(f"{product.title}: {words}")
    return chart.svg("Stock use", "; ".join(said))


def price_chart(prices: Sequence[tuple[str, float, float | None]], currency: str) -> Markup:
    """What one step of each rule would bring: at least, and at most where that is known."""
    most = [high if high is not None else low for _, low, high in prices]
    scale = Scale([*most, *(low for _, low, _ in prices)], _MARGIN, WIDTH - _MARGIN)
    labels = [wrapped(label, WIDTH - 2 * _MARGIN - 130) for label, _, _ in prices]
    chart = Drawing(sum(_ROW + _LINE * len(label) for label in labels))
    y, said = 0.0, []
    for (name, low, high), label in zip(prices, labels, strict=True):
        shown = gain_text(low, high)
        for line in label:
            y += _LINE
            chart.text(_MARGIN, y, line)
        chart.text(WIDTH - _MARGIN, y, shown, "strong", "end")
        chart.bar(_MARGIN, WIDTH - _MARGIN, y + 7, 10, "track")
        chart.bar(scale(0.0), scale(low), y + 7, 10, "series")
        if high is not None and high > low:
            chart.bar(scale(low), scale(high), y + 7, 10, "soft")
        y += _ROW
        said.append(f"{name}: {shown}")
    return chart.svg(f"What a step of each rule would bring, {currency} a week", "; ".join(said))


def gain_text(low: float, high: float | None) -> str:
    """``+41.20``, ``+300.00 to +320.00`` or ``+5.00 or more``."""
    if high is None:
        return f"{change(low)} or more"
    return change(low) if high - low < 0.005 else f"{change(low)} to {change(high)}"


def demand_chart(product: Product, band: tuple[float, float] | None) -> Markup:
    """Visits of 1,000 that buy a product against the cut in its price, with the 90 % band.

    u = σ(logit q + η·cut); beyond the deepest cut that the data support, where plans credit no
    more, it is dashed.

    Parameters
    ----------
    band
        price sensitivity at the ends of its 90 % interval.
    """
    q, deepest = product.purchase_probability, product.deepest_cut
    end = max(0.4, math.ceil(10 * deepest) / 10)
    cuts = [end * k / _STEPS for k in range(_STEPS + 1)]
    low, high = band if band is not None else (product.sensitivity, product.sensitivity)
    top = [1000 * _bought(q, high, cut) for cut in cuts]
    chart = Drawing(168)
    across = Scale(cuts, 52, WIDTH - 18)
    up = Scale([*top, 1000 * _bought(q, product.sensitivity, end)], 128, 18)
    for tick in up.ticks(3):
        chart.line(46, up(tick), WIDTH - _MARGIN, up(tick), "rule")
        chart.text(42, up(tick) + 4, f"{tick:,.3g}", "quiet", "end")
    for tick in across.ticks(4):
        chart.text(across(tick), 145, percent(tick, 0), "quiet", "middle")
    if band is not None:
        bottom = [1000 * _bought(q, low, cut) for cut in cuts]
        over = [(across(cut), up(value)) for cut, value in zip(cuts, top, strict=True)]
        under = [(across(cut), up(value)) for cut, value in zip(cuts, bottom, strict=True)]
        chart.path([*over, *reversed(under)], "band", closed=True)
    seen = [cut for cut in cuts if cut < deepest] + [min(deepest, end)]
    past = [min(deepest, end)] + [cut for cut in cuts if cut > deepest]
    for part, kind in ((seen, "curve"), (past, "curve dashed")):
        if len(part) > 1:
            bought = [
                (across(cut), up(1000 * _bought(q, product.sensitivity, cut))) for cut in part
            ]
            chart.path(bought, kind)
    chart.line(across(deepest), 14, across(deepest), 128, "mark")
    chart.text(
        WIDTH - _MARGIN, 163, "cut in its price; buyers of 1,000 visits upwards", "quiet", "end"
    )
    at = 1000 * _bought(q, product.sensitivity, deepest)
    return chart.svg(
        f"Demand for {product.title}",
        f"{units(1000 * q)} of 1,000 visits buy it at its shelf price, {units(at)} at the deepest "
        f"cut seen, {percent(deepest)}",
    )


def _bought(q: float, sensitivity: float, cut: float) -> float:
    """σ(logit q + η·cut) = q·e^t / (1 − q + q·e^t)."""
    raised = q * math.exp(sensitivity * cut)
    return raised / (1.0 - q + raised)


def _ticks_below(chart: Drawing, scale: Scale, y: float) -> None:
    for tick in scale.ticks(5):
        chart.line(scale(tick), 0, scale(tick), y, "rule")
        chart.text(scale(tick), y + 15, _tick(tick), "quiet", "middle")


def _tick(value: float) -> str:
    return amount(value).removesuffix(".00")


def _tone(value: float) -> str:
    return "series" if value >= 0.0 else "mark"
