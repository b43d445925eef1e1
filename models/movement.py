"""Do odds ratios hold as purchase rates move, or lifts? Two hypotheses on the same 2×2 tables.

As a price cut raises the rate of one product, its joint purchases with another follow
J = C_ψ(q_a, q_b) with the same ψ if the Plackett copula holds, and J = λ·q_a·q_b if lifts do.

A lift multiplied with *observed* rates would be no fair rival. If chance brings a few buyers more
than usual, joint purchases follow with a constant odds ratio whatever the truth: given its margins,
a 2×2 table depends on nothing else (Fisher 1935, The logic of inductive inference, J. R. Stat.
Soc. 98, 39-54). So both hypotheses are read at the margins as they were seen, and differ in the
odds ratio that they claim for the week: ψ, or that of a table with J = λ·q_a·q_b at the rates
behind the margins (``weekly_rates``), so that chance does not count as movement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .affinity import highest_joint, lowest_joint
from .copula import joint_probability, odds_ratio_of
from .weekly_rates import weekly_rates

_LEVEL_ROUNDS = 4  # of scaling to the totals of weeks and of pairs, which are all but orthogonal
_NEWTON_ROUNDS = 20
_NEWTON_STEP = 1e-4

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ties:
    """(pairs,) products, lift λ and odds ratio ψ; λ and ψ say the same at the level learned on."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    lift: Array
    odds_ratio: Array

    def take(self, keep: NDArray[np.bool_]) -> Ties:
        """The pairs marked true."""
        return Ties(self.first[keep], self.second[keep], self.lift[keep], self.odds_ratio[keep])


@dataclass(frozen=True, slots=True)
class Tables:
    """2×2 tables of pairs by week.

    Attributes
    ----------
    visits
        (weeks,) visits, > 0.
    bought
        (products, weeks) visits that bought each product.
    together
        (weeks, pairs) visits that bought both.
    """

    visits: Array
    bought: Array
    together: Array


def compare_movement(
    ties: Ties, tables: Tables, among: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Any]:
    """How well each hypothesis shares out the joint orders of a pair over the weeks.

    Each pair's total over the weeks, and each week's total over the pairs (trips are larger in
    some weeks), are given to both: only the movement within a pair differs.

    Parameters
    ----------
    tables
        with joint orders of every pair and in every week.
    among
        name -> (weeks, pairs) pair-weeks to report on.

    Returns
    -------
    lifts_bounded
        pair-weeks in which a constant lift is no possible probability and is held at the limit.
    each name of ``among``
        ``pair_weeks``, of those marked the ones in which both products sold; the mean Poisson
        deviance of ``constant_lift`` and ``copula``, lower is better; their ``difference``
        (negative where the copula is better) with its ``standard_error`` clustered by week and
        ``standard_error_two_way`` by week and by product; ``better``, where the difference is
        beyond two standard errors by week; and ``movement`` with ``movement_error``: κ in
        μ ∝ μ_lift·(μ_copula/μ_lift)^κ, 0 where lifts are constant and 1 where odds ratios are;
        None where the two hypotheses say the same.
    """
    copula, lift, bounded = _expected_together(ties, tables)
    sold = lift > 0
    together = tables.together
    deviance = {
        name: _deviance(together, _levelled(model, together), sold)
        for name, model in (("constant_lift", lift), ("copula", copula))
    }
    change = deviance["copula"] - deviance["constant_lift"]
    found: dict[str, Any] = {"lifts_bounded": bounded}
    for name, marked in among.items():
        part = marked & sold
        count = int(part.sum())
        found[name] = {"pair_weeks": count}
        if not count:
            continue
        difference = float(change[part].mean())
        centred = np.where(part, change - difference, 0.0)
        error, two_way = (value / count for value in clustered_errors(ties, centred))
        movement, movement_error = _movement(together, copula, lift, part)
        decided = abs(difference) > 2 * error
        found[name] |= {
            **{model: float(values[part].mean()) for model, values in deviance.items()},
            "difference": difference,
            "standard_error": error,
            "standard_error_two_way": two_way,
            "better": ("copula" if difference < 0 else "constant lift") if decided else "undecided",
            "movement": movement,
            "movement_error": movement_error,
        }
    return found


