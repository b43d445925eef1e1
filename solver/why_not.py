"""Why a set of products is not a bundle of a plan, its best level, and what forcing it in costs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..instances.bundle_ids import bundle_id
from ..instances.errors import InputError
from ..instances.rules import Locked, MustInclude
from .binding_rules import ruled_out
from .bundle_scores import score_bundles
from .candidate_sets import all_candidates
from .evidence import plan_evidence
from .filters import offer_mask
from .offers import Offers
from .plan_accounts import bundle_name, offer_accounts
from .plan_tables import PlanTables
from .prepared import Prepared
from .scorer import products_of
from .what_if import Say, Situation, with_bundle

_FEWEST, _MOST = 2, 4


def why_not(
    tables: PlanTables,
    products: Sequence[str],
    now: Situation | None = None,
    missing: str | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Whether a set was a candidate, what it could earn, and what forcing it in would cost.

    Parameters
    ----------
    products
        two to four product ids.
    now
        the plan beside its data; without it only the plan's own folder is asked.
    missing
        why there is no ``now``.

    Raises
    ------
    InputError
        a wrong number of products, one of them twice, or one that the products table lacks.
    """
    wanted = tuple(sorted(set(products)))
    if not _FEWEST <= len(products) <= _MOST or len(wanted) < len(products):
        several = "1 product" if len(products) == 1 else f"{len(products)} products"
        found = several if len(wanted) == len(products) else "a product twice"
        raise InputError(None, "--why-not", found, "two to four different product ids")
    report = tables.plan.report
    name = bundle_id(wanted)
    answer: dict[str, Any] = {
        "plan": str(tables.plan.folder),
        "name": str(report["name"]),
        "week": str(report["week"]),
        "currency": str(report["currency"]),
        "objective": str(tables.scenario.objective.maximize),
        "bundle_id": name,
        "product_ids": list(wanted),
        "in_plan": name in set(tables.plan.offers["bundle_id"]),
        "candidate": None,
        "reason": None,
        "levels": [],
        "best": None,
        "evidence": None,
        "forcing": None,
        "not_told": [],
    }
    if now is None:
        rule = ruled_out(tables.scenario, wanted)
        if rule is not None:
            answer |= {"candidate": False, "reason": _reason("rule", f"the rule {rule} forbids it")}
        answer["not_told"] = [f"whether it is a candidate, its levels and its cost: {missing}"]
        return answer
    held = _indices(now, wanted)
    catalogue = now.instance.catalogue
    answer["titles"] = [str(catalogue.title[now.place[product]]) for product in wanted]
    answer["bundle_name"] = bundle_name(answer["titles"], wanted)
    reason = _no_candidate(now, wanted, held)
    if _can_be_scored(now, held):
        answer |= _levels(now, held)
        reason = reason or _no_level(answer["levels"]) or _cut(now, held)
    answer |= {"candidate": reason is None, "reason": reason}
    if not answer["in_plan"] and (reason is None or reason["code"] not in _HOPELESS):
        answer["forcing"] = with_bundle(now, wanted, say)
    return answer


_HOPELESS = ("inactive", "promoted", "price", "never-bought", "size", "tie")
"""Reasons that no rule can overcome: there is nothing to force in."""


def _reason(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text}


def _indices(now: Situation, products: tuple[str, ...]) -> tuple[int, ...]:
    """Catalogue indices, ascending; InputError for ids that the products table lacks."""
    place = now.place
    for product in products:
        if product not in place:
            titles = {str(title): name for title, name in _titles(now).items()}
            near = difflib.get_close_matches(product, [*place, *titles], 1, 0.0)
            hint = f" (the nearest is {titles.get(near[0], near[0])})" if near else ""
            raise InputError(None, "--why-not", f"no product {product!r}{hint}", "product ids")
    return tuple(sorted(place[product] for product in products))


def _titles(now: Situation) -> dict[str, str]:
    catalogue = now.instance.catalogue
    return dict(zip(map(str, catalogue.title), map(str, catalogue.product_ids), strict=True))


