"""The accounts of a written plan: cell against cell, and against the beliefs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .verifier_case import Case
from .verifier_economics import (
    Side,
    draw_probability,
    draw_sensitivity,
    plackett,
    sensitivity_nodes,
    shares,
)
from .verifier_rules import unrounded_margin
from .verifier_sets import adds_one, adds_two, drawn_table
from .verifier_tables import WrittenOffer, safe_text

RELATIVE = 0.005  # of units and of the flows behind an incremental margin
SMALL_UNITS = 1e-4  # a week
SMALL_MONEY = 2.0  # cents a week
INTERVAL = 0.15  # of the interval's own width
DRAWS = 4000
SEED = 20_180_101
_PLACES = ("first", "second", "third", "fourth")


@dataclass(frozen=True, slots=True)
class Expected:
    """An offer's accounts recomputed from the beliefs: units and cents a week.

    ``flows`` is the size of the gains and costs that ``incremental_margin`` is the balance of.
    """

    bundle_units: float
    subsidised_units: float
    added_units: tuple[float, ...]
    incremental_margin: float
    value: float
    flows: float


@dataclass(frozen=True, slots=True)
class Sold:
    """Shares of the visits that see an offer, for arrays of beliefs.

    ``anyway`` has all its products without it, ``taking`` adds to what it has, ``added`` is what
    each product gains.
    """

    anyway: NDArray[np.float64]
    taking: NDArray[np.float64]
    added: tuple[NDArray[np.float64], ...]


def wrong_prices(case: Case, offer: WrittenOffer) -> Iterator[str]:
    """Prices, discount and level of a row that the tables and the scenario do not give."""
    list_price = int(case.instance.catalogue.reference_price[case.rows(offer)].sum())
    if offer.list_price != list_price:
        yield cell_problem(offer, "list_price", _money(offer.list_price), _money(list_price))
        return
    discount = offer.money_off / list_price
    if abs(offer.discount - discount) > 0.501e-6:
        yield cell_problem(offer, "discount", f"{offer.discount:.6f}", f"{discount:.6f}")
    answering = [
        level for level in case.levels if case.price_at(list_price, level) == offer.bundle_price
    ]
    if not answering:
        prices = sorted({case.price_at(list_price, level) for level in case.levels})
        allowed = ", ".join(_money(price) for price in prices)
        yield cell_problem(offer, "bundle_price", _money(offer.bundle_price), f"one of {allowed}")
    elif offer.level != max(answering):
        yield cell_problem(
            offer, "level", f"{offer.level}", f"{max(answering)}, which gives the price"
        )
    # Half a cent of the exact deepest price may go in rounding to the cent.
    deepest = float(list_price * max(case.levels, default=Decimal(0))) + 0.5
    if not 0 < offer.money_off <= deepest:
        yield cell_problem(
            offer,
            "bundle_price",
            _money(offer.bundle_price),
            f"{_money(list_price - deepest)} or more and below {_money(list_price)}",
        )


def inconsistent_cells(case: Case, offer: WrittenOffer) -> Iterator[str]:
    """Cells of a row that contradict the tables or the row's own units, to the cent."""
    catalogue, rows = case.instance.catalogue, case.rows(offer)
    titles = safe_text(" + ".join(str(title) for title in catalogue.title[rows]))
    cells: list[tuple[str, object, object]] = [
        ("bundle_id", offer.bundle_id, "+".join(_escape(name) for name in offer.product_ids)),
        ("titles", offer.titles, titles),
    ]
    for column, written, expected in cells:
        if written != expected:
            yield cell_problem(offer, column, repr(written), repr(expected))

    added = sum(offer.added_units)
    if abs(offer.incremental_units - added) > 1.5 * _last_digit(added):
        yield cell_problem(
            offer, "incremental_units", f"{offer.incremental_units:g}", f"{added:g}, Σ added_units"
        )
    revenue = offer.bundle_units * offer.bundle_price
    money = {
        "revenue": (offer.revenue, revenue),
        "margin": (offer.margin, unrounded_margin(case, offer)),
        "discount_spend": (offer.discount_spend, offer.bundle_units * offer.money_off),
        "incremental_margin": (offer.incremental_margin, written_gain(case, offer)),
    }
    wrong = [
        column
        for column, (written, expected) in money.items()
        if abs(written - expected) > 0.501 + 1e-9 * abs(expected)
    ]
    if offer.bundle_price > 0 and {"revenue", "margin", "discount_spend"} <= set(wrong):
        found, units = f"{offer.bundle_units:g}", offer.revenue / offer.bundle_price
        yield cell_problem(
            offer, "bundle_units", found, f"about {units:.5g}, as the money columns say"
        )
    for column in wrong:
        written, expected = money[column]
        yield cell_problem(
            offer, column, _money(written), f"{_money(expected)} from the written units"
        )
    if revenue > 0:
        rate = unrounded_margin(case, offer) / (revenue / case.net)
        if offer.margin_rate is None or abs(offer.margin_rate - rate) > 0.501e-6:
            yield cell_problem(offer, "margin_rate", f"{offer.margin_rate}", f"{rate:.6f}")
    if (
        not offer.incremental_margin_low
        <= offer.incremental_margin
        <= offer.incremental_margin_high
    ):
        found = f"{_money(offer.incremental_margin_low)} to "
        found += _money(offer.incremental_margin_high)
        yield cell_problem(
            offer,
            "incremental_margin_low, _high",
            found,
            f"an interval around {_money(offer.incremental_margin)}",
        )


