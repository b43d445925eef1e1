"""groups.csv, checked: who buys each bundle, what each group gains, and that they add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from .verifier_accounts import RELATIVE, SMALL_UNITS
from .verifier_case import Case
from .verifier_level_files import WrittenGroup
from .verifier_parts import groups_of
from .verifier_segments import SegmentedCase
from .verifier_tables import WrittenOffer

_SIX_DIGITS = 1e-5  # relative: what sums of numbers of six significant digits may be off
_GAIN = 0.6e-4  # cents: a gain is written in currency with six decimals
Places = tuple[int, ...]


def wrong_groups(
    case: Case, segmented: SegmentedCase | None, groups: dict[str, list[WrittenGroup]]
) -> Iterator[str]:
    """Rows of groups.csv that plan.csv, the tables and the beliefs do not bear out."""
    for offer in case.offers:
        written = groups[offer.bundle_id]
        places = _places(len(offer.product_ids))
        named = [_named(offer, adds) for adds in places]
        found = [(group.buys, group.adds) for group in written]
        if found != named:
            yield _problem(offer, "its groups", f"{found}", f"{named}")
            continue
        yield from _wrong_gains(case, offer, places, written)
        yield from _wrong_sums(offer, places, written)
        yield from _wrong_units(case, segmented, offer, places, written)


def _places(size: int) -> list[Places]:
    """What the groups add: nothing, one product, two."""
    return [(), *combinations(range(size), 1), *combinations(range(size), 2)]


def _named(offer: WrittenOffer, adds: Places) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ids = offer.product_ids
    kept = tuple(name for place, name in enumerate(ids) if place not in adds)
    return kept, tuple(ids[place] for place in adds)


def _wrong_gains(
    case: Case, offer: WrittenOffer, places: list[Places], written: Sequence[WrittenGroup]
) -> Iterator[str]:
    """Gain = Σ m of what is added + F − D/(1 + tax); money = units × gain; Σ money as in plan.csv.

    The group with the most money also takes what rounding leaves between the sum and plan.csv.
    """
    rows = case.rows(offer)
    funding = float(case.instance.catalogue.supplier_funding[rows].sum())
    for adds, group in zip(places, written, strict=True):
        added = sum(float(case.unit_gain[rows[place]]) for place in adds)
        gain = added + funding - offer.money_off / case.net
        if abs(group.gain - gain) > _GAIN:
            yield _problem(offer, "gain", f"{group.gain / 100:.6f}", f"{gain / 100:.6f}", group)
    rounding = len(written) + _SIX_DIGITS * sum(abs(group.money) for group in written)
    for group in written:
        money = group.units * group.gain
        largest = abs(group.money) + rounding >= max(abs(other.money) for other in written)
        allowed = rounding if largest else 0.501 + _GAIN * group.units
        if abs(group.money - money) > allowed:
            yield _problem(offer, "money", f"{group.money / 100:.2f}", f"{money / 100:.2f}", group)
    cost = round(100 * case.assumptions.offer_cost)
    total, due = sum(group.money for group in written), offer.incremental_margin + cost
    if total != due:
        right = f"{due / 100:.2f}: incremental_margin and the offer cost"
        yield _problem(offer, "Σ money", f"{total / 100:.2f}", right)


def _wrong_sums(
    offer: WrittenOffer, places: list[Places], written: Sequence[WrittenGroup]
) -> Iterator[str]:
    """Units of the groups add up to those of plan.csv."""
    allowed = _SIX_DIGITS * offer.bundle_units
    sums = {
        "bundle_units": (sum(group.units for group in written), offer.bundle_units),
        "subsidised_units": (written[0].units, offer.subsidised_units),
    }
    for place, units in enumerate(offer.added_units):
        added = [g.units for adds, g in zip(places, written, strict=True) if place in adds]
        sums[f"added_units of {offer.product_ids[place]}"] = (sum(added), units)
    for column, (found, expected) in sums.items():
        if abs(found - expected) > allowed:
            yield _problem(offer, f"Σ units for {column}", f"{found:g}", f"{expected:g}")


def _wrong_units(
    case: Case,
    segmented: SegmentedCase | None,
    offer: WrittenOffer,
    places: list[Places],
    written: Sequence[WrittenGroup],
) -> Iterator[str]:
    """Units and shares that the beliefs do not bear out."""
    seen = case.instance.visits * case.assumptions.exposure
    paid = case.instance.visits if case.automatic else seen
    units = dict.fromkeys(places, 0.0)
    for view, found in _views(case, segmented, offer):
        for adds, share in found.items():
            exposure = 1.0 if case.automatic and not adds else case.assumptions.exposure
            units[adds] += view.instance.visits * exposure * share
    for adds, group in zip(places, written, strict=True):
        if abs(group.units - units[adds]) > RELATIVE * units[adds] + SMALL_UNITS:
            right = f"{units[adds]:.6g} from the beliefs"
            yield _problem(offer, "units", f"{group.units:g}", right, group)
        share = group.units / (paid if not adds else seen)
        if abs(group.share - share) > _SIX_DIGITS * share:
            yield _problem(offer, "share", f"{group.share:g}", f"{share:.6g}", group)


def _views(
    case: Case, segmented: SegmentedCase | None, offer: WrittenOffer
) -> Iterator[tuple[Case, dict[Places, float]]]:
    """Those who are shown the offer, all or segments, with the shares of their groups."""
    if segmented is None:
        yield case, groups_of(case, offer)
        return
    for name in offer.segments or ():
        view = segmented.views[name]
        _, capped, _ = segmented.accounts(offer)[name]
        yield view, groups_of(view, replace(offer, capped=capped))


def _problem(
    offer: WrittenOffer, column: str, found: str, expected: str, group: WrittenGroup | None = None
) -> str:
    where = f"groups.csv: {offer.bundle_id}"
    if group is not None:
        where += f": adds {' and '.join(group.adds) or 'nothing'}"
    return f"{where}: {column} is {found}, expected {expected}"