def _no_candidate(
    now: Situation, products: tuple[str, ...], held: tuple[int, ...]
) -> dict[str, str] | None:
    """The first reason why a set is no candidate, levels left aside; None where there is none."""
    forced = any(
        isinstance(rule, MustInclude | Locked) and set(rule.products) == set(products)
        for rule in now.instance.scenario.rules
    )
    settings = now.instance.scenario.candidates
    checks = [_kept_out(now, held), _too_large(products, settings.max_size)]
    if not forced:
        checks += [_support(now, held), _same_category(now, held)]
    rule = ruled_out(now.instance.scenario, products)
    checks.append(_unpriced(now, held))
    checks.append(_reason("rule", f"the rule {rule} forbids it") if rule is not None else None)
    return next((check for check in checks if check is not None), None)


def _kept_out(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    """A product that is inactive, or promoted in the planned week."""
    catalogue = now.instance.catalogue
    for place in held:
        if catalogue.available[place] or catalogue.reference_price[place] <= 0:
            continue
        product = str(catalogue.product_ids[place])
        if _promoted(now, place):
            what = "is promoted in the planned week (candidates.allow_promoted is false)"
            return _reason("promoted", f"{product} {what}")
        return _reason("inactive", f"{product} is not active in the products table")
    return None


def _promoted(now: Situation, place: int) -> bool:
    """Whether the table of prices has the product promoted in the planned week."""
    prices = now.instance.prices
    if prices is None:
        return False
    week = now.instance.scenario.week
    rows = (prices.product == place) & (prices.week == week) & prices.promoted
    return bool(np.any(rows))


def _too_large(products: tuple[str, ...], most: int) -> dict[str, str] | None:
    if len(products) <= most:
        return None
    return _reason("size", f"bundles hold at most {most} products (candidates.max_size)")


def _support(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    """Too few orders that hold the whole set; last week's bundles need none."""
    known = now.instance.previous_plan.bundles if now.instance.previous_plan is not None else ()
    ids = {str(now.instance.catalogue.product_ids[place]) for place in held}
    if any(set(bundle.products) == ids for bundle in known):
        return None
    least = now.instance.scenario.candidates.min_support
    orders = joint_orders(now, held)
    if orders >= least:
        return None
    few = f"{orders} orders hold all of it" if orders >= 0 else "too few orders hold all of it"
    return _reason("support", f"{few}, candidates.min_support asks for {least}")


def joint_orders(now: Situation, held: tuple[int, ...]) -> int:
    """Orders that hold the whole set, as far as the beliefs counted them: -1 where they did not."""
    beliefs = now.beliefs
    if len(held) == 2:
        row = np.flatnonzero((beliefs.pair_a == held[0]) & (beliefs.pair_b == held[1]))
        return int(beliefs.pair_orders[row[0]]) if len(row) else _orders_at_hand(now, held)
    sets = beliefs.product_sets
    if sets is not None:
        padded = np.array([[*held, *[-1] * (4 - len(held))]], dtype=np.int32)
        row = int(sets.find(padded)[0])
        if row >= 0:
            return int(sets.orders[row])
    return _orders_at_hand(now, held)


def _orders_at_hand(now: Situation, held: tuple[int, ...]) -> int:
    """Orders of the tables that hold the whole set, lines sold in a bundle left out; -1 where
    beliefs were learned from orders that are not at hand."""
    if now.instance.scenario.data.beliefs is not None:
        return -1
    orders = now.instance.orders
    lines = np.flatnonzero(np.isin(orders.product, held) & ~orders.bundled)
    visits = [set(orders.visit[lines][orders.product[lines] == place].tolist()) for place in held]
    return len(set.intersection(*visits))


def _same_category(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    if now.instance.scenario.candidates.allow_same_category:
        return None
    names = [str(now.instance.catalogue.category[place]) for place in held]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is None:
        return None
    return _reason(
        "same-category",
        f"two of its products are of the category {twice} "
        "(candidates.allow_same_category is false)",
    )


def _unpriced(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    """A product without a reference price, or one that was never bought."""
    catalogue = now.instance.catalogue
    for place in held:
        product = str(catalogue.product_ids[place])
        if catalogue.reference_price[place] <= 0:
            return _reason("price", f"the price of {product} is not known")
        if now.beliefs.purchase_probability[place] <= 0.0:
            return _reason("never-bought", f"{product} was never bought")
    return None


def _can_be_scored(now: Situation, held: tuple[int, ...]) -> bool:
    catalogue, q = now.instance.catalogue, now.beliefs.purchase_probability
    if not all(catalogue.available[place] and q[place] > 0.0 for place in held):
        return False
    return len(held) <= 2 or now.instance.scenario.segments.count == 1


def _levels(now: Situation, held: tuple[int, ...]) -> dict[str, Any]:
    """The set at every level, its best level, and the evidence there."""
    instance, beliefs = now.instance, now.beliefs
    offers = score_bundles(instance, beliefs, [held])
    if len(offers) == 0:
        return {"levels": [], "best": None}
    reasons = offer_mask(instance, beliefs).reasons(offers)
    unit = 0.01 if instance.scenario.objective.maximize in ("margin", "revenue") else 1.0
    levels = [
        {
            "level": float(instance.scenario.discounts.levels[int(offers.level[k])]),
            "bundle_price": float(offers.bundle_price[k]) / 100,
            "discount": float(1 - offers.bundle_price[k] / offers.list_price[k]),
            "bundle_units": float(offers.bundle_units[k]),
            "subsidised_units": float(offers.subsidised_units[k]),
            "incremental_margin": float(offers.incremental_margin[k]) / 100,
            "value": float(offers.value[k]) * unit,
            "capped": bool(offers.capped[k]),
            "left_out": reasons[k] or None,
        }
        for k in range(len(offers))
    ]
    open_levels = [k for k, reason in enumerate(reasons) if reason in ("", "no-gain")]
    best = max(open_levels or range(len(levels)), key=lambda k: levels[k]["value"])
    return {"levels": levels, "best": levels[best], "evidence": _evidence(now, offers, best)}


def _evidence(now: Situation, offers: Offers, row: int) -> dict[str, Any]:
    one = offers.take(np.array([row]))
    nothing = np.zeros(1)
    rows = offer_accounts(
        now.instance, one, nothing, nothing, now.beliefs.segments, now.beliefs.displaced
    )
    return next(iter(plan_evidence(now.instance, now.beliefs, one, rows).values()))


def _no_level(levels: list[dict[str, Any]]) -> dict[str, str] | None:
    """Why no level can be offered: filters refuse all of them, or none gains."""
    if not levels:
        return _reason("no-level", "no level gives a price that may be offered")
    refused = [level["left_out"] for level in levels]
    if not all(refused):
        return None
    names = sorted({str(name) for name in refused} - {"no-gain"})
    if not names:
        return _reason("no-gain", "it gains nothing at any level")
    gaining = "" if "no-gain" not in refused else "; the other levels gain nothing"
    return _reason("filter", f"its levels are refused by {', '.join(names)}{gaining}")


def _cut(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    """Whether the search for candidates or ``max_candidates`` left it out."""
    groups, _ = all_candidates(now.instance, now.beliefs)
    wanted = np.array(held)
    if not any(
        products_of(group).shape[1] == len(held)
        and bool((products_of(group) == wanted).all(axis=1).any())
        for group in groups
    ):
        if len(held) == 2:
            return _reason("tie", "no odds ratio describes how often it is bought")
        return _reason("no-good-pair", "no two of its products come near gaining as a pair")
    return _beyond_most(now, held)


def _beyond_most(now: Situation, held: tuple[int, ...]) -> dict[str, str] | None:
    cut = int(now.tables.plan.report["candidates_cut"])
    if cut == 0 or held in _kept(now.prepared, now):
        return None
    most = now.instance.scenario.candidates.max_candidates
    return _reason(
        "max-candidates",
        f"{cut:,} candidates with the lowest values were cut, and it is one of them "
        f"(candidates.max_candidates = {most:,})",
    )


def _kept(prepared: Prepared, now: Situation) -> set[tuple[int, ...]]:
    """The candidates that are left after the cut."""
    from .scoring import score_offers

    mask = offer_mask(now.instance, now.beliefs)
    offers, _ = score_offers(now.instance, now.beliefs, mask=mask, prepared=prepared)
    first = np.unique(offers.candidate, return_index=True)[1]
    return {offers.bundle(int(k)) for k in first}
