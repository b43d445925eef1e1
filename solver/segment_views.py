"""An instance and its beliefs as they are for one segment, so that what holds for all is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.copula import joint_probability
from ..models.segments import Segments
from .offers import Offers
from .segment_pairs import within_odds_ratio


def planned_by_segment(beliefs: Beliefs, maximize: str) -> Beliefs:
    """The beliefs that a plan is made with: without segments where affinity is maximised.

    The seed's loss is of all shoppers together and knows no response, so there is nothing to
    split.
    """
    return replace(beliefs, segments=None) if maximize == "affinity" else beliefs


def segment_views(
    instance: Instance, beliefs: Beliefs, segments: Segments, chosen: Offers
) -> Iterator[tuple[Instance, Beliefs, Offers, NDArray[np.int64]]]:
    """Each segment as a shop of its own with the offers it is shown.

    Visits are the segment's, offers cost nothing (they cost once, whatever the segments), q, η
    and their spreads are the segment's, and the pairs believed in are those of the offers, with
    the odds ratio within segments. The spread of log ratio is added to that of log q.

    Parameters
    ----------
    chosen
        offers of pairs, with ``shown_to`` and ``capped_in``.

    Yields
    ------
    tuple
        instance, beliefs, the offers shown (capped where they are in this segment), and their
        positions in ``chosen``.
    """
    pairs = np.unique(chosen.products, axis=0).astype(np.int32)
    odds_ratio, spread = pair_ties(beliefs, segments, pairs)
    assumptions = instance.scenario.assumptions.model_copy(update={"offer_cost": 0.0})
    scenario = instance.scenario.model_copy(update={"assumptions": assumptions})
    for s in range(len(segments)):
        q = beliefs.purchase_probability * segments.purchase_ratio[:, s]
        factor = segments.sensitivity_factor[:, s]
        scaled = ("price_sensitivity", "sensitivity_location", "sensitivity_scale")
        view = replace(
            beliefs,
            purchase_probability=q,
            purchase_spread=np.hypot(beliefs.purchase_spread, segments.ratio_spread[:, s]),
            sensitivity_cap=beliefs.sensitivity_cap * factor,
            pair_a=pairs[:, 0],
            pair_b=pairs[:, 1],
            pair_orders=np.zeros(len(pairs), dtype=np.int64),
            pair_joint=np.asarray(joint_probability(q[pairs[:, 0]], q[pairs[:, 1]], odds_ratio)),
            odds_ratio=odds_ratio,
            odds_spread=spread,
            segments=None,
            **{name: getattr(beliefs, name) * factor for name in scaled},
        )
        rows = np.flatnonzero(shown(chosen, s))
        offers = chosen.take(rows)
        yield (
            replace(instance, scenario=scenario, visits=instance.visits * segments.visit_share[s]),
            view,
            replace(offers, capped=_bit(offers.capped_in, s)),
            rows,
        )


def pair_ties(
    beliefs: Beliefs, segments: Segments, pairs: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pairs,) odds ratio within segments, and spread of its logarithm; ``pairs`` is (pairs, 2)."""
    facts = beliefs.pairs_of(pairs[:, 0], pairs[:, 1])
    q = beliefs.purchase_probability[:, None] * segments.purchase_ratio
    odds_ratio = within_odds_ratio(
        q[pairs[:, 0]],
        q[pairs[:, 1]],
        segments.visit_share,
        facts["joint_probability"],
        facts["odds_ratio"],
    )
    return odds_ratio, facts["odds_spread"]


def shown(offers: Offers, segment: int) -> NDArray[np.bool_]:
    """(offers,) whether each is shown to a segment."""
    return _bit(offers.shown_to, segment)


def _bit(mask: NDArray[np.uint64] | None, segment: int) -> NDArray[np.bool_]:
    if mask is None:
        raise ValueError("offers that were not scored by segment")
    return (mask >> np.uint64(segment)) & np.uint64(1) == 1
