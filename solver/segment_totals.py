"""A plan's intervals and overlap where offers are scored by segment: sums over the segments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .intervals import DRAWS, margin_draws
from .offers import Offers
from .overlap import Overlap, reevaluate
from .segment_views import segment_views


def plan_draws(instance: Instance, beliefs: Beliefs, chosen: Offers) -> NDArray[np.float64]:
    """(draws, offers) ``margin_draws``, over the segments each offer is shown to.

    One draw of η, of log q and of log ψ, in standard deviations, stands for all segments.
    """
    if beliefs.segments is None:
        return margin_draws(instance, beliefs, chosen)
    total = np.full((DRAWS, len(chosen)), -100.0 * instance.scenario.assumptions.offer_cost)
    for view, of_segment, offers, rows in segment_views(
        instance, beliefs, beliefs.segments, chosen
    ):
        total[:, rows] += margin_draws(view, of_segment, offers)
    return total


def plan_overlap(instance: Instance, beliefs: Beliefs, chosen: Offers, *, seed: int) -> Overlap:
    """``reevaluate``, with the shoppers of each segment who choose among what they are shown."""
    if beliefs.segments is None:
        return reevaluate(instance, beliefs, chosen, seed=seed)
    share = beliefs.segments.visit_share
    found = []
    for s, (view, of_segment, offers, _) in enumerate(
        segment_views(instance, beliefs, beliefs.segments, chosen)
    ):
        # what the offers earn in all segments, in proportion: it only sets how long to simulate
        scaled = replace(offers, incremental_margin=offers.incremental_margin * share[s])
        found.append(reevaluate(view, of_segment, scaled, seed=seed + s))
    separate = float(chosen.incremental_margin.sum())
    change = sum(part.together - part.separate for part in found)
    return Overlap(
        separate=separate,
        together=separate + change,
        interaction=change / abs(separate) if separate else 0.0,
        standard_error=sum(part.standard_error**2 for part in found) ** 0.5,
        simulated_separate=sum(part.simulated_separate for part in found),
        simulated_error=sum(part.simulated_error**2 for part in found) ** 0.5,
        overlapping=sum(part.overlapping for part in found),
        components=max((part.components for part in found), default=0),
        offers=max((part.offers for part in found), default=0),
        crowded_shoppers=float(share @ [part.crowded_shoppers for part in found]),
    )