def written_gain(case: Case, offer: WrittenOffer) -> float:
    """Incremental margin in cents from the written units.

    Σ_x added_x·(m_x − δ·mean category margin) + bundle_units·(F − D/(1 + tax)) − offer cost.
    """
    rows = case.rows(offer)
    gained = float(np.dot(offer.added_units, case.unit_gain[rows]))
    funding = float(case.instance.catalogue.supplier_funding[rows].sum())
    given = offer.bundle_units * (funding - offer.money_off / case.net)
    return gained + given - 100 * case.assumptions.offer_cost


def written_value(case: Case, offer: WrittenOffer) -> float:
    """What the scenario's objective earns from the written units (cents, units or loss)."""
    goal = case.instance.scenario.objective.maximize
    if goal == "margin":
        return written_gain(case, offer)
    if goal == "units":
        return sum(offer.added_units)
    if goal == "affinity":
        return _affinity(case, offer)
    prices = case.instance.catalogue.reference_price[case.rows(offer)]
    earned = float(np.dot(offer.added_units, prices)) - offer.bundle_units * offer.money_off
    return earned / case.net


def recompute(case: Case, offer: WrittenOffer) -> tuple[Expected, Expected]:
    """The offer's accounts, uncapped and capped at the deepest cut, over the posterior of η."""

    def over_posterior(cap: bool) -> Expected:
        mean = _pair_mean if len(offer.product_ids) == 2 else _set_mean
        return expected_accounts(case, offer, mean(case, offer, cap))

    uncapped = over_posterior(False)
    if _reach(case, offer, cap=True) == _reach(case, offer, cap=False):
        return uncapped, uncapped
    return uncapped, over_posterior(True)


def _pair_mean(case: Case, offer: WrittenOffer, cap: bool) -> Sold:
    """A pair's shares in expectation over η."""
    first, second = (case.files.product_beliefs[name] for name in offer.product_ids)
    eta_i, weight_i = sensitivity_nodes(first)
    eta_j, weight_j = sensitivity_nodes(second)
    sensitivity = [np.repeat(eta_i, len(eta_j)), np.tile(eta_j, len(eta_i))]
    weight = np.repeat(weight_i, len(eta_j)) * np.tile(weight_j, len(eta_i))
    probability = [first["purchase_probability"], second["purchase_probability"]]
    psi = _pair(case, offer)["odds_ratio"]
    found = _pair_sold(_sides(case, offer, probability, sensitivity, cap), psi, offer.money_off)
    return Sold(
        *(np.array([np.dot(row, weight)]) for row in (found.anyway, found.taking)),
        added=tuple(np.array([np.dot(row, weight)]) for row in found.added),
    )


