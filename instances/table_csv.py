"""CSV files, compressed or not, and what is wrong with those that cannot be read."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from .columns import Table, check_header
from .errors import InputError
from .table_arrow import table_of


def read_csv(path: Path) -> Table:
    """Read a CSV file; InputError with the line at fault where that cannot be done."""
    header = _csv_header(path)
    check_header(path, header)
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
    table = table_of(path, arrow)
    if any("\n" in column.cell(-1) for column in table.columns.values() if table.rows):
        _check_last_quote(path)
    return table


def _check_last_quote(path: Path) -> None:
    """A quote that is never closed swallows the rest of the file, which Arrow does not mind."""
    line = 0
    try:
        with _open_text(path) as file:
            for _ in (reader := csv.reader(file, strict=True)):
                line = reader.line_num
    except csv.Error as error:
        found = f'a cell that begins with " does not end ({error})'
        raise InputError(path, f"line {line + 1}", found, 'a closing "') from error


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
