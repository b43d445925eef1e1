"""plan.json: status and proof, figures, rules, inputs, assumptions and warnings of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.scenario import GrossMargins
from ..instances.weeks import week_label
from ..models.beliefs import Beliefs
from .accounts import standalone_units
from .build import build_program
from .economics import pair_economics
from .evidence import plan_evidence
from .filters import FILTER_NAMES, NO_GAIN, RULE_PREFIX
from .intervals import interval
from .offers import Offers
from .plan_accounts import sales_loss
from .plan_rules import entries_beside_rows, lost_bundles, missed_targets, missing_units
from .program import Program
from .rule_prices import RulePrice, shadow_price_unit
from .segment_totals import plan_overlap
from .segment_views import shown
from .solution import Solution

SCHEMA_VERSION = 1
_LARGE_INTERACTION = 0.05  # share of the plan's value above which overlap is a warning
_MONEY_KINDS = ("plan-margin", "discount-budget")


def plan_report(
    instance: Instance,
    beliefs: Beliefs,
    chosen: Offers,
    rows: pd.DataFrame,
    total_draws: NDArray[np.float64],
    solution: Solution,
    counts: dict[str, int],
    n_offers: int,
    prices: Sequence[RulePrice] = (),
) -> dict[str, Any]:
    """plan.json of a plan as a dictionary, but for ``files`` and ``seconds``.

    Parameters
    ----------
    chosen, rows
        the offers of the plan, and their accounts in cents.
    total_draws
        (draws,) the plan's incremental margin under draws from the beliefs, cents.
    counts
        what scoring counted (``scoring.score_offers``).
    n_offers
        columns of the program that are offers.
    prices
        exact prices of rules (``rule_prices.price_rules``).
    """
    scenario = instance.scenario
    unit = objective_unit(instance)
    warnings = [*instance.warnings, *_belief_warnings(instance, beliefs)]
    if rows.empty:
        warnings.append(why_empty(instance, beliefs, counts, n_offers))
    if counts["candidates cut"]:
        warnings.append(
            f"candidates.max_candidates = {scenario.candidates.max_candidates} cut "
            f"{counts['candidates cut']:,} of {counts['candidates']:,} candidates, those of the "
            "lowest value: the proof does not cover them"
        )
    rules = _rules(instance, beliefs, chosen, solution, prices)
    warnings += [*missed_targets(instance, rules), *lost_bundles(instance, counts)]
    overlap = _overlap(instance, beliefs, chosen)
    if overlap is not None and abs(overlap["interaction"]) > _LARGE_INTERACTION:
        warnings.append(
            f"bundles share products: together they earn {overlap['together']:,.2f} a week, "
            f"not the sum of {overlap['separate']:,.2f} "
            f"({100 * overlap['interaction']:+.1f} %, by shoppers who take their best option)"
        )
    if overlap is not None and len(chosen) and max(map(len, rows["products"])) > 2:
        warnings.append(
            "bundles share products, and shoppers who choose between them are simulated with "
            "their products tied in pairs: taken one by one these offers earn "
            f"{overlap['simulated_separate']:,.2f} so, {overlap['overlapping']:,.2f} by their "
            "own values"
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version("bundlewise"),
        "name": scenario.name,
        "week": week_label(scenario.week),
        "currency": scenario.currency,
        "status": str(solution.status),
        "limit": solution.limit,
        "objective": _scaled(solution.objective, unit),
        "bound": _scaled(solution.bound, unit),
        "gap": solution.gap,
        "engine": solution.engine,
        "proof": {
            "source": solution.bound_source,
            "scope": _scope(counts, n_offers),
        },
        "candidates": counts["candidates"],
        "candidates_cut": counts["candidates cut"],
        "offers": n_offers,
        "counts": {name: int(number) for name, number in counts.items()},
        "kpis": _kpis(instance, beliefs, rows, total_draws),
        "overlap": overlap,
        "rules": rules,
        "prices": [price.report(unit) for price in prices],
        "inputs": [asdict(file) for file in instance.inputs],
        "orders": {name: int(number) for name, number in instance.counts.items()},
        "assumptions": _assumptions(instance, beliefs, rows),
        **({} if beliefs.segments is None else {"segments": _segments(beliefs, chosen)}),
        "beliefs": _plain(beliefs.manifest),
        "held_out": _plain(beliefs.manifest.get("held_out")),
        "evidence": plan_evidence(instance, beliefs, chosen, rows),
        "warnings": warnings,
    }


def objective_unit(instance: Instance) -> float:
    """What one unit of the program's objective is in plan.json: cents become currency."""
    return 0.01 if instance.scenario.objective.maximize in ("margin", "revenue") else 1.0


