"""Plans made by segment, checked: accounts summed over the segments an offer is shown to.

Each segment is judged as a shop of its own by the verifier's formulas for all shoppers; what is
added here are the odds ratio within segments, whom an offer may be shown to, and the sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..instances.instance import Instance
from .verifier_accounts import (
    DRAWS,
    RELATIVE,
    SEED,
    SMALL_MONEY,
    Expected,
    cell_problem,
    differing_accounts,
    drawn_shares,
    flag,
    gains_of,
    interval_problems,
    recompute,
    wrong_total_interval,
)
from .verifier_case import Case
from .verifier_economics import draw_probability, draw_sensitivity, plackett
from .verifier_segment_files import WrittenSegments
from .verifier_tables import PlanFiles, WrittenOffer

_TIE_ENDS = 8.0 * np.log(10.0)  # of log ψ within segments


def wrong_segmenting(plan: PlanFiles, instance: Instance) -> Iterator[str]:
    """Segments where the scenario asks for none, or none where it does; cells that name others."""
    scenario = instance.scenario
    wanted = scenario.segments.count != 1 and scenario.objective.maximize != "affinity"
    if wanted != (plan.segments is not None):
        found, expected = ("is missing", "one") if wanted else ("is there", "none")
        yield f"segments.json: {found}, expected {expected} for segments.count in scenario.toml"
        return
    for offer in plan.offers:
        if (offer.segments is None) == wanted:
            found = "missing" if wanted else "there"
            yield cell_problem(offer, "segments", found, "as segments.count in scenario.toml says")
            return
        if plan.segments is None:
            continue
        unknown = set(offer.segments or ()) - set(plan.segments.names)
        if unknown:
            found = repr(min(unknown))
            yield cell_problem(offer, "segments", found, "names of segments.json")
        for name in offer.product_ids:
            if name not in plan.segments.figures:
                yield f"segment_products.parquet: holds no {name}, expected the plan's products"


def wrong_segment_accounts(segmented: SegmentedCase, offer: WrittenOffer) -> Iterator[str]:
    """Segments, units and gains of a row that the beliefs do not bear out."""
    case, found = segmented.case, segmented.accounts(offer)
    yield from _wrong_target(
        case, segmented.segments, offer, {name: e for name, (e, _, _) in found.items()}
    )
    shown = [found[name] for name in offer.segments or ()]
    capped, close = any(c for _, c, _ in shown), any(near for _, _, near in shown)
    if offer.capped != capped and not close:
        yield cell_problem(offer, "capped", flag(offer.capped), flag(capped))
    total = total_of([expected for expected, _, _ in shown])
    cost = 100 * case.assumptions.offer_cost
    yield from differing_accounts(
        offer, replace(total, incremental_margin=total.incremental_margin - cost)
    )


def wrong_segment_intervals(segmented: SegmentedCase) -> Iterator[str]:
    """Intervals that an independent Monte Carlo over the beliefs does not bear out.

    One draw of η, log q and log ψ stands for all segments, each with its own centre and spread.
    """
    case, views = segmented.case, segmented.views
    rng = np.random.default_rng(SEED)
    uniform = {name: rng.random(DRAWS) for name in case.products}
    normal = {name: rng.standard_normal(DRAWS) for name in case.products}
    total = np.zeros(DRAWS)
    for number, offer in enumerate(case.offers):
        gains = np.full(DRAWS, -100.0 * case.assumptions.offer_cost)
        for name in offer.segments or ():
            view = views[name]
            belief = view.files.product_beliefs
            q = {p: draw_probability(belief[p], normal[p]) for p in offer.product_ids}
            eta = {p: draw_sensitivity(belief[p], uniform[p]) for p in offer.product_ids}
            _, capped, _ = segmented.accounts(offer)[name]
            tie = np.random.default_rng([SEED, number])  # the same draws of log ψ in each segment
            found = drawn_shares(view, replace(offer, capped=capped), q, eta, tie)
            gains += gains_of(view, offer, found)
        total += gains
        written = (offer.incremental_margin_low, offer.incremental_margin_high)
        yield from interval_problems(f"plan.csv: {offer.bundle_id}", written, gains)
    yield from wrong_total_interval(case, total)


class SegmentedCase:
    """A plan by segment: each segment as a case of its own, and each offer's accounts in it."""

    def __init__(self, case: Case, segments: WrittenSegments) -> None:
        self.case, self.segments = case, segments
        self.views = {name: self._view(s) for s, name in enumerate(segments.names)}
        self._accounts: dict[str, dict[str, tuple[Expected, bool, bool]]] = {}

    def accounts(self, offer: WrittenOffer) -> dict[str, tuple[Expected, bool, bool]]:
        """By segment: the accounts that count, whether they are the capped ones, and whether
        that matters little."""
        if offer.bundle_id not in self._accounts:
            self._accounts[offer.bundle_id] = {
                name: _smaller(*recompute(view, offer)) for name, view in self.views.items()
            }
        return self._accounts[offer.bundle_id]

    def _view(self, s: int) -> Case:
        """The plan with the visits and beliefs of one segment, in which offers cost nothing."""
        case = self.case
        assumptions = case.assumptions.model_copy(update={"offer_cost": 0.0})
        scenario = case.instance.scenario.model_copy(update={"assumptions": assumptions})
        beliefs = {
            product: _of_segment(belief, self.segments.figures[product], s)
            for product, belief in case.files.product_beliefs.items()
        }
        pairs = {
            held: {**pair, "odds_ratio": self._ties[held]}
            for held, pair in case.files.pair_beliefs.items()
        }
        files: PlanFiles = replace(case.files, product_beliefs=beliefs, pair_beliefs=pairs)
        visits = case.instance.visits * float(self.segments.share[s])
        return Case(replace(case.instance, scenario=scenario, visits=visits), files, case.position)

    @cached_property
    def _ties(self) -> dict[frozenset[str], float]:
        """The odds ratio within segments of each of the plan's pairs."""
        files, figures = self.case.files, self.segments.figures
        q = {
            product: belief["purchase_probability"] * figures[product]["purchase_ratio"]
            for product, belief in files.product_beliefs.items()
        }
        ties = {}
        for held, pair in files.pair_beliefs.items():
            first, second = (q[product] for product in held)
            joint = float(pair["joint_probability"])
            ties[held] = _tie_within(first, second, self.segments.share, joint)
        return ties


