"""Why a bundle is in a plan: who buys it, what speaks for it, what binds it, what it is worth."""

from __future__ import annotations

import difflib
from typing import Any

import pandas as pd

from ..instances.errors import InputError
from .binding_rules import binding_rules
from .plan_tables import PlanTables, ids_of
from .what_if import Say, Situation, without_bundle

_VISITS = 1000.0  # that shares of visits are told for


def explain_bundle(
    tables: PlanTables,
    bundle: str,
    now: Situation | None = None,
    missing: str | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Everything there is to say of a chosen bundle, as plain values ready for JSON.

    Parameters
    ----------
    bundle
        its bundle id, or its product ids or titles, see ``find_bundle``.
    now
        the plan beside its data, for what only those can tell: the cost of dropping it, by
        solving again, and rules about categories, brands and last week.
    missing
        why there is no ``now``.

    Raises
    ------
    InputError
        no bundle of the plan is called so, or more than one is.
    """
    row = find_bundle(tables, bundle)
    products = ids_of(str(row["product_ids"]))
    report = tables.plan.report
    instance = None if now is None else now.instance
    bound, untold = binding_rules(report, tables.scenario, products, instance)
    not_told = [f"the cost of dropping it: {missing}"] if now is None else []
    not_told += [f"whether the rule {name} speaks of it: {missing}" for name in untold]
    titles = tables.titles
    known = report.get("evidence", {}).get(row["bundle_id"])
    if known is None:
        not_told.append("the gain condition and the evidence: the plan is of a version before them")
    for table, what in ((tables.levels, "other levels"), (tables.groups, "groups of shoppers")):
        if table is None:
            not_told.append(f"{what}: the plan is of a version before them")
    return {
        "plan": str(tables.plan.folder),
        "name": str(report["name"]),
        "week": str(report["week"]),
        "currency": str(report["currency"]),
        "objective": str(tables.scenario.objective.maximize),
        "bundle": _bundle(row, products, titles),
        "per_1000_visits": _groups(tables, row),
        "gain": None if known is None else _gain(known, row),
        "levels": _levels(tables, row, bound),
        "binding_rules": bound,
        "evidence": None if known is None else _evidence(known),
        "products": _products(tables, products, titles),
        "assumed": _assumed(tables, products),
        "dropping": None if now is None else without_bundle(now, products, say),
        "not_told": not_told,
    }


def find_bundle(tables: PlanTables, bundle: str) -> dict[Any, Any]:
    """The row of plan.csv that is meant.

    By bundle id; by product ids joined by ``+`` or ``,`` in any order; by its name or titles; or
    by part of them where only one bundle has it. Case does not matter in titles.

    Raises
    ------
    InputError
        none is meant, or several are.
    """
    rows = tables.plan.offers.to_dict("records")
    ids = {frozenset(ids_of(str(row["product_ids"]))): row for row in rows}
    for row in rows:
        if bundle == row["bundle_id"]:
            return row
    for separator in ("+", ",", ";"):
        found = ids.get(frozenset(part.strip() for part in bundle.split(separator)))
        if found is not None:
            return found
    if not rows:
        raise InputError(
            tables.plan.folder, None, f"no bundle {bundle!r}: it offers none", "a bundle"
        )
    wanted = bundle.casefold().strip()
    whole = [row for row in rows if wanted in (_name(row), str(row["titles"]).casefold())]
    part = [row for row in rows if wanted and (wanted in _name(row) or wanted in _titles(row))]
    for matches in (whole, part):
        if len(matches) == 1:
            return matches[0]
        if len(matches) > 1:
            named = ", ".join(str(row["bundle_id"]) for row in matches[:5])
            found = f"{bundle!r} names {len(matches)} bundles ({named})"
            raise InputError(tables.plan.folder, None, found, "one bundle id")
    raise InputError(
        tables.plan.folder, None, f"no bundle {bundle!r}{_nearest(rows, bundle)}", "one of the plan"
    )


def _name(row: dict[Any, Any]) -> str:
    return str(row["name"]).casefold()


def _titles(row: dict[Any, Any]) -> str:
    return str(row["titles"]).casefold()


def _nearest(rows: list[dict[Any, Any]], bundle: str) -> str:
    """`` (the nearest is 001+002, Coffee & Filters)``."""
    names = {str(row["bundle_id"]): row for row in rows}
    names |= {str(row["name"]): row for row in rows}
    near = difflib.get_close_matches(bundle, names, 1, 0.0)
    if not near:
        return ""
    row = names[near[0]]
    return f" (the nearest is {row['bundle_id']}, {row['name']})"


def _bundle(
    row: dict[Any, Any], products: tuple[str, ...], titles: dict[str, str]
) -> dict[str, Any]:
    figures = (
        "level", "list_price", "bundle_price", "discount", "bundle_units", "subsidised_units",
        "incremental_units", "revenue", "margin", "discount_spend", "margin_rate",
        "incremental_margin", "incremental_margin_low", "incremental_margin_high",
    )  # fmt: skip
    return {
        "bundle_id": str(row["bundle_id"]),
        "name": str(row["name"]),
        "product_ids": list(products),
        "titles": [titles[product] for product in products],
        **{name: _number(row[name]) for name in figures},
        "capped": row["capped"] in (True, "true"),
    }


def _groups(tables: PlanTables, row: dict[Any, Any]) -> dict[str, Any] | None:
    """The groups of shoppers for each 1,000 visits that see the offer."""
    if tables.groups is None:
        return None
    assumptions, titles = tables.plan.report["assumptions"], tables.titles
    scale = _VISITS / (assumptions["visits"] * assumptions["exposure"])
    table = tables.groups[tables.groups["bundle_id"] == row["bundle_id"]]
    cost = float(assumptions.get("offer_cost", 0.0))
    groups = [
        {
            "buys": list(group["buys"]),
            "adds": list(group["adds"]),
            "buys_titles": [titles[product] for product in group["buys"]],
            "adds_titles": [titles[product] for product in group["adds"]],
            "shoppers": float(group["units"]) * scale,
            "gain": float(group["gain"]),
            "money": float(group["money"]) * scale,
            "units_a_week": float(group["units"]),
            "money_a_week": float(group["money"]),
        }
        for group in table.to_dict("records")
    ]
    return {
        "visits": _VISITS,
        "visits_a_week_that_see_it": assumptions["visits"] * assumptions["exposure"],
        "redemption": assumptions["redemption"],
        "groups": groups,
        "offer_cost": cost * scale,
        "earns": sum(group["money"] for group in groups) - cost * scale,
    }


def _gain(known: dict[str, Any], row: dict[Any, Any]) -> dict[str, Any]:
    return {
        "condition": known["gain_condition"],
        "holds": known["gain_condition"] > 1.0,
        "parts": known["gain_parts"],
        "break_even_discount": known["break_even_discount"],
        "discount": _number(row["discount"]),
    }


def _levels(
    tables: PlanTables, row: dict[Any, Any], bound: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    """Every level with what it would earn, and why it is not the chosen one."""
    if tables.levels is None:
        return None
    table = tables.levels[tables.levels["bundle_id"] == row["bundle_id"]]
    rows = table.to_dict("records")
    chosen = next((level["value"] for level in rows if level["chosen"]), 0.0)
    return [
        {
            "level": float(level["level"]),
            "bundle_price": float(level["bundle_price"]),
            "discount": float(level["discount"]),
            "chosen": bool(level["chosen"]),
            "capped": bool(level["capped"]),
            "bundle_units": float(level["bundle_units"]),
            "subsidised_units": float(level["subsidised_units"]),
            "margin_rate": _number(level["margin_rate"]),
            "incremental_margin": float(level["incremental_margin"]),
            "value": float(level["value"]),
            "difference": float(level["value"] - chosen),
            "left_out": str(level["left_out"]) or None,
            "why_not": _why_not_level(level, chosen, bound),
        }
        for level in rows
    ]


def _why_not_level(level: dict[Any, Any], chosen: float, bound: list[dict[str, Any]]) -> str | None:
    """``earns less``, ``refused by …``, or that the rules over all bundles keep it out."""
    if level["chosen"]:
        return None
    if level["left_out"] == "no-gain":
        return "gains nothing"
    if level["left_out"]:
        return f"refused by {level['left_out']}"
    if level["value"] <= chosen:
        return "earns less"
    tight = ", ".join(rule["name"] for rule in bound)
    return "earns more alone; with the other bundles the rules leave no room" + (
        f" ({tight})" if tight else ""
    )


def _evidence(known: dict[str, Any]) -> dict[str, Any]:
    aside = ("gain_condition", "gain_parts", "break_even_discount")
    return {key: value for key, value in known.items() if key not in aside}


def _products(
    tables: PlanTables, products: tuple[str, ...], titles: dict[str, str]
) -> list[dict[str, Any]]:
    rows = {str(row["product_id"]): row for row in tables.products.to_dict("records")}
    found = []
    for product in products:
        row = rows[product]
        found.append(
            {
                "product_id": product,
                "title": titles[product],
                "reference_price": float(row["reference_price"]),
                "unit_cost": float(row["unit_cost"]),
                "cost_assumed": bool(row["cost_assumed"]),
                "stock": _number(row["stock"]),
            }
        )
    return found


def _assumed(tables: PlanTables, products: tuple[str, ...]) -> list[str]:
    """What of the account was assumed rather than known."""
    report, table = tables.plan.report, tables.products
    assumed = report["assumptions"].get("assumed", [])
    costs = table[table["product_id"].isin(products) & table["cost_assumed"]]["product_id"]
    sentences = [f"the unit cost of {product}: from assumptions.gross_margin" for product in costs]
    if "diversion" in assumed:
        sentences.append("how much of the added units is taken from similar products (diversion)")
    exposure = report["assumptions"]["exposure"]
    sentences.append(f"that {100 * exposure:g} % of visits see the offer (assumptions.exposure)")
    return sentences


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