def _set_mean(case: Case, offer: WrittenOffer, cap: bool) -> Sold:
    """The shares of three or four products: each term over the η of those who add in it."""
    table = case.table(offer)
    nodes = [sensitivity_nodes(case.files.product_beliefs[name]) for name in offer.product_ids]
    q = [case.files.product_beliefs[name]["purchase_probability"] for name in offer.product_ids]
    plain = _sides(case, offer, q, [eta for eta, _ in nodes], cap)
    one = [
        np.array([np.dot(adds_one(table, place, side), weight)])
        for place, (side, (_, weight)) in enumerate(zip(plain, nodes, strict=True))
    ]
    two = {}
    for a, b in combinations(range(len(plain)), 2):
        (eta_a, weight_a), (eta_b, weight_b) = nodes[a], nodes[b]
        grid = [np.repeat(eta_a, len(eta_b)), np.tile(eta_b, len(eta_a))]
        sides = (replace(plain[a], sensitivity=grid[0]), replace(plain[b], sensitivity=grid[1]))
        weight = np.repeat(weight_a, len(eta_b)) * np.tile(weight_b, len(eta_a))
        both = adds_two(table, (a, b), sides, float(offer.money_off))
        two[a, b] = np.array([np.dot(both, weight)])
    return sold(np.array([table[max(table, key=len)]]), one, two)


def sold(
    anyway: NDArray[np.float64],
    one: list[NDArray[np.float64]],
    two: dict[tuple[int, int], NDArray[np.float64]],
) -> Sold:
    """Shares of those who add one product and of those who add two, put together."""
    added = tuple(
        alone + sum(both for places, both in two.items() if place in places)
        for place, alone in enumerate(one)
    )
    return Sold(anyway, np.sum(one, axis=0) + np.sum(list(two.values()), axis=0), added)


def wrong_accounts(case: Case, offer: WrittenOffer) -> Iterator[str]:
    """Units and gains that the beliefs do not bear out."""
    uncapped, capped = recompute(case, offer)
    scale = RELATIVE * max(uncapped.flows, abs(uncapped.value), 1e-9)
    smaller_is_capped = capped.value <= uncapped.value
    if offer.capped and capped is uncapped:
        yield cell_problem(offer, "capped", flag(True), f"{flag(False)}: no cut is that deep")
    elif offer.capped != smaller_is_capped and abs(capped.value - uncapped.value) > scale:
        yield cell_problem(offer, "capped", flag(offer.capped), flag(smaller_is_capped))
    expected, other = (capped, uncapped) if offer.capped else (uncapped, capped)
    problems = list(differing_accounts(offer, expected))
    if problems and not any(differing_accounts(offer, other)):
        yield cell_problem(
            offer, "capped", flag(offer.capped), f"{flag(not offer.capped)}, as the units say"
        )
    yield from problems


def differing_accounts(offer: WrittenOffer, expected: Expected) -> Iterator[str]:
    """Units and gains of a row that are not the expected ones."""
    units = {
        "bundle_units": (offer.bundle_units, expected.bundle_units),
        "subsidised_units": (offer.subsidised_units, expected.subsidised_units),
        "incremental_units": (offer.incremental_units, sum(expected.added_units)),
    }
    for place, (written, value) in enumerate(
        zip(offer.added_units, expected.added_units, strict=True)
    ):
        units[f"added_units ({_PLACES[place]})"] = (written, value)
    for column, (written, value) in units.items():
        if abs(written - value) > RELATIVE * abs(value) + SMALL_UNITS:
            yield cell_problem(offer, column, f"{written:g}", f"{value:.6g} from the beliefs")
    allowed = RELATIVE * expected.flows + SMALL_MONEY
    if abs(offer.incremental_margin - expected.incremental_margin) > allowed:
        yield cell_problem(
            offer,
            "incremental_margin",
            _money(offer.incremental_margin),
            f"{_money(expected.incremental_margin)} from the beliefs",
        )


