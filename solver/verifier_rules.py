"""Every rule of a scenario, recomputed on a written plan: one function a rule.

Rules that are sums over the plan give ``Row``s, rules that each offer must satisfy give problems.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations

from ..instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
)
from .verifier_case import Case
from .verifier_lines import (
    clearance,
    kept_bundles,
    last_week_bundles,
    most_steps,
    same_level,
    too_many_steps,
)
from .verifier_row import Row, broken, count_row
from .verifier_tables import WrittenOffer

_ROUNDING = 1e-5  # relative: units are written with six significant digits


def plan_rows(case: Case) -> list[Row]:
    """The rules over the whole plan that are in force, each with its recomputed value."""
    return [row for rule in PLAN_RULES.values() for row in rule(case)]


def broken_rows(rows: list[Row]) -> Iterator[str]:
    """What the rows' sides do not allow."""
    for row in rows:
        if not row.enforced:
            continue
        allowed = _ROUNDING * row.scale
        if row.value > row.upper + allowed:
            yield broken(row.kind, row.name, f"{row.value:.10g}", f"at most {row.upper:.10g}")
        if row.value < row.lower - allowed:
            yield broken(row.kind, row.name, f"{row.value:.10g}", f"at least {row.lower:.10g}")


def broken_offers(case: Case) -> Iterator[str]:
    """What the rules about single offers do not allow."""
    for rule in OFFER_RULES.values():
        yield from rule(case)


def _bundle_count(case: Case) -> Iterator[Row]:
    """min_bundles <= number of offers <= max_bundles."""
    limits, affinity = case.limits, case.instance.scenario.objective.maximize == "affinity"
    fewest = limits.max_bundles if affinity else limits.min_bundles
    lower = fewest if fewest > 0 else -math.inf
    yield count_row("bundle-count", "bundle-count", len(case.offers), lower, limits.max_bundles)


def _product_exposure(case: Case) -> Iterator[Row]:
    """For each product, offers that hold it <= max_bundles_per_product."""
    for product in case.products:
        held = sum(product in offer.product_ids for offer in case.offers)
        limit = case.limits.max_bundles_per_product
        yield count_row(f"product-exposure[{product}]", "product-exposure", held, -math.inf, limit)


def _stock(case: Case) -> Iterator[Row]:
    """Stand-alone demand (visits × q × usual quantity) + added units <= stock·(1 − safety)."""
    for product in case.products:
        stock = float(case.instance.catalogue.stock[case.position[product]])
        if math.isinf(stock):
            continue
        belief = case.files.product_beliefs[product]
        alone = case.instance.visits * belief["purchase_probability"] * belief["usual_quantity"]
        added = sum(
            units
            for offer in case.offers
            for name, units in zip(offer.product_ids, offer.added_units, strict=True)
            if name == product
        )
        limit = stock * (1 - case.limits.stock_safety)
        if added == 0:
            limit = max(limit, alone)  # the offers need nothing of it
        value = alone + added
        yield Row(f"stock[{product}]", "stock", value, -math.inf, limit, max(value, limit), alone)


def _plan_margin(case: Case) -> Iterator[Row]:
    """Σ (margin − min_plan_margin·revenue/(1 + tax_rate)) >= 0."""
    share = case.limits.min_plan_margin
    if share is None:
        return
    margins = [unrounded_margin(case, offer) for offer in case.offers]
    revenues = [offer.bundle_units * offer.bundle_price / case.net for offer in case.offers]
    value = sum(margins) - share * sum(revenues)
    scale = sum(abs(margin) for margin in margins) + abs(share) * sum(revenues)
    yield Row("plan-margin", "plan-margin", value / 100, 0.0, math.inf, scale / 100)


def _discount_budget(case: Case) -> Iterator[Row]:
    """Σ (list_price − bundle_price)·units <= discount_budget."""
    budget = case.limits.discount_budget
    if budget is None:
        return
    spend = sum(offer.bundle_units * offer.money_off for offer in case.offers) / 100
    yield Row("discount-budget", "discount-budget", spend, -math.inf, budget, max(spend, budget))


def _category_limit(case: Case) -> Iterator[Row]:
    """min <= offers that touch the category <= max."""
    category = case.instance.catalogue.category
    for rule in case.instance.scenario.rules:
        if isinstance(rule, CategoryLimit):
            touching = sum(
                any(category[row] == rule.category for row in case.rows(offer))
                for offer in case.offers
            )
            yield _between(rule, touching)


