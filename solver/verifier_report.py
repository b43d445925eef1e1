"""plan.json and products.csv against the plan they summarise."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, TypeGuard

import numpy as np

from ..instances.rules import Clearance
from .verifier_accounts import written_value
from .verifier_case import Case
from .verifier_economics import plackett
from .verifier_lines import missed_targets
from .verifier_row import Row
from .verifier_rules import unrounded_margin
from .verifier_sets import possible
from .verifier_tables import cents

_CATCH_ALL = ("plan.csv", "products.csv", "beliefs.parquet")


def wrong_kpis(case: Case) -> Iterator[str]:
    """Figures that are not the sums over the offers."""
    kpis = case.files.report.get("kpis")
    if not isinstance(kpis, dict):
        yield "plan.json: kpis: is missing"
        return
    offers = case.offers
    revenue = sum(offer.revenue for offer in offers) / 100
    margin = sum(offer.margin for offer in offers) / 100
    unrounded = sum(unrounded_margin(case, offer) for offer in offers)
    net_revenue = sum(offer.bundle_units * offer.bundle_price for offer in offers) / case.net
    expected: dict[str, tuple[float | None, float]] = {
        "bundles": (len(offers), 0.0),
        "incremental_margin": (sum(offer.incremental_margin for offer in offers) / 100, 0.0051),
        "revenue": (revenue, 0.0051),
        "margin": (margin, 0.0051),
        "discount_spend": (sum(offer.discount_spend for offer in offers) / 100, 0.0051),
        "margin_rate": (unrounded / net_revenue if net_revenue > 0 else None, 1e-4),
        "sales_loss": ((loss := _sales_loss(case)), 1e-6 * abs(loss) + 1e-12),
    }
    for name, (value, allowed) in expected.items():
        if not _agrees(kpis.get(name), value, allowed):
            yield _report(f"kpis: {name}", kpis.get(name), value)
    ends = [kpis.get(f"incremental_margin{end}") for end in ("_low", "", "_high")]
    numbers = [number for number in ends if _number(number)]
    if len(numbers) < len(ends) or numbers != sorted(numbers):
        low, middle, high = ends
        yield (
            f"plan.json: kpis: incremental_margin is {middle} in an interval {low} to {high}, "
            "expected low <= incremental_margin <= high"
        )


def wrong_proof(case: Case) -> Iterator[str]:
    """Objective, bound, gap and status that do not belong together."""
    report = case.files.report
    objective, bound, gap = (report.get(name) for name in ("objective", "bound", "gap"))
    status = report.get("status")
    money = case.instance.scenario.objective.maximize in ("margin", "revenue")
    values = [written_value(case, offer) / (100 if money else 1) for offer in case.offers]
    penalty = math.fsum(units * price for units, price in missed_targets(case).values())
    expected = math.fsum(values) - penalty
    flows = sum(offer.bundle_units * offer.list_price for offer in case.offers) / 100
    allowed = 1e-5 * ((flows if money else abs(math.fsum(values))) + _target_flows(case)) + 1e-9
    if not (_number(objective) and abs(objective - expected) <= allowed):
        yield _report("objective", objective, expected)
        return
    if status not in ("optimal", "feasible"):
        yield _report("status", status, "optimal or feasible")
    if bound is None and gap is None and status == "feasible":
        return
    if not (_number(bound) and bound >= objective - allowed):
        yield _report("bound", bound, f"{objective} (the objective) or more")
        return
    difference = max(bound - objective, 0.0)
    exact = 0.0 if difference == 0 else difference / max(abs(objective), 1e-9)
    if not _agrees(gap, exact, 1e-6 * (1 + exact)):
        yield _report("gap", gap, f"{exact:.9g}, (bound − objective)/|objective|")
    tolerance = case.instance.scenario.solver.gap
    if status == "optimal" and exact > tolerance + 1e-9:
        found = f"status is optimal with a gap of {exact:.6g}"
        yield f"plan.json: {found}, expected at most solver.gap, {tolerance}"


def _target_flows(case: Case) -> float:
    """What soft targets would cost if nothing were cleared: the size of the penalties' terms."""
    return math.fsum(
        rule.target * rule.price
        for rule in case.instance.scenario.rules
        if isinstance(rule, Clearance) and rule.price is not None
    )


