"""A scenario and its tables, read together into an instance."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .catalogue import Catalogue
from .columns import shown
from .errors import InputError
from .events import read_events
from .instance import DataQuality, InputFile, Instance
from .previous_plan import PreviousPlan, read_previous_plan
from .prices import PriceTable, read_prices
from .promotions import PromotionTable, read_promotions
from .read_catalogue import ProductTable, read_products, resolve_catalogue
from .read_orders import LATER, OrdersRead, read_orders
from .rules import AtMostOneOf, BrandLimit, CategoryLimit, Rule, SameLevel, Stability
from .sections import Scenario
from .tables import file_hash
from .weeks import week_label, week_monday

VISIT_WEEKS = 4
"""Complete weeks whose mean is the number of visits expected, where the scenario states none."""

TELLING_DAYS = 14
"""Orders of fewer days do not tell on which weekdays the shop is closed."""

_LISTED = 5  # bundles that a warning names


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a scenario as they were read, before its assumptions are applied.

    What was found on the way stands beside each: warnings, and counts of what was left out.
    """

    products: ProductTable
    prices: PriceTable | None
    price_warnings: Sequence[str]
    orders: OrdersRead
    events: pd.DataFrame | None
    event_counts: dict[str, int]
    event_warnings: Sequence[str]
    promotions: PromotionTable | None
    promotion_warnings: Sequence[str]


def load_instance(scenario: Scenario) -> Instance:
    """Read every table that a scenario names.

    Errors
    ------
    InputError
        for anything that cannot be used, as listed with the readers; for a rule that names a
        product, category or brand that the tables lack; for orders older than
        ``data.max_age_days``.
    """
    return instance_of(scenario, read_tables(scenario))


def read_tables(scenario: Scenario) -> Tables:
    """Read and clean the tables: the part of ``load_instance`` that scenarios with the same
    ``data`` and planned week have in common."""
    data = scenario.data
    products = read_products(data.products)
    prices, price_warnings = _prices(scenario, products)
    orders = read_orders(data.orders, products.product_ids, scenario.week)
    events, event_counts, event_warnings = _events(scenario, products, orders)
    promotions, promotion_warnings = _promotions(scenario, products, orders)
    return Tables(
        products=products,
        prices=prices,
        price_warnings=price_warnings,
        orders=orders,
        events=events,
        event_counts=event_counts,
        event_warnings=event_warnings,
        promotions=promotions,
        promotion_warnings=promotion_warnings,
    )


def tables_key(scenario: Scenario) -> tuple[object, ...]:
    """Everything of a scenario that its tables depend on: of one key, scenarios share them."""
    data = scenario.data
    return (data.orders, data.products, data.prices, data.events, data.promotions, scenario.week)


def instance_of(scenario: Scenario, tables: Tables) -> Instance:
    """The instance of a scenario and its tables; errors as ``load_instance`` has them."""
    products, prices, orders = tables.products, tables.prices, tables.orders
    catalogue, counts, catalogue_warnings = resolve_catalogue(
        products, prices, orders.orders, scenario
    )
    _check_rules(scenario, catalogue)
    _check_age(scenario, orders)
    visits, visit_warnings = _visits(scenario, orders)
    previous, previous_warnings = _previous_plan(scenario, catalogue)
    warnings = (
        *previous_warnings,
        *products.warnings,
        *tables.price_warnings,
        *orders.warnings,
        *tables.event_warnings,
        *tables.promotion_warnings,
        *catalogue_warnings,
        *visit_warnings,
    )
    return Instance(
        scenario=scenario,
        orders=orders.orders,
        catalogue=catalogue,
        events=tables.events,
        quarantine=orders.quarantine,
        visits=visits,
        inputs=tuple(_inputs(scenario, tables, previous)),
        counts={**orders.counts, **counts, **tables.event_counts},
        warnings=warnings,
        prices=prices,
        quality=_quality(scenario, orders, products, catalogue),
        previous_plan=previous,
        promotions=tables.promotions,
    )


