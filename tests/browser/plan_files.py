"""Files of a plan folder by hand, small and whole, so that pages need no solve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bundlewise.cli.report_page import report_page
from bundlewise.instances.bundle_ids import neutralise
from bundlewise.solver.plan_folder import csv_bytes

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "{{7*7}}{% for x in y %}",
    '=HYPERLINK("http://example.org","x")',
    "שוקולד \u202emריר 100 ג׳",
    "a\"onmouseover=alert(1) b='",
    "<svg onload=alert(1)>&amp;",
    "Café crème, 250 g",
    "Extra long title of a product that goes on and on, 12 pieces of 330 ml in a carton",
)
LEVELS = (0.05, 0.1, 0.15)
OFFER_COST = 0.5


def hostile_plan() -> dict[str, bytes]:
    """Four bundles of the hostile titles at two levels; the third has no stock limit."""
    return plan_files(HOSTILE, [(0, 1), (2, 3), (4, 5), (6, 7)])


def plan_files(titles: tuple[str, ...], pairs: list[tuple[int, int]]) -> dict[str, bytes]:
    """A plan of pairs of products; product k has the id ``p<k>`` and costs 10 + k.

    Bundle n earns 5·(pairs − n) a week after an offer cost of 0.50: 10 shoppers buy both anyway,
    and 20 add the second product, which bring the rest.
    """
    plan, products, levels, groups = [], [], [], []
    evidence: dict[str, Any] = {}
    for n, pair in enumerate(pairs):
        names = [f"p{k}" for k in pair]
        key, earns = "+".join(names), 5.0 * (len(pairs) - n)
        list_price = sum(10.0 + k for k in pair)
        level = LEVELS[1 + n % 2]
        plan.append(_plan_row(key, [titles[k] for k in pair], names, list_price, level, earns))
        products += [_product_row(k) for k in pair]
        levels += [_level_row(key, list_price, at, earns, chosen=at == level) for at in LEVELS]
        off = level * list_price
        groups += [
            [key, ";".join(names), "", "0.02", "10", f"{-off:.6f}", f"{-10 * off:.2f}"],
            [key, names[0], names[1], "0.04", "20", "1", f"{earns + 10 * off + OFFER_COST:.2f}"],
        ]
        evidence[key] = _evidence(names)
    kpis = {
        "bundles": len(pairs),
        "incremental_margin": sum(float(row[15]) for row in plan),
        "incremental_margin_low": 1.0,
        "incremental_margin_high": 99.0,
        "revenue": sum(float(row[12]) for row in plan),
        "margin": 50.0,
        "margin_rate": 0.25 if pairs else None,
        "discount_spend": sum(float(row[14]) for row in plan),
        "sales_loss": 0.1,
    }
    return {
        "plan.csv": csv_bytes(_PLAN, plan),
        "products.csv": csv_bytes(_PRODUCTS, products),
        "levels.csv": csv_bytes(_LEVELS, levels),
        "groups.csv": csv_bytes(_GROUPS, groups),
        "quarantine.csv": csv_bytes(["line", "reason"], [["7", "unreadable date"]] * 3),
        "scenario.toml": b'[scenario]\nname = "x"\n[assumptions]\nvisits = 500.0\n',
        "plan.json": json.dumps(_report(kpis, evidence)).encode(),
    }


def empty_plan() -> dict[str, bytes]:
    """A plan without a bundle, and why."""
    files = plan_files((), [])
    report = json.loads(files["plan.json"])
    report["warnings"] = ["no bundle is offered: none of 12 candidates gains at any level"]
    return {**files, "plan.json": json.dumps(report).encode()}


def written(files: dict[str, bytes], path: Path) -> Path:
    """The report of the files, as a file."""
    path.write_text(report_page(files), encoding="utf-8")
    return path


_PLAN = [
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
]
_PRODUCTS = [
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
_LEVELS = [
    "bundle_id",
    "level",
    "bundle_price",
    "discount",
    "chosen",
    "left_out",
    "bundle_units",
    "subsidised_units",
    "incremental_units",
    "revenue",
    "margin",
    "discount_spend",
    "incremental_margin",
    "margin_rate",
    "capped",
]
_GROUPS = ["bundle_id", "buys", "adds", "share", "units", "gain", "money"]


def _plan_row(
    key: str, titles: list[str], ids: list[str], list_price: float, level: float, earns: float
) -> list[str]:
    price = list_price * (1 - level)
    figures = [level, list_price, price, level, 30.0, 10.0, 20.0]
    return [
        key,
        neutralise(" & ".join(titles)),
        ";".join(ids),
        neutralise(" + ".join(titles)),
        *(f"{value:.6g}" for value in figures),
        "0;20",
        *(f"{value:.2f}" for value in (30 * price, 50.0, 30 * level * list_price)),
        *(f"{value:.2f}" for value in (earns, earns - 4.0, earns + 6.0)),
        "0.25",
        "true",
    ]


def _product_row(k: int) -> list[str]:
    stock = "" if k % 2 else "100"
    assumed = "true" if k == 0 else "false"
    figures = ["0.05", "3.5", "0.2", stock, "30", "20"]
    return [f"p{k}", f"{10 + k:.2f}", "5.00", assumed, *figures]


def _level_row(key: str, price: float, level: float, earns: float, *, chosen: bool) -> list[str]:
    margin = earns if chosen else earns - 3.0
    refused = "" if chosen or level != LEVELS[0] else "stock"
    units = ["30", "10", "20", "100.00", "50.00", "20.00"]
    flag = "true" if chosen else "false"
    head = [key, repr(level), f"{price * (1 - level):.2f}", f"{level:.6f}", flag, refused]
    return [*head, *units, f"{margin:.2f}", "0.25", "false"]


def _evidence(names: list[str]) -> dict[str, Any]:
    response = {
        "price_sensitivity": 3.5,
        "price_sensitivity_low": 2.0,
        "price_sensitivity_high": 5.0,
        "deepest_cut": 0.2,
    }
    return {
        "orders": 40,
        "orders_expected": 12.5,
        "odds_ratio": 4.2,
        "odds_ratio_low": 3.1,
        "odds_ratio_high": 5.6,
        "trip_size_odds_ratio": 2.1,
        "gain_condition": 1.45,
        "break_even_discount": 0.22,
        "products": dict.fromkeys(names, response),
    }


def _report(kpis: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    stock = {"name": "stock[p0]", "kind": "stock", "value": 50.0, "limit": 90.0, "slack": 40.0}
    bundles = {"name": "bundle-count", "kind": "bundle-count", "value": 4, "limit": 4, "slack": 0}
    return {
        "version": "0.1.0",
        "name": "<b>shop</b>",
        "week": "2026-W01",
        "currency": "EUR",
        "status": "optimal",
        "limit": None,
        "objective": kpis["incremental_margin"],
        "bound": kpis["incremental_margin"],
        "gap": 0.0,
        "engine": "auto",
        "proof": {"source": "search", "scope": "all scored offers"},
        "candidates": 12,
        "candidates_cut": 0,
        "offers": 36,
        "kpis": kpis,
        "rules": [bundles, stock],
        "prices": [{"step_text": "one more <b>", "change_low": 2.0, "change_high": 3.5}],
        "inputs": [{"path": "/x/<i>orders.csv", "sha256": "0" * 64, "rows": 9, "rows_used": 6}],
        "orders": {"products not <active>": 1},
        "assumptions": {
            "visits": 500.0,
            "exposure": 1.0,
            "redemption": "seen",
            "gross_margin": 0.35,
            "tax_rate": 0.0,
            "offer_cost": OFFER_COST,
            "diversion": 0.1,
            "diversion_learned": False,
            "pull_forward": 0.0,
            "assumed": ["diversion", "unit_cost"],
            "costs_assumed": 1,
        },
        "evidence": evidence,
        "beliefs": {
            "training": {
                "visits": 9000.0,
                "lines": 30000,
                "first_week": "2025-W01",
                "last_week": "2025-W52",
            }
        },
        "held_out": {
            "train_weeks": 40,
            "test_weeks": 12,
            "pairs": {"independence": -1.9, "learned": -1.5},
        },
        "warnings": ["<b>careful</b>"],
    }