def _expected_together(ties: Ties, tables: Tables) -> tuple[Array, Array, int]:
    """(weeks, pairs) expected joint orders at the margins seen, by ψ and by λ; 0 where one of the
    products did not sell. And in how many of them λ had to be bounded."""
    most = 1 - 1 / (tables.visits + 2)  # bought in every visit is not certain (``affinity``)
    rates = np.minimum(weekly_rates(tables.bought, tables.visits), most)
    copula, lift = np.zeros_like(tables.together), np.zeros_like(tables.together)
    bounded = 0
    for row, visits in enumerate(tables.visits.tolist()):
        of_first, of_second = tables.bought[ties.first, row], tables.bought[ties.second, row]
        sold = (of_first > 0) & (of_second > 0)
        u, v = of_first[sold] / visits, of_second[sold] / visits
        copula[row, sold] = visits * joint_probability(u, v, ties.odds_ratio[sold])
        q_a, q_b = rates[ties.first[sold], row], rates[ties.second[sold], row]
        joint = ties.lift[sold] * q_a * q_b
        low, high = lowest_joint(q_a, q_b, visits), highest_joint(q_a, q_b, visits)
        claimed = odds_ratio_of(q_a, q_b, np.clip(joint, low, high))
        lift[row, sold] = visits * joint_probability(u, v, claimed)
        bounded += int(((joint < low) | (joint > high)).sum())
    return copula, lift, bounded


def _levelled(expected: Array, together: Array) -> Array:
    """Expected joint orders scaled, in turn, to the totals of each week and of each pair."""
    mu = expected
    for _ in range(_LEVEL_ROUNDS):
        mu = mu * (together.sum(axis=1) / mu.sum(axis=1))[:, None]
        mu = mu * (together.sum(axis=0) / mu.sum(axis=0))
    return mu


def _deviance(seen: Array, mu: Array, sold: NDArray[np.bool_]) -> Array:
    """2[y·log(y/μ) − (y − μ)], 0 where one of the two products did not sell."""
    some = seen > 0
    ratio = np.divide(seen, mu, out=np.ones_like(seen), where=some)
    return np.where(sold, 2 * (seen * np.log(ratio) - (seen - mu)), 0.0)


def clustered_errors(ties: Ties, centred: Array) -> tuple[float, float]:
    """Standard errors of a sum over pair-weeks: clustered by week; by week and by product.

    By week and product: var(week) + var(product) − var(both) (Cameron, Gelbach and Miller 2011,
    Robust inference with multiway clustering, J. Bus. Econ. Stat. 29, 238-249), where two
    pair-weeks are of one cluster if the pairs share a product: Σ S_product² counts a pair with
    itself twice, so Σ S_pair² goes (Aronow, Samii and Assenova 2015, Cluster-robust variance
    estimation for dyadic data, Political Analysis 23, 564-577).
    """
    weeks = len(centred)
    small_sample = weeks / (weeks - 1)
    by_week = float((centred.sum(axis=1) ** 2).sum()) * small_sample
    products = int(max(ties.first.max(), ties.second.max())) + 1
    of_product = np.stack(
        [
            np.bincount(ties.first, row, products) + np.bincount(ties.second, row, products)
            for row in centred
        ]
    )
    by_product = float((of_product.sum(axis=0) ** 2).sum() - (centred.sum(axis=0) ** 2).sum())
    by_both = float((of_product**2).sum() - (centred**2).sum())
    # the estimate of the difference of variances may fall below that by week alone
    return by_week**0.5, max(by_week + by_product - by_both, by_week) ** 0.5


def _movement(
    together: Array, copula: Array, lift: Array, among: NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    """κ of μ ∝ μ_lift·(μ_copula/μ_lift)^κ by maximum likelihood, and its error clustered by week.

    Given the totals of weeks and pairs, the score is Σ (y − μ)·z with z the log ratio of the two
    models, less its means by week and by pair, weighted by μ.
    """
    ratio = np.log(np.divide(copula, lift, out=np.ones_like(lift), where=lift > 0))
    weeks, kappa, error = len(lift), 0.0, float("nan")
    for _ in range(_NEWTON_ROUNDS):
        mu = _levelled(lift * np.exp(kappa * ratio), together)
        z = ratio
        for _ in range(_LEVEL_ROUNDS):
            z = z - ((mu * z).sum(axis=1) / mu.sum(axis=1))[:, None]
            z = z - (mu * z).sum(axis=0) / mu.sum(axis=0)
        z = np.where(among, z, 0.0)
        information = float((mu * z * z).sum())
        if information <= 0:
            return None, None
        of_week = ((together - mu) * z).sum(axis=1)
        error = float((of_week**2).sum() * weeks / (weeks - 1)) ** 0.5 / information
        step = float(of_week.sum()) / information
        kappa += step
        if abs(step) < _NEWTON_STEP:
            break
    return kappa, error
