"""Scoring 1 million pairs at 8 levels: the kernel against NumPy, and how exact it is.

    python -m benchmarks.scoring

NumPy runs the same formulas with the same quadrature (tests/solver/numpy_scoring.py), in chunks
that fit its cache, and gives the same figures. Products are drawn to look like the Complete
Journey's: rare, of many prices, median odds ratio 4.4.
"""

from __future__ import annotations

import os
import time

import numpy as np
from bundlewise.models.copula import joint_probability
from bundlewise.solver.candidates import CandidatePairs
from bundlewise.solver.posterior import NODES, truncated_normal_nodes
from bundlewise.solver.scoring_kernel import ProductTable, Scores, Terms, score_pairs
from bundlewise.solver.shares import offer_shares
from numpy.typing import NDArray

from tests.solver.numpy_scoring import numpy_scores
from tests.solver.reference_shares import PairCase, reference_shares

N_PAIRS, N_PRODUCTS, N_LEVELS = 1_000_000, 20_000, 8
SEED = 20_180_101
REPEATS = 3
TARGET = 15.0  # times faster than NumPy
Problem = tuple[CandidatePairs, NDArray[np.int64], ProductTable, Terms]


def main() -> None:
    """Print speed at one and at several posterior nodes, then accuracy."""
    print(f"{N_PAIRS:,} pairs, {N_LEVELS} levels, all outputs, {os.cpu_count()} cores")
    _speed(make_problem(N_PAIRS, 1), REPEATS)
    _speed(make_problem(N_PAIRS // 10, NODES), REPEATS)
    _accuracy_of_the_triangle(2_000)
    _accuracy_of_the_expectation(2_000)


def make_problem(n_pairs: int, n_nodes: int) -> Problem:
    """Pairs, discounts, products and terms from a fixed seed."""
    random = np.random.default_rng(SEED)
    q = np.exp(random.normal(np.log(1e-3), 1.2, N_PRODUCTS)).clip(1e-6, 0.3)
    price = np.exp(random.normal(np.log(300), 0.7, N_PRODUCTS)).round().clip(50)
    location, scale = random.gamma(4.0, 0.5, N_PRODUCTS), random.uniform(0.2, 1.0, N_PRODUCTS)
    scale = scale if n_nodes > 1 else 0.0 * scale
    nodes, weight = truncated_normal_nodes(location, scale, np.full(N_PRODUCTS, 8.0), n_nodes)
    first = random.integers(0, N_PRODUCTS - 1, n_pairs).astype(np.int32)
    second = random.integers(first + 1, N_PRODUCTS, dtype=np.int32)
    psi = np.exp(random.normal(np.log(4.4), 1.0, n_pairs))
    joint = joint_probability(q[first], q[second], psi)
    table = ProductTable(
        probability=q,
        price=price,
        funding=np.zeros(N_PRODUCTS),
        gain=0.3 * price,
        reach=price,
        rate=nodes / price[:, None],
        weight=weight,
    )
    total = price[first] + price[second]
    discount = np.rint(total[:, None] * np.linspace(0.05, 0.4, N_LEVELS)).astype(np.int64)
    pairs = CandidatePairs(first, second, joint, psi, np.zeros(n_pairs, dtype=np.bool_))
    return pairs, discount, table, Terms(1.0, 30_000.0, 1.0, 0.0, 0)


def _speed(problem: Problem, repeats: int) -> None:
    pairs, discount, table, _ = problem
    start = time.perf_counter()
    score_pairs(pairs.take(slice(0, 10)), discount[:10], *problem[2:])
    first_call = time.perf_counter() - start
    kernel, ours = _best(score_pairs, problem, repeats)
    numpy, theirs = _best(numpy_scores, problem, 1)
    flow = theirs.bundle_units * discount
    for name in Scores._fields:
        scale = flow if name in ("value", "incremental_margin") else getattr(theirs, name)
        difference = np.abs(getattr(ours, name) * 1.0 - getattr(theirs, name))
        assert (difference <= 1e-9 * np.abs(scale)).all(), name
    print(
        f"{len(pairs):9,} pairs, posterior nodes {table.rate.shape[1]}: kernel {kernel:6.3f} s "
        f"({1e9 * kernel / discount.size:.0f} ns an offer; first call {first_call:.2f} s), "
        f"NumPy {numpy:6.2f} s, {numpy / kernel:.1f} times (target {TARGET:.0f}), same figures"
    )


def _best(function, problem: Problem, repeats: int) -> tuple[float, Scores]:
    times, scores = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        scores = function(*problem)
        times.append(time.perf_counter() - start)
    return min(times), scores


def _accuracy_of_the_triangle(n: int) -> None:
    """Errors of T against adaptive quadrature, for typical pairs and for the whole range."""
    pairs, discount, table, _ = make_problem(n, 1)
    level = np.arange(n) % N_LEVELS
    a, b = pairs.first, pairs.second
    eta = np.stack([table.rate[a, 0] * table.price[a], table.rate[b, 0] * table.price[b]], axis=1)
    typical = _cases(
        np.stack([table.probability[a], table.probability[b]], axis=1),
        eta,
        pairs.odds_ratio,
        np.stack([table.price[a], table.price[b]], axis=1),
        discount[np.arange(n), level].astype(np.float64),
    )
    random = np.random.default_rng(SEED)
    price = np.exp(random.normal(0.0, 1.0, (n, 2)))
    extreme = _cases(
        np.exp(random.uniform(np.log(1e-6), np.log(0.9), (n, 2))),
        random.uniform(0.05, 8.0, (n, 2)),
        np.exp(random.uniform(np.log(0.05), np.log(1000.0), n)),
        price,
        price.sum(axis=1) * random.uniform(0.005, 0.6, n),
    )
    for name, cases in (("typical pairs", typical), ("ψ 0.05 to 1000, q to 0.9", extreme)):
        found = offer_shares(
            np.array([case.q for case in cases]),
            np.array([case.psi for case in cases]),
            np.array([case.eta for case in cases]),
            np.array([case.price for case in cases]),
            np.array([case.reach for case in cases]),
            np.array([case.discount for case in cases]),
        )
        exact = np.array([reference_shares(case) for case in cases])
        error = np.abs(found / exact - 1.0)
        middle, most, worst = np.quantile(error[:, 3], [0.5, 0.99, 1.0])
        print(
            f"T against adaptive quadrature, {name}: median error {middle:.0e}, "
            f"99 % below {most:.0e}, worst {worst:.0e}; other rows, worst {error[:, :3].max():.0e}"
        )


def _cases(q, eta, psi, price, discount) -> list[PairCase]:
    return [
        PairCase(tuple(q[k]), tuple(eta[k]), psi[k], tuple(price[k]), discount[k])
        for k in range(len(psi))
    ]


def _accuracy_of_the_expectation(n: int) -> None:
    """Errors of the units of an offer with few nodes a product against many."""
    fine = score_pairs(*make_problem(n, 24))
    for n_nodes in (1, 2, 3, 4, 5):
        if n_nodes == 1:
            # one Gauss node is the posterior mean
            problem = make_problem(n, 2)
            mean = (problem[2].rate * problem[2].weight).sum(axis=1, keepdims=True)
            table = problem[2]._replace(rate=mean, weight=np.ones_like(mean))
            problem = (*problem[:2], table, problem[3])
        else:
            problem = make_problem(n, n_nodes)
        start = time.perf_counter()
        found = score_pairs(*problem)
        seconds = time.perf_counter() - start
        error = np.abs(found.added_first / fine.added_first - 1.0)
        print(
            f"added units with {n_nodes} nodes of η: 99 % of errors below "
            f"{np.quantile(error, 0.99):.0e}, worst {error.max():.0e}; "
            f"{1e9 * seconds / error.size:.0f} ns an offer{' (used)' if n_nodes == NODES else ''}"
        )


if __name__ == "__main__":
    main()
