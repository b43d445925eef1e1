"""Small charts as inline SVG, drawn for a phone: 360 wide, so that 12 px of text stay 12 px there.

Colours are classes of the page's style (``ink``, ``quiet``, ``line``, ``series``, ``soft``,
``mark``), so that a chart is right in light, in dark and on paper. Everything put in is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

WIDTH = 360
_LETTER = 6.3  # mean width of a letter of 12 px text; wide letters count twice
_WIDE = 0x1100  # from here on scripts have letters as wide as they are high


class Drawing:
    """A chart in the making; lengths in pixels, y downwards."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def text(self, x: float, y: float, content: str, kind: str = "", anchor: str = "") -> None:
        """A line of text on the baseline y; ``anchor`` is "middle", "end" or nothing."""
        names = f"{kind} {anchor}".strip()
        style = f' class="{names}"' if names else ""
        self._add(f'<text x="{_n(x)}" y="{_n(y)}"{style}>{escape(content)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        end = f"H{_n(x2)}" if y1 == y2 else f"V{_n(y2)}" if x1 == x2 else f"L{_n(x2)} {_n(y2)}"
        self._add(f'<path d="M{_n(x1)} {_n(y1)}{end}" class="{kind}"/>')

    def bar(self, x1: float, x2: float, y: float, height: float, kind: str) -> None:
        """A filled bar from x1 to x2, whichever is larger; never thinner than can be seen."""
        left, wide = min(x1, x2), max(abs(x2 - x1), 0.75)
        size = f'width="{_n(wide)}" height="{_n(height)}"'
        self._add(f'<rect x="{_n(left)}" y="{_n(y)}" {size} class="{kind}"/>')

    def dot(self, x: float, y: float, kind: str, radius: float = 4) -> None:
        self._add(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" class="{kind}"/>')

    def path(
        self, points: Iterable[tuple[float, float]], kind: str, *, closed: bool = False
    ) -> None:
        joined = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self._add(f'<path d="M{joined}{"Z" if closed else ""}" class="{kind}"/>')

    def svg(self, title: str, description: str) -> Markup:
        """The chart; title and description are what a screen reader says of it."""
        label = escape(f"{title}. {description}")
        view = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        head = f'<svg class="chart" {view} role="img" aria-label="{label}">'
        return Markup(f"{head}{''.join(self._parts)}</svg>")

    def _add(self, part: str) -> None:
        self._parts.append(part)


class Scale:
    """A straight map from values to pixels, over all of ``values`` and any of ``also``."""

    def __init__(
        self, values: Sequence[float], start: float, end: float, also: Sequence[float] = (0.0,)
    ) -> None:
        held = [*values, *also]
        self.low, self.high = min(held), max(held)
        if self.high <= self.low:
            self.high = self.low + 1.0
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self, wanted: int = 4) -> list[float]:
        """Round values within the scale, about as many as wanted: steps of 1, 2 or 5."""
        rough = (self.high - self.low) / max(wanted, 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


def text_width(text: str) -> float:
    """About how wide a line of 12 px text is."""
    return sum(2 * _LETTER if ord(letter) >= _WIDE else _LETTER for letter in text)


def wrapped(text: str, width: float, lines: int = 2) -> list[str]:
    """Text in at most so many lines of that width, ending in … where it is longer."""
    found: list[str] = []
    rest = text.split(" ")
    while rest and len(found) < lines:
        line = rest.pop(0)
        while rest and text_width(f"{line} {rest[0]}") <= width:
            line += f" {rest.pop(0)}"
        found.append(_cut(line, width))
    if rest:
        found[-1] = _cut(found[-1] + "…", width)
    return found


def _cut(line: str, width: float) -> str:
    if text_width(line) <= width:
        return line
    line = line.removesuffix("…")
    while line and text_width(line + "…") > width:
        line = line[:-1]
    return line.rstrip() + "…"


def _n(value: float) -> str:
    """A length with one decimal, without a useless zero."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.0", "0")
