"""Which sets of three and four products could be a bundle: grown from good pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.product_sets import set_table
from ..models.set_closure import members, possible_range
from .candidates import CandidatePairs, candidate_pairs, forced_bundles
from .economics import pair_economics

WEAK = "sets without a good pair"
"""What sets of which no pair comes near gaining are counted under."""


@dataclass(frozen=True, slots=True)
class CandidateSets:
    """Sets of one size to be scored, sorted by their products.

    Attributes
    ----------
    products
        (candidates, size) catalogue indices, ascending.
    table
        (candidates, 2**size) the probability that a visit holds each subset (``set_closure``).
    forced
        (candidates,) whether a rule names the set, so that it is never cut.
    """

    products: NDArray[np.int32]
    table: NDArray[np.float64]
    forced: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.products)

    def take(self, rows: NDArray[np.bool_] | slice) -> CandidateSets:
        """The sets at these positions."""
        return CandidateSets(self.products[rows], self.table[rows], self.forced[rows])


def all_candidates(
    instance: Instance, beliefs: Beliefs
) -> tuple[list[CandidatePairs | CandidateSets], dict[str, int]]:
    """The pairs and, size by size, the larger sets that could be bundles, and what was left out."""
    pairs, counts = candidate_pairs(instance, beliefs)
    groups: list[CandidatePairs | CandidateSets] = [pairs]
    for size in range(3, instance.scenario.candidates.max_size + 1):
        sets, left_out = candidate_sets(instance, beliefs, size)
        groups += [sets] if len(sets) else []
        for name, number in left_out.items():
            counts[name] = counts.get(name, 0) + number
        counts[f"candidates of {size} products"] = len(sets)
    return groups, counts


def candidate_sets(
    instance: Instance, beliefs: Beliefs, size: int
) -> tuple[CandidateSets, dict[str, int]]:
    """Sets with enough orders that hold a good pair, and those that a rule forces.

    With a small discount a bundle of equal products gains if every product's response
    e·η(1 − q)m/r is above 1/size (``economics.pair_economics``: a pair asks for 1 in all). Of any
    set whose responses come to more than 1 some two come to more than 2/size: that is a good
    pair. Products whose price was never cut are credited with no response.

    Returns
    -------
    tuple
        the sets, and counts of what was left out, named as ``candidate_pairs`` names them;
        ``WEAK`` besides, and "contradicted sets", whose smaller sets leave them no probability.
    """
    settings, catalogue = instance.scenario.candidates, instance.catalogue
    wanted = forced_bundles(instance, size)
    sets = beliefs.product_sets
    supported, counted = np.zeros((0, size), dtype=np.int32), 0
    if sets is not None:
        rows = sets.of_size(size)
        counted = len(rows)
        supported = sets.products[rows[sets.orders[rows] >= settings.min_support], :size]
    products = supported
    if len(wanted):
        products = np.unique(np.vstack([supported, wanted]), axis=0)
    forced = (products[:, None, :] == wanted[None, :, :]).all(axis=2).any(axis=1)
    usable = catalogue.available & (beliefs.purchase_probability > 0.0)
    on_offer = usable[products].all(axis=1)
    counts = {
        "support": counted - len(supported),
        "unavailable": int((~on_offer & ~forced).sum()),
        "forced unavailable": int((~on_offer & forced).sum()),
    }
    keep = on_offer
    if not settings.allow_same_category:
        barred = of_one_category(catalogue.category[products]) & ~forced
        counts["same category"] = int((keep & barred).sum())
        keep = keep & ~barred
    products, forced = products[keep], forced[keep]
    weak = ~_hold_good_pair(instance, beliefs, products) & ~forced
    counts[WEAK] = int(weak.sum())
    products, forced = products[~weak], forced[~weak]
    table = set_table(beliefs, products)
    possible = consistent(beliefs, table)
    counts["contradicted sets"] = int((~possible).sum())
    return CandidateSets(products, table, forced).take(possible), counts


def consistent(beliefs: Beliefs, table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(sets,) whether the smaller sets leave each set a probability, and odds ratios describe it.

    Parameters
    ----------
    table
        (sets, 2**size) as in ``CandidateSets``.
    """
    visits = beliefs.product_sets.visits if beliefs.product_sets is not None else 1e300
    low, high = possible_range(table, visits)
    return (table[:, -1] > 0.0) & (low <= high) & _tied(table)


def of_one_category(category: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(sets,) whether two products of a set share a category that has a name."""
    same = np.zeros(len(category), dtype=np.bool_)
    for a, b in combinations(range(category.shape[1]), 2):
        same |= (category[:, a] == category[:, b]) & (category[:, a] != "")
    return same


def _hold_good_pair(
    instance: Instance, beliefs: Beliefs, products: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """(sets,) whether some pair of the set has a response above 2/size."""
    n_products, size = np.int64(len(instance.catalogue)), products.shape[1]
    keys = [
        products[:, a].astype(np.int64) * n_products + products[:, b]
        for a, b in combinations(range(size), 2)
    ]
    distinct, place = np.unique(np.concatenate(keys), return_inverse=True)
    first, second = (part.astype(np.int32) for part in np.divmod(distinct, max(n_products, 1)))
    facts = beliefs.pairs_of(first, second)
    with np.errstate(invalid="ignore", divide="ignore"):
        response = pair_economics(
            instance, beliefs, first, second, facts["odds_ratio"], facts["joint_probability"]
        ).response
    cut = beliefs.deepest_cut[np.stack([first, second], axis=1)]
    good = np.nan_to_num(np.where(cut > 0.0, response, 0.0)).sum(axis=1) > 2.0 / size
    return good[place].reshape(len(keys), -1).any(axis=0)


def _tied(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(sets,) whether each product's tie to all others, and that of each two given the others,
    is one that an odds ratio describes."""
    whole = table.shape[1] - 1
    joint = table[:, whole]
    tied = np.ones(len(table), dtype=np.bool_)
    for held in range(whole):
        outside = members(whole ^ held)
        if len(outside) == 1:
            q = table[:, 1 << outside[0]]
            tied &= (joint < table[:, held]) & (joint < q) & (joint > table[:, held] + q - 1.0)
        elif len(outside) == 2:
            one, other = (table[:, held | 1 << place] for place in outside)
            tied &= (joint < one) & (joint < other) & (joint > one + other - table[:, held])
    return tied