def _prices(scenario: Scenario, products: ProductTable) -> tuple[PriceTable | None, Sequence[str]]:
    if scenario.data.prices is None:
        return None, ()
    return read_prices(scenario.data.prices, products.product_ids)


def _events(
    scenario: Scenario, products: ProductTable, orders: OrdersRead
) -> tuple[pd.DataFrame | None, dict[str, int], Sequence[str]]:
    if scenario.data.events is None:
        return None, {}, ()
    return read_events(
        scenario.data.events, products.product_ids, orders.customer_ids, scenario.week
    )


def _promotions(
    scenario: Scenario, products: ProductTable, orders: OrdersRead
) -> tuple[PromotionTable | None, Sequence[str]]:
    if scenario.data.promotions is None:
        return None, ()
    return read_promotions(scenario.data.promotions, products.product_ids, orders.store_ids)


def _previous_plan(
    scenario: Scenario, catalogue: Catalogue
) -> tuple[PreviousPlan | None, list[str]]:
    """Last week's plan where a rule compares with it, and what of it cannot be kept."""
    folder = scenario.data.previous_plan
    if folder is None:
        return None, []
    if not any(isinstance(rule, Stability) for rule in scenario.rules):
        return None, ["data.previous_plan is not used: no rule of kind stability compares with it"]
    plan = read_previous_plan(folder, scenario.discounts.levels)
    odd = _odd(plan, scenario.week)
    if not plan.bundles:
        return plan, [*odd, "last week's plan holds no bundle: the stability rules ask for nothing"]
    free = set(catalogue.product_ids[catalogue.available])
    gone = [
        f"{bundle.bundle_id} ({', '.join(lost)})"
        for bundle in plan.bundles
        if (lost := [product for product in bundle.products if product not in free])
    ]
    if gone:
        more = " …" if len(gone) > _LISTED else ""
        odd.append(
            f"{len(gone)} of last week's {len(plan.bundles)} bundles hold products that are no "
            f"longer on offer: {', '.join(gone[:_LISTED])}{more}; the stability rules count them "
            "as not kept"
        )
    return plan, odd


def _odd(plan: PreviousPlan, week: int) -> list[str]:
    """What speaks against a folder being last week's plan, as it was written."""
    found = []
    if plan.week is not None and plan.week >= week:
        found.append(
            f"data.previous_plan is a plan of {week_label(plan.week)}, which is not before the "
            f"planned week {week_label(week)}"
        )
    if not plan.as_written:
        found.append(
            f"{plan.file} was changed after it was written (its plan.json has another checksum): "
            f"the {len(plan.bundles)} bundles that it holds now are taken as last week's"
        )
    return found


def _visits(scenario: Scenario, read: OrdersRead) -> tuple[float, list[str]]:
    """Visits expected in the planned week: stated, or the mean of the last complete weeks."""
    if scenario.assumptions.visits is not None:
        return scenario.assumptions.visits, []
    by_week = Counter(read.orders.week.tolist())
    complete = [week for week in range(min(by_week), scenario.week) if _covered(week, read)]
    if not complete:
        days = max((read.last_used_day - read.first_day).days + 1, 1)
        weekly = read.orders.n_visits * 7 / days
        return weekly, [
            f"orders cover no complete week; {weekly:,.6g} visits a week are taken from "
            f"{read.orders.n_visits:,} visits in {days} days (state assumptions.visits if known)"
        ]
    recent = complete[-VISIT_WEEKS:]
    visits = sum(by_week[week] for week in recent) / len(recent)
    if len(recent) == VISIT_WEEKS:
        return visits, []
    return visits, [
        f"orders cover only {len(recent)} complete weeks; visits are their mean, {visits:,.6g}"
    ]


def _covered(week: int, read: OrdersRead) -> bool:
    """Whether orders run through a week, from the shop's first weekday to its last."""
    span = (read.last_day - read.first_day).days + 1
    trading = np.flatnonzero(read.weekdays) if span >= TELLING_DAYS else np.arange(7)
    monday = week_monday(week)
    starts = (read.first_day - monday).days <= int(trading[0])
    ends = (read.last_day - monday).days >= int(trading[-1])
    return starts and ends