def wrong_rule_rows(case: Case, rows: list[Row]) -> Iterator[str]:
    """Rows of plan.json that are missing, unknown, or whose value, limit or slack is not so."""
    expected, missed = {row.name: row for row in rows}, missed_targets(case)
    written: dict[str, dict[str, Any]] = {}
    listed = case.files.report.get("rules")
    for entry in listed if isinstance(listed, list) else []:
        name = str(entry.get("name"))
        if name in written or name not in expected:
            yield f"plan.json: rules: {name} is listed, expected the rules in force, each once"
        written[name] = entry
    if case.offers:
        for name in expected.keys() - written.keys():
            yield f"plan.json: rules: {name} is missing, expected its value, limit and slack"
    for name, entry in written.items():
        row = expected.get(name)
        if row is not None:
            yield from _wrong_row(row, entry)
            if name in missed:
                yield from _wrong_penalty(row, entry, *missed[name])


def wrong_context(case: Case) -> Iterator[str]:
    """Inputs that changed since the plan was made, and assumptions that are not the scenario's."""
    report, scenario = case.files.report, case.instance.scenario
    listed = report.get("inputs")
    hashes = {
        str(entry.get("path")): entry.get("sha256")
        for entry in (listed if isinstance(listed, list) else [])
    }
    for file in case.instance.inputs:
        found = hashes.get(file.path)
        if found is None:
            yield f"plan.json: inputs: {file.path} is missing, expected its sha256"
        elif found != file.sha256:
            yield (
                f"{file.path}: has changed since the plan was made: sha256 is {file.sha256}, "
                f"expected {found} (plan.json)"
            )
    if report.get("name") != scenario.name:
        yield _report("name", report.get("name"), scenario.name)
    assumed = report.get("assumptions")
    settings = scenario.assumptions
    for name, value in {
        "visits": case.instance.visits,
        "exposure": settings.exposure,
        "redemption": settings.redemption,
        "tax_rate": settings.tax_rate,
    }.items():
        found = assumed.get(name) if isinstance(assumed, dict) else None
        same = _agrees(found, value, 1e-9 * abs(value)) if _number(value) else found == value
        if not same:
            yield _report(f"assumptions: {name}", found, value)


def wrong_products(case: Case) -> Iterator[str]:
    """products.csv against the catalogue, the beliefs and the plan's added units."""
    catalogue = case.instance.catalogue
    written = case.files.products
    for name in sorted(written.keys() - set(case.products)):
        yield f"products.csv: {name}: is not in the plan, expected its products only"
    for name in case.products:
        if name not in written:
            yield f"products.csv: {name}: is missing, expected every product of the plan"
            continue
        row, belief = case.position[name], case.files.product_beliefs[name]
        q = belief["purchase_probability"]
        alone = case.instance.visits * q * belief["usual_quantity"]
        added = sum(
            units
            for offer in case.offers
            for product, units in zip(offer.product_ids, offer.added_units, strict=True)
            if product == name
        )
        stock = float(catalogue.stock[row])
        expected: dict[str, tuple[str | float, float]] = {
            "reference_price": (int(catalogue.reference_price[row]), 0),
            "unit_cost": (int(catalogue.unit_cost[row]), 0),
            "cost_assumed": ("true" if catalogue.cost_assumed[row] else "false", 0),
            "purchase_probability": (q, 1e-6 * q),
            "price_sensitivity": (belief["price_sensitivity"], 1e-6),
            "deepest_cut": (belief["deepest_cut"], 1e-6),
            "stock": ("" if math.isinf(stock) else stock, 1e-5 * stock),
            "standalone_units": (alone, 1e-5 * alone),
            "incremental_units": (added, 1e-5 * added),
        }
        for column, (value, allowed) in expected.items():
            found = written[name][column]
            if not _cell_agrees(found, value, allowed):
                shown = value
                if isinstance(value, int):  # money
                    shown = f"{value / 100:.2f}"
                yield f"products.csv: {name}: {column} is {found!r}, expected {shown}"


