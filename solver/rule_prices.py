"""What each rule costs: shadow prices of the relaxation, and exact re-solves for the dearest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import (
    BrandLimit,
    CategoryLimit,
    Clearance,
    Locked,
    MustInclude,
    SameLevel,
    Stability,
)
from ..models.beliefs import Beliefs
from .accounts import margin_above
from .build import build_program
from .engines.interface import Clock, EngineSettings, Interrupt
from .engines.pricing import price
from .engines.sifting import sift
from .engines.solve import solve_program
from .matching import named_rules
from .offers import Offers
from .program import Program
from .solution import Solution

DEAREST = 5  # rules whose price is computed exactly
_POINT = 0.01  # of plan margin
_PART = 0.1  # of a stock or a clearance target that makes a step
_BUDGET_PART = 0.01  # of the discount budget that makes a step
_ALL, _FEWER = "all offers", "the offers that pass the filters now"
_EXACT = 1e-6  # relative to the objective: a narrower interval is a number


_OBJECTIVES = (
    "relaxation_change",
    "objective",
    "bound",
    "change_low",
    "change_high",
    "change",
)


@dataclass(frozen=True, slots=True)
class RulePrice:
    """What one step of a rule is worth, in units of the program's objective.

    Attributes
    ----------
    rule, kind
        its row's name in plan.json, or the rule's name where one number limits many rows.
    step, step_text
        how far the limit moves, in its own unit, and in words.
    relaxation_change
        what the shadow price makes of the step.
    objective, bound
        of the program with the step taken.
    change_low, change_high
        the change of the optimum lies between: [objective − bound now, bound − objective now].
    change
        the change of the optimum; None where the interval is too wide to call it a number.
    covers
        which offers it holds for: filters stay as they are, so that more stock or a lower plan
        margin might earn more with offers that are not in the program.
    """

    rule: str
    kind: str
    step: float
    step_text: str
    relaxation_change: float
    objective: float
    bound: float | None
    change_low: float
    change_high: float | None
    change: float | None
    covers: str

    def report(self, unit: float) -> dict[str, Any]:
        """As in plan.json: objectives times ``unit``."""
        return {
            name: value * unit if name in _OBJECTIVES and value is not None else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class _Step:
    """A rule made looser by one step; ``relaxed`` makes the program."""

    rule: str
    kind: str
    step: float
    text: str
    relaxation_change: float
    relaxed: Callable[[], Program]


def price_rules(
    instance: Instance,
    beliefs: Beliefs,
    offers: Offers,
    program: Program,
    solution: Solution,
    seconds: float,
    interrupt: Interrupt | None = None,
) -> tuple[Solution, list[RulePrice]]:
    """The solution with shadow prices, and exact prices of the rules that cost most by them.

    A step loosens a rule, so the incumbent stays feasible and each re-solve starts from it. A
    plan that was not proven best is first tried to be, since a price is no surer than that.

    Parameters
    ----------
    program, solution
        over ``offers``; prices hold for these columns.
    seconds
        time limit for all of it.
    """
    affinity = instance.scenario.objective.maximize == "affinity"
    if solution.values is None or program.n_columns == 0 or seconds <= 0:
        return solution, []
    pricing = _Pricing(instance, program, solution, seconds, interrupt)
    priced = replace(solution, shadow_prices=pricing.shadow_prices)
    if affinity:  # takes a number of bundles exactly: no side to loosen
        return priced, []
    steps = _Steps(instance, beliefs, offers, program, priced)
    dearest = sorted(steps.all(), key=lambda step: -step.relaxation_change)[:DEAREST]
    prices = pricing.exact(dearest)
    return priced, sorted(prices, key=lambda price: -max(price.change_high or 0, price.change_low))


class _Pricing:
    """Solves the program again, with and without steps, within a time limit.

    Attributes
    ----------
    objective, bound
        of the program as it is.
    """

    def __init__(
        self,
        instance: Instance,
        program: Program,
        solution: Solution,
        seconds: float,
        interrupt: Interrupt | None,
    ) -> None:
        assert solution.values is not None
        assert solution.objective is not None
        settings = instance.scenario.solver
        self._settings = EngineSettings(
            gap=0.0,
            threads=settings.threads,
            seed=settings.seed,
            deterministic=settings.deterministic,
        )
        self._clock = Clock(seconds, interrupt=interrupt)
        self._interrupt = interrupt
        self._values = solution.values
        self.objective, self.bound = solution.objective, solution.bound
        self.shadow_prices = solution.shadow_prices
        if not self.shadow_prices:
            relaxed = sift(program, Clock(seconds / 3)).pricing
            if relaxed is not None:
                names = program.row_name
                self.shadow_prices = dict(zip(names, relaxed.row_dual.tolist(), strict=True))
        self._program = program

    def exact(self, steps: list[_Step]) -> list[RulePrice]:
        """Re-solve for each step, the smallest first: time it leaves goes to the others."""
        unproven = self.bound is None or self.bound - self.objective > self._allowed()
        if steps and unproven:
            again = self._solve(self._program, 1 + len(steps))
            self._improve(again, self._program)
        steps = sorted(steps, key=lambda step: step.relaxation_change)
        return [self._price(step, len(steps) - k) for k, step in enumerate(steps)]

    def _price(self, step: _Step, remaining: int) -> RulePrice:
        program = step.relaxed()
        solution = self._solve(program, remaining)
        objective = self.objective
        if solution.objective is not None:
            objective = max(objective, solution.objective)
        bound = self._least(solution.bound, program)
        low = 0.0 if self.bound is None else max(objective - self.bound, 0.0)
        high = None if bound is None else max(bound - self.objective, low)
        exact = high is not None and high - low <= self._allowed()
        return RulePrice(
            rule=step.rule,
            kind=step.kind,
            step=step.step,
            step_text=step.text,
            relaxation_change=step.relaxation_change,
            objective=objective,
            bound=bound,
            change_low=low,
            change_high=high,
            change=objective - self.objective if exact else None,
            covers=_FEWER if step.kind in ("stock", "plan-margin") else _ALL,
        )

    def _solve(self, program: Program, remaining: int) -> Solution:
        """Solve over the columns that a plan better than the incumbent could hold.

        The others have a ceiling (``pricing.Pricing.ceiling``) below it, whatever the program's
        sides, so the bound found or the incumbent bounds every plan.
        """
        ceiling = price(program, self._duals(program)).ceiling(program)
        chosen = np.flatnonzero((ceiling > self.objective) | (self._values != 0))
        left = self._clock.limit if self._settings.deterministic else self._clock.left()
        parts = 1 + DEAREST if self._settings.deterministic else remaining
        found = solve_program(
            program.take(chosen),
            replace(self._settings, time_limit=left / parts),
            start=self._values[chosen],
            interrupt=self._interrupt,
        )
        values = None
        if found.values is not None:
            values = np.zeros(program.n_columns)
            values[chosen] = found.values
        return replace(found, values=values)

    def _improve(self, solution: Solution, program: Program) -> None:
        if solution.objective is not None and solution.objective > self.objective:
            assert solution.values is not None
            self._values, self.objective = solution.values, solution.objective
        self.bound = self._least(self.bound, program, solution.bound)

    def _least(self, bound: float | None, program: Program, *others: float | None) -> float | None:
        """The best of bounds, that of the shadow prices included, which hold for any program."""
        relaxed = price(program, self._duals(program)).bound
        bounds = [one for one in (bound, *others, relaxed) if one is not None]
        finite = [one for one in bounds if np.isfinite(one)]
        return max(min(finite), self.objective) if finite else None

    def _duals(self, program: Program) -> NDArray[np.float64]:
        return np.array([self.shadow_prices.get(name, 0.0) for name in program.row_name])

    def _allowed(self) -> float:
        """A difference of objectives that is nothing."""
        return _EXACT * max(abs(self.objective), 1.0)


class _Steps:
    """A step of each rule that has a shadow price, or whose limit is near."""

    def __init__(
        self,
        instance: Instance,
        beliefs: Beliefs,
        offers: Offers,
        program: Program,
        solution: Solution,
    ) -> None:
        self.instance, self.beliefs, self.offers = instance, beliefs, offers
        assert solution.values is not None
        self.program, self.values = program, solution.values
        self.activity = program.activity(solution.values)
        self.dual = np.array([solution.shadow_prices.get(name, 0.0) for name in program.row_name])
        self.limits = instance.scenario.limits
        self.given = dict(named_rules(instance))
        self.currency = instance.scenario.currency

    def all(self) -> Iterator[_Step]:
        exposure = np.array([kind == "product-exposure" for kind in self.program.row_kind])
        if exposure.any():
            yield self._product_exposure(float(self.dual[exposure].sum()))
        for row in np.flatnonzero(~exposure):
            for upper in (True, False):
                step = self._of_row(int(row), upper)
                if step is not None:
                    yield step

    def _product_exposure(self, dual: float) -> _Step:
        most = self.limits.max_bundles_per_product
        return _Step(
            "product-exposure",
            "product-exposure",
            1,
            "one more bundle for each product",
            dual,
            lambda: self._with_limits(max_bundles_per_product=most + 1),
        )

    def _of_row(self, row: int, upper: bool) -> _Step | None:
        """A step of one side of a row; None where it has none, or where the side is far.

        A side without a shadow price may cost something all the same: tightening the program
        takes columns out that a looser side would let in. It is far where the step is less than
        its slack.
        """
        name, kind = self.program.row_name[row], self.program.row_kind[row]
        side = float(self.program.row_upper[row] if upper else self.program.row_lower[row])
        dual = max(float(self.dual[row] if upper else -self.dual[row]), 0.0)
        if not np.isfinite(side) or (dual == 0.0 and kind == "stock"):
            return None
        slack = abs(side - float(self.activity[row]))
        if kind == "plan-margin":
            return self._plan_margin(name, dual, slack)
        step, text = self._step(name, kind, upper, row)
        unit = 100.0 if kind == "discount-budget" else 1.0
        if step <= 0 or (dual == 0.0 and slack >= step * unit):
            return None

        def relaxed() -> Program:
            if kind == "bundle-count" and upper:
                return self._with_limits(max_bundles=self.limits.max_bundles + 1)
            moved = np.zeros(self.program.n_rows)
            moved[row] = step * unit
            return self.program.with_sides(
                self.program.row_lower - (0.0 if upper else moved),
                self.program.row_upper + (moved if upper else 0.0),
            )

        return _Step(name, kind, step, text, dual * step * unit, relaxed)

    def _step(self, name: str, kind: str, upper: bool, row: int) -> tuple[float, str]:
        """How far the side moves, and in words; 0 for a kind without a step."""
        rule = self.given.get(self.program.row_rule[row])
        if kind == "bundle-count":
            return 1, "one more bundle" if upper else "one bundle fewer required"
        if kind == "discount-budget":
            step = max(round(_BUDGET_PART * (self.limits.discount_budget or 0.0), 2), 0.01)
            return step, f"{step:,.2f} {self.currency} more to give away"
        if kind == "stock":
            product = name[name.index("[") + 1 : -1]
            ids = self.instance.catalogue.product_ids
            stock = float(self.instance.catalogue.stock[np.flatnonzero(ids == product)[0]])
            step = max(round(_PART * stock), 1)
            return step, f"{step:,} more unit{'' if step == 1 else 's'} of {product} to sell"
        if isinstance(rule, CategoryLimit | BrandLimit):
            of = rule.category if isinstance(rule, CategoryLimit) else rule.brand
            return 1, f"one more bundle of {of}" if upper else f"one bundle of {of} fewer required"
        if isinstance(rule, MustInclude | Locked):
            return 1, f"without {'+'.join(rule.products)}"
        if isinstance(rule, Stability):
            return 1, "one bundle of last week fewer required"
        if isinstance(rule, Clearance):
            step = round(_PART * rule.target, 2)
            return step, f"target of {name} {step:,.6g} units lower"
        if isinstance(rule, SameLevel) and name == self.program.row_rule[row]:  # Σ y <= 1
            return 1, f"a second level for {rule.category or name}"
        return (1, f"one more bundle under {name}") if kind == "at-most-one-of" else (0, "")

    def _plan_margin(self, name: str, dual: float, slack: float) -> _Step | None:
        """One point lower: the row gains 0.01·Σ net revenue·x of the plan, to first order."""
        rate = self.limits.min_plan_margin or 0.0
        gained = margin_above(self.offers, self.instance, rate - _POINT)
        gained -= margin_above(self.offers, self.instance, rate)
        room = float(gained @ self.values[: len(self.offers)])
        if dual == 0.0 and slack >= room > 0.0:
            return None
        return _Step(
            name,
            "plan-margin",
            _POINT,
            "plan margin 1 point lower",
            dual * room,
            lambda: self._with_limits(min_plan_margin=rate - _POINT),
        )

    def _with_limits(self, **changed: float) -> Program:
        limits = self.limits.model_copy(update=changed)
        scenario = self.instance.scenario.model_copy(update={"limits": limits})
        return build_program(replace(self.instance, scenario=scenario), self.beliefs, self.offers)


def shadow_price_unit(instance: Instance, kind: str) -> str:
    """What one unit of a row's shadow price is, in words."""
    currency, maximize = instance.scenario.currency, instance.scenario.objective.maximize
    objective = {"units": "units a week", "affinity": "affinity loss"}
    per = {
        "stock": "unit to sell",
        "clearance": "unit of the target",
        "same-level": "level allowed in the line",
        "plan-margin": f"{currency} of margin below the limit",
        "discount-budget": f"{currency} of budget",
    }
    return f"{objective.get(maximize, f'{currency} a week')} per {per.get(kind, 'bundle')}"