def why_empty(instance: Instance, beliefs: Beliefs, counts: dict[str, int], n_offers: int) -> str:
    """Why no bundle is offered, in the terms of the gain condition."""
    if counts["candidates"] == 0:
        return (
            f"no bundle is offered: no two products on offer were bought together in "
            f"{instance.scenario.candidates.min_support} orders (candidates.min_support)"
        )
    if n_offers > 0:
        return "no bundle is offered: the rules leave no plan that earns more than an empty one"
    filtered = {name: counts[name] for name in counts if _is_filter(name)}
    removed = sum(filtered.values())
    if removed > counts.get(NO_GAIN, 0):
        names = ", ".join(f"{number:,} by {name}" for name, number in filtered.items())
        return (
            f"no bundle is offered: of {counts['offers scored']:,} offers scored, filters "
            f"removed {removed:,} ({names}), and no other gains"
        )
    economics = pair_economics(
        instance,
        beliefs,
        beliefs.pair_a,
        beliefs.pair_b,
        beliefs.odds_ratio,
        beliefs.pair_joint,
    )
    response = economics.response.sum(axis=1)
    usable = instance.catalogue.available[beliefs.pair_a]
    usable &= instance.catalogue.available[beliefs.pair_b]
    response = response[usable & np.isfinite(response)]
    best = float(response.max()) if len(response) else 0.0
    cost = instance.scenario.assumptions.offer_cost
    falls_short = f"the offer cost of {cost:,.2f}" if cost else "what the levels give away"
    available = instance.catalogue.available
    never_cut = int((available & (beliefs.deepest_cut <= 0)).sum())
    return (
        f"no bundle is offered: none of {counts['candidates']:,} candidates gains at any level. "
        f"The first cent off has to bring back more than it costs (Σ e·η·(1 − q)·m/r > 1); "
        f"{int((response > 1.0).sum()):,} pairs clear that, the best reaches {best:.2f}"
        + (f", yet none earns back {falls_short}" if best > 1.0 else "")
        + (
            f". Response is credited only as deep as prices were cut before, and {never_cut:,} of "
            f"{int(available.sum()):,} products never were"
            if never_cut
            else ""
        )
    )


def _is_filter(count: str) -> bool:
    """Whether a count of ``score_offers`` is one of offers that a rule removed."""
    return count in FILTER_NAMES or count.startswith(RULE_PREFIX)


def _belief_warnings(instance: Instance, beliefs: Beliefs) -> list[str]:
    """What learning left out or bounded, as far as the manifest says."""
    affinity = beliefs.manifest.get("affinity", {})
    wanted, counted = instance.scenario.candidates.min_support, affinity.get("min_support", 0)
    warnings = []
    if beliefs.manifest.get("sensitivity", {}).get("products_with_evidence") == 0:
        warnings.append(
            "no price changed in the orders: how shoppers respond to one is assumed, not learned"
        )
    if counted > wanted:
        warnings.append(
            f"the beliefs hold pairs of at least {counted} joint orders: "
            f"candidates.min_support = {wanted} adds none below that"
        )
    warnings += _set_warnings(instance, beliefs) + _segment_warnings(instance, beliefs)
    found = {
        "oversized_visits": "orders are too large to count pairs in and were left out of affinity",
        "pairs_bounded": "pairs had a joint probability beyond what is possible, which was bounded",
    }
    return warnings + [
        f"{affinity[key]:,} {text}" for key, text in found.items() if affinity.get(key)
    ]


def _set_warnings(instance: Instance, beliefs: Beliefs) -> list[str]:
    """Sets of three and four products that were asked for and not learned."""
    most, sets = instance.scenario.candidates.max_size, beliefs.product_sets
    known = 2 if sets is None else 2 + len(sets.priors)
    warnings = []
    if known < most:
        warnings.append(
            f"the beliefs hold sets of at most {known} products: learn them again with "
            f"candidates.max_size = {most} for larger bundles"
        )
    for fact in beliefs.manifest.get("sets", ()):
        if fact["sets_left_out"] and fact["size"] <= most:
            warnings.append(
                f"{fact['sets_left_out']:,} sets of {fact['size']} products with enough orders, "
                f"but fewer than {fact['least_orders']}, were more than could be kept and are no "
                "candidates"
            )
    return warnings


