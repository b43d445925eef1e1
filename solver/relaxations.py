"""How far the limit of one rule has to move, the others staying, until a plan exists."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..instances.instance import Instance
from .accounts import margin_above
from .engines.interface import Clock, EngineSettings
from .engines.solve import solve_program
from .last_week import steps_of
from .offers import Offers
from .program import Program
from .solution import Solution, Status

_GAP = 1e-5  # relative gap of amounts that are not whole numbers
_SIGN = 0.5  # relative gap that settles the sign of an objective
_FEW_STEPS = 5  # of a margin, from which on it is raised step by step
SHARE_STEP = 1e-4  # margins are told to within so much


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What of one rule would have to give.

    Attributes
    ----------
    rule
        its name.
    alone
        whether a plan exists without the rule; None where time did not suffice to tell.
    side
        "lower" or "upper": which limit moves; None where the rule has no number.
    enough
        the limit (as in the program: counts, cents, units, shares) at which a plan was found.
    no_less
        the nearest limit that was not ruled out; None where nothing was.
    missing
        of a stock rule, product (catalogue index) -> units missing; of a price floor, column of
        an offer -> cents it is sold below it. ``enough`` and ``no_less`` are their sum.
    """

    rule: str
    alone: bool | None
    side: str | None = None
    enough: float | None = None
    no_less: float | None = None
    missing: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """An infeasible program and what it was made from.

    Attributes
    ----------
    offers
        the first columns of the program.
    program
        filters are rows of it: Σ x over what they reject <= 0.
    blocked
        filter's name -> columns it rejects.
    stock_left
        (products,) units bundles may add; the program's rows hold 0 where it is negative.
    rebuild
        makes the program for other limits.
    """

    instance: Instance
    offers: Offers
    program: Program
    blocked: dict[str, NDArray[np.int64]]
    stock_left: NDArray[np.float64]
    rebuild: Callable[[Instance], Program]


def cheapest_relaxations(case: Case, rule: str, seconds: float) -> list[Relaxation]:
    """The least change of one rule that makes the program feasible, all other rules staying.

    What moves is the rule's number in the scenario file or the tables: a count, the budget, the
    stock of products, a margin, a price floor. A rule without a number can only be dropped. One
    that has two numbers, of which either helps, gives two changes.
    """
    return _Relaxing(case, rule, Clock(seconds)).relaxations()


