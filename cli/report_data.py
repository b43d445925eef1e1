"""What the report of a plan shows, read from the files of its folder and nothing else."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..instances.bundle_ids import restore, unescape_id
from .page.text import shown

REPORT_FILE = "report.html"


@dataclass(frozen=True, slots=True)
class Level:
    """A row of levels.csv: a bundle at one discount; money in currency units."""

    discount: float
    price: float
    units: float
    subsidised: float
    spend: float
    margin: float
    rate: float | None
    chosen: bool
    left_out: str


@dataclass(frozen=True, slots=True)
class Group:
    """A row of groups.csv; ``buys`` and ``adds`` are product ids, money in currency units."""

    buys: tuple[str, ...]
    adds: tuple[str, ...]
    share: float
    units: float
    gain: float
    money: float


@dataclass(frozen=True, slots=True)
class Bundle:
    """A row of plan.csv with what the other files know of it.

    Attributes
    ----------
    number
        place in plan.csv, from 1.
    products
        id -> title.
    added
        id -> units of it added a week.
    row
        the numbers of plan.csv; money in currency units, absent ones None.
    evidence
        plan.json's entry; None where the plan was written without.
    """

    number: int
    bundle_id: str
    name: str
    products: dict[str, str]
    added: dict[str, float]
    row: dict[str, float | None]
    capped: bool
    segments: str
    levels: tuple[Level, ...]
    groups: tuple[Group, ...]
    evidence: dict[str, Any] | None

    def figure(self, column: str) -> float:
        """A number of plan.csv that is never absent."""
        return float(self.row[column] or 0.0)


@dataclass(frozen=True, slots=True)
class Product:
    """A row of products.csv; money in currency units, ``stock`` None where unlimited."""

    product_id: str
    title: str
    price: float
    cost: float
    cost_assumed: bool
    purchase_probability: float
    sensitivity: float
    deepest_cut: float
    stock: float | None
    alone: float
    added: float


@dataclass(frozen=True, slots=True)
class ReportedPlan:
    """A plan folder as its report reads it.

    Attributes
    ----------
    report
        plan.json.
    detailed
        whether the folder has levels.csv and groups.csv; plans of earlier versions lack them.
    quarantine
        reason -> order lines set aside.
    changed
        files that are no longer those that were verified.
    scenario
        the resolved scenario.
    """

    report: dict[str, Any]
    bundles: tuple[Bundle, ...]
    products: dict[str, Product]
    detailed: bool
    quarantine: dict[str, int]
    changed: tuple[str, ...]
    scenario: dict[str, Any]

    @property
    def currency(self) -> str:
        return str(self.report["currency"])

    @property
    def objective(self) -> str:
        """What the plan was made to earn most of."""
        return str(self.scenario.get("objective", {}).get("maximize", "margin"))


def read_report_files(folder: Path) -> dict[str, bytes]:
    """The files of a plan folder that its report is made from; OSError where it has none."""
    names = {"plan.csv", "plan.json", "products.csv", "levels.csv", "groups.csv"}
    names |= {"quarantine.csv", "scenario.toml", *_listed(folder)}
    found = {name: folder / name for name in sorted(names) if (folder / name).is_file()}
    return {name: path.read_bytes() for name, path in found.items()}


def reported_plan(files: Mapping[str, bytes]) -> ReportedPlan:
    """What the report shows of the files of a plan folder (name -> content).

    Raises
    ------
    ValueError, KeyError
        a file or a part of one is missing, or is not what it should be.
    """
    report = json.loads(files["plan.json"])
    rows = _rows(files, "plan.csv")
    titles = {key: title for row in rows for key, title in _titles(row).items()}
    products = {row["product_id"]: _product(row, titles) for row in _rows(files, "products.csv")}
    levels, groups = (_by_bundle(_rows(files, name)) for name in ("levels.csv", "groups.csv"))
    evidence = report.get("evidence") or {}
    return ReportedPlan(
        report=report,
        bundles=tuple(
            _bundle(
                number,
                row,
                tuple(_level(entry) for entry in levels.get(row["bundle_id"], ())),
                tuple(_group(entry) for entry in groups.get(row["bundle_id"], ())),
                evidence.get(row["bundle_id"]),
            )
            for number, row in enumerate(rows, 1)
        ),
        products=products,
        detailed="levels.csv" in files and "groups.csv" in files,
        quarantine=dict(
            Counter(row["reason"] for row in _rows(files, "quarantine.csv")).most_common()
        ),
        changed=_changed(files, report),
        scenario=tomllib.loads(files.get("scenario.toml", b"").decode("utf-8")),
    )


def _listed(folder: Path) -> set[str]:
    """Files whose hash plan.json holds, to be compared with it."""
    report = json.loads((folder / "plan.json").read_bytes())
    names = report.get("files", {}) if isinstance(report, dict) else {}
    return {name for name in names if Path(name).name == name and name != REPORT_FILE}


def _changed(files: Mapping[str, bytes], report: dict[str, Any]) -> tuple[str, ...]:
    """Files that differ from what plan.json says was written, or are gone."""
    return tuple(
        str(name)
        for name, digest in report.get("files", {}).items()
        if name != REPORT_FILE
        and (name not in files or hashlib.sha256(files[name]).hexdigest() != digest)
    )


def _rows(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    """The rows of a table as text; none where the folder has no such file."""
    text = io.StringIO(files.get(name, b"").decode("utf-8"), newline="")
    return [
        {str(key): restore(cell) if cell else "" for key, cell in row.items()}
        for row in csv.DictReader(text)
    ]


def _by_bundle(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["bundle_id"], []).append(row)
    return found


def _ids(cell: str) -> tuple[str, ...]:
    return tuple(unescape_id(part) for part in cell.split(";")) if cell else ()


def _titles(row: dict[str, str]) -> dict[str, str]:
    """Titles by id; the ids themselves where a title holds the " + " that joins them."""
    ids, titles = _ids(row["product_ids"]), row["titles"].split(" + ")
    named = titles if len(titles) == len(ids) else ids
    return {key: shown(title) for key, title in zip(ids, named, strict=True)}


def _name(row: dict[str, str], products: dict[str, str]) -> str:
    """The whole titles, where plan.csv shortens them; ids tell apart those that are the same."""
    titles = list(products.values())
    if len(row["titles"].split(" + ")) != len(titles):
        return shown(row["name"])
    if len(set(titles)) < len(titles):
        titles = [f"{title} ({key})" for key, title in products.items()]
    return " & ".join(titles)


def _bundle(
    number: int,
    row: dict[str, str],
    levels: tuple[Level, ...],
    groups: tuple[Group, ...],
    evidence: dict[str, Any] | None,
) -> Bundle:
    words = ("bundle_id", "name", "product_ids", "titles", "added_units", "capped", "segments")
    products = _titles(row)
    added = row.get("added_units", "")
    counts = [float(part) for part in added.split(";")] if added else [0.0] * len(products)
    return Bundle(
        number=number,
        bundle_id=row["bundle_id"],
        name=_name(row, products),
        products=products,
        added=dict(zip(products, counts, strict=True)),
        row={key: _number(cell) for key, cell in row.items() if key not in words},
        capped=row.get("capped") == "true",
        segments=shown(row.get("segments", "")),
        levels=levels,
        groups=groups,
        evidence=evidence,
    )


def _product(row: dict[str, str], titles: dict[str, str]) -> Product:
    key = row["product_id"]
    return Product(
        product_id=key,
        title=titles.get(key, shown(key)),
        price=float(row["reference_price"]),
        cost=float(row["unit_cost"]),
        cost_assumed=row["cost_assumed"] == "true",
        purchase_probability=float(row["purchase_probability"]),
        sensitivity=float(row["price_sensitivity"]),
        deepest_cut=float(row["deepest_cut"]),
        stock=_number(row["stock"]),
        alone=float(row["standalone_units"]),
        added=float(row["incremental_units"]),
    )


def _level(row: dict[str, str]) -> Level:
    return Level(
        discount=float(row["discount"]),
        price=float(row["bundle_price"]),
        units=float(row["bundle_units"]),
        subsidised=float(row["subsidised_units"]),
        spend=float(row["discount_spend"]),
        margin=float(row["incremental_margin"]),
        rate=_number(row["margin_rate"]),
        chosen=row["chosen"] == "true",
        left_out=row["left_out"],
    )


def _group(row: dict[str, str]) -> Group:
    return Group(
        buys=_ids(row["buys"]),
        adds=_ids(row["adds"]),
        share=float(row["share"]),
        units=float(row["units"]),
        gain=float(row["gain"]),
        money=float(row["money"]),
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell and cell != "nan" else None