def _segment_warnings(instance: Instance, beliefs: Beliefs) -> list[str]:
    """Fewer segments than were asked for."""
    asked, segments = instance.scenario.segments, beliefs.segments
    if segments is None or asked.count == "auto" or len(segments.grouping) >= asked.count:
        return []
    return [
        f"{len(segments.grouping)} segments of the {asked.count} asked for: groups of fewer than "
        f"segments.min_customers = {asked.min_customers} customers join the nearest other"
    ]


def _scope(counts: dict[str, int], n_offers: int) -> str:
    cut = counts["candidates cut"]
    if cut:
        return (
            f"the {n_offers:,} offers left after {cut:,} candidates were cut "
            "(candidates.max_candidates); no proof covers those"
        )
    return "all scored offers"


def _kpis(
    instance: Instance, beliefs: Beliefs, rows: pd.DataFrame, total_draws: NDArray[np.float64]
) -> dict[str, Any]:
    low, high = (float(end) for end in interval(total_draws)) if len(rows) else (0.0, 0.0)
    net = 1.0 + instance.scenario.assumptions.tax_rate
    units, price = rows["bundle_units"], rows["bundle_price"]
    net_revenue = float((units * price).sum()) / net
    margin = float((rows["margin_rate"] * units * price).sum()) / net
    return {
        "bundles": len(rows),
        "incremental_margin": _currency(rows["incremental_margin"].sum()),
        "incremental_margin_low": _currency(round(low)),
        "incremental_margin_high": _currency(round(high)),
        "revenue": _currency(rows["revenue"].sum()),
        "margin": _currency(rows["margin"].sum()),
        "margin_rate": margin / net_revenue if net_revenue > 0 else None,
        "discount_spend": _currency(rows["discount_spend"].sum()),
        "sales_loss": sales_loss(beliefs, rows),
    }


def _rules(
    instance: Instance,
    beliefs: Beliefs,
    chosen: Offers,
    solution: Solution,
    prices: Sequence[RulePrice],
) -> list[dict[str, Any]]:
    """Every rule over the whole plan with its value, limit and slack on this plan, and its price.

    The exact price of a rule that limits many rows with one number stands under ``prices`` only.
    """
    unit = objective_unit(instance)
    exact = {
        price.rule: price.report(unit) for price in reversed(prices)
    }  # of two sides the dearer
    program = build_program(instance, beliefs, chosen, complete=True)
    activity = program.activity(np.ones(program.n_columns))
    alone = standalone_units(instance, beliefs)
    position = {str(value): k for k, value in enumerate(instance.catalogue.product_ids)}
    entries = []
    for row in range(program.n_rows):
        name, kind = program.row_name[row], program.row_kind[row]
        fixed = 0.0
        if kind == "stock":
            # The program's row holds what bundles add; the rule speaks of all units.
            fixed = float(alone[position[name.removeprefix("stock[").removesuffix("]")]])
        entries.append(
            _rule_entry(
                program, row, float(activity[row]), fixed, 0.01 if kind in _MONEY_KINDS else 1.0
            )
            | _price(instance, solution, name, kind)
            | {"exact_price": exact.get(name)}
        )
    entries = [entry | missing_units(instance, entry) for entry in entries]
    beside = entries_beside_rows(instance, chosen)
    return entries + [
        _beside_rows(instance, solution, entry) | {"exact_price": exact.get(entry["name"])}
        for entry in beside
    ]


def _rule_entry(
    program: Program, row: int, activity: float, fixed: float, unit: float
) -> dict[str, Any]:
    lower, upper = float(program.row_lower[row]), float(program.row_upper[row])
    near_lower = activity - lower < upper - activity
    limit = lower if near_lower else upper
    slack = activity - lower if near_lower else upper - activity
    return {
        "name": program.row_name[row],
        "kind": program.row_kind[row],
        "value": (activity + fixed) * unit,
        "limit": (limit + fixed) * unit if np.isfinite(limit) else None,
        "slack": slack * unit if np.isfinite(slack) else None,
    }