def wrong_intervals(case: Case) -> Iterator[str]:
    """Intervals that an independent Monte Carlo over the beliefs does not bear out.

    Quantiles at 5 and 95 % of the incremental margin with η, log q, log ψ and the factors of
    larger sets drawn from their posteriors, draws shared by product.
    """
    rng = np.random.default_rng(SEED)
    q: dict[str, NDArray[np.float64]] = {}
    eta: dict[str, NDArray[np.float64]] = {}
    for name in case.products:
        belief = case.files.product_beliefs[name]
        eta[name] = draw_sensitivity(belief, rng.random(DRAWS))
        q[name] = draw_probability(belief, rng.standard_normal(DRAWS))
    total = np.zeros(DRAWS)
    for offer in case.offers:
        gains = gains_of(case, offer, drawn_shares(case, offer, q, eta, rng))
        total += gains
        written = (offer.incremental_margin_low, offer.incremental_margin_high)
        yield from interval_problems(f"plan.csv: {offer.bundle_id}", written, gains)
    yield from wrong_total_interval(case, total)


def wrong_total_interval(case: Case, total: NDArray[np.float64]) -> Iterator[str]:
    """The interval of the whole plan, given (draws,) incremental margins of it."""
    kpis = case.files.report.get("kpis", {})
    try:
        low, high = (100 * float(kpis[f"incremental_margin_{end}"]) for end in ("low", "high"))
    except (KeyError, TypeError, ValueError):
        yield "plan.json: kpis: incremental_margin_low and _high cannot be read"
        return
    if case.offers:
        yield from interval_problems("plan.json: kpis", (low, high), total)


def interval_problems(
    where: str, written: tuple[float, float], gains: NDArray[np.float64]
) -> Iterator[str]:
    ends = np.quantile(gains, (0.05, 0.95))
    allowed = INTERVAL * float(ends[1] - ends[0]) + SMALL_MONEY
    for end, found, expected in zip(("low", "high"), written, ends, strict=True):
        if abs(found - expected) > allowed:
            yield (
                f"{where}: incremental_margin_{end} is {_money(found)}, "
                f"expected about {_money(float(expected))}"
            )


def drawn_shares(
    case: Case,
    offer: WrittenOffer,
    q: dict[str, NDArray[np.float64]],
    eta: dict[str, NDArray[np.float64]],
    rng: np.random.Generator,
) -> Sold:
    """The shares of an offer under draws of its beliefs."""
    names = offer.product_ids
    probability, sensitivity = [q[name] for name in names], [eta[name] for name in names]
    sides = _sides(case, offer, probability, sensitivity, offer.capped)
    if len(names) == 2:
        pair = _pair(case, offer)
        psi = pair["odds_ratio"] * np.exp(pair["odds_spread"] * rng.standard_normal(DRAWS))
        return _pair_sold(sides, psi, offer.money_off)
    table = drawn_table(
        case.table(offer),
        probability,
        case.of_subsets(offer, "odds_ratio"),
        case.of_subsets(offer, "spread"),
        lambda: rng.standard_normal(DRAWS),
    )
    one = [adds_one(table, place, side) for place, side in enumerate(sides)]
    two = {
        (a, b): adds_two(table, (a, b), (sides[a], sides[b]), float(offer.money_off))
        for a, b in combinations(range(len(sides)), 2)
    }
    return sold(table[max(table, key=len)], one, two)


def _pair_sold(sides: list[Side], psi: Any, money_off: int) -> Sold:
    found = shares(sides[0], sides[1], psi, float(money_off))
    taking = found.adds_first + found.adds_second + found.both
    added = (found.adds_first + found.both, found.adds_second + found.both)
    return Sold(found.subsidised, taking, added)


def _sides(
    case: Case, offer: WrittenOffer, probability: list[Any], sensitivity: list[Any], cap: bool
) -> list[Side]:
    """The products of an offer; with ``cap`` no response past the deepest cut."""
    prices = case.instance.catalogue.reference_price[case.rows(offer)].astype(float)
    reach = _reach(case, offer, cap=cap)
    return [
        Side(probability[k], sensitivity[k], float(prices[k]), reach[k]) for k in range(len(reach))
    ]


