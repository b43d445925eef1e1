"""The scoring kernel once more in plain NumPy: the same formulas and quadrature, whole arrays.

Tests hold the kernel against it, and ``benchmarks/scoring.py`` measures how much it gains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bundlewise.solver.candidates import CandidatePairs
from bundlewise.solver.scoring_kernel import ProductTable, Scores, Terms
from numpy.typing import NDArray

Array = NDArray[np.float64]
FEW, MANY, PANEL = (np.polynomial.legendre.leggauss(n) for n in (4, 16, 8))


def numpy_scores(
    pairs: CandidatePairs,
    discount: NDArray[np.int64],
    table: ProductTable,
    terms: Terms,
    chunk: int = 8_192,
) -> Scores:
    """What ``score_pairs`` returns."""
    parts = [
        _score_chunk(pairs.take(slice(k, k + chunk)), discount[k : k + chunk], table, terms)
        for k in range(0, len(pairs), chunk)
    ]
    return Scores(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _score_chunk(
    pairs: CandidatePairs, discount: NDArray[np.int64], table: ProductTable, terms: Terms
) -> Scores:
    row, level = np.nonzero(discount)
    a, b, money_off = pairs.first[row], pairs.second[row], discount[row, level].astype(np.float64)
    joint, psi = pairs.joint_probability[row], pairs.odds_ratio[row]
    best = _accounts(a, b, joint, psi, money_off, table, terms, capped=False)
    deep = np.flatnonzero(money_off > np.minimum(table.reach[a], table.reach[b]))
    careful = _accounts(
        a[deep], b[deep], joint[deep], psi[deep], money_off[deep], table, terms, capped=True
    )
    by = 1 if terms.objective == 3 else 0
    smaller = careful[by] < best[by][deep]
    for column, careful_column in zip(best, careful, strict=True):
        column[deep[smaller]] = careful_column[smaller]
    is_capped = np.zeros(len(row), dtype=bool)
    is_capped[deep[smaller]] = True
    out = [np.zeros(discount.shape) for _ in best] + [np.zeros(discount.shape, dtype=bool)]
    for column, values in zip(out, [*best, is_capped], strict=True):
        column[row, level] = values
    return Scores(*out)


def _accounts(
    a: Any,
    b: Any,
    joint: Array,
    psi: Array,
    discount: Array,
    table: ProductTable,
    terms: Terms,
    *,
    capped: bool,
) -> list[Array]:
    reach = np.minimum(table.price, table.reach) if capped else table.price
    adds2, adds1, both = numpy_rows(
        table.probability[a], table.probability[b], psi, table.rate[a], table.rate[b],
        table.weight[a], table.weight[b], reach[a], reach[b], discount,
    )  # fmt: skip
    subsidised = terms.visits * terms.subsidy * joint
    added1, added2 = terms.visits * (adds1 + both), terms.visits * (adds2 + both)
    bundles = subsidised + terms.visits * (adds1 + adds2 + both)
    margin = added1 * table.gain[a] + added2 * table.gain[b] - terms.offer_cost
    margin += bundles * (table.funding[a] + table.funding[b] - discount / terms.net)
    revenue = added1 * table.price[a] + added2 * table.price[b] - bundles * discount
    affinity = table.probability[a] * table.probability[b] * np.log(joint)
    value = [margin, revenue / terms.net, added1 + added2, affinity][terms.objective].copy()
    return [value, margin, bundles, subsidised, added1, added2]


def numpy_rows(
    q1: Array,
    q2: Array,
    psi: Array,
    rate1: Array,
    rate2: Array,
    weight1: Array,
    weight2: Array,
    reach1: Array,
    reach2: Array,
    discount: Array,
) -> tuple[Array, Array, Array]:
    """What ``expected_rows`` returns, for many offers; rates and weights are (offers, nodes)."""
    cut1, cut2 = np.minimum(discount, reach1), np.minimum(discount, reach2)
    adds1, adds2, both = np.zeros((3, len(discount)))
    steps2 = [lift(q2, rate2[:, m] * cut2) for m in range(rate2.shape[1])]
    for m, step2 in enumerate(steps2):
        adds2 += weight2[:, m] * step2 * mean_slope(q1, q2, step2, psi)
    for k in range(rate1.shape[1]):
        step1 = lift(q1, rate1[:, k] * cut1)
        adds1 += weight1[:, k] * step1 * mean_slope(q2, q1, step1, psi)
        for m, step2 in enumerate(steps2):
            both += (
                weight1[:, k]
                * weight2[:, m]
                * _triangle(
                    q1, q2, psi, rate1[:, k], rate2[:, m], step1, step2, cut1, cut2, discount
                )
            )
    return adds2, adds1, both


def _triangle(
    q1: Array, q2: Array, psi: Array, rate1: Array, rate2: Array,
    step1: Array, step2: Array, cut1: Array, cut2: Array, discount: Array,
) -> Array:  # fmt: skip
    start = np.minimum(np.maximum(discount - cut2, 0.0), cut1)
    possible = (cut1 > 0) & (cut2 > 0)
    total = np.zeros(len(discount))
    corner = np.flatnonzero(possible & (start > 0))
    c = corner
    total[c] = rectangle(q1[c], q2[c], lift(q1[c], rate1[c] * start[c]), step2[c], psi[c])
    top = np.maximum(q1 + step1, q2 + step2)
    tied = (psi > 1) & (psi * top >= 1)
    span = np.maximum(rate1, rate2) * (cut1 - start)
    few = (top < 0.5) & (span < 3)
    some = (top < 0.5) & (span >= 3) & (span < 9)
    open_ = possible & (start < cut1)
    rules = ((few, FEW), (some, PANEL), (~few & ~some, MANY))
    for kind, rule in rules:
        k = np.flatnonzero(open_ & kind & ~tied)
        middle, half = 0.5 * (start[k] + cut1[k]), 0.5 * (cut1[k] - start[k])
        for x, w in zip(*rule, strict=True):
            s = middle + half * x
            total[k] += (
                w * half * _density(q1[k], q2[k], psi[k], rate1[k], rate2[k], s, discount[k])
            )
    k = np.flatnonzero(open_ & tied & (rate1 > 0) & (rate2 > 0))
    total[k] += _tied(
        q1[k], q2[k], psi[k], rate1[k], rate2[k], start[k], cut1[k], discount[k]
    )  # fmt: skip
    return total


def _tied(
    q1: Array, q2: Array, psi: Array, rate1: Array, rate2: Array,
    start: Array, end: Array, discount: Array,
) -> Array:  # fmt: skip
    apart = np.log(q2 / (1 - q2)) - np.log(q1 / (1 - q1))
    low, high = start - 10 * (end - start), end + 10 * (end - start)
    on = np.clip(apart / rate1, low, high)
    off = np.clip((apart + rate2 * discount) / (rate1 + rate2), low, high)
    g_off = np.minimum(q1 + lift(q1, rate1 * np.maximum(off, 0)), 1 - 1e-12)
    middle = np.clip(0.5 * (on + off), start, end)
    total = np.zeros(len(discount))
    for lo, hi, switch, g, rate in (
        (start, middle, on, q2, rate1),
        (middle, end, off, g_off, rate1 + rate2),
    ):
        variance = g * (1 - g)
        width = (2 * np.sqrt(variance / (psi - 1)) + 1 / (psi - 1)) / variance / rate
        y_low, y_high = np.arcsinh((lo - switch) / width), np.arcsinh((hi - switch) / width)
        for x, w in zip(*PANEL, strict=True):
            y = 0.5 * (y_low + y_high) + 0.5 * (y_high - y_low) * x
            s = np.clip(switch + width * np.sinh(y), lo, hi)
            density = _density(q1, q2, psi, rate1, rate2, s, discount)
            total += 0.5 * (y_high - y_low) * w * density * width * np.cosh(y)
    return total


def _density(
    q1: Array, q2: Array, psi: Array, rate1: Array, rate2: Array, s: Array, discount: Array
) -> Array:
    u, step = q1 + lift(q1, rate1 * s), lift(q2, rate2 * (discount - s))
    before, after = root(u, q2, psi), root(u, q2 + step, psi)
    slope = (psi * q2 - (psi - 1) * joint(u, q2, psi)) / before
    mean = mean_slope(u, q2, step, psi)
    return step / after * tilt(psi, slope, mean, mean) * rate1 * u * (1 - u)


def lift(q: Array, t: Array) -> Array:
    m = np.expm1(t)
    return q * (1 - q) * m / (1 + q * m)


def root(u: Array, v: Array, psi: Array) -> Array:
    excess, high, low = psi - 1, np.maximum(u, v), np.minimum(u, v)
    tied = (1 + excess * (high - low)) ** 2 + 4 * excess * low * (1 - high)
    return np.sqrt(
        np.where(excess > 0, tied, (1 + excess * (u + v)) ** 2 - 4 * psi * excess * u * v)
    )


def joint(u: Array, v: Array, psi: Array) -> Array:
    s, r = 1 + (psi - 1) * (u + v), root(u, v, psi)
    plain = 2 * psi * u * v / np.where(s >= 0, s + r, 1)
    return np.where(s >= 0, plain, 0.5 * (s - r) / np.where(s >= 0, 1, psi - 1))


def mean_slope(u: Array, v: Array, step: Array, psi: Array) -> Array:
    numerator = psi * u - (psi - 1) * joint(u, v, psi)
    return 2 * numerator / (root(u, v, psi) + root(u, v + step, psi) + (psi - 1) * step)


def tilt(psi: Array, a: Array, b: Array, b_after: Array) -> Array:
    tied = 1 + (psi - 1) * ((1 - a) * (1 - b) + a * b_after)
    return np.where(psi >= 1, tied, psi + (1 - psi) * (b * (1 - a) + a * (1 - b_after)))


def rectangle(u: Array, v: Array, step_u: Array, step_v: Array, psi: Array) -> Array:
    along_u = mean_slope(v, u, step_u, psi)
    along_v, along_v_after = mean_slope(u, v, step_v, psi), mean_slope(u + step_u, v, step_v, psi)
    scale = root(u, v + step_v, psi) + root(u + step_u, v + step_v, psi) + (psi - 1) * step_u
    return 2 * step_u * step_v / scale * tilt(psi, along_u, along_v, along_v_after)
