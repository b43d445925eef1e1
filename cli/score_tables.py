"""Held-out scores as tables of text, the same for the terminal and for the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .score_words import plain

Scalar = str | int | float | None


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Headings, and rows of as many cells; ``learned`` marks the rows of what is used."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    learned: tuple[bool, ...]


def tables_of(section: dict[str, Any], title: str = "") -> list[ScoreTable]:
    """Tables of one section of the scores.

    Figures that stand alone make a table of two columns. Entries in a row that hold the same
    figures make one table, a row an entry and a column a figure. Entries that hold only other
    entries are named in the titles of theirs. What an entry holds beside figures, such as
    settings and histograms, is for JSON and for charts.
    """
    alone = {key: value for key, value in section.items() if _is_figure(value)}
    tables = [_table(title, {key: {"": value} for key, value in alone.items()})] if alone else []
    entries = [(key, value) for key, value in section.items() if isinstance(value, dict)]
    for names, group in groupby(entries, lambda entry: _names(entry[1])):
        members = dict(group)
        if not names:
            for key, inner in members.items():
                tables += tables_of(inner, plain(key))
        elif len(members) == 1:
            ((key, inner),) = members.items()
            tables.append(_table(plain(key), {name: {"": inner[name]} for name in names}))
        else:
            figures = {key: {name: inner[name] for name in names} for key, inner in members.items()}
            tables.append(_table(title, figures))
    return tables


def cell(value: Scalar) -> str:
    """A figure as it is shown: counts whole, scores with four decimals."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value and abs(value) < 0.001:
            return f"{value:.2g}"
        return f"{value:,.4f}" if abs(value) < 100 else f"{value:,.0f}"
    return plain(value)


def _is_figure(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _names(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, value in entry.items() if _is_figure(value))


def _table(title: str, figures: dict[str, dict[str, Scalar]]) -> ScoreTable:
    columns = tuple(plain(name) for name in next(iter(figures.values())))
    rows = tuple((plain(key), *map(cell, entry.values())) for key, entry in figures.items())
    return ScoreTable(title, ("", *columns), rows, tuple(_is_learned(key) for key in figures))


def _is_learned(key: str) -> bool:
    return key in ("learned", "beliefs")