def wrong_beliefs(case: Case) -> Iterator[str]:
    """Beliefs that speak of other prices than the catalogue, or contradict each other."""
    for name in case.products:
        belief, row = case.files.product_beliefs[name], case.position[name]
        price = int(case.instance.catalogue.reference_price[row])
        if round(100 * belief["reference_price"]) != price:
            yield (
                f"beliefs.parquet: {name}: reference_price is {belief['reference_price']}, "
                f"expected {price / 100:.2f} as in the products table"
            )
    for names, pair in case.files.pair_beliefs.items():
        q = [case.files.product_beliefs[name]["purchase_probability"] for name in names]
        joint = float(plackett(q[0], q[1], pair["odds_ratio"]))
        if not abs(pair["joint_probability"] - joint) <= 1e-4 * joint:
            yield (
                f"beliefs.parquet: {'+'.join(sorted(names))}: joint_probability is "
                f"{pair['joint_probability']:.6g}, expected {joint:.6g} from the odds ratio"
            )
    for offer in case.offers:
        table = case.table(offer)
        for subset in (held for held in table if len(held) > 2):
            low, high = (float(end) for end in possible(table, subset))
            if not low * (1 - 1e-6) <= table[subset] <= high * (1 + 1e-6):
                names = "+".join(offer.product_ids[place] for place in sorted(subset))
                yield (
                    f"beliefs.parquet: {names}: joint_probability is {table[subset]:.6g}, "
                    f"expected {low:.6g} to {high:.6g}, what the smaller sets allow"
                )


def wrong_hashes(files: Mapping[str, bytes], report: dict[str, Any]) -> Iterator[str]:
    """Files that are not, byte for byte, those that were written with plan.json."""
    listed = report.get("files")
    hashes = listed if isinstance(listed, dict) else {}
    for name in dict.fromkeys((*_CATCH_ALL, *hashes)):
        expected = hashes.get(name)
        if expected is None:
            yield f"plan.json: files: {name} is missing, expected its sha256"
        elif name not in files:
            yield f"{name}: is missing, expected the file that plan.json lists"
        elif hashlib.sha256(files[name]).hexdigest() != expected:
            yield f"{name}: was changed after the plan was made: its sha256 is not plan.json's"


def _wrong_row(row: Row, entry: dict[str, Any]) -> Iterator[str]:
    if entry.get("kind") != row.kind:
        yield _report(f"rules: {row.name}: kind", entry.get("kind"), row.kind)
    if math.isinf(row.slack):
        return
    allowed = 1e-4 * max(row.scale, abs(row.value), abs(row.limit), 1e-9)
    # A stock row may be stated with stand-alone demand on the left or on the right side.
    shift = row.fixed if _agrees(entry.get("value"), row.value - row.fixed, allowed) else 0.0
    for name, value in {
        "value": row.value - shift,
        "limit": row.limit - shift,
        "slack": row.slack,
    }.items():
        if not _agrees(entry.get(name), value, allowed):
            yield _report(f"rules: {row.name}: {name}", entry.get(name), f"{value:.8g}")


def _wrong_penalty(row: Row, entry: dict[str, Any], missing: float, price: float) -> Iterator[str]:
    """What a soft target lacks and costs."""
    for name, unit in (("missing", 1.0), ("penalty", price)):
        if not _agrees(entry.get(name), missing * unit, 1e-4 * row.scale * unit):
            yield _report(f"rules: {row.name}: {name}", entry.get(name), f"{missing * unit:.8g}")


def _sales_loss(case: Case) -> float:
    """L(S) = −Σ p_i p_j log P(S_ij = 1) over the pairs within the chosen bundles, each once."""
    pairs = {
        frozenset(pair) for offer in case.offers for pair in combinations(offer.product_ids, 2)
    }
    total = 0.0
    for pair in pairs:
        q = [case.files.product_beliefs[name]["purchase_probability"] for name in pair]
        odds_ratio = case.files.pair_beliefs[pair]["odds_ratio"]
        total -= q[0] * q[1] * float(np.log(plackett(q[0], q[1], odds_ratio)))
    return total


def _cell_agrees(found: str, expected: str | float, allowed: float) -> bool:
    """Whether a cell holds this text, this amount in cents (an int) or this number."""
    if isinstance(expected, str):
        return found == expected
    try:
        number = cents(found) if isinstance(expected, int) else float(found)
    except ValueError:
        return False
    return _agrees(number, expected, allowed)


def _agrees(found: object, expected: float | None, allowed: float) -> bool:
    if expected is None:
        return found is None
    return _number(found) and abs(found - expected) <= allowed


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _report(key: str, found: object, expected: object) -> str:
    return f"plan.json: {key} is {found}, expected {expected}"
