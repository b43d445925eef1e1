"""levels.csv, checked: every level of each bundle, and whether a rule refuses it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from ..instances.rules import Excluded, Stability
from .verifier_accounts import RELATIVE, SMALL_MONEY, SMALL_UNITS, Expected
from .verifier_case import Case
from .verifier_level_files import WrittenLevel
from .verifier_parts import Judged, judged
from .verifier_rules import OFFER_RULES, is_offer, unrounded_margin
from .verifier_segments import SegmentedCase, total_of
from .verifier_tables import WrittenOffer

_NO_GAIN = "no-gain"
_SIX_DIGITS = 2e-6  # relative, of values written with six significant digits


def wrong_levels(
    case: Case, segmented: SegmentedCase | None, levels: dict[str, list[WrittenLevel]]
) -> Iterator[str]:
    """Rows of levels.csv that the tables, rules and beliefs do not bear out."""
    for offer in case.offers:
        written = levels[offer.bundle_id]
        problems = [*_wrong_prices(case, offer, written), *_wrong_choice(offer, written)]
        yield from problems
        if problems:
            continue
        others = [level for level in written if not level.chosen]
        offers = [level.offer for level in others]
        found = _judged(case, segmented, offers) if offers else []
        for level, (expected, capped, close) in zip(others, found, strict=True):
            yield from _wrong_cells(case, level, expected, capped, close=close)
            yield from _wrong_refusal(case, level, expected)


def _wrong_prices(
    case: Case, offer: WrittenOffer, written: Sequence[WrittenLevel]
) -> Iterator[str]:
    """Levels that stand there and are not offered, and the other way round."""
    expected = _offered(case, offer)
    found = [(level.offer.bundle_price, level.offer.level) for level in written]
    if found != expected:
        yield _problem(offer, "its levels", _list(found), _list(expected))
    for level in written:
        share = level.offer.money_off / offer.list_price
        if abs(level.offer.discount - share) > 0.501e-6:
            yield _problem(level.offer, "discount", f"{level.offer.discount:.6f}", f"{share:.6f}")


def _offered(case: Case, offer: WrittenOffer) -> list[tuple[int, Decimal]]:
    """Price and deepest level of every offer that the bundle's list price allows."""
    prices = case.instance.catalogue.reference_price[case.rows(offer)]
    list_price, without_cheapest = int(prices.sum()), int(prices.sum() - prices.min())
    top = list_price * (1 - max(case.levels))
    floor = int((top - Decimal("0.5")).to_integral_value(ROUND_CEILING))
    deepest: dict[int, Decimal] = {}
    for level in sorted(case.levels):
        price = case.price_at(list_price, level)
        if max(floor, without_cheapest + 1, 1) <= price < list_price:
            deepest[price] = level
    offered = list(deepest.items())
    affinity = case.instance.scenario.objective.maximize == "affinity"
    return offered[:1] if affinity else offered


def _wrong_choice(offer: WrittenOffer, written: Sequence[WrittenLevel]) -> Iterator[str]:
    """The chosen level says what plan.csv says, cell by cell."""
    chosen = [level for level in written if level.chosen]
    if len(chosen) != 1:
        yield _problem(offer, "chosen", f"true in {len(chosen)} rows", "one")
        return
    level = chosen[0]
    if level.left_out:
        yield _problem(level.offer, "left_out", repr(level.left_out), "nothing: it is in the plan")
    names = [name for name in offer.__slots__ if getattr(level.offer, name) != getattr(offer, name)]
    for name in names:
        found, expected = (getattr(entry, name) for entry in (level.offer, offer))
        yield _problem(level.offer, name, f"{found}", f"{expected} as in plan.csv")


def _judged(
    case: Case, segmented: SegmentedCase | None, offers: list[WrittenOffer]
) -> list[tuple[Expected, bool, bool]]:
    """Accounts of each offer, whether they are capped, and whether that is a close matter."""
    if segmented is None:
        return [(one.expected, one.capped, one.close) for one in judged(case, offers)]
    views = segmented.views.values()
    of_segment = [judged(view, offers, as_written=False) for view in views]
    return [_of_shown(case, parts) for parts in zip(*of_segment, strict=True)]


def _of_shown(case: Case, parts: Sequence[Judged]) -> tuple[Expected, bool, bool]:
    """The sum over the segments that an offer is shown to: with ``target`` those it gains in."""
    shown = list(parts)
    if case.instance.scenario.segments.target:
        shown = [part for part in parts if part.expected.value > 0] or shown
    near = any(
        abs(part.expected.value) <= RELATIVE * part.expected.flows + SMALL_MONEY for part in parts
    )
    total = total_of([part.expected for part in shown])
    cost = 100 * case.assumptions.offer_cost
    goal = case.instance.scenario.objective.maximize
    value = total.value - (cost if goal == "margin" else 0.0)
    expected = replace(total, incremental_margin=total.incremental_margin - cost, value=value)
    close = near and case.instance.scenario.segments.target
    return expected, any(part.capped for part in shown), close or any(p.close for p in parts)


