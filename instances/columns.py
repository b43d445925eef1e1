"""A table as columns of distinct cell texts, and codes into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import InputError


@dataclass(frozen=True, slots=True)
class Column:
    """One column as text, each distinct cell kept once, so that parsing is done once a text.

    Attributes
    ----------
    codes
        (rows,) index into ``values``; -1 where the cell is empty.
    values
        (distinct,) cell texts.
    """

    codes: NDArray[np.int32]
    values: NDArray[np.object_]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(rows,) whether the cell is empty."""
        return self.codes < 0

    def spread(self, parsed: NDArray[Any], missing: Any) -> NDArray[Any]:
        """(rows,) from one parsed value for each text, and the value of an empty cell."""
        filled = np.append(parsed, np.array([missing], dtype=parsed.dtype))
        return filled[self.codes]  # code -1 picks the last entry

    def text(self) -> NDArray[np.object_]:
        """(rows,) cell texts, "" where empty."""
        return self.spread(self.values, "")

    def positions(self, ids: NDArray[np.object_]) -> NDArray[np.int32]:
        """(rows,) position of each cell among ``ids``; -1 where it is not there."""
        found = pd.Index(ids, dtype="str").get_indexer(pd.Index(self.values, dtype="str"))
        return self.spread(found.astype(np.int32), -1)

    def cell(self, row: int) -> str:
        """Text of one cell, "" where empty."""
        code = int(self.codes[row])
        return "" if code < 0 else str(self.values[code])


@dataclass(frozen=True, slots=True)
class Table:
    """A table file: its columns by name, and what plan.json says of the file."""

    path: Path
    rows: int
    columns: dict[str, Column]

    def get(self, name: str) -> Column:
        """A column; one of empty cells where the table lacks it."""
        if name in self.columns:
            return self.columns[name]
        return Column(np.full(self.rows, -1, dtype=np.int32), np.empty(0, dtype=object))

    def error(self, row: int, column: str, expected: str) -> InputError:
        """The error for a bad cell: file, row (the header is row 1), column, found, expected."""
        cell = self.get(column).cell(row)
        found = f"found {shown(cell)}" if cell else "empty cell"
        return InputError(self.path, f"row {row + 2}, column {column}", found, expected)


def shown(text: str) -> str:
    """A cell as it stands in a message: quoted, and short."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def check_header(path: Path, header: Sequence[str]) -> None:
    """InputError unless every column has a name of its own."""
    seen: set[str] = set()
    for index, name in enumerate(header, start=1):
        if not name:
            raise InputError(path, "header", f"column {index} has no name", "a name for each")
        if name in seen:
            raise InputError(path, "header", f"two columns named {name!r}", "each name once")
        seen.add(name)


def number_text(value: np.floating[Any]) -> str | None:
    """A number as text, whole ones without a point; None for NaN."""
    if np.isnan(value):
        return None
    if float(value).is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
