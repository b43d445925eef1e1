"""Everything the clairvoyant study measures of one shop."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.models.learning import learn
from bundlewise.solver import Plan, solve
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from .clairvoyant_causes import better_informed_plans
from .clairvoyant_choice import Chosen, best_plan, discounts
from .clairvoyant_policies import other_plans
from .clairvoyant_posterior import plan_from, true_posterior
from .clairvoyant_rankings import any_two, ranked_plans
from .clairvoyant_shops import (
    BUNDLES,
    LEVELS,
    MIN_SUPPORT,
    MODEL_RIGHT,
    StudyShop,
    study_instance,
    study_shop,
)
from .clairvoyant_substitutes import substituted_gain
from .clairvoyant_truth import true_gain

Floats = NDArray[np.float64]

_MIDDLE, _FINALISTS = 1, 4_000  # pairs valued at every level: the best at 10 % off
_SUBSTITUTED = 1_500, 20_000  # pairs that substitutes are looked at for, and shoppers drawn
_DRAWS = 100_000  # shoppers for each bundle of a plan, with substitutes
_RANKING_DRAWS = 4_000  # the same for rankings, of which there are many


def measure(world: str, seed: int) -> dict[str, Any]:
    """Learn, plan and deliver at one shop; money in currency units a week.

    Returns
    -------
    dict
        ``plans``: true margin by plan (``learned``, ``clairvoyant``, ``posterior`` where the
        model is right, the rankings at their best level, the policies); ``promised`` and its
        interval; ``others_promised`` of the plans that are told of no substitutes (``told``) or
        credit responses beyond the deepest cut (``uncapped``);
        ``losing``: share of the learned plan's bundles that truly lose; what the shop's
        data are; ``standard_error`` of the learned plan's margin, 0 where it is integrated.
    """
    start = time.perf_counter()
    study = study_shop(world, seed)
    shop = study.shop
    instance = study_instance(study)
    beliefs = learn(instance)
    plan = solve(instance, beliefs)
    learned = _chosen(plan, study)
    joint_orders, orders = _counts(instance)
    pairs = np.argwhere(np.triu(joint_orders >= MIN_SUPPORT, 1))

    gain, error = _gain(study, learned)
    plans = {"learned": gain.sum(), "clairvoyant": _clairvoyant(study, pairs)}
    if world in MODEL_RIGHT:
        posterior = true_posterior(study, instance.orders)
        plans["posterior"] = _total(study, plan_from(study, posterior, pairs))
        informed = better_informed_plans(instance, beliefs, posterior)
        plans |= {name: _total(study, one) for name, one in informed.items()}
        told = study_instance(study, past_prices=True)
        plans["past prices"] = _total(study, _chosen(solve(told, learn(told)), study))
    plans |= _rankings(study, pairs, joint_orders[pairs[:, 0], pairs[:, 1]], orders)
    others = other_plans(instance, beliefs)
    policies = {name: _total(study, one) for name, one in others.items()}
    levels = [name for name in policies if name.startswith("one level")]
    plans["one level"] = max(policies.pop(name) for name in levels)
    plans |= policies
    money = study.visits / 100
    kpis = plan.report["kpis"]
    truth = shop.price_sensitivity
    return {
        "world": world,
        "seed": seed,
        "visits": study.visits,
        "weeks": shop.n_weeks,
        "products": shop.n_products,
        "baskets": int(instance.orders.n_visits),
        "lines": int(instance.orders.n_lines),
        "candidates": len(pairs),
        "bundles": len(learned),
        "reliability": float(np.corrcoef(beliefs.price_sensitivity, truth)[0, 1] ** 2),
        "promised": kpis["incremental_margin"],
        "promised_low": kpis["incremental_margin_low"],
        "promised_high": kpis["incremental_margin_high"],
        "others_promised": {name: others[name].promised / 100 for name in ("told", "uncapped")},
        "plans": {name: float(value) * money for name, value in plans.items()},
        "standard_error": float(np.sqrt((error**2).sum())) * money,
        "losing": float((gain < 0).mean()) if len(gain) else 0.0,
        "seconds": round(time.perf_counter() - start, 1),
    }


def _gain(study: StudyShop, chosen: Chosen, draws: int = _DRAWS) -> tuple[Floats, Floats]:
    """(bundles,) true cents a visit, and standard errors."""
    if study.shop.substitutes is None:
        gain = true_gain(study.shop, chosen.pairs, chosen.discount, kept=study.kept)
        return gain, np.zeros_like(gain)
    gain, error = substituted_gain(
        study.shop, chosen.pairs, chosen.discount[:, None], draws, study.seed
    )
    return gain[:, 0], error[:, 0]


def _total(study: StudyShop, chosen: Chosen, draws: int = _DRAWS) -> float:
    return float(_gain(study, chosen, draws)[0].sum()) if len(chosen) else 0.0


def _clairvoyant(study: StudyShop, pairs: NDArray[np.int64]) -> float:
    """True cents a visit of the plan made with the true values of all offers.

    With substitutes values are simulated, of the pairs that would be best without any, and the
    plan is then valued afresh.
    """
    shop = study.shop
    off = discounts(shop.reference_price, pairs, LEVELS)
    rough = true_gain(shop, pairs, off[:, _MIDDLE], kept=study.kept)
    best = np.argsort(-rough, kind="stable")[:_FINALISTS]
    pairs, off = pairs[best], off[best]
    columns = [true_gain(shop, pairs, one, kept=study.kept) for one in off.T]
    value = np.stack(columns, axis=1)
    if shop.substitutes is not None:
        count, draws = _SUBSTITUTED
        best = np.argsort(-value.max(axis=1), kind="stable")[:count]
        pairs, off = pairs[best], off[best]
        value, _ = substituted_gain(shop, pairs, off, draws, 10_000_000)
    return _total(study, best_plan(pairs, off, value, BUNDLES))


def _rankings(
    study: StudyShop,
    pairs: NDArray[np.int64],
    joint_orders: NDArray[np.int64],
    orders: NDArray[np.int64],
) -> dict[str, float]:
    """True cents a visit of every ranking at its best level; of random plans the mean."""
    off = discounts(study.shop.reference_price, pairs, LEVELS)
    found = {}
    for name, versions in ranked_plans(joint_orders, orders, pairs, study.seed).items():
        totals = np.array(
            [
                [
                    _total(study, _offered(pairs[rows], off[rows, level]), _RANKING_DRAWS)
                    for rows in versions
                ]
                for level in range(len(LEVELS))
            ]
        )
        found[name] = totals.mean(axis=1).max() if name == "random" else totals.max()
    if study.shop.substitutes is None:
        found["any two"], _ = any_two(study)
    return found


def _offered(pairs: NDArray[np.int64], off: NDArray[np.int64]) -> Chosen:
    """Those of the bundles that cost more than one product of theirs."""
    return Chosen(pairs[off > 0], off[off > 0])


def _chosen(plan: Plan, study: StudyShop) -> Chosen:
    row = {str(name): k for k, name in enumerate(study.shop.product_ids)}
    ids = plan.offers["product_ids"]
    pairs = [[row[name] for name in str(cell).split(";")] for cell in ids]
    off = (plan.offers["list_price"] - plan.offers["bundle_price"]).to_numpy(dtype=np.int64)
    return Chosen(np.array(pairs, dtype=np.int64).reshape(len(off), 2), off)


def _counts(instance: Instance) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(products, products) orders that hold both, and (products,) orders that hold one."""
    orders = instance.orders
    held = csr_matrix(
        (np.ones(orders.n_lines), (orders.visit, orders.product)),
        shape=(orders.n_visits, orders.n_products),
    )
    held.data[:] = 1.0
    together = (held.T @ held).toarray().astype(np.int64)
    return together, together.diagonal().copy()
