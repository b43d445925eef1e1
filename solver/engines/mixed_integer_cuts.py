"""Mixed-integer rounding cuts from the rows of an optimal basis (Gomory 1960), for all columns.

With the basis matrix B of the binding rows and a basic column p that is fractional, the
multipliers λ with Bᵀλ = e_p add the rows up to Σ_j α_j·x_j + Σ_i λ_i·s_i = β, where the slacks
s_i of rows on their upper side enter with λ_i, of rows on their lower side with −λ_i. Columns at
their upper bound are complemented, and mixed-integer rounding (``cuts.rounded``) gives

    Σ_j F(α_j)·x_j + Σ_i F(λ_i)·s_i <= ⌊β⌋

with F of a continuous column for slacks that need not be whole. The slacks put in again, what is
left depends on a column by its entries in the rows alone, so the cut holds for columns that were
not in the relaxation. It would be valid for any λ: rounding errors in λ cannot spoil it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from ..program import ROW_TOLERANCE, Program
from .cuts import NEGLIGIBLE, Cut, rounded, without_noise
from .linear import Basis

_FRACTIONAL = 0.02  # columns nearer to a whole number give no cut
_SMALLEST_FRACTION = 0.01
_EFFICACY = 1e-3  # violation per unit length of a cut
_PARALLEL = 0.9  # cuts whose cosine is above this say the same
_LARGEST = 1e4
_FEW, _DENSE = 100, 0.1  # a cut over more columns than this, and share of all, slows down more
_TINY = 1e-11
_MULTIPLES = (1.0, 2.0)  # of a row of the tableau, each rounded


@dataclass(frozen=True, slots=True)
class _Tableau:
    """The binding rows of a basis, and everything about them that cuts need."""

    matrix: sparse.csc_array  # (binding rows, columns)
    number: NDArray[np.int64]  # row or group
    group: NDArray[np.bool_]
    side: NDArray[np.float64]
    sign: NDArray[np.float64]  # of the slack: 1 at the upper side, -1 at the lower
    equal: NDArray[np.bool_]
    whole: NDArray[np.bool_]  # whether the slack takes whole values only
    tolerance: NDArray[np.float64]  # how far below 0 the slack may be
    at_upper: NDArray[np.bool_]  # (columns,) which are complemented
    bound: NDArray[np.float64]  # (columns,) where they rest


def mixed_integer_cuts(
    program: Program,
    whole_row: NDArray[np.bool_],
    row_tolerance: NDArray[np.float64],
    values: NDArray[np.float64],
    basis: Basis,
    ones: int,
    most: int,
) -> list[Cut]:
    """Cuts that the relaxation's basic solution violates, the deepest first.

    Parameters
    ----------
    program
        the restricted program of the relaxation.
    whole_row
        (rows,) whether its slack takes whole values only, for all columns.
    row_tolerance
        (rows,) what an assignment of all columns may be over a side and still keep the row.
    values, basis
        (columns,) the basic solution, and what it rests on.
    ones
        how many columns can be other than 0 together, at most.
    most
        cuts wanted.
    """
    basic = np.flatnonzero(basis.basic_columns())
    tableau = _tableau(program, whole_row, row_tolerance, values, basis)
    if tableau is None or len(basic) != len(tableau.side):
        return []
    distance = np.abs(values[basic] - np.round(values[basic]))
    rows = np.flatnonzero((distance > _FRACTIONAL) & program.integral[basic])
    if len(rows) == 0:
        return []
    rows = rows[np.argsort(-distance[rows], kind="stable")[: 2 * most]]
    unit = np.zeros((len(basic), len(rows)))
    unit[rows, np.arange(len(rows))] = 1.0
    try:
        multipliers = splu(tableau.matrix[:, basic].tocsc()).solve(unit, "T")  # pyright: ignore[reportCallIssue]
    except RuntimeError:  # singular in floating point
        return []
    multipliers[np.abs(multipliers) < _TINY] = 0.0
    found = []
    sums = np.asarray(tableau.matrix.T @ multipliers)
    for k, multiple in product(range(len(rows)), _MULTIPLES):
        cut = _rounded_row(
            program,
            tableau,
            values,
            multiple * multipliers[:, k],
            multiple * sums[:, k],
            ones,
        )
        if cut is not None:
            found.append(cut)
    return _deepest(found, most)


def _tableau(
    program: Program,
    whole_row: NDArray[np.bool_],
    row_tolerance: NDArray[np.float64],
    values: NDArray[np.float64],
    basis: Basis,
) -> _Tableau | None:
    binding = np.flatnonzero(basis.binding_rows())
    m, n = program.n_rows, program.n_columns
    grouped = np.flatnonzero(program.group >= 0)
    groups = sparse.coo_array(
        (np.ones(len(grouped)), (program.group[grouped], grouped)), shape=(program.n_groups, n)
    )
    matrix = sparse.vstack([program.matrix(), groups]).tocsr()[binding].tocsc()
    lower = np.concatenate([program.row_lower, np.where(program.group_exact, 1.0, -np.inf)])
    upper = np.concatenate([program.row_upper, np.ones(program.n_groups)])
    lower, upper = lower[binding], upper[binding]
    activity = np.asarray(matrix @ values)
    full = np.abs(upper - activity) <= np.abs(activity - lower)
    side = np.where(full, upper, lower)
    if not np.all(np.isfinite(side)):
        return None
    is_group = binding >= m
    number = np.where(is_group, binding - m, binding)
    whole = np.ones(len(binding), dtype=bool)
    whole[~is_group] = whole_row[binding[~is_group]]
    tolerance = np.zeros(len(binding))
    tolerance[~is_group] = row_tolerance[binding[~is_group]]
    at_upper = basis.at_upper() | (program.integral & (values > program.upper - 1e-6))
    at_upper &= ~basis.basic_columns() & np.isfinite(program.upper)
    return _Tableau(
        matrix=matrix,
        number=number,
        group=is_group,
        side=side,
        sign=np.where(full, 1.0, -1.0),
        equal=lower == upper,
        whole=whole,
        tolerance=tolerance,
        at_upper=at_upper,
        bound=np.where(at_upper, program.upper, program.lower),
    )


def _rounded_row(
    program: Program,
    tableau: _Tableau,
    values: NDArray[np.float64],
    multiplier: NDArray[np.float64],
    alpha: NDArray[np.float64],
    ones: int,
) -> tuple[float, NDArray[np.float64], Cut] | None:
    """Efficacy, coefficients over the restricted program, and the cut; None where it is weak."""
    integral, at_upper, bound = program.integral, tableau.at_upper, tableau.bound
    moving = alpha != 0
    if not np.all(np.isfinite(bound[moving])):
        return None
    resting = np.where(moving, bound, 0.0)
    right = float(multiplier @ tableau.side) - float(alpha @ resting)
    floor = np.floor(right)
    fraction = float(right - floor)
    if not _SMALLEST_FRACTION <= fraction <= 1 - _SMALLEST_FRACTION:
        return None
    entering = multiplier * tableau.sign
    gamma = _rounded(entering, fraction, tableau.whole)
    slack = np.where(tableau.equal, 0.0, gamma) * tableau.sign
    coefficient = np.where(
        at_upper, -_rounded(-alpha, fraction, integral), _rounded(alpha, fraction, integral)
    )
    side = floor + float(coefficient @ resting) - float(slack @ tableau.side)
    coefficient = coefficient - np.asarray(tableau.matrix.T @ slack)
    scale = float(np.abs(coefficient).max(initial=0.0))
    if scale == 0.0 or scale > _LARGEST:
        return None
    coefficient = _without_noise(coefficient / scale, program.lower, program.upper)
    if np.count_nonzero(coefficient) > _FEW + _DENSE * len(coefficient):
        return None
    # what rows may be over their sides, rounding errors, and what ``without_noise`` leaves out
    share = np.abs(slack) + np.abs(multiplier) / min(fraction, 1 - fraction)
    tolerance = float(share @ tableau.tolerance)
    side = (side + tolerance) / scale + ROW_TOLERANCE + NEGLIGIBLE * ones
    violation = float(coefficient @ values) - side
    efficacy = violation / float(np.sqrt(coefficient @ coefficient))
    if violation < _EFFICACY or efficacy < _EFFICACY:
        return None
    used = multiplier != 0
    cut = Cut(
        row=tableau.number[used],
        group=tableau.group[used],
        multiplier=multiplier[used],
        slack=slack[used],
        fraction=fraction,
        side=side,
        scale=scale,
        complemented=np.flatnonzero(at_upper & moving),
    )
    return efficacy, coefficient, cut


@njit(cache=True)
def _rounded(
    alpha: NDArray[np.float64], fraction: float, whole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    value = np.empty(len(alpha))
    for j in range(len(alpha)):
        value[j] = rounded(alpha[j], fraction, whole[j])
    return value


@njit(cache=True)
def _without_noise(
    coefficient: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> NDArray[np.float64]:
    value = np.empty(len(coefficient))
    for j in range(len(coefficient)):
        value[j] = without_noise(coefficient[j], lower[j], upper[j])
    return value


def _deepest(found: list[tuple[float, NDArray[np.float64], Cut]], most: int) -> list[Cut]:
    """The cuts of greatest efficacy, no two of them nearly parallel."""
    found.sort(key=lambda entry: -entry[0])
    chosen: list[NDArray[np.float64]] = []
    cuts = []
    for _, coefficient, cut in found:
        direction = coefficient / np.sqrt(coefficient @ coefficient)
        if all(abs(direction @ other) < _PARALLEL for other in chosen):
            chosen.append(direction)
            cuts.append(cut)
        if len(cuts) == most:
            break
    return cuts
