"""Parquet files, and Arrow tables of any origin, as columns of cell texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as arrow_parquet

from .columns import Column, Table, check_header, number_text
from .errors import InputError


def read_parquet(path: Path) -> Table:
    """Read a Parquet file; InputError where that cannot be done."""
    try:
        schema = arrow_parquet.read_schema(path)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        check_header(path, schema.names)
        # read from the file alone: a folder named like a partition must not add a column
        with arrow_parquet.ParquetFile(path, read_dictionary=texts) as file:
            return table_of(path, file.read())
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, None, f"cannot be read ({reason})", "a Parquet file") from error


def table_of(path: Path, arrow: pa.Table) -> Table:
    """An Arrow table as ours; InputError for a column of lists or of other nested values."""
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
    # "" and None are missing, and a dictionary from elsewhere may hold a text twice
    distinct, values = pd.factorize(np.array([text or None for text in texts], dtype=object))
    return Column(np.append(distinct, -1)[codes].astype(np.int32), np.asarray(values, object))


def _texts(values: pa.Array) -> list[str | None]:
    """Cell texts of distinct values of a simple Arrow type; None or "" where missing."""
    kind = values.type
    if pa.types.is_floating(kind):
        return [number_text(value) for value in values.to_numpy(zero_copy_only=False)]
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
