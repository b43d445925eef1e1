"""A small plan written without the package's writer, for tests of the verifier.

Units come from thin slices with the textbook form of the copula, intervals from Monte Carlo, so
that two hands meet in each figure.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario

PRODUCTS = """\
product_id,title,category,brand,list_price,unit_cost,stock,min_price,supplier_funding,active
001,Coffee,Hot,Alto,8.00,3.00,,5.00,0.20,true
002,"=Filters, <b>80</b>",Hot,Home,2.50,0.60,,,,true
003,Pancake mix,Breakfast,Bowl,3.50,1.20,400,,,true
004,Maple syrup,Breakfast,Wood,7.50,2.40,,,,true
005,Chips,Snacks,Crackle,3.00,0.80,,,,true
006,Salsa,Snacks,Camino,4.00,1.10,,,,true
007,Tea,Hot,Leaf,4.00,2.00,,,,false
"""
SCENARIO = """\
[scenario]
name = "by-hand"
week = "2025-W10"

[data]
orders = "orders.csv"
products = "products.csv"

[assumptions]
tax_rate = 0.10
visits = 10000
exposure = 0.8
redemption = "automatic"
offer_cost = 3.0
diversion = 0.1

[candidates]
min_support = 5

[discounts]
levels = [0.05, 0.10, 0.20, 0.25]
price_ending = "x.x9"

[limits]
max_bundles = 3
max_bundles_per_product = 1
stock_safety = 0.1
min_bundle_margin = 0.2
min_plan_margin = 0.25
discount_budget = 2000

[[rules]]
name = "snacks"
kind = "category-limit"
category = "Snacks"
min = 1
max = 1

[[rules]]
name = "bowl"
kind = "brand-limit"
brand = "Bowl"
max = 1

[[rules]]
name = "breakfast"
kind = "must-include"
products = ["003", "004"]

[[rules]]
name = "fixed"
kind = "locked"
products = ["005", "006"]
level = 0.1

[[rules]]
name = "one-hot"
kind = "at-most-one-of"
products = ["001", "002"]

[[rules]]
name = "apart"
kind = "never-together"
products = ["001", "005"]

[[rules]]
name = "never"
kind = "excluded"
products = ["002", "003"]
"""
_BELIEFS = {  # q, spread of log q, location, scale and cap of η, deepest cut, usual quantity
    "001": (0.06, 0.05, 3.0, 0.5, 8.0, 0.30, 1.2),
    "002": (0.05, 0.08, 2.5, 0.4, 8.0, 0.90, 1.0),
    "003": (0.03, 0.10, 3.5, 0.6, 8.0, 0.30, 1.0),
    "004": (0.02, 0.10, 3.0, 0.6, 8.0, 0.06, 1.0),
    "005": (0.08, 0.05, 2.0, 0.0, 8.0, 0.25, 1.1),
    "006": (0.05, 0.07, 3.0, 0.3, 8.0, 0.25, 1.0),
}
_PAIRS = {("001", "002"): (8.0, 0.1), ("003", "004"): (20.0, 0.15), ("005", "006"): (6.0, 0.1)}
OFFERS = (  # ids, level, bundle price: nearest x.x9 to list·(1 − level)
    ("001", "002", 0.20, 839),  # 10.50·0.8 = 8.40 -> 8.39
    ("003", "004", 0.20, 879),  # 11.00·0.8 = 8.80 -> 8.79
    ("005", "006", 0.10, 629),  # 7.00·0.9 = 6.30 -> 6.29
)
HEADER = (
    "bundle_id,name,product_ids,titles,level,list_price,bundle_price,discount,bundle_units,"
    "subsidised_units,incremental_units,added_units,revenue,margin,discount_spend,"
    "incremental_margin,incremental_margin_low,incremental_margin_high,margin_rate,capped"
)
_TAX, _VISITS, _EXPOSURE, _COST, _DIVERSION = 1.1, 10_000, 0.8, 300.0, 0.1


def plan_files(
    folder: Path, offers: tuple = OFFERS, scenario: Path | None = None
) -> dict[str, bytes]:
    """The files of a plan of these offers; see the module's docstring."""
    instance = load_instance(read_scenario(scenario or folder / "scenario.toml"))
    rows, totals, draws = [], np.zeros(_DRAWS), _posterior_draws()
    for first, second, level, bundle_price in offers:
        row, gains = _plan_row(first, second, level, bundle_price, draws)
        rows.append(row)
        totals += gains
    rows.sort(key=lambda row: -float(row["incremental_margin"]))
    text = scenario.read_text() if scenario else SCENARIO
    for name in ("orders.csv", "products.csv"):
        text = text.replace(f'"{name}"', f'"{folder / name}"')
    files = {
        "plan.csv": _csv(HEADER.split(","), rows),
        "products.csv": _products_file(rows),
        "beliefs.parquet": _beliefs_file(),
        "scenario.toml": text.encode(),
    }
    low, high = np.quantile(totals, (0.05, 0.95)) / 100 if rows else (0.0, 0.0)
    report = _report(rows, float(low), float(high))
    report["inputs"] = [
        {"path": file.path, "sha256": file.sha256, "rows": file.rows, "rows_used": file.rows_used}
        for file in instance.inputs
    ]
    report["files"] = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    files["plan.json"] = json.dumps(report).encode()
    return files


