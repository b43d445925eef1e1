"""A plan: the chosen offers with their accounts, proof and assumptions, and its files."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..instances.bundle_ids import neutralise
from ..models.beliefs import Beliefs
from .group_accounts import GROUP_COLUMNS
from .level_accounts import LEVEL_COLUMNS
from .plan_accounts import PLAN_COLUMNS, SEGMENTS_COLUMN
from .plan_folder import csv_bytes
from .set_draws import set_spread, subsets_of_plan

_TEXT = ("bundle_id", "name", "product_ids", "titles", "left_out")
_MONEY = (
    "list_price",
    "bundle_price",
    "revenue",
    "margin",
    "discount_spend",
    "incremental_margin",
    "incremental_margin_low",
    "incremental_margin_high",
)
_UNITS = ("bundle_units", "subsidised_units", "incremental_units")


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to a scenario.

    Attributes
    ----------
    report
        plan.json as a dictionary: status, objective, bound, gap, figures, rules, inputs,
        assumptions, warnings; money in currency units.
    offers
        the rows of plan.csv (``plan_accounts.PLAN_COLUMNS``), money in cents.
    products
        the rows of products.csv, money in cents.
    beliefs
        what ``check`` needs of the beliefs: the plan's products, pairs and larger sets.
    quarantine
        order lines set aside, without customer ids; empty when there were none.
    scenario
        text of the resolved scenario.
    levels, groups
        the rows of levels.csv and groups.csv, money in cents.
    segments
        files of the segments of shoppers that offers were scored by: name -> table or JSON value.
    """

    report: dict[str, Any]
    offers: pd.DataFrame
    products: pd.DataFrame
    beliefs: pd.DataFrame
    quarantine: pd.DataFrame
    scenario: str
    segments: dict[str, Any] = field(default_factory=dict)
    levels: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def status(self) -> str:
        return str(self.report["status"])

    def summary(self) -> str:
        """The plan in three lines."""
        report, kpis = self.report, self.report["kpis"]
        currency, unknown = report["currency"], "unknown"
        bound = unknown if report["bound"] is None else f"{report['bound']:,.2f}"
        gap = unknown if report["gap"] is None else f"{100 * report['gap']:.3f} %"
        return (
            f"{report['name']} {report['week']}: {kpis['bundles']} bundles, {report['status']}\n"
            f"incremental margin {kpis['incremental_margin']:,.2f} {currency} "
            f"({kpis['incremental_margin_low']:,.2f} to {kpis['incremental_margin_high']:,.2f})\n"
            f"bound {bound}, gap {gap}"
        )

    def files(self, beside: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """The content of every file of the plan folder, by name.

        Parameters
        ----------
        beside
            further files, whose hashes stand with the others in plan.json.
        """
        files = {
            "plan.csv": offers_csv(self.offers),
            "products.csv": products_csv(self.products),
            "levels.csv": levels_csv(self.levels),
            "groups.csv": groups_csv(self.groups),
            "beliefs.parquet": _parquet(self.beliefs),
            "scenario.toml": self.scenario.encode("utf-8"),
        }
        if len(self.quarantine):
            files["quarantine.csv"] = _text_csv(self.quarantine)
        for name, content in self.segments.items():
            files[name] = _parquet(content) if isinstance(content, pd.DataFrame) else _json(content)
        files |= beside or {}
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        report = {**self.report, "files": hashes}
        files["plan.json"] = _json(report)
        return files


def offers_csv(offers: pd.DataFrame) -> bytes:
    """plan.csv: header only where the plan is empty."""
    columns: list[str] = list(PLAN_COLUMNS)
    if SEGMENTS_COLUMN in offers.columns:
        columns.append(SEGMENTS_COLUMN)
    rows = [[_plan_cell(name, row[name]) for name in columns] for row in _records(offers)]
    return csv_bytes(columns, rows)


def levels_csv(levels: pd.DataFrame) -> bytes:
    """levels.csv: bundles at every level, cells as in plan.csv."""
    columns: list[str] = list(LEVEL_COLUMNS)
    rows = [[_plan_cell(name, row[name]) for name in columns] for row in _records(levels)]
    return csv_bytes(columns, rows)


def groups_csv(groups: pd.DataFrame) -> bytes:
    """groups.csv: a gain is per unit, so it has six decimals."""
    rows = [
        [
            *(neutralise(row[name]) for name in ("bundle_id", "buys", "adds")),
            f"{row['share']:.6g}",
            format_units(row["units"]),
            f"{row['gain'] / 100:.6f}",
            format_money(row["money"]),
        ]
        for row in _records(groups)
    ]
    return csv_bytes(list(GROUP_COLUMNS), rows)


def products_csv(products: pd.DataFrame) -> bytes:
    """products.csv; an empty stock cell means unlimited."""
    rows = []
    for row in _records(products):
        rows.append(
            [
                neutralise(row["product_id"]),
                format_money(row["reference_price"]),
                format_money(row["unit_cost"]),
                _flag(row["cost_assumed"]),
                repr(float(row["purchase_probability"])),
                repr(float(row["price_sensitivity"])),
                repr(float(row["deepest_cut"])),
                "" if math.isinf(row["stock"]) else format_units(row["stock"]),
                format_units(row["standalone_units"]),
                format_units(row["incremental_units"]),
            ]
        )
    return csv_bytes(list(products.columns), rows)


def plan_beliefs(
    beliefs: Beliefs, products: np.ndarray, bundles: list[tuple[int, ...]]
) -> pd.DataFrame:
    """The beliefs about some products and bundles as one table with a ``kind`` column.

    Of a bundle of three or four products there is a row for each pair (kind "pair") and each
    larger set (kind "set") within it.

    Parameters
    ----------
    products
        (n,) catalogue indices.
    bundles
        catalogue indices of the plan's bundles.
    """
    ids = np.array([str(value) for value in beliefs.product_ids[products]], dtype=object)
    product_rows = pd.DataFrame(
        {
            "kind": "product",
            "product_id": ids,
            "purchase_probability": beliefs.purchase_probability[products],
            "purchase_spread": beliefs.purchase_spread[products],
            "price_sensitivity": beliefs.price_sensitivity[products],
            "sensitivity_location": beliefs.sensitivity_location[products],
            "sensitivity_scale": beliefs.sensitivity_scale[products],
            "sensitivity_cap": beliefs.sensitivity_cap[products],
            "reference_price": beliefs.reference_price[products] / 100,
            "deepest_cut": beliefs.deepest_cut[products],
            "usual_quantity": beliefs.usual_quantity[products],
        }
    )
    for name, share in beliefs.displaced._asdict().items():
        if share is not None:
            product_rows[name] = share[products]
    held = subsets_of_plan(bundles)
    pairs = np.array([pair for pair in held if len(pair) == 2], dtype=np.int32).reshape(-1, 2)
    low, high = pairs.T
    facts = beliefs.pairs_of(low, high)
    pair_rows = pd.DataFrame(
        {
            "kind": "pair",
            "product_a": [str(value) for value in beliefs.product_ids[low]],
            "product_b": [str(value) for value in beliefs.product_ids[high]],
            **facts,
        }
    )
    tables = [product_rows, pair_rows]
    larger = [products for products in held if len(products) > 2]
    if larger:
        tables.append(_set_rows(beliefs, larger))
    return pd.concat(tables, ignore_index=True)


def _set_rows(beliefs: Beliefs, sets: list[tuple[int, ...]]) -> pd.DataFrame:
    """A row a set: its products, p_S, and the spread of log p_S."""
    rows = []
    for held in sets:
        names = [str(beliefs.product_ids[product]) for product in held]
        named = dict(zip(("product_a", "product_b", "product_c", "product_d"), names, strict=False))
        joint = float(beliefs.set_probability(np.array([held]))[0])
        rows.append(
            {"kind": "set", **named, "joint_probability": joint}
            | {"set_spread": set_spread(beliefs, held)}
        )
    return pd.DataFrame(rows)


def format_money(cents: int) -> str:
    """Cents as currency with two decimals: ``format_money(-105) == "-1.05"``."""
    cents = int(cents)
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def format_units(value: float) -> str:
    """Six significant digits, never in exponent form."""
    return np.format_float_positional(float(f"{value:.5e}"), trim="-")


def _plan_cell(column: str, value: Any) -> str:
    if column in _TEXT:
        return neutralise(value)
    if column in _MONEY:
        return format_money(value)
    if column in _UNITS:
        return format_units(value)
    if column == "added_units":
        return ";".join(format_units(count) for count in value)
    if column == SEGMENTS_COLUMN:
        return neutralise("; ".join(value))
    if column in ("capped", "chosen"):
        return _flag(value)
    if column == "level":
        return repr(float(value))
    if column == "value":
        return f"{value:.6g}"
    return f"{value:.6f}"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records")  # pyright: ignore[reportReturnType]


def _text_csv(frame: pd.DataFrame) -> bytes:
    cells = [
        ["" if pd.isna(cell) else neutralise(str(cell)) for cell in row]
        for row in frame.itertuples(index=False)
    ]
    return csv_bytes([str(name) for name in frame.columns], cells)


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