def _brand_limit(case: Case) -> Iterator[Row]:
    """min <= offers that touch the brand <= max."""
    brand = case.instance.catalogue.brand
    for rule in case.instance.scenario.rules:
        if isinstance(rule, BrandLimit):
            touching = sum(
                any(brand[row] == rule.brand for row in case.rows(offer)) for offer in case.offers
            )
            yield _between(rule, touching)


def _must_include(case: Case) -> Iterator[Row]:
    """At least one offer has exactly these products (at this level, where one is given)."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, MustInclude):
            matching = sum(is_offer(case, offer, rule) for offer in case.offers)
            yield count_row(rule.name, rule.kind, matching, 1, math.inf)


def _locked(case: Case) -> Iterator[Row]:
    """The offer of exactly these products at this level is in."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Locked):
            matching = sum(is_offer(case, offer, rule) for offer in case.offers)
            yield count_row(rule.name, rule.kind, matching, 1, math.inf)


def _at_most_one_of(case: Case) -> Iterator[Row]:
    """At most one offer touches any of the products, or is one of the bundles."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, AtMostOneOf):
            products = set(rule.products or ())
            bundles = {frozenset(bundle) for bundle in rule.bundles or ()}
            touching = sum(
                bool(products & set(offer.product_ids)) or frozenset(offer.product_ids) in bundles
                for offer in case.offers
            )
            yield count_row(rule.name, rule.kind, touching, -math.inf, 1)


def _one_level(case: Case) -> Iterator[str]:
    """A candidate is offered at one level at most."""
    for first, second in combinations(case.offers, 2):
        if first.product_ids == second.product_ids:
            yield broken("one-level", first.bundle_id, "2 rows of plan.csv", "one")


def _bundle_margin(case: Case) -> Iterator[str]:
    """margin_rate of each offer >= min_bundle_margin."""
    least = case.limits.min_bundle_margin
    for offer in case.offers if least is not None else ():
        rate = _margin_rate(case, offer)
        if least is not None and rate < least - 1e-9:
            yield broken("bundle-margin", offer.bundle_id, f"{rate:.6f}", f"at least {least}")


def _least_bundle_margin(case: Case) -> Iterator[Row]:
    """The least margin rate of the plan's offers beside min_bundle_margin."""
    least = case.limits.min_bundle_margin
    if least is not None and case.offers:
        rate = min(_margin_rate(case, offer) for offer in case.offers)
        name = "bundle-margin"
        yield Row(name, name, rate, least, math.inf, scale=1.0, enforced=False)


def _min_price(case: Case) -> Iterator[str]:
    """bundle price >= Σ min_price of its products."""
    for offer in case.offers:
        least = _least_price(case, offer)
        if offer.bundle_price < least:
            found, expected = f"{offer.bundle_price / 100:.2f}", f"at least {least / 100:.2f}"
            yield broken("min-price", offer.bundle_id, found, expected)


def _least_above_min_price(case: Case) -> Iterator[Row]:
    """The least money between a bundle's price and its products' min_price."""
    above = [
        offer.bundle_price - least
        for offer in case.offers
        if (least := _least_price(case, offer)) > 0
    ]
    if above:
        name, value = "min-price", min(above) / 100
        yield Row(name, name, value, 0.0, math.inf, scale=0.0, enforced=False)


def _above_single_price(case: Case) -> Iterator[str]:
    """A bundle costs more than its products without the cheapest: it gives none of them away."""
    for offer in case.offers:
        prices = case.instance.catalogue.reference_price[case.rows(offer)]
        least = int(prices.sum() - prices.min())
        if offer.bundle_price <= least:
            of = "one of its products" if len(prices) == 2 else "all of its products but one"
            yield (
                f"plan.csv: {offer.bundle_id}: bundle_price is {offer.bundle_price / 100:.2f}, "
                f"expected above {least / 100:.2f}, the price of {of}"
            )


def _available(case: Case) -> Iterator[str]:
    """Every product is active, priced and not promoted."""
    for offer in case.offers:
        for name, row in zip(offer.product_ids, case.rows(offer), strict=True):
            if not case.instance.catalogue.available[row]:
                yield (
                    f"plan.csv: {offer.bundle_id}: product_ids holds {name}, which is inactive, "
                    "promoted or without a price, expected available products"
                )


