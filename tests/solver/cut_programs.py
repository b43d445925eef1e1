"""Random small programs of every kind of row, and all their feasible assignments, for cuts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from bundlewise.solver.program import ROW_TOLERANCE, Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

_FAR = 1e4  # stands for the end of a column without an upper bound


def cut_program(seed: int, columns: int = 10, *, within: float = 0.9) -> Program:
    """A feasible program whose sides are often met exactly, or to the tolerance only.

    Parameters
    ----------
    within
        how much of the tolerance it takes to keep some rows.

    Notes
    -----

    Groups, exact or not; counts of 1 to 5; knapsacks with sides of 0.03, 3 and 3,000, some below
    a count of the same columns; ranges, lower sides, equalities, coefficients of both signs; a
    whole column from -1 to 3 at times, and continuous ones, of which no row holds two.
    """
    random = np.random.default_rng(seed)
    planted = (random.random(columns) < random.uniform(0.1, 0.4)).astype(np.float64)
    group, exact = _groups(random, planted)
    lower, upper, integral = np.zeros(columns), np.ones(columns), np.ones(columns, dtype=bool)
    if random.random() < 0.5:
        lower, upper = np.append(lower, -1.0), np.append(upper, 3.0)
        integral, group = np.append(integral, True), np.append(group, -1)
        planted = np.append(planted, float(random.integers(-1, 4)))
    whole = len(planted)
    n_continuous = int(random.integers(0, 3))
    lower = np.append(lower, random.choice([0.0, -1.5], n_continuous))
    upper = np.append(upper, random.choice([0.7, 2.0, np.inf], n_continuous))
    integral = np.append(integral, np.zeros(n_continuous, dtype=bool))
    group = np.append(group, np.full(n_continuous, -1))
    planted = np.append(planted, random.uniform(0, 0.7, n_continuous))
    value = random.normal(10, 10, len(planted)).round(int(random.integers(0, 3)))
    value[whole:] = -np.abs(value[whole:])
    builder = ProgramBuilder(
        value, group=group, group_exact=exact, lower=lower, upper=upper, integral=integral
    )
    for i in range(int(random.integers(2, 8))):
        _add_row(builder, i, random, planted, columns, within)
    if random.random() < 0.4:
        _add_products(builder, random, planted, columns)
    return builder.build()


def _add_products(
    builder: ProgramBuilder,
    random: np.random.Generator,
    planted: NDArray[np.float64],
    binaries: int,
) -> None:
    """Columns as pairs of five products, each in as many pairs as are planted."""
    pairs = np.array([random.permutation(5)[:2] for _ in range(binaries)])
    for k in range(5):
        which = np.flatnonzero((pairs == k).any(axis=1))
        if len(which):
            most = max(planted[which].sum(), 1.0)
            builder.add_row(f"product {k}", which, 1.0, upper=float(most))


def _groups(
    random: np.random.Generator, planted: NDArray[np.float64]
) -> tuple[NDArray[np.int64], list[bool]]:
    """Groups of two or three of some columns; the planted assignment is made to keep them."""
    n = len(planted)
    group = np.arange(n) // int(random.integers(2, 4))
    group[int(random.integers(0, n + 1)) :] = -1
    exact = []
    for g in range(int(group.max(initial=-1)) + 1):
        members = np.flatnonzero(group == g)
        exact.append(bool(random.random() < 0.3))
        if planted[members].sum() != 1 and (exact[-1] or planted[members].sum() > 1):
            planted[members] = 0.0
            planted[random.choice(members)] = 1.0
    return group, exact


def _add_row(
    builder: ProgramBuilder,
    i: int,
    random: np.random.Generator,
    planted: NDArray[np.float64],
    binaries: int,
    within: float,
) -> None:
    """A row that the planted assignment keeps."""
    kind = str(random.choice(["count", "knapsack", "margin", "range", "equality", "lower", "all"]))
    which = np.flatnonzero(random.random(binaries) < (1.0 if kind == "all" else 0.6))
    if len(which) == 0:
        return
    scale = float(random.choice([0.01, 1.0, 1000.0]))
    if kind in ("count", "all"):
        builder.add_row(f"count {i}", which, 1.0, upper=max(planted[which].sum(), 1.0))
        return
    coefficient = random.exponential(scale, len(which))
    if random.random() < 0.5:
        coefficient = np.ceil(2 * coefficient / scale) * scale / 2
    if kind == "knapsack":
        if random.random() < 0.4:
            most = max(planted[which].sum(), 1.0)
            builder.add_row(f"count {i}", which, 1.0, upper=float(most))
    elif random.random() < 0.5:
        coefficient *= random.choice([-1.0, 1.0], len(which))
    extra = np.arange(binaries, len(planted))
    if kind != "knapsack" and len(extra) and random.random() < 0.6:
        # no row holds two continuous columns, so that each has a range of its own
        which = np.append(which, random.choice(extra))
        coefficient = np.append(coefficient, scale * random.choice([-1.0, 0.5, 1.0]))
    at = float(coefficient @ planted[which])
    room = float(random.choice([0.0, 2.0])) * random.exponential(scale)
    if kind == "knapsack" and at == 0.0:
        room = 1.5 * scale
    short = within * ROW_TOLERANCE * max(1.0, abs(at)) * float(random.integers(0, 2))
    if kind == "equality":
        shift = random.choice([-1.0, 1.0]) * short
        builder.add_row(f"{kind} {i}", which, coefficient, lower=at + shift, upper=at + shift)
        return
    sides = {"upper": at + room - short, "lower": at - random.exponential(scale) + short}
    if sides["lower"] > sides["upper"]:
        sides["lower"] = sides["upper"]
    if kind == "knapsack":
        del sides["lower"]
    elif kind == "lower":
        del sides["upper"]
    builder.add_row(f"{kind} {i}", which, coefficient, **sides)


def feasible_points(program: Program, tolerance: float = ROW_TOLERANCE) -> NDArray[np.float64]:
    """(points, columns) every feasible assignment; of continuous columns the ends of the range."""
    choices = [
        np.arange(low, high + 1) if whole else np.zeros(1)
        for low, high, whole in zip(program.lower, program.upper, program.integral, strict=True)
    ]
    points = np.stack([g.ravel() for g in np.meshgrid(*choices, indexing="ij")], axis=1)
    for g in range(program.n_groups):
        count = points[:, program.group == g].sum(axis=1)
        points = points[(count == 1) if program.group_exact[g] else (count <= 1)]
    matrix = program.matrix().toarray()
    room = tolerance * np.maximum(1.0, _size(program.row_upper))
    roof = program.row_upper + room - points @ matrix.T
    floor = program.row_lower - tolerance * np.maximum(1.0, _size(program.row_lower))
    floor = floor - points @ matrix.T
    continuous = np.flatnonzero(~program.integral)
    held = matrix[:, continuous] != 0
    assert np.all(held.sum(axis=1) <= 1), "a row with two continuous columns"
    fine = np.all((roof >= 0) & (floor <= 0) | held.any(axis=1), axis=1)
    ends = []
    for k, j in enumerate(continuous):
        a = matrix[held[:, k], j]
        one, other = floor[:, held[:, k]] / a, roof[:, held[:, k]] / a
        least = np.minimum(one, other).max(axis=1, initial=program.lower[j])
        most = np.maximum(one, other).min(axis=1, initial=min(program.upper[j], _FAR))
        fine &= least <= most
        ends.append((least, most))
    corners = []
    for side in product((0, 1), repeat=len(continuous)):
        corner = points[fine].copy()
        for k, j in enumerate(continuous):
            corner[:, j] = ends[k][side[k]][fine]
        corners.append(corner)
    return np.concatenate(corners)


def excess(program: Program, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows,) how far a row's upper side is overstepped at most."""
    activity = points @ program.matrix().toarray().T
    return (activity - program.row_upper).max(axis=0, initial=-np.inf)


def some_columns(
    program: Program, random: np.random.Generator, share: float = 0.6
) -> NDArray[np.int64]:
    """Some of the binary columns, and all others, as in restricted relaxations."""
    binary = program.integral & (program.lower == 0) & (program.upper == 1)
    return np.flatnonzero(~binary | (random.random(program.n_columns) < share))


def with_value(program: Program, value: NDArray[np.float64]) -> Program:
    return replace(program, value=value)


def _size(side: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(side), np.abs(side), 1.0)
