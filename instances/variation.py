"""A scenario with other numbers in it: what ``--vary KEY=…`` asks for, and the scenarios it gives.

A number is varied in the merged tables, before they are validated, so that it meets the very same
checks as one that stands in the file.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .errors import InputError
from .scenario import SECTIONS, scenario_of
from .scenario_merge import Source, merged_file
from .scenario_words import found_words, nearest_key
from .sections import GrossMargins, Scenario

OPTION = "--vary"
_FORMS = "KEY=LOW:HIGH:COUNT or KEY=1,2,5"
_MARGIN = "assumptions.gross_margin"
_MOST_KEYS = 2
_MOST_VALUES = 1000  # of a range: each is a search, so that more is a slip of the hand


@dataclass(frozen=True, slots=True)
class Axis:
    """A key and the values it takes, ascending and each once.

    Attributes
    ----------
    key
        dotted, as in the scenario file; rules as ``rules.NAME.field``.
    values
        whole numbers where the key takes no others.
    asked
        how many values were asked for: more than there are where some came out the same.
    """

    key: str
    values: tuple[float, ...]
    asked: int

    @property
    def merged(self) -> str | None:
        """A sentence on values that came out the same; None where none did."""
        if self.asked == len(self.values):
            return None
        shown = ", ".join(f"{value:g}" for value in self.values)
        return f"{self.key}: of {self.asked} values some are the same, which leaves {shown}"


class Variation:
    """A scenario file whose numbers can be set.

    Parameters
    ----------
    path, week
        as ``read_scenario`` takes them.

    Attributes
    ----------
    base
        the scenario as the file states it.

    Raises
    ------
    InputError
        as ``read_scenario``.
    """

    def __init__(self, path: Path, week: str | None = None) -> None:
        self._source, self._week = merged_file(path), week
        self.base: Scenario = scenario_of(self._source, week)
        self._kinds = _numeric_keys(self.base)

    def axes(self, texts: Sequence[str]) -> tuple[Axis, ...]:
        """The axes that one or two of ``KEY=LOW:HIGH:COUNT`` or ``KEY=1,2,5`` ask for.

        Between LOW and HIGH values are evenly spaced, in exact fractions (0.15:0.35:9 holds
        0.175); those of a key of whole numbers are rounded to the nearest, halves up.

        Raises
        ------
        InputError
            for a key that is unknown, no number or given twice, and a text of another form.
        """
        if len(texts) > _MOST_KEYS:
            found = f"{len(texts)} keys"
            raise InputError(OPTION, None, found, f"at most {_MOST_KEYS}: a curve, or a grid")
        axes = tuple(self._axis(text) for text in texts)
        if len({axis.key for axis in axes}) < len(axes):
            raise InputError(OPTION, axes[0].key, "given twice", "another key")
        return axes

    def scenarios(self, axes: tuple[Axis, ...]) -> dict[tuple[float, ...], Scenario]:
        """The scenario of every point of the grid; InputError where one cannot be."""
        return {
            values: self.scenario(dict(zip((axis.key for axis in axes), values, strict=True)))
            for values in product(*(axis.values for axis in axes))
        }

    def _axis(self, text: str) -> Axis:
        key, sign, values = (part.strip() for part in text.partition("="))
        if not sign or not key or not values:
            raise InputError(OPTION, None, found_words(text), _FORMS)
        if key not in self._kinds:
            raise self._unknown(key)
        whole = self._kinds[key] == "integer"
        asked = _spaced(key, values, whole) if ":" in values else _listed(key, values, whole)
        return Axis(key, tuple(sorted(set(asked))), len(asked))

    def scenario(self, changed: dict[str, float]) -> Scenario:
        """The scenario with these keys set; InputError where it cannot have them."""
        content = copy.deepcopy(self._source.content)
        origin = dict(self._source.origin)
        for key, value in changed.items():
            *tables, last = self._place(key)
            table: Any = content
            for name in tables:
                table = table[name] if isinstance(name, int) else table.setdefault(name, {})
            table[last] = value
            origin[key] = Path(OPTION)
        return scenario_of(Source(self._source.path, content, origin), self._week)

    def _place(self, key: str) -> list[Any]:
        """Where a key stands in the tables: names of tables, positions of rules, the last name."""
        if key.startswith("rules."):
            name, _, field = key.removeprefix("rules.").rpartition(".")
            names = [rule.name for rule in self.base.rules]
            return ["rules", names.index(name), field]
        if key.startswith(f"{_MARGIN}."):
            return [*_MARGIN.split("."), key.removeprefix(f"{_MARGIN}.")]
        return key.split(".")

    def _unknown(self, key: str) -> InputError:
        if key in _all_keys(self.base):
            return InputError(OPTION, key, "takes no number", "a key of the scenario that does")
        near = nearest_key(key, tuple(self._kinds))
        return InputError(OPTION, key, f"unknown key{near}", None)


def _numeric_keys(scenario: Scenario) -> dict[str, str]:
    """Every key that can be varied -> "integer" or "number"."""
    kinds: dict[str, str] = {}
    for name, model in SECTIONS.items():
        kinds |= _kinds(model, f"{name}.")
    margin = scenario.assumptions.gross_margin
    if isinstance(margin, GrossMargins):
        del kinds[_MARGIN]  # a table in this scenario: its entries are the numbers
        kinds |= {f"{_MARGIN}.{name}": "number" for name in ("default", *margin.values)}
    for rule in scenario.rules:
        kinds |= _kinds(type(rule), f"rules.{rule.name}.")
    return kinds


def _all_keys(scenario: Scenario) -> set[str]:
    keys = {f"{name}.{key}" for name, model in SECTIONS.items() for key in model.model_fields}
    for rule in scenario.rules:
        keys |= {f"rules.{rule.name}.{key}" for key in type(rule).model_fields}
    return keys | {f"scenario.{key}" for key in ("name", "week", "extends", "currency")}


def _kinds(model: type[BaseModel], prefix: str) -> dict[str, str]:
    """The fields of a model that take a number -> "integer" or "number"."""
    found = {}
    for field, node in model.model_json_schema()["properties"].items():
        for part in node.get("anyOf", [node]):
            if part.get("type") in ("integer", "number"):
                found[f"{prefix}{field}"] = part["type"]
    return found


def _spaced(key: str, text: str, whole: bool) -> list[float]:
    """Evenly spaced values: ``LOW:HIGH:COUNT``."""
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 3:
        raise InputError(OPTION, key, found_words(text), "LOW:HIGH:COUNT")
    low, high = (_number(key, part) for part in parts[:2])
    if not parts[2].isascii() or not parts[2].isdigit() or int(parts[2]) < 2:
        raise InputError(OPTION, key, f"COUNT {found_words(parts[2])}", "a whole number above 1")
    if int(parts[2]) > _MOST_VALUES:
        raise InputError(OPTION, key, f"COUNT {parts[2]}", f"at most {_MOST_VALUES}")
    if low >= high:
        raise InputError(OPTION, key, f"LOW {parts[0]} and HIGH {parts[1]}", "LOW below HIGH")
    steps = int(parts[2]) - 1
    if whole:
        for part, end in zip(parts, (low, high), strict=False):
            _whole(key, part, end)
        return [
            math.floor(low + (high - low) * k / steps + Fraction(1, 2)) for k in range(steps + 1)
        ]
    return [float(low + (high - low) * k / steps) for k in range(steps + 1)]


def _listed(key: str, text: str, whole: bool) -> list[float]:
    """Values one by one: ``1,2,5``."""
    parts = [part.strip() for part in text.split(",")]
    numbers = [_number(key, part) for part in parts]
    if whole:
        return [_whole(key, part, value) for part, value in zip(parts, numbers, strict=True)]
    return [float(value) for value in numbers]


def _number(key: str, text: str) -> Fraction:
    try:
        value = float(text)
        if math.isfinite(value):
            return Fraction(text.replace("_", ""))
    except ValueError:
        pass
    raise InputError(OPTION, key, found_words(text), f"a number: {_FORMS}")


def _whole(key: str, text: str, value: Fraction) -> int:
    if value.denominator != 1:
        raise InputError(OPTION, key, text, "a whole number")
    return int(value)


def point_label(axes: tuple[Axis, ...], values: tuple[float, ...]) -> str:
    """``limits.max_bundles = 40, limits.min_plan_margin = 0.2``."""
    pairs = zip(axes, values, strict=True)
    return ", ".join(f"{axis.key} = {value:g}" for axis, value in pairs)