def _candidate(case: Case) -> Iterator[str]:
    """A bundle that no rule forces in has the support, size and categories of a candidate."""
    settings = case.instance.scenario.candidates
    category = case.instance.catalogue.category
    learned_here = case.instance.scenario.data.beliefs is None  # else from orders not at hand
    forced = {
        frozenset(rule.products)
        for rule in case.instance.scenario.rules
        if isinstance(rule, MustInclude | Locked)
    }
    last_week = last_week_bundles(case)  # compared with: on offer whatever their support
    for offer in case.offers:
        size = len(offer.product_ids)
        if size > settings.max_size:
            expected = f"at most {settings.max_size}"
            yield broken("max_size", offer.bundle_id, f"{size} products", expected)
        if frozenset(offer.product_ids) in forced:
            continue
        counted = learned_here and frozenset(offer.product_ids) not in last_week
        if counted and (support := case.support(offer)) < settings.min_support:
            expected = f"at least {settings.min_support}"
            yield broken("min_support", offer.bundle_id, f"{support} orders", expected)
        names = {category[row] for row in case.rows(offer)}
        if not settings.allow_same_category and len(names) < len(offer.product_ids):
            yield broken(
                "allow_same_category", offer.bundle_id, "two products of a category", "different"
            )


def _excluded(case: Case) -> Iterator[str]:
    """No bundle of exactly these products (at this level, where one is given)."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Excluded):
            for offer in case.offers:
                if is_offer(case, offer, rule):
                    yield broken(rule.kind, rule.name, f"{offer.bundle_id} in the plan", "it out")


def _never_together(case: Case) -> Iterator[str]:
    """No bundle holds two of these products."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, NeverTogether):
            for offer in case.offers:
                held = sorted(set(rule.products) & set(offer.product_ids))
                if len(held) > 1:
                    found = f"{' and '.join(held)} in {offer.bundle_id}"
                    yield broken(rule.kind, rule.name, found, "them apart")


PLAN_RULES: dict[str, Callable[[Case], Iterator[Row]]] = {
    "bundle-count": _bundle_count,
    "product-exposure": _product_exposure,
    "stock": _stock,
    "plan-margin": _plan_margin,
    "discount-budget": _discount_budget,
    "category-limit": _category_limit,
    "brand-limit": _brand_limit,
    "must-include": _must_include,
    "locked": _locked,
    "at-most-one-of": _at_most_one_of,
    "same-level": same_level,
    "stability": kept_bundles,
    "clearance": clearance,
    "steps of stability": most_steps,
    "least bundle-margin": _least_bundle_margin,
    "least above min-price": _least_above_min_price,
}
OFFER_RULES: dict[str, Callable[[Case], Iterator[str]]] = {
    "one-level": _one_level,
    "bundle-margin": _bundle_margin,
    "min-price": _min_price,
    "above the price of each product": _above_single_price,
    "available": _available,
    "candidate": _candidate,
    "excluded": _excluded,
    "never-together": _never_together,
    "steps of stability": too_many_steps,
}


def unrounded_margin(case: Case, offer: WrittenOffer) -> float:
    """bundle_units × (bundle_price/(1 + tax_rate) − Σ unit_cost + Σ supplier_funding), cents."""
    return offer.bundle_units * _unit_margin(case, offer)


def _margin_rate(case: Case, offer: WrittenOffer) -> float:
    net_price = offer.bundle_price / case.net
    return _unit_margin(case, offer) / net_price if net_price > 0 else -math.inf


def _least_price(case: Case, offer: WrittenOffer) -> int:
    return int(case.instance.catalogue.min_price[case.rows(offer)].sum())


def _unit_margin(case: Case, offer: WrittenOffer) -> float:
    catalogue, rows = case.instance.catalogue, case.rows(offer)
    costs, funding = catalogue.unit_cost[rows].sum(), catalogue.supplier_funding[rows].sum()
    return float(offer.bundle_price / case.net - costs + funding)


def is_offer(case: Case, offer: WrittenOffer, rule: MustInclude | Excluded | Locked) -> bool:
    """Whether a rule names exactly this offer."""
    if frozenset(rule.products) != frozenset(offer.product_ids):
        return False
    return rule.level is None or case.answers_to(offer, rule.level)


def _between(rule: CategoryLimit | BrandLimit, touching: int) -> Row:
    lower = rule.min if rule.min > 0 else -math.inf
    upper = math.inf if rule.max is None else rule.max
    return count_row(rule.name, rule.kind, touching, lower, upper)
