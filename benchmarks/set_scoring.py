"""Scoring 20,000 triples at 8 levels: the kernel against NumPy, and against the cost of pairs.

    python -m benchmarks.set_scoring

NumPy runs the same formulas with the same quadrature (tests/solver/numpy_scoring.py), in chunks
that fit its cache, and gives the same figures. Products are those of benchmarks/scoring.py; a
triple's pairs are tied as pairs are there, and its own probability is that of pairs that large
trips tie.
"""

from __future__ import annotations

import os
import time
from itertools import combinations

import numpy as np
from bundlewise.models.copula import joint_probability, odds_ratio_of
from bundlewise.models.set_closure import bounded, closure
from bundlewise.solver.candidate_sets import CandidateSets
from bundlewise.solver.posterior import NODES
from bundlewise.solver.scoring_kernel import ProductTable, Terms, score_pairs
from bundlewise.solver.set_kernel import SetScores, score_sets
from numpy.typing import NDArray

from tests.solver.numpy_scoring import lift, mean_slope, numpy_rows

from .scoring import N_LEVELS, SEED, make_problem

N_TRIPLES = 20_000
CHUNK = 4_096
REPEATS = 3
Problem = tuple[CandidateSets, NDArray[np.int64], ProductTable, Terms]


def main() -> None:
    """Print the seconds of both, and of as many pairs by their own kernel."""
    pairs = make_problem(N_TRIPLES, NODES)
    problem = make_triples(pairs[2], pairs[3])
    score_sets(problem[0].take(slice(0, 10)), problem[1][:10], *problem[2:])
    kernel, ours = _best(lambda: score_sets(*problem), REPEATS)
    numpy, theirs = _best(lambda: numpy_sets(*problem), 1)
    for name in ("bundle_units", "subsidised_units", "added"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8)
    of_pairs, _ = _best(lambda: score_pairs(*pairs), REPEATS)
    offers = problem[1].size
    print(
        f"{N_TRIPLES:,} triples, {N_LEVELS} levels, posterior nodes {NODES}, {os.cpu_count()} "
        f"cores: kernel {kernel:.2f} s ({1e6 * kernel / offers:.1f} µs an offer, "
        f"{N_TRIPLES / kernel:,.0f} triples a second), NumPy {numpy:.1f} s, "
        f"{numpy / kernel:.1f} times, same figures; as many pairs {of_pairs:.2f} s"
    )


def make_triples(table: ProductTable, terms: Terms) -> Problem:
    """Triples of these products with consistent probabilities, from a fixed seed."""
    random = np.random.default_rng(SEED)
    n_products = len(table.probability)
    products = np.sort(random.integers(0, n_products, (2 * N_TRIPLES, 3)), axis=1).astype(np.int32)
    products = products[(np.diff(products, axis=1) > 0).all(axis=1)][:N_TRIPLES]
    joint = np.ones((len(products), 8))
    for place in range(3):
        joint[:, 1 << place] = table.probability[products[:, place]]
    for a, b in combinations(range(3), 2):
        psi = np.exp(random.normal(np.log(4.4), 1.0, len(products)))
        joint[:, 1 << a | 1 << b] = joint_probability(joint[:, 1 << a], joint[:, 1 << b], psi)
    joint[:, 7], _ = bounded(0.6 * closure(joint), joint, 1e9)
    total = table.price[products].sum(axis=1)
    discount = np.rint(total[:, None] * np.linspace(0.05, 0.4, N_LEVELS)).astype(np.int64)
    forced = np.zeros(len(products), dtype=np.bool_)
    return CandidateSets(products, joint, forced), discount, table, terms


def numpy_sets(
    sets: CandidateSets, discount: NDArray[np.int64], table: ProductTable, terms: Terms
) -> SetScores:
    """What ``score_sets`` returns, but for value and margin; no response is capped here."""
    parts = [
        _chunk(sets.take(slice(k, k + CHUNK)), discount[k : k + CHUNK], table, terms)
        for k in range(0, len(sets), CHUNK)
    ]
    return SetScores(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _chunk(
    sets: CandidateSets, discount: NDArray[np.int64], table: ProductTable, terms: Terms
) -> SetScores:
    n, size = sets.products.shape
    whole = (1 << size) - 1
    level_of = np.tile(np.arange(discount.shape[1]), n)
    row = np.repeat(np.arange(n), discount.shape[1])
    off, joint = discount[row, level_of].astype(np.float64), sets.table[row]
    held = sets.products[row]
    rate, weight, price = table.rate[held], table.weight[held], table.price[held]
    added = np.zeros((len(off), size))
    taking = np.zeros(len(off))
    for a in range(size):
        others, q = joint[:, whole ^ 1 << a], joint[:, 1 << a]
        psi, cut = odds_ratio_of(others, q, joint[:, whole]), np.minimum(off, price[:, a])
        for k in range(rate.shape[2]):
            step = lift(q, rate[:, a, k] * cut)
            share = weight[:, a, k] * step * mean_slope(others, q, step, np.asarray(psi))
            added[:, a] += share
            taking += share
    for a, b in combinations(range(size), 2):
        apart = whole ^ 1 << a ^ 1 << b
        given = joint[:, apart]
        u, v = joint[:, apart | 1 << a] / given, joint[:, apart | 1 << b] / given
        psi = np.asarray(odds_ratio_of(u, v, joint[:, whole] / given))
        _, _, both = numpy_rows(
            u, v, psi, rate[:, a], rate[:, b], weight[:, a], weight[:, b],
            price[:, a], price[:, b], off,
        )  # fmt: skip
        added[:, [a, b]] += (given * both)[:, None]
        taking += given * both
    shape = discount.shape
    subsidised = terms.visits * terms.subsidy * joint[:, whole]
    return SetScores(
        value=np.zeros(shape),
        incremental_margin=np.zeros(shape),
        bundle_units=(subsidised + terms.visits * taking).reshape(shape),
        subsidised_units=subsidised.reshape(shape),
        added=(terms.visits * added).reshape(*shape, size),
        capped=np.zeros(shape, dtype=np.bool_),
    )


def _best(function, repeats: int) -> tuple[float, SetScores]:
    times, found = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - start)
    return min(times), found


if __name__ == "__main__":
    main()
