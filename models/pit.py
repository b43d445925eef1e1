"""Are counts where their predictive distributions put them: the probability integral transform.

With F the predictive distribution and y what happened, u = F(y − 1) + v·[F(y) − F(y − 1)], v
uniform, is uniform if F is right (Smith 1985, Diagnostic checks of non-standard time series
models, J. Forecast. 4; Brockwell 2007, Universal residuals, Stat. Probab. Lett. 77). Counts are
small here, and a plain 90 % interval of a true Poisson model covers 96–99 % of them; u has no such
trouble. What is reported is the mean over v instead of one draw of it (Czado, Gneiting and Held
2009, Predictive model assessment for count data, Biometrics 65): the same without its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincc, polygamma

BINS = 10
# The most that the distribution of u may be off, where it can be told from flat at all: no central
# interval then covers more than 10 points too few or too many.
LIMIT = 0.05
VERDICTS = ("flat", "within limits", "not flat")
EXPECTED_EDGES = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, np.inf)

_GRID = np.linspace(0.0, 1.0, 2 * BINS + 1)
_RESAMPLES = 200
_CONFIDENCE = 0.95
_SEED = 1
_LEAST_COUNTS = 50  # fewer make no group


@dataclass(frozen=True, slots=True)
class Predicted:
    """Counts and what was predicted of them: negative binomial, Poisson where shape is inf.

    Attributes
    ----------
    seen
        (counts,) what happened.
    mean
        (counts,) > 0.
    shape
        (counts,) of the gamma that the rate varies with; variance = mean + mean²/shape.
    row, column
        (counts,) codes of what the count belongs to, such as its product and its week: counts
        that share one are not independent.
    crossed
        whether rows and columns are the same things (the two products of a pair).
    """

    seen: NDArray[np.float64]
    mean: NDArray[np.float64]
    shape: NDArray[np.float64]
    row: NDArray[np.integer]
    column: NDArray[np.integer]
    crossed: bool = False

    def take(self, chosen: NDArray) -> Predicted:
        return Predicted(
            self.seen[chosen],
            self.mean[chosen],
            self.shape[chosen],
            self.row[chosen],
            self.column[chosen],
            self.crossed,
        )


def transform(predicted: Predicted) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(counts,) F(y − 1) and F(y), between which u is uniform."""
    return _cdf(predicted, predicted.seen - 1), _cdf(predicted, predicted.seen)


def randomised(
    low: NDArray[np.float64], high: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """(counts,) one draw of u each."""
    return low + generator.random(len(low)) * (high - low)


def share_below(
    low: NDArray[np.float64], high: NDArray[np.float64], level: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(counts, levels) P(u <= level) of each count, over v."""
    width = np.maximum(high - low, 1e-300)[:, None]
    return np.clip((level[None, :] - low[:, None]) / width, 0.0, 1.0)


def calibration_of(predicted: Predicted) -> dict[str, Any]:
    """How flat u is, by groups of what was expected.

    Returns
    -------
    limit
        the distance up to which a group is within limits.
    verdict
        that of the worst group.
    groups
        a list, each of the counts between ``expected_from`` and ``expected_to``:
        ``counts``; ``histogram``, the shares of u in ten equal bins, 0.1 each when flat, and
        ``histogram_spread``, their standard errors; ``inside_90``, the share of u in the 90 %
        interval; ``distance``, the largest difference of the distribution of u from uniform
        (Kolmogorov); ``noise``, what a true model stays within 95 times in 100, given how the
        counts hang together; ``verdict``: "flat" where the distance is within that noise, "within
        limits" up to ``limit``, else "not flat".
    """
    low, high = transform(predicted)
    groups = []
    for least, most in pairwise(EXPECTED_EDGES):
        inside = np.flatnonzero((predicted.mean >= least) & (predicted.mean < most))
        if len(inside) >= _LEAST_COUNTS:
            part = _flatness(predicted.take(inside), low[inside], high[inside])
            ends = {"expected_from": least, "expected_to": most if np.isfinite(most) else None}
            groups.append({**ends, **part})
    found = [str(group["verdict"]) for group in groups]
    worst = max(found, key=VERDICTS.index) if found else None
    return {"limit": LIMIT, "verdict": worst, "groups": groups}


def shape_of_log_spread(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…) shape of the gamma whose logarithm has this standard deviation: trigamma(k) = spread²."""
    variance = np.maximum(np.asarray(spread, dtype=float) ** 2, 1e-12)
    shape = 1 / variance + 0.5  # near enough for large shapes; Newton on 1/trigamma, near linear
    shape = np.where(variance > 2, 1 / np.sqrt(variance), shape)
    for _ in range(8):
        value = np.asarray(polygamma(1, shape))
        step = value * (1 - value / variance) / np.asarray(polygamma(2, shape))
        shape = np.maximum(shape + step, 1e-6)
    return shape


def resampled(
    predicted: Predicted, values: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """(resamples, columns of values) means of values when rows and columns are drawn again.

    A count is drawn as often as its row times its column are: the pigeonhole bootstrap (Owen
    2007, Ann. Appl. Stat. 1), which errs towards too much noise.
    """
    rows, row = np.unique(predicted.row, return_inverse=True)
    columns, column = np.unique(predicted.column, return_inverse=True)
    if predicted.crossed:
        both, at = np.unique(np.append(predicted.row, predicted.column), return_inverse=True)
        rows, row, column = both, at[: len(row)], at[len(row) :]
    means = np.empty((_RESAMPLES, values.shape[1]))
    for draw in range(_RESAMPLES):
        times = _drawn(len(rows), generator)
        other = times if predicted.crossed else _drawn(len(columns), generator)
        weight = times[row] * other[column]
        means[draw] = weight @ values / max(weight.sum(), 1e-300)
    return means


def _drawn(n: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(n,) how often each of n things is drawn in n draws; once each where there is only one."""
    return np.bincount(generator.integers(0, n, n), minlength=n).astype(float)


def _flatness(
    predicted: Predicted, low: NDArray[np.float64], high: NDArray[np.float64]
) -> dict[str, Any]:
    shares = share_below(low, high, _GRID)
    below = shares.mean(axis=0)
    distance = float(np.abs(below - _GRID).max())
    draws = resampled(predicted, shares, np.random.default_rng(_SEED))
    noise = float(np.quantile(np.abs(draws - below).max(axis=1), _CONFIDENCE))
    flat, within, off = VERDICTS
    verdict = flat if distance <= noise else within if distance <= LIMIT else off
    bins = np.diff(below[::2])
    spread = np.diff(draws[:, ::2], axis=1).std(axis=0)
    return {
        "counts": len(low),
        "histogram": [float(share) for share in bins],
        "histogram_spread": [float(share) for share in spread],
        "seen_over_mean": float(predicted.seen.sum() / predicted.mean.sum()),
        "inside_90": float(below[-2] - below[1]),
        "distance": distance,
        "noise": noise,
        "verdict": verdict,
    }


def _cdf(predicted: Predicted, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(counts,) F(y), 0 below 0. Negative binomial: I_s(shape, y + 1), s = shape/(shape + mean)."""
    mean, shape = predicted.mean, predicted.shape
    at = np.maximum(y, 0.0) + 1.0
    certain = np.isinf(shape)
    k = np.where(certain, 1.0, shape)
    mixed = betainc(k, at, k / (k + mean))
    return np.where(y < 0, 0.0, np.where(certain, gammaincc(at, mean), mixed))
