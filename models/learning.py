"""``learn``: from an instance's order lines to beliefs about its planned week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
from ..instances.paid_prices import PaidPrices, paid_prices
from ..instances.weeks import week_label
from .affinity import Affinity, PairBeliefs, carry_to_week, fit_affinity
from .beliefs import Beliefs, pair_prior_of
from .demand import Demand, fit_demand, promotions_of
from .diversion import fit_diversion
from .evaluation import held_out_scores
from .history import orders_before
from .learn_sets import learn_sets
from .pair_counts import PairCounts, count_pairs
from .panel import Panel, base_prices, weekly_panel
from .price_support import deepest_cuts, usual_quantities
from .product_features import product_features
from .product_graph import trip_odds
from .threads import one_thread

SCHEMA_VERSION = 1


@one_thread
def learn(instance: Instance, *, progress: Callable[[str], None] | None = None) -> Beliefs:
    """Learn everything a plan needs from the orders before the planned week.

    Parameters
    ----------
    progress
        told in a few words what is being learned.

    Raises InputError where no order lies before the planned week.
    """
    say = progress or (lambda _: None)
    catalogue, scenario = instance.catalogue, instance.scenario
    orders = orders_before(instance.orders, scenario.week)
    if not orders.n_visits:
        raise InputError(
            scenario.data.orders,
            None,
            f"no order before the planned week {week_label(scenario.week)}",
            "orders to learn from",
        )
    first_week, end_week = int(orders.week.min()), int(orders.week.max()) + 1

    say("learning purchase and price response")
    paid = paid_prices(orders)
    panel = weekly_panel(orders, first_week, end_week, stated=instance.prices, paid=paid)
    base = base_prices(catalogue.reference_price, panel)
    features = product_features(catalogue, base)
    category, n_categories = features.category, features.n_categories
    horizon = scenario.week - end_week + 1
    promotions = promotions_of(instance, orders, first_week, end_week)
    demand = fit_demand(panel, base, category, n_categories, horizon=horizon, promotions=promotions)
    diversion = fit_diversion(panel, base, features, demand.sensitivity, promotions)
    deepest_cut, _ = deepest_cuts(orders, base, category, n_categories, paid)

    say("learning affinities")
    baskets = orders.baskets()
    affinity = fit_affinity(baskets, features, first_week, end_week, orders.customer)
    pairs = count_pairs(baskets, scenario.candidates.min_support)
    carried = carry_to_week(affinity, pairs, demand.purchase.probability)
    expected, of_trips = trip_odds(affinity, pairs)

    segments, of_segments = None, {}
    if scenario.segments.count != 1:
        from .learn_segments import instance_segments  # scikit-learn takes a second to load

        say("learning segments of shoppers")
        learned = instance_segments(instance, orders, features, panel, base, demand)
        segments, of_segments = learned.segments, {"segments": learned.fit}

    say("scoring on held-out weeks")
    scores = held_out_scores(orders, features, first_week, end_week)

    sensitivity = demand.sensitivity
    beliefs = Beliefs(
        product_ids=catalogue.product_ids,
        purchase_probability=demand.purchase.probability,
        purchase_spread=demand.purchase.spread,
        price_sensitivity=sensitivity.mean,
        sensitivity_location=sensitivity.location,
        sensitivity_scale=sensitivity.scale,
        sensitivity_cap=np.full(len(catalogue), sensitivity.cap),
        reference_price=catalogue.reference_price,
        deepest_cut=deepest_cut,
        diversion=diversion.of_category[category],
        pull_forward=sensitivity.pull_forward,
        usual_quantity=usual_quantities(orders, category, n_categories),
        pair_a=pairs.first,
        pair_b=pairs.second,
        pair_orders=pairs.orders,
        pair_joint=carried.joint_probability,
        odds_ratio=carried.odds_ratio,
        odds_spread=carried.odds_spread,
        category_code=category,
        category_lift=affinity.prior.category_lift,
        manifest=_manifest(instance, orders, demand, affinity, pairs, carried)
        | {"panel": _prices_known(panel, paid)}
        | {"held_out": scores, "diversion": diversion.fit}
        | of_segments,
        pair_prior=pair_prior_of(affinity, scenario.candidates.min_support),
        segments=segments,
        pair_expected=expected,
        pair_trip_odds=of_trips,
    )
    if scenario.candidates.max_size == 2:
        return beliefs
    say("learning sets of three and four products")
    together = learn_sets(
        beliefs, affinity, baskets, scenario.candidates.min_support, scenario.candidates.max_size
    )
    manifest = beliefs.manifest | {"sets": list(together.facts)}
    return replace(beliefs, product_sets=together.sets, manifest=manifest)


def _manifest(
    instance: Instance,
    orders: Orders,
    demand: Demand,
    affinity: Affinity,
    pairs: PairCounts,
    carried: PairBeliefs,
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "version": _version(),
        "week": week_label(instance.scenario.week),
        "training": {
            "first_week": week_label(int(orders.week.min())),
            "last_week": week_label(int(orders.week.max())),
            "visits": float(affinity.visits.sum()),
            "lines": orders.n_lines,
        },
        "sensitivity": {**demand.sensitivity.fit, "cap": demand.sensitivity.cap},
        "purchase": demand.purchase.fit,
        "affinity": {
            **affinity.prior.fit,
            "half_life_weeks": affinity.half_life if np.isfinite(affinity.half_life) else None,
            "min_support": instance.scenario.candidates.min_support,
            "pairs": len(pairs),
            "pairs_bounded": carried.n_bounded,
            "oversized_visits": pairs.n_oversized,
        },
        "inputs": [
            {"path": f.path, "sha256": f.sha256, "rows": f.rows, "rows_used": f.rows_used}
            for f in instance.inputs
            if instance.previous_plan is None or f.path != str(instance.previous_plan.file)
        ],
    }


def _prices_known(panel: Panel, paid: PaidPrices) -> dict[str, Any]:
    """What the panel's prices come from: lines that show one, those that do not, stated prices."""
    stated = panel.stated if panel.stated is not None else np.zeros(0, dtype=bool)
    return {
        "lines_with_price": int(paid.shown.sum()),
        "lines_kept_out_of_prices": paid.kept_out,
        "prices_stated": int(stated.sum()),
    }


def _version() -> str:
    try:
        return version("bundlewise")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"
