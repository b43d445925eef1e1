"""Tables: the same text from every format, and one clear line for every file that is not one."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.tables import file_hash, read_columns, read_table

TITLES = [
    "NA",
    "null",
    "<b>bold</b>",
    "=1+1",
    "Käse — 日本 🧀",
    'say "hi", twice',
    "two\nlines",
]
IDS = ["007", "0", "NA", "nan", "1e5", "A,B", " x"]


def write_excel(frame: pd.DataFrame, path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for column, name in enumerate(frame.columns, start=1):
        sheet.cell(1, column, name)
        for row, value in enumerate(frame[name], start=2):
            cell = sheet.cell(row, column)
            cell.value = None if value is None or value != value else value
            if isinstance(value, str):
                cell.data_type = "s"  # as typed text, not run as a formula
    book.save(path)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".xlsx": write_excel,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_every_format_gives_the_same_text(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"product_id": IDS, "title": TITLES, "brand": [None, "b"] * 3 + [None]})
    path = tmp_path / f"products{ending}"
    WRITERS[ending](frame, path)
    table = read_table(path)
    assert table["product_id"].tolist() == IDS
    assert table["title"].tolist() == TITLES
    assert table["brand"].isna().tolist() == [True, False] * 3 + [True]


@pytest.mark.parametrize("ending", [".parquet", ".xlsx"])
def test_typed_cells_become_plain_text(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 20, 300],
            "float_id": [123.0, 1e12, np.nan],
            "price": [3.99, 0.1, 2.5],
            "flag": [True, False, True],
            "day": [datetime(2018, 1, 1), datetime(2018, 1, 2, 3, 4, 5), datetime(2018, 1, 3)],
        }
    )
    path = tmp_path / f"table{ending}"
    WRITERS[ending](frame, path)
    table = read_table(path)
    assert table["whole"].tolist() == ["1", "20", "300"]
    assert table["float_id"].tolist()[:2] == ["123", "1000000000000"]
    assert table["float_id"].isna().tolist() == [False, False, True]
    assert table["price"].tolist() == ["3.99", "0.1", "2.5"]
    assert table["flag"].tolist() == ["true", "false", "true"]
    assert [text[:10] for text in table["day"]] == ["2018-01-01", "2018-01-02", "2018-01-03"]


def test_other_parquet_types(tmp_path: Path) -> None:
    zone = pa.timestamp("s", tz="America/New_York")
    table = pa.table(
        {
            "zoned": pa.array([datetime(2018, 1, 1, 2, 0)], pa.timestamp("s", "UTC")).cast(zone),
            "day": pa.array([date(2018, 1, 1)]),
            "small": pa.array([0.1], pa.float32()),
            "money": pa.array(["12.50"]).cast(pa.decimal128(8, 2)),
            "coded": pa.array([7]).dictionary_encode(),
            "nothing": pa.nulls(1),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert read["zoned"].iloc[0].startswith("2017-12-31 21:00")  # the clock in New York
    assert read[["day", "small", "money", "coded"]].iloc[0].tolist() == [
        "2018-01-01",
        "0.1",
        "12.50",
        "7",
    ]
    assert read["nothing"].isna().all()


def test_a_dictionary_that_holds_a_text_twice_is_read_as_one(tmp_path: Path) -> None:
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), pa.array(["a", "a", ""]))
    pq.write_table(pa.table({"id": twice}), tmp_path / "t.parquet")
    table, _ = read_columns(tmp_path / "t.parquet", ["id"])
    assert table.columns["id"].values.tolist() == ["a"]
    assert table.columns["id"].missing.tolist() == [False, False, True, True]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "week=1"
    folder.mkdir()
    pd.DataFrame({"a": ["1"]}).to_parquet(folder / "t.parquet")
    assert read_table(folder / "t.parquet").columns.tolist() == ["a"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("product_id,title\n007,é\n", encoding="utf-8-sig")
    assert read_table(path).iloc[0].tolist() == ["007", "é"]


def test_a_near_miss_of_an_optional_column_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("product_id,unitcost,colour\n1,2,red\n")
    _, warnings = read_columns(path, ["product_id"], ["unit_cost", "stock"])
    assert warnings == ["t.csv: column 'unitcost' is not used; is 'unit_cost' meant?"]


def test_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"abc")
    assert file_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def wide(path: Path) -> None:
    path.write_text("product_id,title\n1,a\n2,b,c\n")


def latin(path: Path) -> None:
    path.write_bytes(b"product_id,title\n1,ok\n2,caf\xe9\n")


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content) and None


BAD_FILES = {
    "missing": ("t.csv", lambda path: None, "no such file"),
    "ending": ("t.txt", text("a"), "unknown kind of file; expected a name that ends in .csv,"),
    "folder": ("t.csv", lambda path: path.mkdir(), "this is a folder"),
    "no bytes": ("t.csv", text(""), "the file is empty; expected a header and rows"),
    "blank": ("t.csv", text("\n\n"), "the file is empty"),
    "no rows": ("t.csv", text("product_id\n"), "no rows below the header; expected at least one"),
    "columns": ("t.csv", text("id,title\n1,a\n"), "header: no column 'product_id'; found 'id',"),
    "semicolons": ("t.csv", text("product_id;title\n1;a\n"), "expected cells separated by commas"),
    "twice": ("t.csv", text("product_id,a,a\n1,2,3\n"), "header: two columns named 'a'"),
    "nameless": ("t.csv", text("product_id,\n1,2\n"), "header: column 2 has no name"),
    "ragged": ("t.csv", wide, "line 3: 3 cells; expected 2, as in the header"),
    "latin": ("t.csv", latin, "line 3: byte 0xE9 is not UTF-8; expected text in UTF-8"),
    "open quote": ("t.csv", text('product_id,a\n1,x\n2,"y\n3,z\n'), "line 3: a cell that begins"),
    "gzip": ("t.csv.gz", text("product_id\n1\n"), "cannot be read"),
    "parquet": ("t.parquet", text("product_id\n1\n"), "expected a Parquet file"),
    "xlsx": ("t.xlsx", text("product_id\n1\n"), "expected an Excel workbook"),
    "empty xlsx": ("t.xlsx", lambda path: openpyxl.Workbook().save(path), "first sheet is empty"),
    "nested": (
        "t.parquet",
        lambda path: pq.write_table(pa.table({"product_id": [[1]]}), path),
        "column product_id: holds list<",
    ),
    "no parquet rows": (
        "t.parquet",
        lambda path: pd.DataFrame({"product_id": pd.Series([], dtype="str")}).to_parquet(path),
        "no rows below the header",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_table_is_one_line(tmp_path: Path, case: str) -> None:
    name, write, message = BAD_FILES[case]
    write(tmp_path / name)
    with pytest.raises(InputError) as caught:
        read_columns(tmp_path / name, ["product_id"])
    line = str(caught.value)
    assert line.startswith(f"{tmp_path / name}: ")
    assert message in line
    assert "\n" not in line


def test_a_cell_of_two_lines_may_be_the_last(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('product_id,title\n1,"two\nlines"\n', encoding="utf-8")
    assert read_table(path)["title"].tolist() == ["two\nlines"]


def test_an_excel_sheet_that_states_a_wrong_size_is_read_whole(tmp_path: Path) -> None:
    path, other = tmp_path / "t.xlsx", tmp_path / "wrong.xlsx"
    write_excel(pd.DataFrame({"a": ["1", "2"], "b": ["3", "4"]}), path)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(b'ref="A1:B3"', b'ref="A1"')
            target.writestr(name, content)
    assert read_table(other)["b"].tolist() == ["3", "4"]


def test_a_cut_off_gzip_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"product_id\n" + b"123\n" * 9000)[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        read_columns(path, ["product_id"])
