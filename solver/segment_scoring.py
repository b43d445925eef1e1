"""Pairs scored segment by segment: what each would do in each, who is shown it, and the sum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..models.copula import joint_probability
from ..models.segments import Segments
from .candidates import CandidatePairs
from .scoring_kernel import MARGIN, ProductTable, Scores, Terms, score_pairs
from .segment_pairs import LARGEST_TIE, within_odds_ratio

Masks = NDArray[np.uint64]

LOOSE_PAIRS = "pairs tied beyond their segments"
"""Count of pairs whose joint purchases no odds ratio within segments makes up."""


@dataclass(frozen=True, slots=True)
class SegmentScores:
    """Accounts over the segments an offer is shown to.

    Attributes
    ----------
    scores
        sums over segments; ``capped`` where any of them is.
    shown_to, capped_in
        (candidates, levels) bit s is set where the offer is shown to segment s, and where the
        accounts of that segment are the capped ones.
    loose_pairs
        pairs whose joint purchases no odds ratio within segments makes up (``segment_pairs``).
    """

    scores: Scores
    shown_to: Masks
    capped_in: Masks
    loose_pairs: int


def score_by_segment(
    pairs: CandidatePairs,
    discount: NDArray[np.int64],
    table: ProductTable,
    terms: Terms,
    segments: Segments,
    *,
    target: bool,
) -> SegmentScores:
    """Value = Σ over segments of the value in each, less the cost of the offer.

    J_s = C_ψw(q_as, q_bs) with ψ_w such that Σ share_s·J_s = J. Within each segment the smaller
    of the capped and the uncapped value counts. With ``target`` an offer is shown to the segments
    in which its value is above 0, at the same price; where there is none (a rule may ask for it
    all the same) to all.

    Parameters
    ----------
    discount
        (candidates, levels) cents off, 0 where the level is not offered.
    table
        the products' view for all shoppers.
    """
    q = table.probability[:, None] * segments.purchase_ratio
    share = segments.visit_share
    psi = within_odds_ratio(
        q[pairs.first], q[pairs.second], share, pairs.joint_probability, pairs.odds_ratio
    )
    everywhere, chosen = _Sum(discount.shape), _Sum(discount.shape)
    for s in range(len(segments)):
        first, second = q[pairs.first, s], q[pairs.second, s]
        of_segment = replace(
            pairs,
            joint_probability=np.asarray(joint_probability(first, second, psi)),
            odds_ratio=psi,
        )
        view = table._replace(
            probability=np.ascontiguousarray(q[:, s]),
            rate=table.rate * segments.sensitivity_factor[:, s, None],
        )
        found = score_pairs(
            of_segment,
            discount,
            view,
            terms._replace(visits=terms.visits * share[s], offer_cost=0.0),
        )
        offered = discount > 0
        everywhere.add(found, offered, s)
        if target:
            chosen.add(found, offered & (found.value > 0.0), s)
    if target:
        nowhere = chosen.shown_to == 0
        chosen.take(everywhere, nowhere)
    total = chosen if target else everywhere
    return total.result(terms, discount > 0, int((psi >= LARGEST_TIE).sum()))


class _Sum:
    """Accounts of the segments added up so far; shape (candidates, levels)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.sums = [np.zeros(shape) for _ in range(6)]
        self.shown_to = np.zeros(shape, dtype=np.uint64)
        self.capped_in = np.zeros(shape, dtype=np.uint64)

    def add(self, found: Scores, where: NDArray[np.bool_], segment: int) -> None:
        for total, part in zip(self.sums, found[:6], strict=True):
            np.add(total, part, out=total, where=where)
        bit = np.uint64(1) << np.uint64(segment)
        self.shown_to[where] |= bit
        self.capped_in[where & found.capped] |= bit

    def take(self, other: _Sum, where: NDArray[np.bool_]) -> None:
        """The other's accounts at these places."""
        for total, part in zip(self.sums, other.sums, strict=True):
            total[where] = part[where]
        self.shown_to[where] = other.shown_to[where]
        self.capped_in[where] = other.capped_in[where]

    def result(self, terms: Terms, offered: NDArray[np.bool_], loose: int) -> SegmentScores:
        scores = Scores(*self.sums, capped=self.capped_in > 0)
        cost = np.where(offered, terms.offer_cost, 0.0)
        if terms.objective == MARGIN:
            np.subtract(scores.value, cost, out=scores.value)
        np.subtract(scores.incremental_margin, cost, out=scores.incremental_margin)
        return SegmentScores(scores, self.shown_to, self.capped_in, loose)
