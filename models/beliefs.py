"""Everything learned, as arrays, and the folder it is saved to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, polygamma

from ..instances.catalogue import Catalogue
from ..instances.errors import InputError
from . import copula
from .affinity import Affinity, highest_joint
from .history import category_codes
from .lift_prior import LiftPrior, unseen_lift
from .product_sets import ProductSets, reordered_sets, repriced_sets, set_probability
from .segments import Segments
from .sensitivity import truncated_moments


@dataclass(frozen=True, slots=True)
class PairPrior:
    """What is known of pairs that were not counted, beside the lift of their categories.

    Attributes
    ----------
    product_lift
        (products,) factor of each product on the lift of its pairs.
    strength
        shape k of the gamma that lifts vary with about their prior mean.
    visits
        visits that pairs were counted in.
    min_support
        pairs found in at least this many were counted; of others only that is known.
    learned
        the prior from features of the pair, which then stands for lifts and strength; None in
        beliefs of before there was one.
    """

    product_lift: NDArray[np.float64]
    strength: float
    visits: float
    min_support: int
    learned: LiftPrior | None = None

    def take(self, products: NDArray[np.int64]) -> PairPrior:
        """The prior of these products, -1 one of which nothing is known."""
        product_lift = self.product_lift[products]
        product_lift[products < 0] = 1.0
        learned = None if self.learned is None else self.learned.take(products)
        return replace(self, product_lift=product_lift, learned=learned)

    def uncounted(
        self,
        a: NDArray[np.int64],
        b: NDArray[np.int64],
        category_lift: NDArray[np.float64],
        expected: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(pairs,) λ and the spread of log λ, of pairs found in fewer than ``min_support`` visits.

        Parameters
        ----------
        category_lift
            (pairs,) lift of the categories.
        expected
            (pairs,) E, the joint orders that would be seen of independent products.
        """
        if self.learned is None:
            prior = category_lift * self.product_lift[a] * self.product_lift[b]
            strength = np.full(len(a), self.strength)
            spread = np.sqrt(np.asarray(polygamma(1, strength)))
            return unseen_lift(prior, expected, strength, self.min_support), spread
        prior = self.learned.of(a, b)
        spread = self.learned.spread(np.zeros(len(a)), expected, prior)
        return self.learned.unseen(expected, prior, self.min_support), spread


def pair_prior_of(affinity: Affinity, min_support: int) -> PairPrior:
    """What an affinity says of pairs found in fewer than ``min_support`` visits."""
    return PairPrior(
        affinity.prior.product_lift,
        affinity.strength,
        float(affinity.visits.sum()),
        min_support,
        affinity.prior,
    )


