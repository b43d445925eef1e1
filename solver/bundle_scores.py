"""Given bundles scored at every level, whatever the rules and the search for candidates say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.product_sets import set_table
from .candidate_sets import CandidateSets
from .candidates import CandidatePairs
from .offers import Offers, concatenated
from .posterior import NODES
from .scorer import SCORED, Scorer


def score_bundles(
    instance: Instance, beliefs: Beliefs, bundles: Sequence[tuple[int, ...]]
) -> Offers:
    """The offers of given bundles at every level that has a price of its own.

    Parameters
    ----------
    bundles
        catalogue indices, ascending; one bundle at least, of products on offer that were bought
        before. Candidates are numbered by size, then in their order.
    """
    sizes = sorted({len(bundle) for bundle in bundles})
    counts = dict.fromkeys(SCORED, 0)
    scorer = Scorer(instance, beliefs, NODES, len(bundles), sizes[-1], counts)
    of_size = [np.array([b for b in bundles if len(b) == n], dtype=np.int32) for n in sizes]
    return concatenated([scorer.score(as_candidates(beliefs, products)) for products in of_size])


def as_candidates(beliefs: Beliefs, products: NDArray[np.int32]) -> CandidatePairs | CandidateSets:
    """Bundles of one size, (bundles, size), as candidates."""
    forced = np.ones(len(products), dtype=np.bool_)
    if products.shape[1] > 2:
        return CandidateSets(products, set_table(beliefs, products), forced)
    facts = beliefs.pairs_of(products[:, 0], products[:, 1])
    return CandidatePairs(
        products[:, 0], products[:, 1], facts["joint_probability"], facts["odds_ratio"], forced
    )