def _reach(case: Case, offer: WrittenOffer, *, cap: bool) -> list[float]:
    """Largest shortfall credited of each product: min(D, r), or min(D, deepest_cut·r)."""
    prices = case.instance.catalogue.reference_price[case.rows(offer)]
    cuts = (case.files.product_beliefs[name]["deepest_cut"] for name in offer.product_ids)
    return [
        min(float(offer.money_off), float(price) * (cut if cap else 1.0))
        for price, cut in zip(prices, cuts, strict=True)
    ]


def _units(
    case: Case, found: Sold
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
    """bundle, subsidised and added units of a week."""
    seen = case.instance.visits * case.assumptions.exposure
    # Automatic: the till gives the price to all who buy both, whether they saw the offer or not.
    paid_to = case.instance.visits if case.automatic else seen
    subsidised = paid_to * found.anyway
    return subsidised + seen * found.taking, subsidised, [seen * share for share in found.added]


def gains_of(case: Case, offer: WrittenOffer, found: Sold) -> NDArray[np.float64]:
    """Incremental margin in cents a week (design section 2)."""
    rows = case.rows(offer)
    bundles, _, added = _units(case, found)
    funding = float(case.instance.catalogue.supplier_funding[rows].sum())
    gained = sum(
        units * gain for units, gain in zip(added, case.unit_gain[rows].tolist(), strict=True)
    )
    cost = 100 * case.assumptions.offer_cost
    return gained + bundles * (funding - offer.money_off / case.net) - cost


def expected_accounts(case: Case, offer: WrittenOffer, found: Sold) -> Expected:
    """Units and gains of the week that shares make."""
    rows = case.rows(offer)
    bundle_units, subsidised_units, added_units = _units(case, found)
    bundles, subsidised = float(bundle_units[0]), float(subsidised_units[0])
    added = tuple(float(units[0]) for units in added_units)
    gain = float(gains_of(case, offer, found)[0])
    goal = case.instance.scenario.objective.maximize
    prices = case.instance.catalogue.reference_price[rows]
    if goal == "margin":
        value = gain
    elif goal == "units":
        value = sum(added)
    elif goal == "revenue":
        value = (float(np.dot(added, prices)) - bundles * offer.money_off) / case.net
    else:
        value = _affinity(case, offer)
    flows = abs(float(np.dot(added, case.unit_gain[rows]))) + bundles * offer.money_off
    return Expected(bundles, subsidised, added, gain, value, flows)


def _affinity(case: Case, offer: WrittenOffer) -> float:
    """The seed's term p_i p_j log P(S_ij = 1), which is at most 0."""
    q_i, q_j = (
        case.files.product_beliefs[name]["purchase_probability"] for name in offer.product_ids
    )
    return float(q_i * q_j * np.log(plackett(q_i, q_j, _pair(case, offer)["odds_ratio"])))


def _pair(case: Case, offer: WrittenOffer) -> dict[str, Any]:
    return case.files.pair_beliefs[frozenset(offer.product_ids)]


def _escape(product_id: str) -> str:
    """An id with the separators of plan.csv escaped, and ``%`` where it would read as one."""
    for code in ("25", "2B", "3B", "2C"):
        product_id = product_id.replace(f"%{code}", f"%25{code}")
    for character, code in (("+", "%2B"), (";", "%3B"), (",", "%2C")):
        product_id = product_id.replace(character, code)
    return product_id


def _last_digit(value: float) -> float:
    """One unit in the sixth significant digit."""
    return 10.0 ** (math.floor(math.log10(value)) - 5) if value > 0 else 0.0


def cell_problem(offer: WrittenOffer, column: str, found: str, expected: str) -> str:
    return f"plan.csv: {offer.bundle_id}: {column} is {found}, expected {expected}"


def _money(value: float) -> str:
    return f"{value / 100:.2f}"


def flag(value: bool) -> str:
    return "true" if value else "false"