class _Relaxing:
    def __init__(self, case: Case, rule: str, clock: Clock) -> None:
        self.case, self.rule, self.clock = case, rule, clock
        self.program = case.program
        self.rows = np.flatnonzero(np.array([name == rule for name in self.program.row_rule]))

    def relaxations(self) -> list[Relaxation]:
        kinds = {self.program.row_kind[row] for row in self.rows}
        return self._stability() if kinds == {"stability"} else [self._relaxation(kinds)]

    def _relaxation(self, kinds: set[str]) -> Relaxation:
        if kinds == {"product-exposure"}:
            return self._product_exposure()
        if kinds == {"stock"}:
            return self._stock()
        if len(self.rows) == 1:
            one_row = {
                "bundle-count": self._row,
                "discount-budget": self._row,
                "category-limit": self._row,
                "brand-limit": self._row,
                "clearance": self._row,
                "plan-margin": self._plan_margin,
                "bundle-margin": self._bundle_margin,
                "min-price": self._min_price,
            }
            method = one_row.get(kinds.pop())
            if method is not None:
                return method()
        return self._dropped(self._opened(self.program))

    def _dropped(self, program: Program) -> Relaxation:
        """Whether a plan exists without the rule."""
        return self._unmoved(self._solve(replace(program, value=np.zeros(program.n_columns))))

    def _unmoved(self, solution: Solution) -> Relaxation:
        """What a solution without the rule says of it."""
        alone = True if solution.values is not None else None
        return Relaxation(self.rule, False if solution.status is Status.INFEASIBLE else alone)

    def _row(self) -> Relaxation:
        """One row: the most (or least) it can add up to; of two sides, the one that moves less."""
        row, program = int(self.rows[0]), self.program
        if program.row_kind[row] == "bundle-count":
            program = self._with_any_number_of_bundles()
        found = []
        for side, limit in (("lower", program.row_lower[row]), ("upper", program.row_upper[row])):
            if np.isfinite(limit):
                one = self._extreme(program, row, side, float(limit))
                moved = math.inf if one.enough is None else abs(one.enough - limit)
                found.append((moved, one.alone is False, one))
        return min(found, key=lambda entry: entry[:2])[2]

    def _extreme(self, program: Program, row: int, side: str, limit: float) -> Relaxation:
        """With the side open, the row's activity nearest to it: max a·x, or min a·x."""
        coefficient = _row_coefficients(program, row)
        whole = _is_whole(program, coefficient)
        sign = 1.0 if side == "lower" else -1.0
        # an absolute gap below 1 settles a whole number; activities are about as large as limits
        gap = 0.2 / max(abs(limit), 1.0) if whole else _GAP
        opened = self._opened(program, side)
        solution = self._solve(replace(opened, value=sign * coefficient), gap)
        if solution.values is None:
            return self._unmoved(solution)
        enough = float(solution.values @ coefficient)
        if whole:
            enough = round(enough)
        no_less = None
        if solution.bound is not None:
            bound = math.floor(solution.bound + 1e-6) if whole else solution.bound
            no_less = sign * min(bound, sign * limit)
        return Relaxation(self.rule, True, side, enough, no_less)

    def _with_any_number_of_bundles(self) -> Program:
        """The program whose other rows do not depend on ``max_bundles``.

        Stock rows are left out where it keeps them from binding, and rows of a same-level line
        allow as many bundles at a level.
        """
        limits = self.case.instance.scenario.limits
        independent = "same-level" not in self.program.row_kind
        if independent and limits.max_bundles >= limits.max_bundles_per_product:
            return self.program
        most = max(limits.max_bundles, len(self.case.offers))
        program = self.case.rebuild(_with_limits(self.case.instance, max_bundles=most))
        return program.with_sides(*self._sides_of(program))

    def _sides_of(self, program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sides of a rebuilt program, the rule's own being those it has now."""
        lower, upper = program.row_lower.copy(), program.row_upper.copy()
        row = program.row_name.index(self.program.row_name[self.rows[0]])
        lower[row] = self.program.row_lower[self.rows[0]]
        upper[row] = self.program.row_upper[self.rows[0]]
        return lower, upper

    def _product_exposure(self) -> Relaxation:
        """The least number of bundles a product: bisection, since one number limits many rows."""
        now = self.case.instance.scenario.limits.max_bundles_per_product
        most = max(self.case.instance.scenario.limits.max_bundles, now + 1)
        highest = self._with_exposure(most)
        solution = self._solve(replace(highest, value=np.zeros(highest.n_columns)))
        if solution.values is None:
            return self._unmoved(solution)
        offers = self.case.offers
        chosen = offers.take(np.flatnonzero(solution.values[: len(offers)] > 0.5))
        held = np.bincount(chosen.entries()[1])
        refused, enough = now, max(int(held.max(initial=0)), now + 1)
        middle = now + 1  # most often one more is enough
        while enough - refused > 1:
            program = self._with_exposure(middle)
            solution = self._solve(replace(program, value=np.zeros(program.n_columns)))
            if solution.values is not None:
                enough = middle
            elif solution.status is Status.INFEASIBLE:
                refused = middle
            else:
                break
            middle = (refused + enough) // 2
        return Relaxation(self.rule, True, "upper", enough, refused + 1)

    def _with_exposure(self, bundles: int) -> Program:
        changed = _with_limits(self.case.instance, max_bundles_per_product=bundles)
        return self.case.rebuild(changed)

    def _stock(self) -> Relaxation:
        """Fewest units more, over all products: min Σ extra, Σ units·x − extra <= left.

        Where stand-alone demand alone exceeds the stock, that shortage is met first.
        """
        program = self._opened(self.program, filters_only=True)
        rows = np.array(
            [row for row in self.rows if np.isfinite(program.row_upper[row])], dtype=np.int64
        )
        product = self._products_of(rows)
        shortage = np.maximum(-self.case.stock_left[product], 0.0)
        elastic = _with_extra(program, rows, shortage)
        solution = self._solve(elastic, _GAP)
        if solution.values is None:
            return self._unmoved(solution)
        n, m = program.n_columns, len(rows)
        extra = solution.values[n : n + m].copy()
        short = np.flatnonzero(shortage)
        extra[short] += shortage[short] * solution.values[n + m :]
        missing = {int(product[k]): float(extra[k]) for k in np.flatnonzero(extra > 1e-9)}
        no_less = None if solution.bound is None else max(-solution.bound, 0.0)
        return Relaxation(self.rule, True, "upper", float(extra.sum()), no_less, missing)

    def _products_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Catalogue indices of rows named ``stock[product_id]``."""
        ids = self.case.instance.catalogue.product_ids
        position = {str(product): k for k, product in enumerate(ids)}
        names = [self.program.row_name[row] for row in rows]
        at = [position[name[name.index("[") + 1 : -1]] for name in names]
        return np.array(at, dtype=np.int64)

    def _plan_margin(self) -> Relaxation:
        """The highest margin a plan can have, Σ margin·x / Σ net revenue·x (Dinkelbach 1967).

        At a rate t the sign of max Σ (margin − t·net)·x tells whether some plan reaches it.
        """
        instance, offers = self.case.instance, self.case.offers
        margin = margin_above(offers, instance, 0.0)
        net = margin - margin_above(offers, instance, 1.0)
        opened = self._opened(self.program)
        limit = instance.scenario.limits.min_plan_margin or 0.0
        tried, ruled_out, best = limit, limit, -math.inf
        start: NDArray[np.float64] | None = None
        while True:
            value = np.zeros(opened.n_columns)
            value[: len(offers)] = margin - tried * net
            solution = self._solve(replace(opened, value=value), _SIGN, start)
            if solution.bound is not None and solution.bound < 0:
                ruled_out = tried
            if solution.values is not None:
                chosen = solution.values[: len(offers)]
                reached = float(margin @ chosen) / max(float(net @ chosen), 1e-9)
                if reached > best:
                    best, start = reached, solution.values
            if start is None:
                return self._unmoved(solution)
            steps = math.floor(best / SHARE_STEP + 1e-6)
            above = (steps + 1) * SHARE_STEP
            if ruled_out <= above + 1e-9 or tried == above or self.clock.over():
                no_less = ruled_out - SHARE_STEP
                return Relaxation(self.rule, True, "lower", steps * SHARE_STEP, no_less)
            # Newton's steps are short from far below: halve until a rate is reached, then go on
            between = math.floor((ruled_out - above) / SHARE_STEP / 2)
            halve = ruled_out == tried and between > _FEW_STEPS
            tried = above + between * SHARE_STEP if halve else above

    def _bundle_margin(self) -> Relaxation:
        """The highest floor under which a plan exists."""
        floor = self.case.instance.scenario.limits.min_bundle_margin or 0.0
        blocked = self.case.blocked[self.rule]
        shortfall = np.zeros(self.program.n_columns)
        shortfall[blocked] = floor - self.case.offers.margin_rate[blocked]
        found = self._least_excess(self._opened(self.program), shortfall)
        if isinstance(found, Solution):
            return self._unmoved(found)
        return Relaxation(self.rule, True, "lower", floor - found[0], floor - found[1])

    def _stability(self) -> list[Relaxation]:
        """Fewer of last week's bundles, or more levels from last week's; else without both."""
        found: list[Relaxation] = []
        for row in self.rows:
            if self.program.row_name[row] == FILTER_ROW + self.rule:
                found.append(self._max_steps())
            else:
                limit = float(self.program.row_lower[row])
                found.append(self._extreme(self.program, int(row), "lower", limit))
        helpful = [one for one in found if one.alone]
        if helpful or any(one.alone is None for one in found):
            return helpful or found[:1]
        return [self._dropped(self._opened(self.program))] if len(found) > 1 else found

    def _max_steps(self) -> Relaxation:
        """The least number of levels that last week's bundles may move for a plan to exist."""
        blocked = self.case.blocked[self.rule]
        steps = np.zeros(self.program.n_columns)
        steps[blocked] = steps_of(self.case.instance, self.case.offers.take(blocked))
        found = self._least_excess(self._opened(self.program, filters_only=True), steps)
        if isinstance(found, Solution):
            return self._unmoved(found)
        return Relaxation(self.rule, True, "upper", *found)

    def _least_excess(
        self, opened: Program, excess: NDArray[np.float64]
    ) -> tuple[float, float] | Solution:
        """The least e such that columns of an excess of at most e hold a plan, by bisection.

        With it, the nearest that was not ruled out; or the solution that is no plan. The first
        plan has the least total excess; its largest is where bisection begins.
        """
        solution = self._solve(replace(opened, value=-excess), _GAP)
        if solution.values is None:
            return solution
        steps = np.unique(excess[excess > 0])
        high = int(np.searchsorted(steps, (excess * (solution.values > 0.5)).max()))
        low = -1  # steps[low] and less is not enough
        while high - low > 1:
            middle = (low + high) // 2
            kept = np.flatnonzero(excess <= steps[middle])
            part = opened.take(kept)
            solution = self._solve(replace(part, value=-excess[kept]), 1.0)
            if solution.values is not None:
                reached = (excess[kept] * (solution.values > 0.5)).max()
                high = int(np.searchsorted(steps, reached))
            elif solution.status is Status.INFEASIBLE:
                low = middle
            else:
                break
        return float(steps[high]), float(steps[low + 1])

    def _min_price(self) -> Relaxation:
        """The least money by which offers in a plan go below their floors, all together."""
        offers, blocked = self.case.offers, self.case.blocked[self.rule]
        min_price = self.case.instance.catalogue.min_price
        floor = offers.take(blocked).of_products(min_price, 0).sum(axis=1)
        shortfall = np.zeros(self.program.n_columns)
        shortfall[blocked] = floor - offers.bundle_price[blocked]
        solution = self._solve(replace(self._opened(self.program), value=-shortfall), _GAP)
        if solution.values is None:
            return self._unmoved(solution)
        below = np.flatnonzero((shortfall > 0) & (solution.values > 0.5))
        missing = {int(column): float(shortfall[column]) for column in below}
        no_less = None if solution.bound is None else max(-solution.bound, 0.0)
        return Relaxation(self.rule, True, "lower", sum(missing.values()), no_less, missing)

    def _opened(
        self, program: Program, side: str | None = None, *, filters_only: bool = False
    ) -> Program:
        """The program without the rule, or without one side of it, or without its filter's row."""
        lower, upper = program.row_lower.copy(), program.row_upper.copy()
        for row, rule in enumerate(program.row_rule):
            if rule != self.rule:
                continue
            if filters_only and program.row_name[row] != FILTER_ROW + self.rule:
                continue
            lower[row] = -np.inf if side != "upper" else lower[row]
            upper[row] = np.inf if side != "lower" else upper[row]
        return program.with_sides(lower, upper)

    def _solve(
        self, program: Program, gap: float = 0.0, start: NDArray[np.float64] | None = None
    ) -> Solution:
        threads = self.case.instance.scenario.solver.threads
        settings = EngineSettings(gap=gap, time_limit=self.clock.left(), threads=threads)
        return solve_program(program, settings, start=start)


FILTER_ROW = "filter "
"""What the names of rows begin with that stand for a filter."""


def _with_extra(
    program: Program, rows: NDArray[np.int64], shortage: NDArray[np.float64]
) -> Program:
    """min Σ e + Σ shortage·z with Σ a·x − e <= upper in these rows, e <= most·z where short."""
    m, short = len(rows), np.flatnonzero(shortage)
    n, k = program.n_columns, len(short)
    coefficient = np.where(program.coefficient > 0, program.coefficient, 0.0)
    most = np.bincount(program.row, weights=coefficient, minlength=program.n_rows)[rows] + 1.0
    into_rows = sparse.coo_array((-np.ones(m), (rows, np.arange(m))), (program.n_rows, m + k))
    links = sparse.coo_array(
        (
            np.concatenate([np.ones(k), -most[short]]),
            (np.tile(np.arange(k), 2), np.concatenate([short, m + np.arange(k)])),
        ),
        (k, m + k),
    )
    matrix = sparse.block_array([[program.matrix(), into_rows], [None, links]], format="csc")
    matrix.sort_indices()
    names = tuple(f"extra {program.row_name[row]}" for row in rows[short])
    return replace(
        program,
        value=np.concatenate([np.zeros(n), -np.ones(m), -shortage[short]]),
        lower=np.concatenate([program.lower, np.zeros(m + k)]),
        upper=np.concatenate([program.upper, most, np.ones(k)]),
        integral=np.concatenate([program.integral, np.zeros(m, bool), np.ones(k, bool)]),
        group=np.concatenate([program.group, np.full(m + k, -1, dtype=np.int32)]),
        start=matrix.indptr.astype(np.int64),
        row=matrix.indices.astype(np.int32),
        coefficient=matrix.data,
        row_lower=np.concatenate([program.row_lower, np.full(k, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(k)]),
        row_name=program.row_name + names,
        row_rule=program.row_rule + names,
        row_kind=program.row_kind + ("extra",) * k,
    )


def _row_coefficients(program: Program, row: int) -> NDArray[np.float64]:
    """(columns,) the row's coefficients."""
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    here = program.row == row
    coefficients = np.zeros(program.n_columns)
    coefficients[column[here]] = program.coefficient[here]
    return coefficients


def _is_whole(program: Program, coefficient: NDArray[np.float64]) -> bool:
    whole = coefficient == np.round(coefficient)
    return bool(np.all(whole & (program.integral | (coefficient == 0))))


def _with_limits(instance: Instance, **changed: int) -> Instance:
    limits = instance.scenario.limits.model_copy(update=changed)
    return replace(instance, scenario=instance.scenario.model_copy(update={"limits": limits}))
