"""The files of a plan folder, read cell by cell for the verifier."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import pandas as pd

from .verifier_segment_files import WrittenSegments, read_segments

COLUMNS = (
    "bundle_id",
    "name",
    "product_ids",
    "titles",
    "level",
    "list_price",
    "bundle_price",
    "discount",
    "bundle_units",
    "subsidised_units",
    "incremental_units",
    "added_units",
    "revenue",
    "margin",
    "discount_spend",
    "incremental_margin",
    "incremental_margin_low",
    "incremental_margin_high",
    "margin_rate",
    "capped",
)
PRODUCT_COLUMNS = (
    "product_id",
    "reference_price",
    "unit_cost",
    "cost_assumed",
    "purchase_probability",
    "price_sensitivity",
    "deepest_cut",
    "stock",
    "standalone_units",
    "incremental_units",
)
NEEDED = ("plan.csv", "plan.json", "products.csv", "beliefs.parquet", "scenario.toml")

T = TypeVar("T")
_Row = dict[str, Any]

_BELOW_0 = -1e-9
_PRODUCT_RANGES = {
    "purchase_probability": (0.0, 1.0),
    "purchase_spread": (_BELOW_0, math.inf),
    "price_sensitivity": (_BELOW_0, math.inf),
    "sensitivity_location": (-math.inf, math.inf),
    "sensitivity_scale": (_BELOW_0, math.inf),
    "sensitivity_cap": (0.0, math.inf),
    "reference_price": (0.0, math.inf),
    "deepest_cut": (_BELOW_0, 1 - _BELOW_0),
    "diversion": (_BELOW_0, 1 - _BELOW_0),
    "pull_forward": (_BELOW_0, 1 - _BELOW_0),
    "usual_quantity": (0.0, math.inf),
}
_PAIR_RANGES = {
    "joint_probability": (0.0, 1.0),
    "odds_ratio": (0.0, math.inf),
    "odds_spread": (_BELOW_0, math.inf),
}

_SET_RANGES = {"joint_probability": (0.0, 1.0), "set_spread": (_BELOW_0, math.inf)}

_MONEY = re.compile(r"-?\d+\.\d\d")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_SHARE = re.compile(r"-?\d+\.\d{6}")
_FORMULA = re.compile(r"'+[=+\-@\t\r]")
_ESCAPED = re.compile(r"%(2B|3B|2C|25)")


@dataclass(frozen=True, slots=True)
class WrittenOffer:
    """A row of plan.csv as written: money in cents, units a week, ids without escapes."""

    bundle_id: str
    product_ids: tuple[str, ...]
    titles: str
    level: Decimal
    list_price: int
    bundle_price: int
    discount: float
    bundle_units: float
    subsidised_units: float
    incremental_units: float
    added_units: tuple[float, ...]
    revenue: int
    margin: int
    discount_spend: int
    incremental_margin: int
    incremental_margin_low: int
    incremental_margin_high: int
    margin_rate: float | None
    capped: bool
    segments: tuple[str, ...] | None = None

    @property
    def money_off(self) -> int:
        """D in cents."""
        return self.list_price - self.bundle_price


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """Everything a plan folder says.

    Attributes
    ----------
    offers
        the rows of plan.csv, in their order.
    products
        the rows of products.csv: product id -> column -> cell as text.
    product_beliefs
        product id -> its row of beliefs.parquet.
    pair_beliefs
        the two product ids -> their row of beliefs.parquet.
    set_beliefs
        three or four product ids -> their row of beliefs.parquet.
    report
        plan.json.
    segments
        of shoppers, that the offers were scored by; None without.
    """

    offers: tuple[WrittenOffer, ...]
    products: dict[str, dict[str, str]]
    product_beliefs: dict[str, dict[str, Any]]
    pair_beliefs: dict[frozenset[str], dict[str, Any]]
    set_beliefs: dict[frozenset[str], dict[str, Any]]
    report: dict[str, Any]
    segments: WrittenSegments | None = None


def read_files(files: Mapping[str, bytes]) -> tuple[PlanFiles | None, list[str]]:
    """The content of the files, or None and what keeps them from being read."""
    problems = [f"{name}: is missing" for name in NEEDED if name not in files]
    if problems:
        return None, problems
    offers = _read_offers(files["plan.csv"], problems)
    products = _read_products(files["products.csv"], problems)
    beliefs = _read_beliefs(files["beliefs.parquet"], problems)
    report = _read_report(files["plan.json"], problems)
    segments = read_segments(files, problems)
    if problems:
        return None, problems
    return PlanFiles(offers, products, *beliefs, report, segments), problems


def cents(text: str) -> int:
    """Money as written, in cents; ValueError unless it has exactly two decimals."""
    if not _MONEY.fullmatch(text):
        raise ValueError(f"{text!r} is no amount with two decimals")
    return int(Decimal(text) * 100)


def safe_text(text: str) -> str:
    """Text as it must stand in a cell: with an apostrophe where a spreadsheet would run it."""
    return f"'{text}" if _FORMULA.match(f"'{text}") else text


def _read_offers(content: bytes, problems: list[str]) -> tuple[WrittenOffer, ...]:
    by_segment = content.splitlines()[:1] == [",".join([*COLUMNS, "segments"]).encode()]
    columns = (*COLUMNS, "segments") if by_segment else COLUMNS
    rows = csv_rows("plan.csv", content, columns, problems)
    offers = []
    for row in rows:
        try:
            offers.append(_offer(row))
        except _CellError as error:
            problems.append(f"plan.csv: {row['bundle_id']}: {error}")
    return tuple(offers)


class _CellError(ValueError):
    """A cell of plan.csv that cannot be read: which column, what is written, what is expected."""


def _offer(row: dict[str, str]) -> WrittenOffer:
    money: dict[str, Any] = {
        name: _cell(row, name, cents, "an amount with two decimals")
        for name in (
            "list_price",
            "bundle_price",
            "revenue",
            "margin",
            "discount_spend",
            "incremental_margin",
            "incremental_margin_low",
            "incremental_margin_high",
        )
    }
    units: dict[str, Any] = {
        name: _cell(row, name, units_of, "a number of at most 6 significant digits, not negative")
        for name in ("bundle_units", "subsidised_units", "incremental_units")
    }
    ids = _cell(row, "product_ids", _ids, "two to four different product ids in ascending order")
    added = _cell(
        row,
        "added_units",
        lambda text: tuple(units_of(part) for part in text.split(";")),
        "a number for each product",
    )
    if len(added) != len(ids):
        raise _CellError(f"added_units is {row['added_units']!r}, expected {len(ids)} numbers")
    return WrittenOffer(
        bundle_id=original(row["bundle_id"]),
        product_ids=ids,
        titles=row["titles"],
        level=_cell(row, "level", number_of, "an entry of discounts.levels"),
        discount=_cell(row, "discount", _share, "a share with six decimals"),
        added_units=added,
        margin_rate=_cell(row, "margin_rate", _rate, "a share with six decimals"),
        capped=_cell(row, "capped", flag_of, "true or false"),
        segments=tuple(original(row["segments"]).split("; ")) if "segments" in row else None,
        **money,
        **units,
    )


def _cell(row: dict[str, str], column: str, read: Callable[[str], T], expected: str) -> T:
    """A cell read, or a ``_CellError`` that says what was expected."""
    try:
        return read(row[column])
    except (ValueError, ArithmeticError) as error:
        raise _CellError(f"{column} is {row[column]!r}, expected {expected}") from error


def number_of(text: str) -> Decimal:
    """A number as it is spelled; ValueError for anything else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def units_of(text: str) -> float:
    """A count of units: six significant digits at most, not negative."""
    number = number_of(text)
    if number < 0 or len(number.normalize().as_tuple().digits) > 6:
        raise ValueError(text)
    return float(number)


