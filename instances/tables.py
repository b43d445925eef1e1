"""Tables of any supported format, checked for the columns they must have."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .columns import Table, shown
from .errors import InputError
from .table_arrow import read_parquet
from .table_csv import read_csv

FORMATS = (".csv", ".csv.gz", ".parquet", ".xlsx")


def read_columns(
    path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[Table, list[str]]:
    """Read a table, and warn of columns that look like a misspelt optional one.

    Errors
    ------
    InputError
        for a missing, unreadable or empty file, an ending that is not supported, and columns
        that are missing or named twice.
    """
    table = _read(Path(path))
    lacking = [name for name in required if name not in table.columns]
    if lacking:
        found = f"no column {_quoted(lacking)}; found {_quoted(list(table.columns))}"
        only = next(iter(table.columns)) if len(table.columns) == 1 else ""
        hint = "cells separated by commas" if ";" in only or "\t" in only else None
        raise InputError(table.path, "header", found, hint or f"columns {', '.join(required)}")
    if table.rows == 0:
        raise InputError(table.path, None, "no rows below the header", "at least one row")
    free = [name for name in optional if name not in table.columns]
    notes = []
    for name in table.columns:
        if name not in required and name not in optional:
            near = difflib.get_close_matches(name.lower().replace(" ", "_"), free, 1, 0.8)
            if near:
                notes.append(
                    f"{table.path.name}: column {name!r} is not used; is {near[0]!r} meant?"
                )
    return table, notes


def read_table(path: Path) -> pd.DataFrame:
    """A table as text, empty cells missing, whatever the format; ids keep their leading zeros."""
    table = _read(Path(path))
    return pd.DataFrame(
        {
            name: pd.Series(column.spread(column.values, None), dtype="str")
            for name, column in table.columns.items()
        }
    )


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names)


def _read(path: Path) -> Table:
    name = path.name.lower()
    if not name.endswith(FORMATS):
        raise InputError(path, None, "unknown kind of file", f"a name that ends in {_any(FORMATS)}")
    if not path.exists():
        raise InputError(path, None, "no such file", "a table")
    if path.is_dir():
        raise InputError(path, None, "this is a folder", "a table")
    try:
        if path.stat().st_size == 0:
            raise InputError(path, None, "the file is empty", "a header and rows")
        if name.endswith(".parquet"):
            return read_parquet(path)
        if name.endswith(".xlsx"):
            from .table_excel import read_excel  # openpyxl takes a while to load

            return read_excel(path)
        return read_csv(path)
    except PermissionError as error:
        raise InputError(path, None, "no permission to read the file", "a readable file") from error


def _any(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
