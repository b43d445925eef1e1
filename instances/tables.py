"""Tables of any supported format, read as distinct cell texts and codes into them."""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import IO, Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet as arrow_parquet

from .errors import InputError

FORMATS = (".csv", ".csv.gz", ".parquet", ".xlsx")


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
    warnings = []
    for name in table.columns:
        if name not in required and name not in optional:
            near = difflib.get_close_matches(name.lower().replace(" ", "_"), free, 1, 0.8)
            if near:
                warnings.append(
                    f"{table.path.name}: column {name!r} is not used; is {near[0]!r} meant?"
                )
    return table, warnings


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


def shown(text: str) -> str:
    """A cell as it stands in a message: quoted, and short."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


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
            return _read_parquet(path)
        if name.endswith(".xlsx"):
            return _read_excel(path)
        return _read_csv(path)
    except PermissionError as error:
        raise InputError(path, None, "no permission to read the file", "a readable file") from error


def _any(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


# --- CSV ------------------------------------------------------------------------------------


def _read_csv(path: Path) -> Table:
    header = _csv_header(path)
    _check_header(path, header)
    text = pa.dictionary(pa.int32(), pa.string())
    try:
        arrow = arrow_csv.read_csv(
            str(path),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, text),
                null_values=[""],  # "NA" and "null" are texts like any other
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise _csv_fault(path, len(header), error) from error
    return _from_arrow(path, arrow)


def _open_text(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _csv_header(path: Path) -> list[str]:
    try:
        with _open_text(path) as file:
            for row in csv.reader(file):
                if row:
                    return row
    except UnicodeDecodeError as error:
        raise _encoding_fault(path) or InputError(path, None, str(error), "UTF-8") from error
    except (OSError, EOFError, csv.Error) as error:
        raise InputError(path, None, f"cannot be read ({error})", "a CSV file") from error
    raise InputError(path, None, "the file is empty", "a header and rows")


def _csv_fault(path: Path, width: int, error: Exception) -> InputError:
    """What is wrong with a CSV file that Arrow refuses, with its line."""
    fault = _encoding_fault(path)
    if fault is not None:
        return fault
    try:
        with _open_text(path) as file:
            for row in (reader := csv.reader(file)):
                if row and len(row) != width:
                    found = f"{len(row)} cells"
                    return InputError(
                        path, f"line {reader.line_num}", found, f"{width}, as in the header"
                    )
    except (OSError, EOFError, csv.Error) as other:
        return InputError(path, None, f"cannot be read ({other})", "a CSV file")
    return InputError(path, None, f"cannot be read ({error})", "a CSV file")


def _encoding_fault(path: Path) -> InputError | None:
    with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    found = f"byte 0x{line[error.start]:02X} is not UTF-8"
                    return InputError(path, f"line {number}", found, "text in UTF-8")
        except (OSError, EOFError):
            return None  # another fault, reported as such
    return None


# --- Parquet --------------------------------------------------------------------------------


def _read_parquet(path: Path) -> Table:
    try:
        schema = arrow_parquet.read_schema(path)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        _check_header(path, schema.names)
        # read from the file alone: a folder named like a partition must not add a column
        with arrow_parquet.ParquetFile(path, read_dictionary=texts) as file:
            arrow = file.read()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, None, f"cannot be read ({reason})", "a Parquet file") from error
    return _from_arrow(path, arrow)


def _from_arrow(path: Path, arrow: pa.Table) -> Table:
    columns = {
        name: _column(path, name, array)
        for name, array in zip(arrow.column_names, arrow.columns, strict=True)
    }
    return Table(path, arrow.num_rows, columns)


def _column(path: Path, name: str, array: pa.ChunkedArray) -> Column:
    if len(array) == 0 or pa.types.is_null(array.type):
        return Column(np.full(len(array), -1, dtype=np.int32), np.empty(0, dtype=object))
    if not pa.types.is_dictionary(array.type):
        _check_kind(path, name, array.type)
        array = array.dictionary_encode()
    coded = array.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # older releases keep one chunk wrapped
        coded = coded.chunk(0)
    texts = _texts(coded.dictionary)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    values = np.array(texts, dtype=object)
    empty = np.array([not text for text in texts], dtype=bool)
    if empty.any():
        codes = np.append(np.where(empty, -1, np.arange(len(texts))), -1)[codes].astype(np.int32)
    return Column(codes, values)


def _texts(values: pa.Array) -> list[str | None]:
    """Cell texts of distinct values of a simple Arrow type; None or "" where missing."""
    kind = values.type
    if pa.types.is_floating(kind):
        return [_number_text(value) for value in values.to_numpy(zero_copy_only=False)]
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        values = pc.call_function(
            "local_timestamp", [values]
        )  # the time on the wall, as it would be written
    return values.cast(pa.string()).to_pylist()


def _check_kind(path: Path, name: str, kind: pa.DataType) -> None:
    simple = (
        pa.types.is_primitive(kind)  # numbers, truth values, dates and times
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )
    if not simple:
        raise InputError(path, f"column {name}", f"holds {kind}", "text, numbers or dates")


def _number_text(value: np.floating[Any]) -> str | None:
    if np.isnan(value):
        return None
    if float(value).is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


# --- Excel ----------------------------------------------------------------------------------


def _read_excel(path: Path) -> Table:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        finally:
            book.close()
    except PermissionError:
        raise
    except Exception as error:  # openpyxl lets any error of zipfile, XML or its own through
        reason = f"{type(error).__name__}: {error}"
        raise InputError(path, None, f"cannot be read ({reason})", "an Excel workbook") from error
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise InputError(path, None, "the first sheet is empty", "a header and rows")
    cells = list(_excel_columns(rows))
    while cells and all(text is None for text in cells[-1]):
        cells.pop()
    header = [column[0] or "" for column in cells]
    _check_header(path, header)
    columns = {}
    for name, column in zip(header, cells, strict=True):
        codes, values = pd.factorize(np.array(column[1:], dtype=object))
        columns[name] = Column(codes.astype(np.int32), np.asarray(values, dtype=object))
    return Table(path, len(rows) - 1, columns)


def _excel_columns(rows: list[list[Any]]) -> Iterator[list[str | None]]:
    for index in range(max(len(row) for row in rows)):
        yield [_excel_text(row[index]) if index < len(row) else None for row in rows]


def _excel_text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _number_text(np.float64(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return str(cell)


def _check_header(path: Path, header: Sequence[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(header, start=1):
        if not name:
            raise InputError(path, "header", f"column {index} has no name", "a name for each")
        if name in seen:
            raise InputError(path, "header", f"two columns named {name!r}", "each name once")
        seen.add(name)