class Displaced(NamedTuple):
    """Shares of a product's added units that are not sold elsewhere; None: not learned.

    Attributes
    ----------
    diversion
        (products,) δ, taken from substitutes in its category.
    pull_forward
        (products,) φ, bought earlier and missing in the weeks after.
    """

    diversion: NDArray[np.float64] | None = None
    pull_forward: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Beliefs about one planned week. Products are in the catalogue's order.

    Attributes
    ----------
    product_ids
        (products,) text ids.
    purchase_probability
        (products,) q per visit at the reference price; 0 where nothing was ever bought.
    purchase_spread
        (products,) posterior standard deviation of log q.
    price_sensitivity
        (products,) posterior mean of η, >= 0.
    sensitivity_location, sensitivity_scale
        (products,) the normal whose truncation to [0, ``sensitivity_cap``] is the posterior of η.
    sensitivity_cap
        (products,) upper end of that truncation.
    reference_price
        (products,) cents; -1 where unknown.
    deepest_cut
        (products,) largest relative price cut the data support, a share of the reference price.
    usual_quantity
        (products,) mean units of a basket that holds the product, >= some positive number.
    diversion, pull_forward
        (products,) as in ``Displaced``; None: not learned.
    pair_a, pair_b
        (pairs,) catalogue indices, pair_a < pair_b, sorted by (pair_a, pair_b): the pairs with
        at least ``min_support`` joint orders.
    pair_orders
        (pairs,) orders that hold both.
    pair_joint
        (pairs,) J = C_ψ(q_a, q_b) at the reference prices.
    odds_ratio
        (pairs,) ψ, posterior centre.
    odds_spread
        (pairs,) posterior standard deviation of log ψ.
    category_code, category_lift
        (products,) code of the product's category, and (codes, codes) prior lift λ by
        category pair, which answers for pairs that were never counted.
    manifest
        versions, training window, held-out scores, input hashes, fitted hyperparameters.
    segments
        segments of shoppers; None: all are taken together.
    diversion
        (products,) δ of the product's category: the share of an added unit that is taken from the
        rest of it; None: not learned.
    pair_expected, pair_trip_odds
        (pairs,) joint orders that independent products would have made, and ψ as the trips that
        each product is bought on would make it, mostly their size: what explanations compare ψ
        with. None in beliefs of before they were kept.
    pair_prior
        what refines the category lift for pairs that were never counted; None: nothing does.
    product_sets
        sets of three and four products; None where they were not asked for.
    """

    product_ids: NDArray[np.object_]
    purchase_probability: NDArray[np.float64]
    purchase_spread: NDArray[np.float64]
    price_sensitivity: NDArray[np.float64]
    sensitivity_location: NDArray[np.float64]
    sensitivity_scale: NDArray[np.float64]
    sensitivity_cap: NDArray[np.float64]
    reference_price: NDArray[np.int64]
    deepest_cut: NDArray[np.float64]
    usual_quantity: NDArray[np.float64]
    pair_a: NDArray[np.int32]
    pair_b: NDArray[np.int32]
    pair_orders: NDArray[np.int64]
    pair_joint: NDArray[np.float64]
    odds_ratio: NDArray[np.float64]
    odds_spread: NDArray[np.float64]
    category_code: NDArray[np.int32]
    category_lift: NDArray[np.float64]
    manifest: dict[str, Any]
    pair_prior: PairPrior | None = None
    segments: Segments | None = None
    product_sets: ProductSets | None = None
    pair_expected: NDArray[np.float64] | None = None
    pair_trip_odds: NDArray[np.float64] | None = None
    diversion: NDArray[np.float64] | None = None
    pull_forward: NDArray[np.float64] | None = None

    @property
    def displaced(self) -> Displaced:
        """What of the added units is taken from elsewhere."""
        return Displaced(self.diversion, self.pull_forward)

    def joint_probability(
        self, a: NDArray[np.integer], b: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """(pairs,) J at the reference prices, for any products a != b in either order."""
        return self.pairs_of(a, b)["joint_probability"]

    def pairs_of(
        self, a: NDArray[np.integer], b: NDArray[np.integer]
    ) -> dict[str, NDArray[np.float64]]:
        """Beliefs about any pairs of products a != b, in either order.

        Pairs that were not counted get the posterior mean given that they were found in fewer
        than ``min_support`` visits.

        Returns
        -------
        joint_probability, odds_ratio, odds_spread
            (pairs,) as in the attributes; a product that was never bought has J = 0 and ψ nan.
        """
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        n = np.int64(len(self.product_ids))
        counted = self.pair_a.astype(np.int64) * n + self.pair_b
        wanted = low * n + high
        at = np.searchsorted(counted, wanted)
        known = np.zeros(len(wanted), dtype=bool)
        inside = at < len(counted)
        known[inside] = counted[at[inside]] == wanted[inside]
        joint, spread = np.empty(len(wanted)), np.empty(len(wanted))
        if not known.all():
            joint[~known], spread[~known] = self._uncounted(low[~known], high[~known])
        joint[known] = self.pair_joint[at[known]]
        spread[known] = self.odds_spread[at[known]]
        q = self.purchase_probability
        with np.errstate(invalid="ignore"):  # nan where a product was never bought
            psi = np.asarray(copula.odds_ratio_of(q[low], q[high], joint))
        psi[known] = self.odds_ratio[at[known]]
        return {"joint_probability": joint, "odds_ratio": psi, "odds_spread": spread}

    def prior_lift(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) λ from what is known of the two products alone, their joint orders aside.

        It answers for a product that was never bought, whose q is 0 here: with rates q_a and q_b
        of one's own, J = λ·q_a·q_b and ψ = ``odds_ratio_of(q_a, q_b, J)``.
        """
        prior = self.pair_prior
        if prior is not None and prior.learned is not None:
            return prior.learned.of(a, b)
        lift = self.category_lift[self.category_code[a], self.category_code[b]]
        return lift if prior is None else lift * prior.product_lift[a] * prior.product_lift[b]

    def set_probability(self, products: NDArray[np.integer]) -> NDArray[np.float64]:
        """(n,) probability that a visit holds all products of a row (n, width), two to four.

        Rows of fewer products than the widest are filled with -1. Counted sets and any others.
        """
        return set_probability(self, products)

    def aligned(self, catalogue: Catalogue) -> Beliefs:
        """These beliefs for another catalogue: its products, its order, its reference prices.

        The response to a price in money stays: with r the old and r' the new reference price,
        logit q' = logit q + η(1 − r'/r) and η' = η·r'/r; the spread of log q gains that of η as far
        as q was carried. The deepest cut stays at its price in money where r' is lower; after a
        rise it stays the same share, since the old shelf price was no cut (``price_support``).
        Products added (never bought, as far as these beliefs know) have the category of those
        that the catalogue puts beside them. The manifest's ``aligned`` counts the products added,
        dropped and repriced.

        Raises InputError where no product is in both.
        """
        old = {str(name): i for i, name in enumerate(self.product_ids)}
        source = np.array([old.get(str(name), -1) for name in catalogue.product_ids], dtype=int)
        if len(source) and not (source >= 0).any():
            raise InputError("beliefs", None, "no product of the products table is in them")
        return _repriced(_reordered(self, source, catalogue), catalogue, source)

    def _uncounted(
        self, a: NDArray[np.int64], b: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(pairs,) J and the spread of log ψ for pairs below the least support."""
        q_a, q_b = self.purchase_probability[a], self.purchase_probability[b]
        lift = self.category_lift[self.category_code[a], self.category_code[b]]
        visits, spread = 1e300, np.zeros(len(a))  # without a prior the lift is taken as certain
        if self.pair_prior is not None:
            visits = self.pair_prior.visits
            lift, spread = self.pair_prior.uncounted(a, b, lift, visits * q_a * q_b)
        return np.minimum(lift * q_a * q_b, highest_joint(q_a, q_b, visits)), spread


def _reordered(beliefs: Beliefs, source: NDArray[np.int64], catalogue: Catalogue) -> Beliefs:
    """Products taken from the old positions ``source``; -1 is a product never bought."""
    new = source < 0

    def taken(values: NDArray, otherwise: float) -> NDArray:
        filled = np.full(len(source), otherwise, dtype=values.dtype)
        filled[~new] = values[source[~new]]
        return filled

    cap = float(beliefs.sensitivity_cap.max()) if len(beliefs.sensitivity_cap) else 1.0
    target = np.full(len(beliefs.product_ids), -1, dtype=np.int64)
    target[source[~new]] = np.flatnonzero(~new)
    a, b = target[beliefs.pair_a], target[beliefs.pair_b]
    kept = np.flatnonzero((a >= 0) & (b >= 0))
    low, high = np.minimum(a[kept], b[kept]), np.maximum(a[kept], b[kept])
    order = np.lexsort((high, low))
    kept = kept[order]
    category, category_lift = _categories(beliefs, source, catalogue)
    prior, sets = beliefs.pair_prior, beliefs.product_sets
    if prior is not None:
        prior = _categorised(prior.take(source), category, category_lift)
    fills = {
        "purchase_probability": 0.0,
        "purchase_spread": 0.0,
        "price_sensitivity": 0.0,
        "sensitivity_location": 0.0,
        "sensitivity_scale": 1.0,
        "sensitivity_cap": cap,
        "reference_price": -1,
        "deepest_cut": 0.0,
        "usual_quantity": 1.0,
    }
    displaced = beliefs.displaced._asdict() if len(beliefs.product_ids) else {}
    pairs = ["pair_orders", "pair_joint", "odds_ratio", "odds_spread"]
    pairs += [n for n in ("pair_expected", "pair_trip_odds") if getattr(beliefs, n) is not None]
    return replace(
        beliefs,
        pair_a=low[order].astype(np.int32),
        pair_b=high[order].astype(np.int32),
        pair_prior=prior,
        category_code=category,
        category_lift=category_lift,
        **{
            name: None if share is None else taken(share, float(share.mean()))
            for name, share in displaced.items()
        },
        segments=None if beliefs.segments is None else beliefs.segments.take(source),
        product_sets=None if sets is None else reordered_sets(sets, target),
        **{name: taken(getattr(beliefs, name), fill) for name, fill in fills.items()},
        **{name: getattr(beliefs, name)[kept] for name in pairs},
    )


def _categories(
    beliefs: Beliefs, source: NDArray[np.int64], catalogue: Catalogue
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(products,) codes, and (codes, codes) lifts with those of categories that are new.

    A product added has the code of most known products that the catalogue puts in its category.
    A category without any has a code of its own, with the lifts of what shoppers buy on average:
    Σ_k Q_k·lift(c, k)/Σ_k Q_k, with Q_k the purchases a visit of the category k.
    """
    new, lift, known = source < 0, beliefs.category_lift, len(beliefs.category_lift)
    code = np.where(new, -1, beliefs.category_code[source]).astype(np.int32)
    if not new.any():
        return code, lift
    of_name, names = category_codes(catalogue.category)
    among = np.zeros((len(names), known), dtype=np.int64)
    np.add.at(among, (of_name[~new], code[~new]), 1)
    code_of = np.where(among.any(axis=1), among.argmax(axis=1), -1)
    unknown = np.setdiff1d(of_name[new], np.flatnonzero(code_of >= 0))
    code_of[unknown] = known + np.arange(len(unknown))
    code[new] = code_of[of_name[new]]
    bought = np.bincount(beliefs.category_code, beliefs.purchase_probability, known)
    share = bought / bought.sum() if bought.sum() > 0 else np.full(known, 1 / known)
    mixed = np.vstack([np.eye(known), np.tile(share, (len(unknown), 1))])
    return code, lift if not len(unknown) else mixed @ lift @ mixed.T


def _categorised(
    prior: PairPrior, category: NDArray[np.int32], category_lift: NDArray[np.float64]
) -> PairPrior:
    """The prior with these categories in its features too."""
    if prior.learned is None:
        return prior
    features = prior.learned.features
    lift = replace(features.lift, category=category, category_lift=category_lift)
    return replace(prior, learned=replace(prior.learned, features=replace(features, lift=lift)))


def _repriced(beliefs: Beliefs, catalogue: Catalogue, source: NDArray[np.int64]) -> Beliefs:
    """Carry beliefs to the catalogue's reference prices, and say what changed."""
    old, new = beliefs.reference_price, catalogue.reference_price
    moved = (old > 0) & (new > 0) & (old != new)
    ratio = np.where(moved, new / np.where(old > 0, old, 1), 1.0)
    with np.errstate(divide="ignore"):
        q = expit(logit(beliefs.purchase_probability) + beliefs.price_sensitivity * (1.0 - ratio))
    q = np.where(moved, q, beliefs.purchase_probability)
    scale = np.maximum(beliefs.sensitivity_scale, 1e-9)  # 0 where η is taken as known
    _, unsure = truncated_moments(beliefs.sensitivity_location, scale, beliefs.sensitivity_cap)
    carried = unsure * (1.0 - q) * (1.0 - ratio)  # d log q'/dη, as when q is learned
    fell = moved & (ratio < 1.0)
    cut = np.where(fell, 1 - (1 - beliefs.deepest_cut) / ratio, beliefs.deepest_cut)
    joint = np.where(
        moved[beliefs.pair_a] | moved[beliefs.pair_b],
        copula.joint_probability(q[beliefs.pair_a], q[beliefs.pair_b], beliefs.odds_ratio),
        beliefs.pair_joint,
    )
    segments = beliefs.segments
    if segments is not None:
        segments = segments.carried(
            beliefs.purchase_probability, beliefs.price_sensitivity, ratio, q
        )
    counts = {
        "products_added": int((source < 0).sum()),
        "products_dropped": len(beliefs.product_ids) - int((source >= 0).sum()),
        "products_repriced": int(moved.sum()),
    }
    scaled = ("price_sensitivity", "sensitivity_location", "sensitivity_scale", "sensitivity_cap")
    repriced = replace(
        beliefs,
        product_ids=catalogue.product_ids,
        purchase_probability=q,
        purchase_spread=np.where(
            moved & (q > 0), np.hypot(beliefs.purchase_spread, carried), beliefs.purchase_spread
        ),
        reference_price=np.where(new > 0, new, old),
        deepest_cut=np.maximum(cut, 0.0),
        pair_joint=joint,
        segments=segments,
        manifest={**beliefs.manifest, "aligned": counts},
        **{name: getattr(beliefs, name) * ratio for name in scaled},
    )
    sets = beliefs.product_sets
    if sets is None or not moved.any():
        return repriced
    return replace(repriced, product_sets=repriced_sets(beliefs, repriced, sets))
