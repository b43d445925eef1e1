"""A search that starts from the plans of other scenarios, and from what they prove."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .engines.interface import EngineSettings, Interrupt
from .engines.solve import solve_program
from .offers import Offers
from .plan import Plan
from .program import Program

_SHARE = 0.05  # of the time limit, for joining plans; as much as auto gives its own first try

Bundles = tuple[tuple[tuple[int, ...], int], ...]
"""A plan: the products of each bundle (catalogue indices, ascending) and its price in cents."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of a problem before it is searched.

    Attributes
    ----------
    plans
        of the same or of similar problems.
    bound
        what no plan is worth more than, as plan.json has it; None where nothing is known.
    """

    plans: tuple[Bundles, ...] = ()
    bound: float | None = None


def bundles_of(plan: Plan) -> Bundles:
    """The bundles of a plan."""
    rows = zip(plan.offers["products"], plan.offers["bundle_price"], strict=True)
    return tuple((tuple(sorted(map(int, products))), int(price)) for products, price in rows)


def start_values(
    program: Program,
    offers: Offers,
    plans: tuple[Bundles, ...],
    settings: EngineSettings,
    *,
    known_bound: float | None = None,
    interrupt: Interrupt | None = None,
) -> NDArray[np.float64] | None:
    """(columns,) the best assignment over the bundles of some plans; None where there is none.

    A small integer program over those bundles at all their levels, with every row of the program:
    a plan that keeps the rules comes back as good or better, one that does not comes back mended,
    and of several plans the best parts are joined (as in crossover; Rothberg 2007). A plan within
    the gap of ``known_bound`` is taken as it is.
    """
    bundles = {products for plan in plans for products, _ in plan}
    rows = _rows_of(offers, bundles) if bundles else np.zeros(0, dtype=np.int64)
    if len(rows) == 0:
        return None
    columns = np.concatenate([rows, np.arange(len(offers), program.n_columns)])
    small = program.take(columns)
    first = None
    for plan in plans:
        values = _as_planned(offers, rows, plan, len(columns))
        if small.is_feasible(values) and _better(small, values, first):
            first = values
    limited = replace(settings, engine="auto", time_limit=_SHARE * settings.time_limit)
    found = solve_program(
        small, limited, start=first, known_bound=known_bound, interrupt=interrupt
    ).values
    if found is None:
        return None
    values = np.zeros(program.n_columns)
    values[columns] = found
    return values


def _rows_of(offers: Offers, bundles: set[tuple[int, ...]]) -> NDArray[np.int64]:
    """The offers of these bundles, at every level."""
    held = np.array(sorted({product for bundle in bundles for product in bundle}), dtype=np.int32)
    near = np.flatnonzero(np.all(np.isin(offers.products, held) | (offers.products < 0), axis=1))
    return np.array([row for row in near if offers.bundle(int(row)) in bundles], dtype=np.int64)


def _as_planned(
    offers: Offers, rows: NDArray[np.int64], plan: Bundles, n_columns: int
) -> NDArray[np.float64]:
    """(small columns,) the plan as it was; bundles that are no longer offered are left out."""
    wanted = set(plan)
    values = np.zeros(n_columns)
    for place, row in enumerate(rows):
        if (offers.bundle(int(row)), int(offers.bundle_price[row])) in wanted:
            values[place] = 1.0
    return values


def _better(
    program: Program, values: NDArray[np.float64], than: NDArray[np.float64] | None
) -> bool:
    return than is None or program.objective(values) > program.objective(than)
