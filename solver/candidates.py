"""Which pairs could be a bundle at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import Locked, MustInclude
from ..models.beliefs import Beliefs
from ..models.copula import odds_ratio_of
from .last_week import last_week


@dataclass(frozen=True, slots=True)
class CandidatePairs:
    """Pairs to be scored, sorted by (first, second); arrays have shape (candidates,).

    Attributes
    ----------
    first, second
        catalogue indices, first < second.
    joint_probability, odds_ratio
        J and ψ of the pair at the reference prices.
    forced
        whether a must-include or locked rule names the pair, or a stability rule has it as last
        week's, so that it is never cut.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    joint_probability: NDArray[np.float64]
    odds_ratio: NDArray[np.float64]
    forced: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: NDArray[np.bool_] | slice) -> CandidatePairs:
        """The pairs at these positions."""
        return CandidatePairs(*(getattr(self, name)[rows] for name in self.__slots__))


def candidate_pairs(instance: Instance, beliefs: Beliefs) -> tuple[CandidatePairs, dict[str, int]]:
    """Pairs with enough joint orders, and those that a rule forces, of products on offer.

    Last week's bundles are forced as far as their support goes: one of two products of a category
    needs ``allow_same_category`` like any other that no rule names.

    Returns
    -------
    tuple
        the pairs, and counts of what was left out and why: "support", "unavailable",
        "same category" (pairs), "forced unavailable" (pairs that a rule forces but that hold a
        product which may not be in a bundle, or that nobody ever bought), "possible ties" (pairs
        whose joint probability is at the end of what is possible, so no odds ratio exists).
    """
    pairs = _forced_marked(instance, beliefs)
    usable = instance.catalogue.available & (beliefs.purchase_probability > 0.0)
    on_offer = usable[pairs.first] & usable[pairs.second]
    counts = {
        "support": int((beliefs.pair_orders < instance.scenario.candidates.min_support).sum()),
        "unavailable": int((~on_offer & ~pairs.forced).sum()),
        "forced unavailable": int((~on_offer & pairs.forced).sum()),
    }
    keep = on_offer
    if not instance.scenario.candidates.allow_same_category:
        category = instance.catalogue.category
        same = (category[pairs.first] == category[pairs.second]) & (category[pairs.first] != "")
        key = pairs.first * np.int64(len(category)) + pairs.second
        barred = same & ~np.isin(key, named_pairs(instance))
        counts["same category"] = int((keep & barred).sum())
        keep = keep & ~barred
    bounded = ~((pairs.odds_ratio > 0.0) & np.isfinite(pairs.odds_ratio))
    counts["possible ties"] = int((keep & bounded).sum())
    return pairs.take(keep & ~bounded), counts


def _forced_marked(instance: Instance, beliefs: Beliefs) -> CandidatePairs:
    """The counted pairs with enough support and the forced ones, each once, sorted."""
    supported = beliefs.pair_orders >= instance.scenario.candidates.min_support
    n_products = np.int64(len(instance.catalogue))
    counted = beliefs.pair_a.astype(np.int64) * n_products + beliefs.pair_b
    wanted = np.union1d(named_pairs(instance), _pairs_of_last_week(instance))
    extra = wanted[~np.isin(wanted, counted[supported])]
    first, second = np.divmod(extra, max(n_products, np.int64(1)))
    joint = beliefs.joint_probability(first.astype(np.int32), second.astype(np.int32))
    q = beliefs.purchase_probability
    with np.errstate(divide="ignore", invalid="ignore"):
        odds_ratio = odds_ratio_of(q[first], q[second], joint)
    key = np.concatenate([counted[supported], extra])
    order = np.argsort(key, kind="stable")
    key = key[order]
    return CandidatePairs(
        first=(key // max(n_products, np.int64(1))).astype(np.int32),
        second=(key % max(n_products, np.int64(1))).astype(np.int32),
        joint_probability=np.append(beliefs.pair_joint[supported], joint)[order],
        odds_ratio=np.append(beliefs.odds_ratio[supported], odds_ratio)[order],
        forced=np.isin(key, wanted),
    )


def forced_bundles(instance: Instance, size: int) -> NDArray[np.int32]:
    """(bundles, size) products, ascending, of the bundles of this size that rules name or that
    were last week's; those whose products the catalogue has."""
    return np.unique(
        np.vstack([_named(instance, size), _of_last_week(instance, size)]), axis=0
    ).astype(np.int32)


def named_pairs(instance: Instance) -> NDArray[np.int64]:
    """Pairs that must-include and locked rules name, as first · n_products + second, ascending."""
    return _keys(_named(instance, 2), len(instance.catalogue))


def _pairs_of_last_week(instance: Instance) -> NDArray[np.int64]:
    """Pairs of last week's plan, numbered likewise; those the catalogue has."""
    return _keys(_of_last_week(instance, 2), len(instance.catalogue))


def _named(instance: Instance, size: int) -> NDArray[np.int64]:
    rules = instance.scenario.rules
    return _rows(instance, [r.products for r in rules if isinstance(r, MustInclude | Locked)], size)


def _of_last_week(instance: Instance, size: int) -> NDArray[np.int64]:
    return _rows(instance, [bundle.products for bundle in last_week(instance)], size)


def _rows(instance: Instance, bundles: Sequence[tuple[str, ...]], size: int) -> NDArray[np.int64]:
    """(bundles, size) catalogue indices, ascending, of the bundles of this size it has."""
    asked = [bundle for bundle in bundles if len(bundle) == size]
    if not asked:
        return np.zeros((0, size), dtype=np.int64)
    position = {str(value): k for k, value in enumerate(instance.catalogue.product_ids)}
    places = [
        sorted(position[product] for product in bundle)
        for bundle in asked
        if all(product in position for product in bundle)
    ]
    return np.array(places, dtype=np.int64).reshape(-1, size)


def _keys(pairs: NDArray[np.int64], n_products: int) -> NDArray[np.int64]:
    return np.unique(pairs[:, 0] * n_products + pairs[:, 1])