def _beside_rows(instance: Instance, solution: Solution, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with its shadow price: a line's level has one, a filter none."""
    price = {"shadow_price": None, "shadow_price_unit": None, "priced_by": "filter"}
    if entry["kind"] == "same-level":
        price = _price(instance, solution, entry["name"], entry["kind"])
    return {**entry, **price}


def _price(instance: Instance, solution: Solution, name: str, kind: str) -> dict[str, Any]:
    """Objective (as in plan.json) for one more unit of the rule's limit (as in plan.json).

    A row that the program left out cannot bind and costs nothing, except a stock row: there the
    filter has said it all, and what it keeps out has no price.
    """
    dual, priced_by = solution.shadow_prices.get(name), "linear relaxation"
    if dual is None and solution.shadow_prices:
        dual, priced_by = (None, "filter") if kind == "stock" else (0.0, priced_by)
    scale = objective_unit(instance) / (0.01 if kind in _MONEY_KINDS else 1.0)
    return {
        "shadow_price": None if dual is None else dual * scale,
        "shadow_price_unit": shadow_price_unit(instance, kind),
        "priced_by": priced_by if solution.shadow_prices else None,
    }


def _overlap(instance: Instance, beliefs: Beliefs, chosen: Offers) -> dict[str, Any] | None:
    """The plan valued with its offers side by side; None where no product is in two of them."""
    if instance.scenario.limits.max_bundles_per_product == 1 or len(chosen) == 0:
        return None
    found = plan_overlap(instance, beliefs, chosen, seed=instance.scenario.solver.seed)
    if found.components == 0:
        return None
    money = ("separate", "together", "standard_error", "simulated_separate", "overlapping")
    return {
        **{name: getattr(found, name) / 100 for name in money},
        "interaction": found.interaction,
        "offers": found.offers,
    }


def _segments(beliefs: Beliefs, chosen: Offers) -> list[dict[str, Any]]:
    """The segments by name: customers, share of visits, offers shown to each."""
    segments = beliefs.segments
    if segments is None:
        return []
    return [
        {
            "name": str(name),
            "customers": int(segments.customers[s]),
            "share_of_visits": float(segments.visit_share[s]),
            "offers": int(shown(chosen, s).sum()) if len(chosen) else 0,
        }
        for s, name in enumerate(segments.name)
    ]


def _assumptions(instance: Instance, beliefs: Beliefs, rows: pd.DataFrame) -> dict[str, Any]:
    """What the plan takes as given; ``assumed`` names what nobody stated or measured."""
    assumptions = instance.scenario.assumptions
    margin = assumptions.gross_margin
    learned = assumptions.diversion is None and beliefs.diversion is not None
    told = learned and not beliefs.manifest.get("diversion", {}).get("assumed", True)
    assumed = ["diversion"] if assumptions.diversion is None and not told else []
    if instance.catalogue.cost_assumed.any():
        assumed.append("unit_cost")
    return {
        "visits": instance.visits,
        "exposure": assumptions.exposure,
        "redemption": assumptions.redemption,
        "gross_margin": margin.model_dump() if isinstance(margin, GrossMargins) else margin,
        "tax_rate": assumptions.tax_rate,
        "offer_cost": assumptions.offer_cost,
        "diversion": _of_added(beliefs, beliefs.diversion, rows)
        if learned
        else assumptions.diversion or 0.0,
        "diversion_learned": learned,
        "pull_forward": _of_added(beliefs, beliefs.pull_forward, rows),
        "assumed": assumed,
        "costs_assumed": int(instance.catalogue.cost_assumed.sum()),
    }


def _of_added(beliefs: Beliefs, share: NDArray[np.float64] | None, rows: pd.DataFrame) -> float:
    """Mean of a learned share over the units that the plan adds; of an empty plan, over purchases;
    0 where it was not learned."""
    if share is None:
        return 0.0
    units = np.zeros(len(share))
    for products, added in zip(rows["products"], rows["added_units"], strict=True):
        units[list(products)] += added
    weight = units if units.sum() > 0 else beliefs.purchase_probability
    return float(share @ weight / max(float(weight.sum()), 1e-300))


def _currency(cents: float) -> float:
    return int(cents) / 100


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else float(value) * unit


def _plain(value: Any) -> Any:
    """JSON can hold it: NumPy numbers become Python's, what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