def _check_age(scenario: Scenario, read: OrdersRead) -> None:
    limit = scenario.data.max_age_days
    if limit is None:
        return
    monday = week_monday(scenario.week)
    age = (monday - read.last_used_day).days
    if age > limit:
        raise InputError(
            scenario.data.orders,
            None,
            f"the newest order line is of {read.last_used_day}, {age} days before the planned "
            f"week begins on {monday}",
            f"at most {limit} days (data.max_age_days)",
        )


def _check_rules(scenario: Scenario, catalogue: Catalogue) -> None:
    """Every product, category and brand that a rule names is in the products table."""
    ids = set(catalogue.product_ids)
    for rule in scenario.rules:
        if isinstance(rule, CategoryLimit):
            _check_named(scenario, rule, "category", [rule.category], set(catalogue.category))
        elif isinstance(rule, BrandLimit):
            _check_named(scenario, rule, "brand", [rule.brand], set(catalogue.brand))
        elif isinstance(rule, AtMostOneOf | SameLevel):
            if isinstance(rule, AtMostOneOf):
                _check_named(scenario, rule, "products", list(rule.products or ()), ids)
            elif rule.category is not None:
                _check_named(scenario, rule, "category", [rule.category], set(catalogue.category))
            bundled = [product for bundle in rule.bundles or () for product in bundle]
            _check_named(scenario, rule, "bundles", bundled, ids)
        elif not isinstance(rule, Stability):
            _check_named(scenario, rule, "products", list(rule.products), ids)


def _check_named(
    scenario: Scenario, rule: Rule, key: str, names: list[str], known: set[str]
) -> None:
    kind = key if key in ("category", "brand") else "product"
    for name in names:
        if not name or name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.8)
            hint = f" (the nearest known is {near[0]!r})" if near else ""
            raise InputError(
                scenario.path,
                f"rules.{rule.name}.{key}",
                f"no {kind} {shown(name)} in {scenario.data.products.name}{hint}",
                f"a {kind} of the products table",
            )


def _inputs(
    scenario: Scenario, tables: Tables, previous: PreviousPlan | None
) -> Iterator[InputFile]:
    data, orders, products = scenario.data, tables.orders, tables.products
    prices, events, promotions = tables.prices, tables.events, tables.promotions
    yield _input(data.orders, orders.rows, orders.orders.n_lines)
    yield _input(data.products, products.table.rows, products.table.rows)
    if data.prices is not None and prices is not None:
        yield _input(data.prices, len(prices.product), int((prices.product >= 0).sum()))
    if data.events is not None and events is not None:
        yield _input(data.events, len(events) + sum(tables.event_counts.values()), len(events))
    if data.promotions is not None and promotions is not None:
        used = (promotions.product >= 0) & (promotions.store >= -1)
        yield _input(data.promotions, len(used), int(used.sum()))
    if previous is not None:
        yield _input(previous.file, len(previous.bundles), len(previous.bundles))


def _input(path: Path, rows: int, rows_used: int) -> InputFile:
    return InputFile(str(path), file_hash(path), rows, rows_used)


def _quality(
    scenario: Scenario, read: OrdersRead, products: ProductTable, catalogue: Catalogue
) -> DataQuality:
    orders = read.orders
    sources = Counter(source for source in catalogue.price_source if source)
    return DataQuality(
        first_day=read.first_day,
        last_day=read.last_day,
        weeks=len(np.unique(orders.week)),
        lines_read=read.rows,
        lines_used=orders.n_lines,
        lines_quarantined=len(read.quarantine),
        lines_later=read.counts.get(LATER, 0),
        products=len(catalogue),
        products_sold=len(np.unique(orders.product)),
        products_available=int(catalogue.available.sum()),
        price_sources=dict(sorted(sources.items())),
        costs_stated=int((products.money["unit_cost"] >= 0).sum()),
        costs_assumed=int(catalogue.cost_assumed.sum()),
        stocks_stated=int(np.isfinite(catalogue.stock).sum()),
        visits_assumed=scenario.assumptions.visits is not None,
    )
