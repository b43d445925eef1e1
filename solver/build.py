"""Turns an instance, its beliefs and the offers into the program: one method a rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.bundle_ids import bundle_id
from ..instances.instance import Instance
from ..instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Locked,
    MustInclude,
    SameLevel,
    Stability,
)
from ..models.beliefs import Beliefs
from .accounts import discount_spend, margin_above, missing_price, stock_left
from .last_week import last_week, returning
from .matching import Matcher, named_rules
from .offers import Offers
from .program import Program
from .program_builder import ProgramBuilder
from .same_level import Cells, levels_of, line_cells


def build_program(
    instance: Instance, beliefs: Beliefs, offers: Offers, *, complete: bool = False
) -> Program:
    """The program over offers that passed the filters (``filters.offer_mask``).

    Columns are the offers, in their order, and after them what rules need besides: the level of a
    same-level line (binary), the units that a soft clearance target lacks (continuous).

    Rows that no choice of offers can reach are left out, except those with a lower side. With
    ``complete`` every rule that is a sum over offers has its row and there are no further
    columns, so that a plan can be accounted for: a soft target's row is then Σ units·x >= target.

    Raises
    ------
    InputError
        for a rule that names a product, category, brand or level that does not exist.
    """
    return _ProgramOfOffers(instance, beliefs, offers, complete).build()


class _ProgramOfOffers:
    def __init__(
        self, instance: Instance, beliefs: Beliefs, offers: Offers, complete: bool
    ) -> None:
        self.instance, self.beliefs, self.offers = instance, beliefs, offers
        self.complete = complete
        self.limits = instance.scenario.limits
        self.matcher = Matcher(instance)
        # the first offer of each candidate
        self.leads = np.diff(offers.candidate, prepend=-1) != 0
        # one-level: Σ_l x_{b,l} <= 1 for each candidate b
        self.builder = ProgramBuilder(offers.value, group=np.cumsum(self.leads) - 1)

    def build(self) -> Program:
        self._bundle_count()
        self._product_exposure()
        self._stock()
        self._plan_margin()
        self._discount_budget()
        for name, rule in named_rules(self.instance):
            if isinstance(rule, CategoryLimit):
                self._category_limit(name, rule)
            elif isinstance(rule, BrandLimit):
                self._brand_limit(name, rule)
            elif isinstance(rule, MustInclude):
                self._must_include(name, rule)
            elif isinstance(rule, Locked):
                self._locked(name, rule)
            elif isinstance(rule, AtMostOneOf):
                self._at_most_one_of(name, rule)
            elif isinstance(rule, SameLevel):
                self._same_level(name, rule)
            elif isinstance(rule, Stability):
                self._stability(name, rule)
            elif isinstance(rule, Clearance):
                self._clearance(name, rule)
        return self.builder.build()

    def _bundle_count(self) -> None:
        """min_bundles <= Σ x <= max_bundles; both sides max_bundles for affinity."""
        affinity = self.instance.scenario.objective.maximize == "affinity"
        lower = self.limits.max_bundles if affinity else self.limits.min_bundles
        self.builder.add_row(
            "bundle-count",
            np.arange(len(self.offers)),
            1.0,
            lower=lower if lower > 0 else -np.inf,
            upper=self.limits.max_bundles,
        )

    def _product_exposure(self) -> None:
        """Σ x over bundles that hold the product <= max_bundles_per_product."""
        column, product = self.offers.entries()
        most = self.limits.max_bundles_per_product
        held = product[self.leads[column]]
        candidates = np.bincount(held, minlength=len(self.instance.catalogue))
        binds = candidates > (0 if self.complete else most)
        self._product_rows("product-exposure", binds, column, product, 1.0, most)

    def _stock(self) -> None:
        """Σ incremental units·x <= stock·(1 − stock_safety) − stand-alone demand.

        Left out where even the most bundles a product may have, each adding the most units,
        stay below: with one bundle a product the filter says it all.
        """
        left = stock_left(self.instance, self.beliefs)
        column, product = self.offers.entries()
        units = self.offers.in_entries(self.offers.added_units)
        if self.complete:
            binds = np.bincount(product, minlength=len(left)) > 0
        else:
            needs = units > 0
            most = np.zeros(len(left))
            np.maximum.at(most, product[needs], units[needs])
            bundles = min(self.limits.max_bundles_per_product, self.limits.max_bundles)
            binds = (most > 0) & (bundles * most > left)
            column, product, units = column[needs], product[needs], units[needs]
        self._product_rows("stock", binds & np.isfinite(left), column, product, units, left)

    def _plan_margin(self) -> None:
        """Σ (margin − min_plan_margin·revenue/(1 + tax_rate))·x >= 0, units of all four rows."""
        rate = self.limits.min_plan_margin
        if rate is not None:
            coefficients = margin_above(self.offers, self.instance, rate)
            columns = np.flatnonzero(coefficients)
            self.builder.add_row("plan-margin", columns, coefficients[columns], lower=0.0)

    def _discount_budget(self) -> None:
        """Σ (list_price − bundle_price)·units·x <= discount_budget, in cents."""
        if self.limits.discount_budget is not None:
            columns = np.arange(len(self.offers))
            budget = self.limits.discount_budget * 100
            self.builder.add_row(
                "discount-budget", columns, discount_spend(self.offers), upper=budget
            )

    def _category_limit(self, name: str, rule: CategoryLimit) -> None:
        """min <= Σ x over offers that touch the category <= max."""
        touching = self.matcher.in_category(self.offers, rule.category, name)
        self._count_between(name, rule.kind, touching, rule.min, rule.max)

    def _brand_limit(self, name: str, rule: BrandLimit) -> None:
        """min <= Σ x over offers that touch the brand <= max."""
        touching = self.matcher.in_brand(self.offers, rule.brand, name)
        self._count_between(name, rule.kind, touching, rule.min, rule.max)

    def _must_include(self, name: str, rule: MustInclude) -> None:
        """Σ x over offers of exactly these products (at the level, if given) >= 1."""
        matching = self.matcher.exactly(self.offers, rule.products, name, rule.level)
        self._count_between(name, rule.kind, matching, 1, None)

    def _locked(self, name: str, rule: Locked) -> None:
        """Σ x over offers of exactly these products at this level >= 1."""
        matching = self.matcher.exactly(self.offers, rule.products, name, rule.level)
        self._count_between(name, rule.kind, matching, 1, None)

    def _at_most_one_of(self, name: str, rule: AtMostOneOf) -> None:
        """Σ x over offers that touch one of the products, or are one of the bundles, <= 1."""
        touched = np.zeros(len(self.offers), dtype=bool)
        if rule.products is not None:
            touched |= self.matcher.touching(self.offers, rule.products, name)
        for bundle in rule.bundles or ():
            touched |= self.matcher.exactly(self.offers, bundle, name)
        self._count_between(name, rule.kind, touched, 0, 1)

    def _same_level(self, name: str, rule: SameLevel) -> None:
        """Σ_l y_l <= 1, and Σ x over a cell of the line <= M·Σ y_l over the cell's levels.

        y_l says that l is the line's level; ``same_level.line_cells`` explains cells and M. Left
        out where all of the line answers to one level anyway.
        """
        line = np.flatnonzero(self.matcher.in_line(self.offers, rule, name))
        masks = self.offers.level_mask[line]
        if self.complete or len(line) == 0 or np.bitwise_and.reduce(masks) != 0:
            return
        levels = levels_of(int(np.bitwise_or.reduce(masks)))
        y = self.builder.add_columns(np.zeros(len(levels)))
        self.builder.add_row(name, y, 1.0, upper=1.0, kind=rule.kind)
        members = None if rule.category is None else self.matcher.category_members(rule.category)
        cells = line_cells(
            self.offers,
            line,
            members,
            max_bundles=self.limits.max_bundles,
            max_bundles_per_product=self.limits.max_bundles_per_product,
        )
        served = [
            (c, levels.index(k)) for c, mask in enumerate(cells.mask) for k in levels_of(int(mask))
        ]
        cell, level = np.array(served, dtype=np.int64).T
        self.builder.add_rows(
            [f"{name}[{label}]" for label in self._cell_labels(cells)],
            np.concatenate([cells.cell, cell]),
            np.concatenate([cells.column, y[level]]),
            np.concatenate([np.ones(len(cells.column)), -cells.most[cell]]),
            upper=0.0,
            rule=name,
            kind=rule.kind,
        )

    def _cell_labels(self, cells: Cells) -> list[str]:
        """What each cell is about: ``0001 at 0.1``, ``0001+0002 at 0.1/0.15``, ``at 0.1``."""
        ids, known = self.instance.catalogue.product_ids, self.instance.scenario.discounts.levels
        labels = []
        for label, mask in zip(cells.label, cells.mask, strict=True):
            about = ""
            if label >= 0 and cells.by == "product":
                about = f"{ids[label]} "
            elif label >= 0:
                about = f"{bundle_id(str(ids[k]) for k in self.offers.bundle(label))} "
            labels.append(f"{about}at {'/'.join(repr(known[k]) for k in levels_of(int(mask)))}")
        return labels

    def _stability(self, name: str, rule: Stability) -> None:
        """Σ x over offers of last week's n bundles >= ⌈min_share·n⌉; max_steps is a filter."""
        if rule.min_share is not None:
            again = returning(self.instance, self.offers) >= 0
            fewest = rule.fewest(len(last_week(self.instance)))
            self._count_between(name, rule.kind, again, fewest, None)

    def _clearance(self, name: str, rule: Clearance) -> None:
        """Σ incremental units of the products·x (+ s) >= target; s costs its price a unit."""
        units = self.matcher.units_of(self.offers, rule.products, name)
        columns = np.flatnonzero(units)
        coefficients = units[columns]
        price = missing_price(self.instance, rule)
        if price is not None and not self.complete:
            missing = self.builder.add_columns([-price], upper=rule.target, integral=False)
            columns = np.append(columns, missing)
            coefficients = np.append(coefficients, 1.0)
        self.builder.add_row(name, columns, coefficients, lower=rule.target, kind=rule.kind)

    def _count_between(
        self, name: str, kind: str, which: NDArray[np.bool_], least: int, most: int | None
    ) -> None:
        columns = np.flatnonzero(which)
        lower = least if least > 0 else -np.inf
        upper = np.inf if most is None else most
        if self.complete or least > 0 or len(columns) > upper:
            self.builder.add_row(name, columns, 1.0, lower=lower, upper=upper, kind=kind)

    def _product_rows(
        self,
        rule: str,
        which: NDArray[np.bool_],
        column: NDArray[np.int32],
        product: NDArray[np.int32],
        coefficient: float | NDArray[np.float64],
        upper: float | NDArray[np.float64],
    ) -> None:
        """A row for each product of ``which``, named ``rule[product_id]``."""
        number = (np.cumsum(which) - 1).astype(np.int32)
        wanted = which[product]
        ids = self.instance.catalogue.product_ids[which]
        sides = np.broadcast_to(np.asarray(upper, dtype=np.float64), which.shape)
        self.builder.add_rows(
            [f"{rule}[{product_id}]" for product_id in ids],
            number[product[wanted]],
            column[wanted],
            coefficient[wanted] if isinstance(coefficient, np.ndarray) else coefficient,
            upper=sides[which],
            rule=rule,
        )