def _wrong_cells(
    case: Case, level: WrittenLevel, expected: Expected, capped: bool, *, close: bool
) -> Iterator[str]:
    """Units and money of a level that is not the chosen one."""
    offer = level.offer
    if offer.capped != capped and not close:
        yield _problem(offer, "capped", f"{offer.capped}", f"{capped}")
    segments = offer.segments is not None and close  # who is shown the offer may tip either way
    units = {
        "bundle_units": (offer.bundle_units, expected.bundle_units),
        "subsidised_units": (offer.subsidised_units, expected.subsidised_units),
        "incremental_units": (offer.incremental_units, sum(expected.added_units)),
    }
    for column, (written, value) in units.items() if not segments else ():
        if abs(written - value) > RELATIVE * abs(value) + SMALL_UNITS:
            yield _problem(offer, column, f"{written:g}", f"{value:.6g} from the beliefs")
    net_revenue = offer.bundle_units * offer.bundle_price / case.net
    money = {
        "revenue": (offer.revenue, offer.bundle_units * offer.bundle_price),
        "margin": (offer.margin, unrounded_margin(case, offer)),
        "discount_spend": (offer.discount_spend, offer.bundle_units * offer.money_off),
    }
    for column, (written, value) in money.items():
        if abs(written - value) > 0.501 + 1e-9 * abs(value):
            yield _problem(offer, column, _money(written), f"{_money(value)} from its units")
    rate = unrounded_margin(case, offer) / net_revenue if net_revenue > 0 else math.nan
    if offer.margin_rate is not None and not abs(offer.margin_rate - rate) <= 0.501e-6:
        yield _problem(offer, "margin_rate", f"{offer.margin_rate}", f"{rate:.6f}")
    allowed = RELATIVE * expected.flows + SMALL_MONEY
    if abs(offer.incremental_margin - expected.incremental_margin) > allowed:
        found, right = _money(offer.incremental_margin), _money(expected.incremental_margin)
        yield _problem(offer, "incremental_margin", found, f"{right} from the beliefs")
    goal = case.instance.scenario.objective.maximize
    unit = 0.01 if goal in ("margin", "revenue") else 1.0
    allowed = (allowed if unit < 1 else RELATIVE * abs(expected.value) + SMALL_UNITS) * unit
    if abs(level.value - expected.value * unit) > allowed + _SIX_DIGITS * abs(level.value):
        right = f"{expected.value * unit:.6g} from the beliefs"
        yield _problem(offer, "value", f"{level.value:g}", right)


def _wrong_refusal(case: Case, level: WrittenLevel, expected: Expected) -> Iterator[str]:
    """The rule that is said to refuse a level refuses it, and no rule refuses one that is open."""
    offer = replace(level.offer, added_units=expected.added_units)
    sure, doubtful = _refusals(case, offer)
    named = level.left_out
    if named == _NO_GAIN:
        allowed = RELATIVE * expected.flows + SMALL_MONEY
        if case.instance.scenario.objective.maximize == "margin" and expected.value > allowed:
            yield _problem(offer, "left_out", named, f"nothing: it gains {level.value:g}")
    elif named and named not in sure | doubtful:
        right = " or ".join(sorted(sure)) or "nothing"
        yield _problem(offer, "left_out", repr(named), f"{right}: that rule does not refuse it")
    elif not named and sure:
        yield _problem(offer, "left_out", "nothing", " or ".join(sorted(sure)))


def _refusals(case: Case, offer: WrittenOffer) -> tuple[set[str], set[str]]:
    """Names of filters that refuse an offer, and of those that may by rounding."""
    alone = Case(case.instance, replace(case.files, offers=(offer,)), case.position)
    sure = {name for name in ("bundle-margin", "min-price") if any(OFFER_RULES[name](alone))}
    steps = any(OFFER_RULES["steps of stability"](alone))
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Excluded) and is_offer(case, offer, rule):
            sure.add(rule.name)
        if steps and isinstance(rule, Stability) and rule.max_steps is not None:
            sure.add(rule.name)
    doubtful = set()
    for name, units in zip(offer.product_ids, offer.added_units, strict=True):
        belief = case.files.product_beliefs[name]
        alone_units = (
            case.instance.visits * belief["purchase_probability"] * belief["usual_quantity"]
        )
        stock = float(case.instance.catalogue.stock[case.position[name]])
        left = stock * (1 - case.limits.stock_safety) - alone_units
        if units > left * (1 + RELATIVE) + SMALL_UNITS:
            sure.add("stock")
        elif units > left * (1 - RELATIVE) - SMALL_UNITS:
            doubtful.add("stock")
    return sure, doubtful


def _problem(offer: WrittenOffer, column: str, found: str, expected: str) -> str:
    where = f"levels.csv: {offer.bundle_id} at {offer.level}"
    return f"{where}: {column} is {found}, expected {expected}"


def _list(levels: list[tuple[int, Decimal]]) -> str:
    return ", ".join(f"{level} ({price / 100:.2f})" for price, level in levels) or "none"


def _money(value: float) -> str:
    return f"{value / 100:.2f}"
