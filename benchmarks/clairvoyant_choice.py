"""The study's own planner: the best set of disjoint bundles under given values of the offers.

It is the program of a plan with the study's rules, a number of bundles and one bundle a product,
solved by the project's engines; where the values come from is up to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GAP = 0.001  # that of the project's solve
_MOST_PAIRS = 5_000  # with the highest values; a plan holds the best twenty-five or so


@dataclass(frozen=True, slots=True)
class Chosen:
    """Offers of a plan.

    Attributes
    ----------
    pairs
        (bundles, 2) product indices.
    discount
        (bundles,) cents off.
    promised
        the sum of the values that they were chosen for; nan where they were not chosen by value.
    """

    pairs: NDArray[np.int64]
    discount: NDArray[np.int64]
    promised: float = float("nan")

    def __len__(self) -> int:
        return len(self.pairs)

    def take(self, rows: NDArray) -> Chosen:
        """The offers at these positions."""
        return Chosen(self.pairs[rows], self.discount[rows])


def discounts(
    reference_price: NDArray[np.int64], pairs: NDArray[np.int64], levels: tuple[float, ...]
) -> NDArray[np.int64]:
    """(pairs, levels) cents off; 0 where the bundle would cost no more than one product."""
    each = reference_price[pairs]
    total = each.sum(axis=1)[:, None]
    price = np.rint(total * (1 - np.array(levels))).astype(np.int64)
    return np.where(price > each.max(axis=1)[:, None], total - price, 0)


def best_plan(
    pairs: NDArray[np.int64], discount: NDArray[np.int64], value: Floats, bundles: int
) -> Chosen:
    """The plan of the highest value: each product in one bundle, each bundle at one level.

    Parameters
    ----------
    discount, value
        (pairs, levels) cents off, and what the offer is worth; below 0 it is never made.
    """
    level = np.argmax(np.where(discount > 0, value, -np.inf), axis=1)
    everything = np.arange(len(pairs))
    best = np.where(discount[everything, level] > 0, value[everything, level], -np.inf)
    kept = np.argsort(-best, kind="stable")[:_MOST_PAIRS]
    kept = kept[best[kept] > 0]
    if not len(kept):
        return Chosen(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), 0.0)
    builder = ProgramBuilder(best[kept])
    column = np.arange(len(kept))
    builder.add_row("bundle-count", column, 1.0, upper=bundles)
    product, row = np.unique(pairs[kept].ravel(), return_inverse=True)
    builder.add_rows(
        [f"product-exposure[{name}]" for name in product],
        row.ravel(),
        np.repeat(column, 2),
        np.ones(2 * len(kept)),
        lower=np.full(len(product), -np.inf),
        upper=np.ones(len(product)),
    )
    settings = EngineSettings(gap=_GAP, time_limit=60.0, threads=1)
    solution = solve_program(builder.build(), settings)
    assert solution.values is not None, "the study's programs are easy: every engine solves them"
    chosen = kept[solution.values > 0.5]
    return Chosen(pairs[chosen], discount[chosen, level[chosen]], float(best[chosen].sum()))


def first_disjoint(
    pairs: NDArray[np.int64], order: NDArray[np.int64], bundles: int
) -> NDArray[np.int64]:
    """The first pairs in this order that share no product with one before: their rows."""
    used: set[int] = set()
    rows: list[int] = []
    for row in order:
        first, second = (int(product) for product in pairs[row])
        if first not in used and second not in used:
            used |= {first, second}
            rows.append(int(row))
            if len(rows) == bundles:
                break
    return np.array(rows, dtype=np.int64)