_DRAWS = 3000
_PRICE = {"001": 800, "002": 250, "003": 350, "004": 750, "005": 300, "006": 400}
_UNIT_COST = {"001": 300, "002": 60, "003": 120, "004": 240, "005": 80, "006": 110}
_FUNDING = {"001": 20}
_TITLE = {"001": "Coffee", "002": "=Filters, <b>80</b>", "003": "Pancake mix", "004": "Maple syrup"}
_TITLE |= {"005": "Chips", "006": "Salsa"}
_SHELF = {"001": ("001", "002", "007"), "003": ("003", "004"), "005": ("005", "006")}


def _net_gain(name: str) -> float:
    """m_x less a tenth of the mean unit margin of its shelf (the inactive tea counts in it)."""
    margin = {key: _PRICE[key] / _TAX - _UNIT_COST[key] for key in _PRICE}
    margin["007"] = 400 / _TAX - 200
    shelf = next(members for members in _SHELF.values() if name in members)
    return margin[name] - _DIVERSION * float(np.mean([margin[key] for key in shelf]))


def _copula(u: np.ndarray, v: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """The textbook form; fine at the ψ of 6 to 20 used here."""
    s = 1 + (psi - 1) * (u + v)
    return (s - np.sqrt(s * s - 4 * psi * (psi - 1) * u * v)) / (2 * (psi - 1))


def _dense_shares(q, eta, price, psi, money_off: int, reach) -> tuple[np.ndarray, ...]:
    """Rows 1 to 4 as a sum over 400 thin slices of the first product's shortfall.

    A slice of shoppers is C(u + du, ·) − C(u, ·); they take the bundle where the second product
    falls short by no more than is left of D at the middle of the slice.
    """

    def rank(k: int, short) -> np.ndarray:
        return 1 / (1 + (1 - q[k]) / q[k] * np.exp(-eta[k] * short / price[k]))

    both = 0.0
    edges = np.linspace(0, reach[0], 401)
    for low, high in pairwise(edges):
        limit = rank(1, min(reach[1], money_off - (low + high) / 2))
        u, v = rank(0, low), rank(0, high)
        reached = _copula(v, limit, psi) - _copula(u, limit, psi)
        both = both + reached - (_copula(v, q[1], psi) - _copula(u, q[1], psi))
    joint = _copula(q[0], q[1], psi)
    adds_second = _copula(q[0], rank(1, reach[1]), psi) - joint
    return joint, adds_second, _copula(rank(0, reach[0]), q[1], psi) - joint, both


def _posterior_draws() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """q and η of each product; no truncation is reached with these locations and scales."""
    rng = np.random.default_rng(5)
    return {
        name: (
            q * np.exp(spread * rng.standard_normal(_DRAWS) - spread**2 / 2),
            location + scale * rng.standard_normal(_DRAWS),
        )
        for name, (q, spread, location, scale, *_) in _BELIEFS.items()
    }


def _plan_row(first: str, second: str, level: float, bundle_price: int, draws: dict):
    """A row of plan.csv and the draws of its incremental margin."""
    ids = (first, second)
    price = [_PRICE[name] for name in ids]
    money_off = sum(price) - bundle_price
    psi, psi_spread = _PAIRS[ids]
    reaches = {
        "false": [min(money_off, p) for p in price],
        "true": [min(money_off, _BELIEFS[name][5] * _PRICE[name]) for name in ids],
    }
    # Expectation over η: midpoints of 60 equal slices of each normal within 5 deviations.
    grid = np.linspace(-5, 5, 61)[:-1] + 1 / 12
    weight = np.outer(np.exp(-(grid**2) / 2), np.exp(-(grid**2) / 2)).ravel()
    eta = [
        _BELIEFS[ids[0]][2] + _BELIEFS[ids[0]][3] * np.repeat(grid, len(grid)),
        _BELIEFS[ids[1]][2] + _BELIEFS[ids[1]][3] * np.tile(grid, len(grid)),
    ]
    q = [_BELIEFS[name][0] for name in ids]
    found = {}
    for flag, reach in reaches.items():
        rows = _dense_shares(q, eta, price, psi, money_off, reach)
        mean = [
            float(np.average(np.broadcast_to(row, weight.shape), weights=weight)) for row in rows
        ]
        found[flag] = _week(ids, mean, money_off)
    capped = "true" if found["true"][4] < found["false"][4] else "false"
    bundle, subsidised, added_a, added_b, _ = (float(x) for x in found[capped])
    bundle, subsidised, added_a, added_b = (
        float(f"{value:.5e}") for value in (bundle, subsidised, added_a, added_b)
    )
    margin = bundle * (
        bundle_price / _TAX
        - sum(_UNIT_COST[name] for name in ids)
        + sum(_FUNDING.get(name, 0) for name in ids)
    )
    gain = added_a * _net_gain(first) + added_b * _net_gain(second) - _COST
    gain += bundle * (sum(_FUNDING.get(name, 0) for name in ids) - money_off / _TAX)

    rng = np.random.default_rng(int(first))
    psi_draws = psi * np.exp(psi_spread * rng.standard_normal(_DRAWS))
    drawn_q, drawn_eta = ([draws[name][k] for name in ids] for k in (0, 1))
    shares = _dense_shares(drawn_q, drawn_eta, price, psi_draws, money_off, reaches[capped])
    gains = _week(ids, shares, money_off)[4]
    low, high = np.quantile(gains, (0.05, 0.95))
    titles = " + ".join(_TITLE[name] for name in ids)
    row = {
        "bundle_id": f"{first}+{second}",
        "name": f"{first} & {second}",
        "product_ids": f"{first};{second}",
        "titles": f"'{titles}" if titles.startswith("=") else titles,
        "level": str(level),
        "list_price": f"{sum(price) / 100:.2f}",
        "bundle_price": f"{bundle_price / 100:.2f}",
        "discount": f"{money_off / sum(price):.6f}",
        "bundle_units": f"{bundle:.6g}",
        "subsidised_units": f"{subsidised:.6g}",
        "incremental_units": f"{added_a + added_b:.6g}",
        "added_units": f"{added_a:.6g};{added_b:.6g}",
        "revenue": f"{bundle * bundle_price / 100:.2f}",
        "margin": f"{margin / 100:.2f}",
        "discount_spend": f"{bundle * money_off / 100:.2f}",
        "incremental_margin": f"{gain / 100:.2f}",
        "incremental_margin_low": f"{low / 100:.2f}",
        "incremental_margin_high": f"{high / 100:.2f}",
        "margin_rate": f"{margin / (bundle * bundle_price / _TAX):.6f}",
        "capped": capped,
    }
    return row, gains


def _week(ids: tuple[str, str], shares, money_off: int) -> tuple:
    """Units and incremental margin of a week; the till pays the subsidy on all visits."""
    joint, adds_b, adds_a, both = shares
    seen = _VISITS * _EXPOSURE
    bundle = _VISITS * joint + seen * (adds_a + adds_b + both)
    added_a, added_b = seen * (adds_a + both), seen * (adds_b + both)
    funding = sum(_FUNDING.get(name, 0) for name in ids)
    gain = added_a * _net_gain(ids[0]) + added_b * _net_gain(ids[1])
    gain = gain + bundle * (funding - money_off / _TAX) - _COST
    return bundle, _VISITS * joint, added_a, added_b, gain


def _report(rows: list[dict[str, str]], low: float, high: float) -> dict:
    def total(column: str) -> float:
        return round(sum(float(row[column]) for row in rows), 2)

    net_revenue, margin = total("revenue") / _TAX, total("margin")
    loss = 0.0
    for first, second in (row["product_ids"].split(";") for row in rows):
        q = [np.array(_BELIEFS[name][0]) for name in (first, second)]
        joint = _copula(q[0], q[1], np.array(_PAIRS[first, second][0]))
        loss -= float(q[0] * q[1] * np.log(joint))
    objective = total("incremental_margin")
    return {
        "name": "by-hand",
        "week": "2025-W10",
        "status": "optimal",
        "objective": objective,
        "bound": objective * 1.0005,
        "gap": 0.0005 if rows else 0.0,
        "kpis": {
            "bundles": len(rows),
            "incremental_margin": objective,
            "incremental_margin_low": low,
            "incremental_margin_high": high,
            "revenue": total("revenue"),
            "margin": margin,
            "margin_rate": margin / net_revenue if rows else None,
            "discount_spend": total("discount_spend"),
            "sales_loss": loss,
        },
        "rules": _rule_rows(rows, net_revenue, margin, total("discount_spend")) if rows else [],
        "assumptions": {
            "visits": 10000,
            "exposure": 0.8,
            "redemption": "automatic",
            "tax_rate": 0.1,
            "diversion": 0.1,
        },
    }


def _rule_rows(rows: list, net_revenue: float, margin: float, spend: float) -> list[dict]:
    pancakes = next(row for row in rows if row["bundle_id"] == "003+004")
    added = float(pancakes["added_units"].split(";")[0])
    alone = _VISITS * 0.03 * 1.0
    rate = min(float(row["margin_rate"]) for row in rows)
    figures = [
        ("bundle-count", "bundle-count", 3, 3, 0),
        *((f"product-exposure[00{k}]", "product-exposure", 1, 1, 0) for k in range(1, 7)),
        ("stock[003]", "stock", alone + added, 360, 360 - alone - added),
        ("plan-margin", "plan-margin", margin - 0.25 * net_revenue, 0, margin - 0.25 * net_revenue),
        ("discount-budget", "discount-budget", spend, 2000, 2000 - spend),
        ("snacks", "category-limit", 1, 1, 0),
        ("bowl", "brand-limit", 1, 1, 0),
        ("breakfast", "must-include", 1, 1, 0),
        ("fixed", "locked", 1, 1, 0),
        ("one-hot", "at-most-one-of", 1, 1, 0),
        ("bundle-margin", "bundle-margin", rate, 0.2, rate - 0.2),
        ("min-price", "min-price", 3.39, 0, 3.39),  # 8.39 for what must bring 5.00
    ]
    keys = ("name", "kind", "value", "limit", "slack")
    return [{**dict(zip(keys, row, strict=True)), "shadow_price": None} for row in figures]


def _products_file(rows: list[dict[str, str]]) -> bytes:
    header = [
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
    ]
    table = []
    for row in rows:
        for name, added in zip(
            row["product_ids"].split(";"), row["added_units"].split(";"), strict=True
        ):
            q, _, location, _, _, cut, quantity = _BELIEFS[name]
            cells = (
                name,
                f"{_PRICE[name] / 100:.2f}",
                f"{_UNIT_COST[name] / 100:.2f}",
                "false",
                repr(q),
                repr(location),
                repr(cut),
                "400" if name == "003" else "",
                f"{_VISITS * q * quantity:.6g}",
                added,
            )
            table.append(dict(zip(header, cells, strict=True)))
    return _csv(header, sorted(table, key=lambda row: row["product_id"]))


def _beliefs_file() -> bytes:
    products = pd.DataFrame(
        {
            "kind": "product",
            "product_id": name,
            "purchase_probability": q,
            "purchase_spread": spread,
            "price_sensitivity": location,
            "sensitivity_location": location,
            "sensitivity_scale": scale,
            "sensitivity_cap": cap,
            "reference_price": _PRICE[name] / 100,
            "deepest_cut": cut,
            "usual_quantity": quantity,
        }
        for name, (q, spread, location, scale, cap, cut, quantity) in _BELIEFS.items()
    )
    pairs = pd.DataFrame(
        {
            "kind": "pair",
            "product_a": first,
            "product_b": second,
            "joint_probability": float(
                _copula(np.array(_BELIEFS[first][0]), np.array(_BELIEFS[second][0]), np.array(psi))
            ),
            "odds_ratio": psi,
            "odds_spread": spread,
        }
        for (first, second), (psi, spread) in _PAIRS.items()
    )
    stream = io.BytesIO()
    pd.concat([products, pairs], ignore_index=True).to_parquet(stream, index=False)
    return stream.getvalue()


def _csv(header: list[str], rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