def _share(text: str) -> float:
    if not _SHARE.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _rate(text: str) -> float | None:
    """A margin rate; None for the ``nan`` of an offer without revenue."""
    return None if text == "nan" else _share(text)


def flag_of(text: str) -> bool:
    """``true`` or ``false``."""
    return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse(text)


def _refuse(text: str) -> bool:
    raise ValueError(text)


def _ids(text: str) -> tuple[str, ...]:
    """Product ids: joined by ``;``, percent-escaped, an apostrophe in front where needed."""
    ids = tuple(unescaped(part) for part in original(text).split(";"))
    if not 2 <= len(ids) <= 4 or list(ids) != sorted(set(ids)):
        raise ValueError(text)
    return ids


def original(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if _FORMULA.match(text) else text


def unescaped(text: str) -> str:
    """A product id without its escapes."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _read_products(content: bytes, problems: list[str]) -> dict[str, dict[str, str]]:
    products: dict[str, dict[str, str]] = {}
    for row in csv_rows("products.csv", content, PRODUCT_COLUMNS, problems):
        product_id = original(row["product_id"])
        if product_id in products:
            problems.append(f"products.csv: {product_id}: stands there twice")
        products[product_id] = row
    return products


def csv_rows(
    name: str, content: bytes, columns: tuple[str, ...], problems: list[str]
) -> list[dict[str, str]]:
    """Rows of a table whose header must be exactly ``columns``."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{name}: cannot be read ({error})")
        return []
    if not rows or tuple(rows[0]) != columns:
        found = ",".join(rows[0]) if rows else "nothing"
        problems.append(f"{name}: header is {found!r}, expected {','.join(columns)!r}")
        return []
    table = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            problems.append(f"{name}: row {number} has {len(row)} cells, expected {len(columns)}")
        else:
            table.append(dict(zip(columns, row, strict=True)))
    return table


