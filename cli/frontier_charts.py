"""Charts of a frontier: the curve with what is proven above it, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from .frontier_words import value_text
from .page.numbers import NOTHING, amount
from .page.svg import WIDTH, Drawing, Scale, text_width, wrapped
from .page.text import shown

_LEFT, _RIGHT, _TOP, _FOOT = 8.0, 12.0, 30.0, 40.0  # around the plot, in pixels
_HEIGHT = 220.0
_LINE = 13.0  # between labels
_CROSS = 4.0  # half a cross where the rules conflict
MOST_LINES = 6
"""Lines that can still be told apart; a grid of more is a table alone."""

Number = Callable[[float], str]
Points = Sequence[dict[str, Any]]


def curve_chart(points: Points, key: str, unit: str) -> Markup:
    """What the plan at each value earns, the bound above it as a band, and the knee."""
    chart = _Chart(points, key, ("objective", "bound"), _HEIGHT, amount)
    chart.axes(f"objective, {unit}", key)
    chart.band("objective", "bound")
    chart.line("objective")
    chart.conflicts()
    for point in points:
        if point["knee"]:
            chart.knee(point)
    return chart.drawing.svg(f"What each {key} earns", chart.described("objective"))


def interval_chart(points: Points, key: str, currency: str) -> Markup:
    """Incremental margin with its 90 % interval."""
    held = ("incremental_margin_low", "incremental_margin", "incremental_margin_high")
    chart = _Chart(points, key, held, _HEIGHT, amount)
    chart.axes(f"incremental margin, {currency} a week", key)
    chart.band(held[0], held[2])
    chart.line(held[1])
    chart.conflicts()
    return chart.drawing.svg(
        "Incremental margin with its 90 % interval", chart.described("incremental_margin")
    )


def small_chart(points: Points, key: str, name: str, title: str, number: Number) -> Markup:
    """One figure of the plans along the key."""
    chart = _Chart(points, key, (name,), _HEIGHT, number)
    chart.axes(title, key)
    chart.line(name)
    chart.conflicts()
    return chart.drawing.svg(f"{title} along {key}", chart.described(name))


def lines_chart(lines: Sequence[tuple[str, Points]], key: str, unit: str) -> Markup:
    """Objective along the first key, a line for each value of the second, named at its end."""
    every = [point for _, points in lines for point in points]
    room = max(text_width(label) for label, _ in lines) + 8
    chart = _Chart(every, key, ("objective", "bound"), _HEIGHT, amount, room)
    chart.axes(f"objective, {unit}", key)
    ends = []
    for label, points in lines:
        chart.points = points
        chart.band("objective", "bound")
        chart.line("objective")
        planned = chart.planned("objective")
        if planned:
            last = planned[-1]
            ends.append((chart.y(last["objective"]), chart.x(last["values"][key]), label))
        for point in points:
            if point["knee"]:
                chart.ring(point)
    free = chart.y(chart.y.high)
    for y, x, label in sorted(ends):
        free = max(y, free)
        chart.drawing.text(x + 8, free + 4, label)
        free += _LINE
    said = "; ".join(f"{label}: {_told(points, key, 'objective')}" for label, points in lines)
    return chart.drawing.svg(f"What each {key} earns", said)


class _Chart:
    """A plot of figures along a key.

    Parameters
    ----------
    names
        figures that have to fit.
    room
        pixels at the right for labels.
    """

    def __init__(
        self,
        points: Points,
        key: str,
        names: Sequence[str],
        height: float,
        number: Number,
        room: float = 0.0,
    ) -> None:
        self.points, self.key, self.number = points, key, number
        self.drawing = Drawing(height)
        held = [p[name] for p in points for name in names if p[name] is not None] or [0.0]
        self.bottom = height - _FOOT
        self.y = _scale(held, self.bottom, _TOP)
        widest = max(text_width(number(tick)) for tick in self.y.ticks())
        self.left, self.right = _LEFT + widest, WIDTH - _RIGHT - room
        values = [point["values"][key] for point in points]
        self.x = Scale(values, self.left + 8, self.right - 4, also=())

    def axes(self, title: str, key: str) -> None:
        """Lines at round numbers, the values of the key, and what is shown."""
        drawing = self.drawing
        drawing.text(_LEFT, 14, title, "quiet")
        for tick in self.y.ticks():
            y = self.y(tick)
            drawing.line(self.left, y, self.right, y, "rule")
            drawing.text(self.left - 4, y + 4, self.number(tick), "quiet", "end")
        free = 0.0
        for value in sorted({point["values"][key] for point in self.points}):
            label, x = value_text(value), self.x(value)
            drawing.line(x, self.bottom, x, self.bottom + 3, "rule")
            if x - text_width(label) / 2 >= free:
                drawing.text(x, self.bottom + 16, label, "quiet", "middle")
                free = x + text_width(label) / 2 + 6
        below = wrapped(shown(key), WIDTH - 2 * _LEFT, 1)[0]
        drawing.text((self.left + self.right) / 2, self.bottom + 33, below, "quiet", "middle")

    def planned(self, name: str) -> list[dict[str, Any]]:
        """The points that have a figure."""
        return [point for point in self.points if point[name] is not None]

    def band(self, low: str, high: str) -> None:
        held = [p for p in self.points if p[low] is not None and p[high] is not None]
        if len(held) > 1:
            up = [(self.x(p["values"][self.key]), self.y(p[high])) for p in held]
            down = [(self.x(p["values"][self.key]), self.y(p[low])) for p in reversed(held)]
            self.drawing.path([*up, *down], "band", closed=True)
        elif held:
            x = self.x(held[0]["values"][self.key])
            self.drawing.bar(
                x - 2, x + 2, self.y(held[0][high]), self._height(held[0], low, high), "soft"
            )

    def _height(self, point: dict[str, Any], low: str, high: str) -> float:
        return self.y(point[low]) - self.y(point[high])

    def line(self, name: str) -> None:
        held = self.planned(name)
        places = [(self.x(p["values"][self.key]), self.y(p[name])) for p in held]
        if len(places) > 1:
            self.drawing.path(places, "curve")
        for x, y in places:
            self.drawing.dot(x, y, "series", 3)

    def conflicts(self) -> None:
        """A cross on the axis where the rules conflict."""
        for point in self.points:
            if point["conflict"]:
                x, y = self.x(point["values"][self.key]), self.bottom - _CROSS - 2
                for tilt in (-_CROSS, _CROSS):
                    self.drawing.line(x - _CROSS, y - tilt, x + _CROSS, y + tilt, "mark")

    def ring(self, point: dict[str, Any]) -> tuple[float, float]:
        x, y = self.x(point["values"][self.key]), self.y(point["objective"])
        self.drawing.dot(x, y, "ring", 7)
        return x, y

    def knee(self, point: dict[str, Any]) -> None:
        """A ring, and a label below the curve: to its right where it rises, else to its left."""
        x, y = self.ring(point)
        label = f"knee, {value_text(point['values'][self.key])}"
        planned = self.planned("objective")
        right = planned[-1]["objective"] > planned[0]["objective"]
        if right and x + 10 + text_width(label) > self.right:
            right = False
        elif not right and x - 10 - text_width(label) < self.left:
            right = True
        below = min(y + 22, self.bottom - 4)
        self.drawing.text(x + 10 if right else x - 10, below, label, "", "" if right else "end")

    def described(self, name: str) -> str:
        return _told(self.points, self.key, name, self.number)


def _told(points: Points, key: str, name: str, number: Number = amount) -> str:
    """``0.15: 1,204.10; 0.2: 1,190.00; 0.35: rules conflict``."""
    return "; ".join(
        f"{value_text(point['values'][key])}: "
        + ("rules conflict" if point["conflict"] else _number(point[name], number))
        for point in points
    )


def _number(value: float | None, number: Number) -> str:
    return NOTHING if value is None else number(value)


def _scale(held: Sequence[float], start: float, end: float) -> Scale:
    """A scale over the values with a little room, so that the curve fills the plot."""
    low, high = min(held), max(held)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    floor = 0.0 if 0.0 <= low < room else low - room
    return Scale([floor, high + room], start, end, also=())
