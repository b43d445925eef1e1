"""Last week's plan, as far as rules that compare weeks need it."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .bundle_ids import bundle_id, restore, unescape_id
from .errors import InputError
from .weeks import week_index

_FILE, _REPORT = "plan.csv", "plan.json"
_SAME = 1e-9  # levels closer than that are one


@dataclass(frozen=True, slots=True)
class PreviousBundle:
    """A bundle of last week's plan.

    Attributes
    ----------
    products
        its product ids, ascending; the catalogue may no longer have them.
    level
        index of the entry of this week's ``discounts.levels`` that is nearest to its level.
    """

    products: tuple[str, ...]
    level: int

    @property
    def bundle_id(self) -> str:
        return bundle_id(self.products)


@dataclass(frozen=True, slots=True)
class PreviousPlan:
    """The bundles of last week's plan, in the order of its plan.csv (``file``).

    Attributes
    ----------
    week
        the week its plan.json names; None where there is none that can be read.
    as_written
        whether plan.csv is, byte for byte, the one that plan.json was written with; True where
        plan.json does not say.
    """

    file: Path
    bundles: tuple[PreviousBundle, ...]
    week: int | None = None
    as_written: bool = True


def read_previous_plan(folder: Path, levels: Sequence[float]) -> PreviousPlan:
    """Read the plan.csv of a plan folder.

    A bundle's level is the cell of ``level``, or of ``discount`` where the table has no such
    column, taken to the nearest entry of ``levels``, the smaller one where two are as near.

    Errors
    ------
    InputError
        for a folder without a plan.csv, and for one that is no plan's.
    """
    file = folder / _FILE
    expected = f"the folder of last week's plan, with its {_FILE} (data.previous_plan)"
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "no such folder"
        raise InputError(folder, None, found, expected)
    if not file.is_file():
        raise InputError(folder, None, f"has no {_FILE}", expected)
    try:
        content = file.read_bytes()
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except pd.errors.EmptyDataError as error:
        raise InputError(file, None, "is empty", expected) from error
    except (OSError, ValueError) as error:
        found = f"cannot be read ({str(error).strip()})"
        raise InputError(file, None, found, expected) from error
    column = "level" if "level" in table.columns else "discount"
    lacking = [name for name in ("product_ids", column) if name not in table.columns]
    if lacking:
        raise InputError(file, "header", f"no column {' or '.join(lacking)}", "those of a plan")
    bundles: dict[tuple[str, ...], PreviousBundle] = {}
    for row, (ids, level) in enumerate(zip(table["product_ids"], table[column], strict=True), 2):
        bundle = PreviousBundle(_products(file, row, ids), _entry(file, row, column, level, levels))
        if bundle.products in bundles:
            place, found = f"row {row}, column product_ids", f"found {ids!r} a second time"
            raise InputError(file, place, found, "each bundle once")
        bundles[bundle.products] = bundle
    week, checksum = _report(folder / _REPORT)
    as_written = checksum in (None, hashlib.sha256(content).hexdigest())
    return PreviousPlan(file, tuple(bundles.values()), week, as_written)


def _report(file: Path) -> tuple[int | None, str | None]:
    """The week of a plan.json and its checksum of plan.csv; None for what it does not say."""
    try:
        report = json.loads(file.read_bytes())
        week, files = report.get("week"), report.get("files")
    except (OSError, ValueError, AttributeError):
        return None, None
    checksum = files.get(_FILE) if isinstance(files, dict) else None
    try:
        return week_index(str(week)), checksum
    except ValueError:
        return None, checksum


def _products(file: Path, row: int, cell: str) -> tuple[str, ...]:
    ids = [unescape_id(part) for part in restore(cell).split(";")]
    if len(ids) < 2 or len(set(ids)) < len(ids) or not all(ids):
        place = f"row {row}, column product_ids"
        raise InputError(file, place, f"found {cell!r}", "different product ids joined by ;")
    return tuple(sorted(ids))


def _entry(file: Path, row: int, column: str, cell: str, levels: Sequence[float]) -> int:
    try:
        level = float(cell)
    except ValueError:
        level = math.nan
    if not 0 < level < 1:
        place = f"row {row}, column {column}"
        raise InputError(file, place, f"found {cell!r}", "a share above 0 and below 1")
    nearest = min(abs(known - level) for known in levels)
    return next(k for k, known in enumerate(levels) if abs(known - level) <= nearest + _SAME)