def _read_beliefs(
    content: bytes, problems: list[str]
) -> tuple[dict[str, _Row], dict[frozenset[str], _Row], dict[frozenset[str], _Row]]:
    """The rows about products, about pairs, and about sets of three or four products."""
    try:
        table = pd.read_parquet(io.BytesIO(content))
        rows: list[dict[Any, Any]] = table.to_dict("records")
        products = {str(row["product_id"]): row for row in rows if row["kind"] == "product"}
        pairs = {_ends(row, 2): row for row in rows if row["kind"] == "pair"}
        sets = {_ends(row, 4): row for row in rows if row["kind"] == "set"}
    except Exception as error:  # whatever pyarrow and pandas raise on a broken file
        problems.append(f"beliefs.parquet: cannot be read ({error})")
        return {}, {}, {}
    # of plans made before these were learned, nothing is displaced
    absent = {name for name in ("diversion", "pull_forward") if name not in table}
    ranges = {name: ends for name, ends in _PRODUCT_RANGES.items() if name not in absent}
    for name, row in products.items():
        problems += _impossible(name, row, ranges)
    for found, ranges in ((pairs, _PAIR_RANGES), (sets, _SET_RANGES)):
        for names, row in found.items():
            problems += _impossible("+".join(sorted(names)), row, ranges)
    return products, pairs, sets


def _ends(row: dict[Any, Any], most: int) -> frozenset[str]:
    """The products of a row; those of a set of three are followed by an empty cell."""
    names = [row.get(f"product_{end}") for end in "abcd"[:most]]
    return frozenset(str(name) for name in names if isinstance(name, str))


def _impossible(
    name: str, row: dict[str, Any], ranges: dict[str, tuple[float, float]]
) -> Iterator[str]:
    """Beliefs that are missing, no numbers or outside what they can be (ends excluded)."""
    for column, (low, high) in ranges.items():
        value = row.get(column)
        if not (isinstance(value, int | float) and low < value < high):
            expected = f"a number above {low:g}, below {high:g}"
            yield f"beliefs.parquet: {name}: {column} is {value}, expected {expected}"


def _read_report(content: bytes, problems: list[str]) -> dict[str, Any]:
    try:
        report = json.loads(content)
    except ValueError as error:
        problems.append(f"plan.json: cannot be read ({error})")
        return {}
    if not isinstance(report, dict):
        problems.append("plan.json: is no table of keys")
        return {}
    return report
