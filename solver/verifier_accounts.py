"""The accounts of a written plan: cell against cell, and against the beliefs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .verifier_case import Case
from .verifier_economics import (
    Shares,
    Side,
    draw_probability,
    draw_sensitivity,
    plackett,
    sensitivity_nodes,
    shares,
)
from .verifier_rules import unrounded_margin
from .verifier_tables import WrittenOffer, safe_text

RELATIVE = 0.005  # of units and of the flows behind an incremental margin
SMALL_UNITS = 1e-4  # a week
SMALL_MONEY = 2.0  # cents a week
INTERVAL = 0.15  # of the interval's own width
DRAWS = 4000
_SEED = 20_180_101


@dataclass(frozen=True, slots=True)
class Expected:
    """An offer's accounts recomputed from the beliefs: units and cents a week.

    ``flows`` is the size of the gains and costs that ``incremental_margin`` is the balance of.
    """

    bundle_units: float
    subsidised_units: float
    added_units: tuple[float, float]
    incremental_margin: float
    value: float
    flows: float


def wrong_prices(case: Case, offer: WrittenOffer) -> Iterator[str]:
    """Prices, discount and level of a row that the tables and the scenario do not give."""
    list_price = int(case.instance.catalogue.reference_price[case.rows(offer)].sum())
    if offer.list_price != list_price:
        yield _cell(offer, "list_price", _money(offer.list_price), _money(list_price))
        return
    discount = offer.money_off / list_price
    if abs(offer.discount - discount) > 0.501e-6:
        yield _cell(offer, "discount", f"{offer.discount:.6f}", f"{discount:.6f}")
    answering = [
        level for level in case.levels if case.price_at(list_price, level) == offer.bundle_price
    ]
    if not answering:
        prices = sorted({case.price_at(list_price, level) for level in case.levels})
        allowed = ", ".join(_money(price) for price in prices)
        yield _cell(offer, "bundle_price", _money(offer.bundle_price), f"one of {allowed}")
    elif offer.level != max(answering):
        yield _cell(offer, "level", f"{offer.level}", f"{max(answering)}, which gives the price")
    # Half a cent of the exact deepest price may go in rounding to the cent.
    deepest = float(list_price * max(case.levels, default=Decimal(0))) + 0.5
    if not 0 < offer.money_off <= deepest:
        yield _cell(
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
            yield _cell(offer, column, repr(written), repr(expected))

    added = sum(offer.added_units)
    if abs(offer.incremental_units - added) > 1.5 * _last_digit(added):
        yield _cell(
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
        yield _cell(offer, "bundle_units", found, f"about {units:.5g}, as the money columns say")
    for column in wrong:
        written, expected = money[column]
        yield _cell(offer, column, _money(written), f"{_money(expected)} from the written units")
    if revenue > 0:
        rate = unrounded_margin(case, offer) / (revenue / case.net)
        if offer.margin_rate is None or abs(offer.margin_rate - rate) > 0.501e-6:
            yield _cell(offer, "margin_rate", f"{offer.margin_rate}", f"{rate:.6f}")
    if (
        not offer.incremental_margin_low
        <= offer.incremental_margin
        <= offer.incremental_margin_high
    ):
        found = f"{_money(offer.incremental_margin_low)} to "
        found += _money(offer.incremental_margin_high)
        yield _cell(
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
    first, second = (case.files.product_beliefs[name] for name in offer.product_ids)
    eta_i, weight_i = sensitivity_nodes(first)
    eta_j, weight_j = sensitivity_nodes(second)
    sensitivity = (np.repeat(eta_i, len(eta_j)), np.tile(eta_j, len(eta_i)))
    weight = np.repeat(weight_i, len(eta_j)) * np.tile(weight_j, len(eta_i))
    probability = (first["purchase_probability"], second["purchase_probability"])
    psi = _pair(case, offer)["odds_ratio"]

    def over_posterior(cap: bool) -> Expected:
        found = _shares(case, offer, probability, sensitivity, psi, cap)
        return _expected(case, offer, _mean(found, weight))

    uncapped = over_posterior(False)
    if _reach(case, offer, cap=True) == _reach(case, offer, cap=False):
        return uncapped, uncapped
    return uncapped, over_posterior(True)


def wrong_accounts(case: Case, offer: WrittenOffer) -> Iterator[str]:
    """Units and gains that the beliefs do not bear out."""
    uncapped, capped = recompute(case, offer)
    scale = RELATIVE * max(uncapped.flows, abs(uncapped.value), 1e-9)
    smaller_is_capped = capped.value <= uncapped.value
    if offer.capped != smaller_is_capped and abs(capped.value - uncapped.value) > scale:
        yield _cell(offer, "capped", _flag(offer.capped), _flag(smaller_is_capped))
    expected, other = (capped, uncapped) if offer.capped else (uncapped, capped)
    problems = list(_differences(offer, expected))
    if problems and not any(_differences(offer, other)):
        yield _cell(
            offer, "capped", _flag(offer.capped), f"{_flag(not offer.capped)}, as the units say"
        )
    yield from problems


def _differences(offer: WrittenOffer, expected: Expected) -> Iterator[str]:
    """Units and gains of a row that are not the expected ones."""
    units = {
        "bundle_units": (offer.bundle_units, expected.bundle_units),
        "subsidised_units": (offer.subsidised_units, expected.subsidised_units),
        "incremental_units": (offer.incremental_units, sum(expected.added_units)),
        "added_units (first)": (offer.added_units[0], expected.added_units[0]),
        "added_units (second)": (offer.added_units[1], expected.added_units[1]),
    }
    for column, (written, value) in units.items():
        if abs(written - value) > RELATIVE * abs(value) + SMALL_UNITS:
            yield _cell(offer, column, f"{written:g}", f"{value:.6g} from the beliefs")
    allowed = RELATIVE * expected.flows + SMALL_MONEY
    if abs(offer.incremental_margin - expected.incremental_margin) > allowed:
        yield _cell(
            offer,
            "incremental_margin",
            _money(offer.incremental_margin),
            f"{_money(expected.incremental_margin)} from the beliefs",
        )


def wrong_intervals(case: Case) -> Iterator[str]:
    """Intervals that an independent Monte Carlo over the beliefs does not bear out.

    Quantiles at 5 and 95 % of the incremental margin with η, log q and log ψ drawn from their
    posteriors, draws shared by product.
    """
    rng = np.random.default_rng(_SEED)
    q: dict[str, NDArray[np.float64]] = {}
    eta: dict[str, NDArray[np.float64]] = {}
    for name in case.products:
        belief = case.files.product_beliefs[name]
        eta[name] = draw_sensitivity(belief, rng.random(DRAWS))
        q[name] = draw_probability(belief, rng.standard_normal(DRAWS))
    total = np.zeros(DRAWS)
    for offer in case.offers:
        pair = _pair(case, offer)
        psi = pair["odds_ratio"] * np.exp(pair["odds_spread"] * rng.standard_normal(DRAWS))
        i, j = offer.product_ids
        found = _shares(case, offer, (q[i], q[j]), (eta[i], eta[j]), psi, offer.capped)
        gains = _gains(case, offer, found)
        total += gains
        written = (offer.incremental_margin_low, offer.incremental_margin_high)
        yield from _interval(f"plan.csv: {offer.bundle_id}", written, gains)
    kpis = case.files.report.get("kpis", {})
    try:
        low, high = (100 * float(kpis[f"incremental_margin_{end}"]) for end in ("low", "high"))
    except (KeyError, TypeError, ValueError):
        yield "plan.json: kpis: incremental_margin_low and _high cannot be read"
        return
    if case.offers:
        yield from _interval("plan.json: kpis", (low, high), total)


def _interval(
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


def _shares(
    case: Case, offer: WrittenOffer, probability: Any, sensitivity: Any, psi: Any, cap: bool
) -> Shares:
    """The four rows for given beliefs; with ``cap`` no response past the deepest cut."""
    prices = case.instance.catalogue.reference_price[case.rows(offer)].astype(float)
    reach = _reach(case, offer, cap=cap)
    first, second = (
        Side(probability[k], sensitivity[k], float(prices[k]), reach[k]) for k in (0, 1)
    )
    return shares(first, second, psi, float(offer.money_off))


def _reach(case: Case, offer: WrittenOffer, *, cap: bool) -> list[float]:
    """Largest shortfall credited of each product: min(D, r), or min(D, deepest_cut·r)."""
    prices = case.instance.catalogue.reference_price[case.rows(offer)]
    cuts = (case.files.product_beliefs[name]["deepest_cut"] for name in offer.product_ids)
    return [
        min(float(offer.money_off), float(price) * (cut if cap else 1.0))
        for price, cut in zip(prices, cuts, strict=True)
    ]


def _mean(found: Shares, weight: NDArray[np.float64]) -> Shares:
    """Expected shares over weighted beliefs."""
    means = (
        np.array([np.dot(row, weight)])
        for row in (found.subsidised, found.adds_second, found.adds_first, found.both)
    )
    return Shares(*means)


def _units(case: Case, found: Shares) -> tuple[NDArray[np.float64], ...]:
    """bundle, subsidised, added first, added second units of a week."""
    seen = case.instance.visits * case.assumptions.exposure
    # Automatic: the till gives the price to all who buy both, whether they saw the offer or not.
    paid_to = case.instance.visits if case.automatic else seen
    subsidised = paid_to * found.subsidised
    buying = seen * (found.adds_first + found.adds_second + found.both)
    added_first = seen * (found.adds_first + found.both)
    added_second = seen * (found.adds_second + found.both)
    return subsidised + buying, subsidised, added_first, added_second


def _gains(case: Case, offer: WrittenOffer, found: Shares) -> NDArray[np.float64]:
    """Incremental margin in cents a week (design section 2)."""
    rows = case.rows(offer)
    bundles, _, added_first, added_second = _units(case, found)
    gain_first, gain_second = case.unit_gain[rows]
    funding = float(case.instance.catalogue.supplier_funding[rows].sum())
    given = bundles * (funding - offer.money_off / case.net)
    cost = 100 * case.assumptions.offer_cost
    return added_first * gain_first + added_second * gain_second + given - cost


def _expected(case: Case, offer: WrittenOffer, found: Shares) -> Expected:
    rows = case.rows(offer)
    bundles, subsidised, first, second = (float(value[0]) for value in _units(case, found))
    gain = float(_gains(case, offer, found)[0])
    goal = case.instance.scenario.objective.maximize
    prices = case.instance.catalogue.reference_price[rows]
    value = {
        "margin": gain,
        "units": first + second,
        "revenue": (first * prices[0] + second * prices[1] - bundles * offer.money_off) / case.net,
        "affinity": _affinity(case, offer),
    }[goal]
    flows = abs(np.dot((first, second), case.unit_gain[rows])) + bundles * offer.money_off
    return Expected(bundles, subsidised, (first, second), gain, float(value), float(flows))


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


def _cell(offer: WrittenOffer, column: str, found: str, expected: str) -> str:
    return f"plan.csv: {offer.bundle_id}: {column} is {found}, expected {expected}"


def _money(value: float) -> str:
    return f"{value / 100:.2f}"


def _flag(value: bool) -> str:
    return "true" if value else "false"
