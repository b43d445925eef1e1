"""The programs that the solver is measured on, the same on every run.

Each is built by ``build_program`` from scored offers and a scenario's rules, as ``solve`` does:

- ``hard_cases``: the Complete Journey at several levels, where rules pull against each other;
- ``scale``: shops drawn at random (``large_shop``) with 10 thousand to 10 million offers;
- ``big_program`` has its own: 480,000 offers at one level, under rules that pull less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.instances.rules import CategoryLimit
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.accounts import discount_spend, standalone_units, stock_left
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.filters import offer_mask
from bundlewise.solver.offers import Offers
from bundlewise.solver.program import Program
from bundlewise.solver.scoring import score_offers
from numpy.typing import NDArray

from .journey import journey_shop
from .large_shop import draw_pairs, large_shop

SEED = 20_180_101
LIMITED_CATEGORIES = 25
A_CATEGORY = 0.06  # of the bundles may touch one of those categories
BUDGET_SHARE = 0.9  # of what the greedy plan spends on discounts

HARD_LEVELS = (0.05, 0.10, 0.15, 0.20)
STOCK_SUPPORT, MARGIN_SUPPORT = 2, 5  # leave about as many offers: stock filters six in seven
HARD_GROSS_MARGIN = 0.40  # mean; 0.06 between categories, 0.05 within
ROOM = (1.0, 2.5)  # stock beside stand-alone demand, in bundles that add typically many units
TYPICAL = 10  # most valuable candidates of a product that say what is typical
POINTS_ABOVE = 0.03  # plan margin asked for, above that of the best plan without one

SCALE_POINTS_ABOVE = 0.01  # plan margin asked for, above that of the greedy plan
TRIAL_PAIRS = 20_000  # say how many offers a pair makes


@dataclass(frozen=True, slots=True)
class HardCase:
    """What is asked for: ``plan_margin`` stands for the tight plan margin, ``stock`` for stock."""

    name: str
    bundles: int
    exposure: int
    stock: bool = False
    plan_margin: bool = False


HARD_CASES = (
    HardCase("exposure 3, stock, 200 bundles", 200, 3, stock=True),
    HardCase("exposure 3, stock, 1,000 bundles", 1_000, 3, stock=True),
    HardCase("exposure 2, stock, 1,000 bundles", 1_000, 2, stock=True),
    HardCase("exposure 5, stock, 1,000 bundles", 1_000, 5, stock=True),
    HardCase("exposure 1, plan margin, 200 bundles", 200, 1, plan_margin=True),
    HardCase("exposure 1, plan margin, 1,000 bundles", 1_000, 1, plan_margin=True),
)


def hard_cases() -> Iterator[tuple[str, Program]]:
    """Name and program of each of ``HARD_CASES``; all are made in a minute or two."""
    instance, beliefs = journey_shop(STOCK_SUPPORT)
    instance = _with_margins(instance)
    stocked, kept = _with_tight_stock(instance, beliefs)
    for case in HARD_CASES:
        if case.stock:
            yield case.name, _hard_case(case, stocked, beliefs, kept)
    del stocked, kept
    instance = _scored_at(instance, HARD_LEVELS, MARGIN_SUPPORT)
    offers = _scored(instance, beliefs)
    for case in HARD_CASES:
        if not case.stock:
            yield case.name, _hard_case(case, instance, beliefs, offers)


def scale(n_offers: int) -> Program:
    """A program of about so many offers."""
    instance, beliefs, offers = scale_offers(n_offers)
    return build_program(instance, beliefs, offers)


def scale_offers(n_offers: int) -> tuple[Instance, Beliefs, Offers]:
    """What ``scale`` builds the program from: 1,000 products for 10⁴ offers, 100,000 for 10⁷."""
    products = round(1_000 * (n_offers / 10_000) ** (2 / 3))
    instance, beliefs = large_shop(products, SEED)
    trial = replace(beliefs, **draw_pairs(beliefs, TRIAL_PAIRS, SEED))
    made = len(_scored(instance, trial))
    n_pairs = round(n_offers / (made / TRIAL_PAIRS))
    beliefs = replace(beliefs, **draw_pairs(beliefs, n_pairs, SEED + 1))
    offers = _scored(instance, beliefs)
    bundles = round(100 * (np.log10(n_offers) - 2))
    instance = with_rules(with_limits(instance, max_bundles=bundles), beliefs, offers)
    wanted = plan_margin(offers, _greedy_plan(instance, beliefs, offers)) + SCALE_POINTS_ABOVE
    return with_limits(instance, min_plan_margin=round(wanted, 3)), beliefs, offers


def with_limits(instance: Instance, **limits: float) -> Instance:
    """The instance with other limits."""
    scenario = instance.scenario
    changed = scenario.limits.model_copy(update=limits)
    return replace(instance, scenario=scenario.model_copy(update={"limits": changed}))


def with_rules(instance: Instance, beliefs: Beliefs, offers: Offers) -> Instance:
    """The instance with category limits, and a budget below what the greedy plan spends."""
    category = instance.catalogue.category
    names, code = np.unique(category.astype(str), return_inverse=True)
    often = np.argsort(-np.bincount(code[offers.products].ravel()), kind="stable")
    most = round(A_CATEGORY * instance.scenario.limits.max_bundles)
    rules = tuple(
        CategoryLimit(kind="category-limit", category=str(names[k]), max=most)
        for k in often[:LIMITED_CATEGORIES]
    )
    ruled = replace(instance, scenario=instance.scenario.model_copy(update={"rules": rules}))
    plan = _greedy_plan(ruled, beliefs, offers)
    spend = float(discount_spend(offers)[plan].sum())
    return with_limits(ruled, discount_budget=BUDGET_SHARE * spend / 100)


def plan_margin(offers: Offers, columns: NDArray[np.int64]) -> float:
    """Margin of some offers over their revenue net of tax, the tax rate being 0."""
    revenue = (offers.bundle_units * offers.bundle_price)[columns]
    return float((offers.margin_rate[columns] * revenue).sum() / revenue.sum())


def _hard_case(case: HardCase, instance: Instance, beliefs: Beliefs, offers: Offers) -> Program:
    instance = with_limits(
        instance, max_bundles=case.bundles, max_bundles_per_product=case.exposure
    )
    instance = with_rules(instance, beliefs, offers)
    if case.plan_margin:
        free = _best_plan(build_program(instance, beliefs, offers))
        wanted = round(plan_margin(offers, free) + POINTS_ABOVE, 3)
        instance = with_limits(instance, min_plan_margin=wanted)
    return build_program(instance, beliefs, offers)


def _best_plan(program: Program) -> NDArray[np.int64]:
    """The columns of a plan within 0.1 % of the best."""
    solution = solve_program(program, EngineSettings(gap=0.001, time_limit=120.0))
    if solution.values is None:
        raise RuntimeError(f"no plan to measure the plan margin from: {solution.status}")
    return np.flatnonzero(solution.values > 0.5)


def _scored(instance: Instance, beliefs: Beliefs) -> Offers:
    """Offers worth more than 0 that the filters let through."""
    return score_offers(instance, beliefs, mask=offer_mask(instance, beliefs))[0]


def _scored_at(instance: Instance, levels: tuple[float, ...], min_support: int) -> Instance:
    scenario = instance.scenario
    update = {
        "discounts": scenario.discounts.model_copy(update={"levels": levels}),
        "candidates": scenario.candidates.model_copy(update={"min_support": min_support}),
    }
    return replace(instance, scenario=scenario.model_copy(update=update))


def _with_margins(instance: Instance) -> Instance:
    """The instance with costs drawn from a gross margin that differs between products."""
    random = np.random.default_rng(SEED)
    catalogue = instance.catalogue
    names, code = np.unique(catalogue.category.astype(str), return_inverse=True)
    margin = random.normal(HARD_GROSS_MARGIN, 0.06, len(names))[code]
    margin = (margin + random.normal(0.0, 0.05, len(code))).clip(0.05, 0.9)
    cost = np.round(np.maximum(catalogue.reference_price, 0) * (1.0 - margin))
    return replace(instance, catalogue=replace(catalogue, unit_cost=cost.astype(np.int64)))


def _with_tight_stock(instance: Instance, beliefs: Beliefs) -> tuple[Instance, Offers]:
    """The instance with stock for stand-alone demand and ``ROOM`` typical bundles a product, and
    the offers that each fit alone.

    A product that may be in three bundles can then afford one to three, by what they add.
    """
    random = np.random.default_rng(SEED + 1)
    instance = _scored_at(instance, HARD_LEVELS, STOCK_SUPPORT)
    offers = _scored(instance, beliefs)
    typical = _typical_units(offers, len(instance.catalogue))
    room = typical * random.uniform(*ROOM, len(typical))
    stock = np.where(typical > 0, standalone_units(instance, beliefs) + room, np.inf)
    stocked = replace(instance, catalogue=replace(instance.catalogue, stock=stock))
    fits, _ = offer_mask(stocked, beliefs)(offers)
    return stocked, offers.take(np.flatnonzero(fits))


def _typical_units(offers: Offers, n_products: int) -> NDArray[np.float64]:
    """(products,) mean units that the most valuable candidates add, each at its best level."""
    best = offers.take(_best_of_each_candidate(offers))
    product = best.products.ravel()
    order = np.lexsort((-np.repeat(best.value, best.products.shape[1]), product))
    product, units = product[order], best.added_units.ravel()[order]
    first = np.searchsorted(product, product)  # where the product's own entries begin
    top = np.arange(len(product)) - first < TYPICAL
    total = np.bincount(product[top], weights=units[top], minlength=n_products)
    return total / np.maximum(np.bincount(product[top], minlength=n_products), 1)


def _best_of_each_candidate(offers: Offers) -> NDArray[np.int64]:
    order = np.lexsort((-offers.value, offers.candidate))
    candidate = offers.candidate[order]
    return order[np.append(True, candidate[1:] != candidate[:-1])]


def _greedy_plan(instance: Instance, beliefs: Beliefs, offers: Offers) -> NDArray[np.int64]:
    """Offers by value, each taken where exposure, stock and category limits leave room."""
    limits, catalogue = instance.scenario.limits, instance.catalogue
    room = stock_left(instance, beliefs)
    exposure = np.full(len(catalogue), limits.max_bundles_per_product)
    most = {str(rule.category): rule.max for rule in instance.scenario.rules}
    taken: set[int] = set()
    plan: list[int] = []
    for j in np.argsort(-offers.value, kind="stable"):
        products, units = offers.products[j], offers.added_units[j]
        touched = {str(catalogue.category[p]) for p in products} & most.keys()
        fits = np.all(exposure[products] > 0) and np.all(units <= room[products])
        if fits and offers.candidate[j] not in taken and all(most[c] > 0 for c in touched):
            taken.add(int(offers.candidate[j]))
            plan.append(int(j))
            exposure[products] -= 1
            room[products] -= units
            for c in touched:
                most[c] -= 1
            if len(plan) == limits.max_bundles:
                break
    return np.array(plan, dtype=np.int64)