def _of_segment(
    belief: dict[str, Any], figures: dict[str, NDArray[np.float64]], s: int
) -> dict[str, Any]:
    """A product's row of beliefs in one segment."""
    factor = float(figures["sensitivity_factor"][s])
    scaled = ("price_sensitivity", "sensitivity_location", "sensitivity_scale", "sensitivity_cap")
    return {
        **belief,
        "purchase_probability": belief["purchase_probability"] * figures["purchase_ratio"][s],
        "purchase_spread": float(np.hypot(belief["purchase_spread"], figures["ratio_spread"][s])),
        **{name: belief[name] * factor for name in scaled},
    }


def _tie_within(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    share: NDArray[np.float64],
    joint: float,
) -> float:
    """The ψ with Σ share·C_ψ(q_a, q_b) = J, at the end of the range where there is none."""

    def excess(log_psi: float) -> float:
        return float(share @ plackett(first, second, np.exp(log_psi))) / joint - 1.0

    if excess(_TIE_ENDS) <= 0:
        return float(np.exp(_TIE_ENDS))
    if excess(-_TIE_ENDS) >= 0:
        return float(np.exp(-_TIE_ENDS))
    return float(np.exp(brentq(excess, -_TIE_ENDS, _TIE_ENDS, xtol=1e-12)))


def _smaller(uncapped: Expected, capped: Expected) -> tuple[Expected, bool, bool]:
    """The accounts that count, whether they are the capped ones, and whether it matters little."""
    near = abs(capped.value - uncapped.value) <= RELATIVE * max(uncapped.flows, 1e-9)
    is_capped = capped.value < uncapped.value
    return (capped if is_capped else uncapped), is_capped, near and capped is not uncapped


def _wrong_target(
    case: Case, segments: WrittenSegments, offer: WrittenOffer, found: dict[str, Expected]
) -> Iterator[str]:
    """Shown to all, or with ``target`` to the segments in which the offer gains."""
    shown = set(offer.segments or ())
    everybody = set(segments.names)
    if not case.instance.scenario.segments.target:
        if shown != everybody:
            yield cell_problem(offer, "segments", f"{len(shown)} of them", "all: target is off")
        return
    margin = {name: RELATIVE * e.flows + SMALL_MONEY for name, e in found.items()}
    gaining = {name for name, e in found.items() if e.value > margin[name]}
    losing = {name for name, e in found.items() if e.value < -margin[name]}
    if gaining - shown:
        name = sorted(gaining - shown)[0]
        yield cell_problem(offer, "segments", f"without {name!r}", "every segment it gains in")
    if shown & losing and not (shown == everybody and not gaining):
        name = sorted(shown & losing)[0]
        yield cell_problem(offer, "segments", f"with {name!r}", "segments it gains in only")


def total_of(parts: list[Expected]) -> Expected:
    """The accounts of several segments together."""
    added = np.sum([part.added_units for part in parts], axis=0)
    return Expected(
        bundle_units=sum(part.bundle_units for part in parts),
        subsidised_units=sum(part.subsidised_units for part in parts),
        added_units=tuple(float(units) for units in added),
        incremental_margin=sum(part.incremental_margin for part in parts),
        value=sum(part.value for part in parts),
        flows=sum(part.flows for part in parts),
    )
