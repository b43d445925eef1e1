"""Excel workbooks: the first sheet, as columns of cell texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from .columns import Column, Table, check_header, number_text
from .errors import InputError


def read_excel(path: Path) -> Table:
    """Read the first sheet of a workbook; InputError where that cannot be done."""
    try:
        rows = _excel_rows(path)
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
    check_header(path, header)
    columns = {}
    for name, column in zip(header, cells, strict=True):
        codes, values = pd.factorize(np.array(column[1:], dtype=object))
        columns[name] = Column(codes.astype(np.int32), np.asarray(values, dtype=object))
    return Table(path, len(rows) - 1, columns)


def _excel_rows(path: Path) -> list[list[Any]]:
    with warnings.catch_warnings(action="ignore"):  # of styles and other things not read here
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            if isinstance(sheet, ReadOnlyWorksheet):
                sheet.reset_dimensions()  # some programs write a size that is too small
            return [list(row) for row in sheet.iter_rows(values_only=True)]
        finally:
            book.close()


def _excel_columns(rows: list[list[Any]]) -> Iterator[list[str | None]]:
    for index in range(max(map(len, rows))):
        yield [_excel_text(row[index]) if index < len(row) else None for row in rows]


def _excel_text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return number_text(np.float64(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return str(cell)
