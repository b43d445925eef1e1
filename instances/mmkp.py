"""Published multiple-choice multidimensional knapsacks: one item of each class, within capacities.

The benchmark form of the program. A file holds numbers apart by blanks or line ends: the number
of classes and of resources; the capacity of each resource; then, class by class, the number of
its items, and for each item its value and its weight in each resource.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

REFERENCE_FILE = "reference.csv"
_REFERENCE_COLUMNS = ("instance", "best_value", "upper_bound", "kind")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_WHOLE = re.compile(r"\+?\d{1,9}", re.ASCII)
_LARGEST = 2**53  # whole numbers up to here are exact as doubles, which is what engines take


@dataclass(frozen=True, slots=True)
class MmkpInstance:
    """Choose one item in each class; maximise Σ value, keep Σ weight within every capacity.

    Numbers are whole: those of the file times a power of ten, so that sums are exact.

    Attributes
    ----------
    name
        the file's name.
    item_class
        (items,) class of each item, from 0, ascending.
    values
        (items,) in units of 10^-value_places.
    weights
        (items, resources) in units of 10^-weight_places.
    capacities
        (resources,) in units of 10^-weight_places.
    value_places, weight_places
        decimals of the file's values, and of its weights and capacities.
    """

    name: str
    item_class: NDArray[np.int32]
    values: NDArray[np.int64]
    weights: NDArray[np.int64]
    capacities: NDArray[np.int64]
    value_places: int = 0
    weight_places: int = 0

    @property
    def n_items(self) -> int:
        return len(self.values)

    @property
    def n_classes(self) -> int:
        return int(self.item_class[-1]) + 1

    @property
    def n_resources(self) -> int:
        return len(self.capacities)


@dataclass(frozen=True, slots=True)
class MmkpReference:
    """What is known of an instance.

    Attributes
    ----------
    best_value
        value of the best known solution.
    upper_bound
        proven: no solution is worth more.
    kind
        "optimal" where the two meet; else where the value is from.
    """

    best_value: Decimal
    upper_bound: Decimal
    kind: str


def read_mmkp(path: Path) -> MmkpInstance:
    """The instance in a file.

    Raises
    ------
    InputError
        for a file that ends early or goes on too long, and for what is no number, a size that
        is not a whole number above 0, or a capacity or weight below 0.
    """
    numbers = _Numbers(path, _text(path))
    n_classes, n_resources = numbers.size("number of classes"), numbers.size("number of resources")
    capacities = numbers.take(n_resources, "capacities", may_be_negative=False)
    item_class: list[int] = []
    values: list[Decimal] = []
    weights: list[Decimal] = []
    for which in range(n_classes):
        of_class = f"of class {which + 1} of {n_classes}"
        for item in range(numbers.size(f"number of items {of_class}")):
            of_item = f"of item {item + 1} {of_class}"
            values += numbers.take(1, f"the value {of_item}", may_be_negative=True)
            weights += numbers.take(n_resources, f"weights {of_item}", may_be_negative=False)
            item_class.append(which)
    numbers.end()
    value_places = _places(values)
    weight_places = max(_places(weights), _places(capacities))
    return MmkpInstance(
        name=path.name,
        item_class=np.array(item_class, dtype=np.int32),
        values=_scaled(values, value_places, path),
        weights=_scaled(weights, weight_places, path).reshape(-1, n_resources),
        capacities=_scaled(capacities, weight_places, path),
        value_places=value_places,
        weight_places=weight_places,
    )


def read_references(path: Path) -> dict[str, MmkpReference]:
    """Instance's file name -> what is known of it, from a table with a header.

    Raises
    ------
    InputError
        for missing columns, cells that are no numbers, an instance given twice, or a best value
        above its bound.
    """
    table = csv.DictReader(io.StringIO(_text(path)), strict=True)
    references: dict[str, MmkpReference] = {}
    try:
        missing = [name for name in _REFERENCE_COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise InputError(path, "line 1", f"no column {missing[0]!r}", _listed_columns())
        for cells in table:
            place = f"line {table.line_num}"
            name = (cells["instance"] or "").strip()
            if name in references:
                raise InputError(path, place, f"{name!r} a second time", "each instance once")
            best, bound = (
                _cell(cells[column], path, f"{place}, {column}")
                for column in ("best_value", "upper_bound")
            )
            if best > bound:
                raise InputError(path, place, f"best_value {best} above upper_bound {bound}")
            references[name] = MmkpReference(best, bound, (cells["kind"] or "").strip())
    except csv.Error as error:
        raise InputError(path, None, str(error), "a CSV table") from error
    return references


def _listed_columns() -> str:
    return "the columns " + ", ".join(_REFERENCE_COLUMNS)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(path, None, f"cannot be read ({reason})", "a text file") from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"byte {error.start}", "not text", "a text file in UTF-8") from error


def _cell(text: str | None, path: Path, place: str) -> Decimal:
    shown = (text or "").strip()
    if not _NUMBER.fullmatch(shown):
        raise InputError(path, place, repr(shown) if shown else "empty", "a number")
    return Decimal(shown)


class _Numbers:
    """The numbers of a file, taken one after the other; each knows its line."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._tokens: list[str] = []
        self._lines: list[int] = []
        for line, content in enumerate(text.split("\n"), start=1):
            tokens = content.split()
            self._tokens += tokens
            self._lines += [line] * len(tokens)
        self._next = 0

    def size(self, what: str) -> int:
        """A whole number above 0."""
        token = self._slice(1, f"the {what}")[0]
        if not _WHOLE.fullmatch(token) or int(token) == 0:
            expected = f"the {what}, a whole number above 0"
            raise self._error(self._next - 1, repr(token), expected)
        return int(token)

    def take(self, count: int, what: str, *, may_be_negative: bool) -> list[Decimal]:
        tokens = self._slice(count, what)
        for offset, token in enumerate(tokens):
            at = self._next - count + offset
            if not _NUMBER.fullmatch(token):
                raise self._error(at, repr(token), f"a number ({what})")
            if not may_be_negative and token.startswith("-") and Decimal(token) < 0:
                raise self._error(at, repr(token), f"no number below 0 ({what})")
        return [Decimal(token) for token in tokens]

    def end(self) -> None:
        """Nothing may be left."""
        left = len(self._tokens) - self._next
        if left:
            found = f"{left} {'number' if left == 1 else 'numbers'} more than the sizes announce"
            raise self._error(self._next, found, "the end of the file")

    def _slice(self, count: int, what: str) -> list[str]:
        tokens = self._tokens[self._next : self._next + count]
        if len(tokens) < count:
            expected = f"{count} more ({what})" if count > 1 else what
            found = f"the file ends with {len(tokens)} of them" if tokens else "the file ends"
            raise InputError(self._path, "end", found, expected)
        self._next += count
        return tokens

    def _error(self, at: int, found: str, expected: str) -> InputError:
        line = self._lines[at]
        place = f"line {line}, number {at - self._lines.index(line) + 1}"
        return InputError(self._path, place, found, expected)


def _places(numbers: Sequence[Decimal]) -> int:
    """Decimals that the numbers need."""
    return max(_decimals(number) for number in numbers)


def _decimals(number: Decimal) -> int:
    _, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    trailing = len(digits) - len(text)
    return max(0, -int(exponent) - trailing) if text else 0


def _scaled(numbers: Sequence[Decimal], places: int, path: Path) -> NDArray[np.int64]:
    """The numbers in units of 10^-places; all of them exact as doubles too."""
    whole = [int(number.scaleb(places)) for number in numbers]
    for number, scaled in zip(numbers, whole, strict=True):
        if abs(scaled) > _LARGEST:
            found = f"{number}, in a file with {places} decimals"
            raise InputError(path, None, found, "numbers of at most 15 digits in all")
    return np.array(whole, dtype=np.int64)
