"""Reliability: of what was said to be this probable, how much happened?"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

_RESAMPLES = 100
_LEAST_EXPECTED = 5.0  # a bin of fewer expected counts shows nothing but chance, and one of
_LEAST_ROWS = 10  # fewer things to draw again has no interval to believe
_SEED = 1


def reliability(
    seen: NDArray[np.floating],
    mean: NDArray[np.floating],
    exposure: NDArray[np.floating] | float,
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    *,
    crossed: bool = False,
) -> list[dict[str, float]]:
    """Predicted and observed probability by bins of the predicted one, two bins a decade.

    Parameters
    ----------
    seen, mean
        (counts,) what happened and what was expected.
    exposure
        (counts,) or one for all: the visits of each.
    row, column, crossed
        (counts,) codes from 0 of what each belongs to; ``crossed`` where both are the same kind.

    Returns
    -------
    list
        of each bin ``counts``, ``predicted`` and ``observed`` probability per visit, and the ends
        ``low`` and ``high`` of the 90 % interval of the observed one, by the pigeonhole bootstrap
        (Owen 2007): rows and columns drawn again, since what shares one is not independent.
    """
    if not len(mean):
        return []
    exposure = np.broadcast_to(np.asarray(exposure, dtype=float), mean.shape)
    bins = np.floor(2 * np.log10(mean / exposure)).astype(np.int64)
    least = int(bins.min())
    bins -= least
    n_bins = int(bins.max()) + 1
    generator = np.random.default_rng(_SEED)
    by_row = _times(generator, int(row.max()) + 1)
    by_column = by_row if crossed else _times(generator, int(column.max()) + 1)
    code = bins.astype(np.int8)
    sums = _weighted_sums(by_row, by_column, row, column, code, n_bins, seen, mean)
    once = np.ones((1, by_row.shape[1])), np.ones((1, by_column.shape[1]))
    happened, expected = _weighted_sums(*once, row, column, code, n_bins, seen, mean)[0]
    total = np.bincount(bins, exposure, minlength=n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    found = []
    for k in np.flatnonzero(expected >= _LEAST_EXPECTED):
        if len(np.unique(row[bins == k])) < _LEAST_ROWS:
            continue
        predicted = expected[k] / total[k]
        drawn = sums[:, 1, k] > 0
        ratio = sums[drawn, 0, k] / sums[drawn, 1, k]
        low, high = np.quantile(ratio, [0.05, 0.95]) * predicted
        found.append(
            {
                "counts": int(counts[k]),
                "predicted": float(predicted),
                "observed": float(happened[k] / total[k]),
                "low": float(low),
                "high": float(high),
            }
        )
    return found


def _times(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    """(resamples, n) how often each of n things is drawn in n draws."""
    return generator.multinomial(n, np.full(n, 1 / n), _RESAMPLES).astype(float)


@njit(cache=True, parallel=True)
def _weighted_sums(by_row, by_column, row, column, bins, n_bins, seen, mean):
    """(resamples, 2, bins) sums of ``seen`` and of ``mean``, weighted by row times column."""
    out = np.zeros((len(by_row), 2, n_bins))
    for draw in prange(len(by_row)):
        for i in range(len(seen)):
            weight = by_row[draw, row[i]] * by_column[draw, column[i]]
            if weight > 0.0:
                out[draw, 0, bins[i]] += weight * seen[i]
                out[draw, 1, bins[i]] += weight * mean[i]
    return out
