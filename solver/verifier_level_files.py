"""levels.csv and groups.csv of a plan folder, read cell by cell for the verifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from .verifier_tables import (
    PlanFiles,
    WrittenOffer,
    cents,
    csv_rows,
    flag_of,
    number_of,
    original,
    unescaped,
    units_of,
)

LEVEL_COLUMNS = (
    "bundle_id", "level", "bundle_price", "discount", "chosen", "left_out", "bundle_units",
    "subsidised_units", "incremental_units", "revenue", "margin", "discount_spend",
    "incremental_margin", "margin_rate", "capped", "value",
)  # fmt: skip
GROUP_COLUMNS = ("bundle_id", "buys", "adds", "share", "units", "gain", "money")
_MONEY = ("bundle_price", "revenue", "margin", "discount_spend", "incremental_margin")
_UNITS = ("bundle_units", "subsidised_units", "incremental_units")
_FLAGS = ("chosen", "capped")
_GAIN_DECIMALS = 6

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WrittenLevel:
    """A row of levels.csv: the bundle's offer at that level, without the units of each product."""

    offer: WrittenOffer
    chosen: bool
    left_out: str
    value: float


@dataclass(frozen=True, slots=True)
class WrittenGroup:
    """A row of groups.csv: ``gain`` in cents a unit, ``money`` in cents a week."""

    buys: tuple[str, ...]
    adds: tuple[str, ...]
    share: float
    units: float
    gain: float
    money: int


@dataclass(frozen=True, slots=True)
class WrittenAccounts:
    """The rows of both files by bundle id; None where the plan was made before there was one."""

    levels: dict[str, list[WrittenLevel]] | None
    groups: dict[str, list[WrittenGroup]] | None


def read_accounts(
    files: Mapping[str, bytes], plan: PlanFiles, problems: list[str]
) -> WrittenAccounts:
    """The rows of both files; what cannot be read is added to ``problems``."""
    offers = {offer.bundle_id: offer for offer in plan.offers}

    def level(row: dict[str, str]) -> WrittenLevel:
        return _level(row, offers[original(row["bundle_id"])])

    return WrittenAccounts(
        _by_bundle(files, "levels.csv", LEVEL_COLUMNS, level, offers, problems),
        _by_bundle(files, "groups.csv", GROUP_COLUMNS, _group, offers, problems),
    )


def _by_bundle(
    files: Mapping[str, bytes],
    name: str,
    columns: tuple[str, ...],
    read: Callable[[dict[str, str]], T],
    offers: dict[str, WrittenOffer],
    problems: list[str],
) -> dict[str, list[T]] | None:
    if name not in files:
        return None
    table: dict[str, list[T]] = {bundle_id: [] for bundle_id in offers}
    last = ""
    for row in csv_rows(name, files[name], columns, problems):
        bundle_id = original(row["bundle_id"])
        if bundle_id not in offers:
            problems.append(f"{name}: {bundle_id}: is not in plan.csv")
            continue
        if bundle_id != last and table[bundle_id]:
            problems.append(f"{name}: {bundle_id}: its rows do not stand together")
        last = bundle_id
        try:
            table[bundle_id].append(read(row))
        except (ValueError, ArithmeticError) as error:
            problems.append(f"{name}: {bundle_id}: holds a cell that cannot be read ({error})")
    return table


def _level(row: dict[str, str], offer: WrittenOffer) -> WrittenLevel:
    cells: dict[str, Any] = {name: cents(row[name]) for name in _MONEY}
    cells |= {name: units_of(row[name]) for name in _UNITS}
    cells |= {name: flag_of(row[name]) for name in _FLAGS}
    chosen = bool(cells.pop("chosen"))
    rate = row["margin_rate"]
    return WrittenLevel(
        offer=replace(
            offer,
            level=number_of(row["level"]),
            discount=float(number_of(row["discount"])),
            margin_rate=None if rate == "nan" else float(number_of(rate)),
            **cells,
        ),
        chosen=chosen,
        left_out=original(row["left_out"]),
        value=float(number_of(row["value"])),
    )


def _group(row: dict[str, str]) -> WrittenGroup:
    gain = number_of(row["gain"])
    if gain != round(gain, _GAIN_DECIMALS):
        raise ValueError(f"gain {row['gain']!r} has more than {_GAIN_DECIMALS} decimals")
    return WrittenGroup(
        buys=_names(row["buys"]),
        adds=_names(row["adds"]),
        share=float(number_of(row["share"])),
        units=units_of(row["units"]),
        gain=float(gain * Decimal(100)),
        money=cents(row["money"]),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(unescaped(part) for part in original(text).split(";") if part)
