"""What each ingredient of the pairs' prior is worth on held-out weeks: left out one at a time.

    python -m benchmarks.affinity --window validation

The score is that of ``benchmarks.held_out``; every line learns the prior anew from the training
weeks. Then the relation model, beside the posterior of λ.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from bundlewise.models.affinity import Affinity, fit_affinity, odds_at_base
from bundlewise.models.category_lift import fit_category_lift
from bundlewise.models.copula import joint_probability
from bundlewise.models.gamma_poisson import fitted_strength
from bundlewise.models.graph_filter import fit_graph_filter
from bundlewise.models.later_pairs import (
    Window,
    joint_orders,
    later_pairs,
    smoothed_rates,
    window_of,
)
from bundlewise.models.lift_prior import LiftPrior, carried_prior, fitted_prior, plain_prior
from bundlewise.models.pair_features import PairFeatures, pair_features
from bundlewise.models.panel import weekly_panel
from bundlewise.models.purchase import fit_purchase
from bundlewise.models.score_relations import score_relations
from bundlewise.models.title_words import title_words
from numpy.typing import NDArray

from .held_out import HeldOutData, read_arguments

LEFT_OUT = {
    "everything": (),
    "no graph filter": ("graph_filter_8", "graph_filter_32", "graph_filter_128"),
    "no titles": ("title_similarity",),
    "no brands": ("same_brand",),
    "no prices": ("price_gap", "price_gap_within"),
    "no same category": ("same_category",),
}


@dataclass(frozen=True, slots=True)
class Without:
    """Features of which some are 0 for every pair."""

    features: PairFeatures
    left_out: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.features.names

    @property
    def bought(self) -> NDArray[np.bool_]:
        return self.features.bought

    def as_if_new(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        return self.features.as_if_new(a, b)

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        made = self.features.of(a, b)
        made[:, [name in self.left_out for name in self.names]] = 0.0
        return made


def main() -> None:
    """Print a line for the prior as it is, and one for each ingredient it does without."""
    given, data_of, windows = read_arguments(argparse.ArgumentParser(description=__doc__))
    window = windows[given.window]
    score = Scorer(data_of(window), window)
    print(f"{given.data} {given.window}: pairs, higher is better")
    fitted = score.fitted(())
    for kind in () if fitted.mixture is None else fitted.mixture.kinds:
        spread = kind.level / kind.shape**0.5
        print(
            f"  {kind.share:.1%} of pairs stand out, {kind.level:.1f} ± {spread:.1f} times as high"
        )
    show("category and product lifts alone", score.of(score.plain))
    show("one gamma for all pairs", score.of(replace(fitted, mixture=None)))
    for label, left_out in LEFT_OUT.items():
        show(label, score.of(score.fitted(left_out) if left_out else fitted))
    score = Scorer(data_of(window), window, customers=False)
    show("customers unknown", score.of(score.fitted(())))
    data = data_of(window)
    relations = score_relations(data.for_pairs, data.features, *window)
    print(f"which of {relations['pairs']:,} pairs come together at all: log loss, area under curve")
    for method in ("together_before", "relation_model", "learned"):
        found = relations[method]
        print(f"  {method.replace('_', ' '):34s}{found['log_loss']:8.4f}{found['auc']:8.4f}")


def show(label: str, score: float) -> None:
    """One line of the table."""
    print(f"  {label:34s}{score:8.4f}", flush=True)


class Scorer:
    """A window's pairs, and the score of a prior on them."""

    def __init__(
        self, data: HeldOutData, weeks: tuple[int, int, int], *, customers: bool = True
    ) -> None:
        first, split, end = weeks
        orders, n = data.for_pairs, data.for_pairs.n_products
        panel = weekly_panel(orders, first, split)
        self.features = replace(data.features, price=panel.usual_price())
        self.purchase = fit_purchase(
            panel,
            panel.usual_price(),
            np.zeros(n),
            np.zeros(n),
            self.features.category,
            self.features.n_categories,
            horizon=end - split,
        ).probability
        self.baskets, self.weeks = orders.baskets(), weeks
        self.customer = orders.customer if customers else np.full(orders.n_visits, -1)
        self.affinity = fit_affinity(self.baskets, self.features, first, split, self.customer)
        train, test = (
            window_of(self.baskets, self.customer, *ends) for ends in ((first, split), (split, end))
        )
        self.a, self.b = np.triu_indices(n, 1)
        self.orders, self.later = (
            joint_orders(w, np.arange(n))[self.a, self.b] for w in (train, test)
        )
        self.expected = self.affinity.expected(self.a, self.b)
        self.test_visits = float(test.visits.sum())
        self.words = title_words(self.features.title)
        lift = self.affinity.prior.features.lift.of(self.a, self.b)
        some = (self.expected > 0) & (np.arange(len(self.a)) % 16 == 0)
        self.strength, _ = fitted_strength(self.orders[some], (self.expected * lift)[some])
        self.plain = plain_prior(self.affinity.prior.features, self.strength)

    def fitted(self, left_out: tuple[str, ...]) -> LiftPrior:
        """The prior fitted as ``fit_affinity`` does, some features left out."""
        first, split, _ = self.weeks
        inner = split - max(round((split - first) / 4), 1)
        early, late = (
            window_of(self.baskets, self.customer, *ends)
            for ends in ((first, inner), (inner, split))
        )
        plain = self._plain(early)
        plain = replace(plain, features=Without(plain.features, left_out))
        pairs = later_pairs(early, late, self.affinity.half_life).sold()
        whole = Without(self.affinity.prior.features, left_out)
        return carried_prior(fitted_prior(plain, pairs), whole)  # pyright: ignore

    def of(self, prior: LiftPrior) -> float:
        """Log-likelihood per joint basket of the weeks held out."""
        affinity: Affinity = replace(self.affinity, prior=prior)
        lift = affinity.lift(self.a, self.b, self.orders, self.expected)
        psi, _, _ = odds_at_base(affinity, self.a, self.b, self.expected, lift)
        joint = joint_probability(self.purchase[self.a], self.purchase[self.b], psi)
        mean = np.maximum(joint * self.test_visits, 1e-9)
        return float((self.later @ np.log(mean) - mean.sum()) / self.later.sum())

    def _plain(self, window: Window) -> LiftPrior:
        known = self.features
        rates = smoothed_rates(window.counts, window.visits, self.affinity.half_life)
        lift = fit_category_lift(
            window.baskets, window.members, rates, window.visits, known.category, known.n_categories
        )
        graph = fit_graph_filter(window.purchases())
        bought = window.counts.any(axis=1)
        return plain_prior(pair_features(lift, graph, known, self.words, bought), self.strength)


if __name__ == "__main__":
    main()
