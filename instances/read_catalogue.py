"""The products table, read strictly: a bad cell is an error that names it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .catalogue import Catalogue
from .cells import money, numbers, truths
from .columns import Table, shown
from .errors import InputError
from .orders import Orders
from .prices import PriceTable, promoted_products, reference_prices
from .sections import Assumptions, GrossMargins, Scenario
from .tables import read_columns

TEXTS = ("title", "category", "department", "brand", "description")
MONEY = ("list_price", "unit_cost", "min_price", "supplier_funding")
OPTIONAL = (*TEXTS, *MONEY, "stock", "active")


@dataclass(frozen=True, slots=True)
class ProductTable:
    """The products table as stated, before anything is derived or assumed.

    Attributes
    ----------
    table
        the file.
    product_ids
        (products,) text ids.
    texts
        column name -> (products,) text, "" where empty.
    money
        column name -> (products,) cents, -1 where empty.
    stock
        (products,) units, inf where empty.
    active
        (products,) whether the product may be in a bundle.
    warnings
        sentences for the person who reads the plan.
    """

    table: Table
    product_ids: NDArray[np.object_]
    texts: dict[str, NDArray[np.object_]]
    money: dict[str, NDArray[np.int64]]
    stock: NDArray[np.float64]
    active: NDArray[np.bool_]
    warnings: tuple[str, ...]


def read_products(path: Path) -> ProductTable:
    """Read a products table.

    Errors
    ------
    InputError
        for a file or header that cannot be used, and for any bad cell.
    """
    table, warnings = read_columns(path, ("product_id",), OPTIONAL)
    texts = {name: table.get(name).text() for name in TEXTS}
    product_ids = table.get("product_id").text()
    ids = table.get("product_id")
    if ids.missing.any():
        raise table.error(int(ids.missing.argmax()), "product_id", "a product id")
    repeated = pd.Series(ids.codes).duplicated().to_numpy()
    if repeated.any():
        raise table.error(int(repeated.argmax()), "product_id", "each id once")
    texts["title"] = np.where(texts["title"] == "", product_ids, texts["title"])
    cents: dict[str, NDArray[np.int64]] = {}
    rounded = 0
    for name in MONEY:
        cents[name], fractions = _amounts(table, name)
        rounded += fractions
    if rounded:
        warnings.append(
            f"{table.path.name}: {rounded:,} amounts have a fraction of a cent, rounded to the "
            "nearest cent (half a cent to the even one)"
        )
    stock = numbers(table.get("stock"))
    empty = table.get("stock").missing
    bad = ~empty & ~(stock >= 0)
    if bad.any():
        raise table.error(int(bad.argmax()), "stock", "a number of units, 0 or more")
    active, readable = truths(table.get("active"), missing=True)
    if not readable.all():
        raise table.error(int((~readable).argmax()), "active", "true or false")
    return ProductTable(
        table, product_ids, texts, cents, np.where(empty, np.inf, stock), active, tuple(warnings)
    )


def _amounts(table: Table, name: str) -> tuple[NDArray[np.int64], int]:
    column = table.get(name)
    amounts = money(column)
    above_zero = name == "list_price"
    lowest = 1 if above_zero else 0
    # a negative fraction of a cent rounds to 0, so the sign is read from the number
    bad = ~column.missing & (~amounts.readable | (amounts.cents < lowest) | (numbers(column) < 0))
    if bad.any():
        kind = "an amount above 0" if above_zero else "an amount of 0 or more"
        raise table.error(int(bad.argmax()), name, f"{kind} such as 12.50")
    return np.where(column.missing, -1, amounts.cents), int(amounts.rounded.sum())


def resolve_catalogue(
    products: ProductTable, prices: PriceTable | None, orders: Orders, scenario: Scenario
) -> tuple[Catalogue, dict[str, int], list[str]]:
    """The products with their prices and costs for the planned week, counts and warnings.

    Errors
    ------
    InputError
        for a product with a price but no cost, where no gross margin is assumed either.
    """
    price, source = reference_prices(products.money["list_price"], prices, orders, scenario.week)
    cost = products.money["unit_cost"]
    cost_assumed = (cost < 0) & (price > 0)
    cost = np.where(cost_assumed, _assumed_costs(products, cost_assumed, price, scenario), cost)
    promoted = promoted_products(prices, scenario.week, len(price))
    barred = promoted & (not scenario.candidates.allow_promoted)
    catalogue = Catalogue(
        product_ids=products.product_ids,
        **products.texts,
        reference_price=price,
        price_source=source,
        unit_cost=cost,
        cost_assumed=cost_assumed,
        stock=products.stock,
        min_price=np.maximum(products.money["min_price"], 0),
        supplier_funding=np.maximum(products.money["supplier_funding"], 0),
        available=products.active & (price > 0) & ~barred,
    )
    counts = {
        "products not active": int((~products.active).sum()),
        "products without a reference price": int((products.active & (price < 0)).sum()),
        "products promoted in the planned week": int(
            (products.active & (price > 0) & barred).sum()
        ),
    }
    warnings = _margin_warnings(products, scenario)
    net = price / (1 + scenario.assumptions.tax_rate)
    dear = int((catalogue.available & (cost >= net)).sum())
    if dear:
        warnings.append(
            f"{products.table.path.name}: of {int(catalogue.available.sum()):,} products that may "
            f"be in a bundle, {dear:,} cost as much as their price net of tax, or more"
        )
    return catalogue, {text: number for text, number in counts.items() if number}, warnings


def _assumed_costs(
    products: ProductTable,
    needed: NDArray[np.bool_],
    price: NDArray[np.int64],
    scenario: Scenario,
) -> NDArray[np.int64]:
    """(products,) cents: reference price net of tax × (1 − gross margin), -1 without a price."""
    margin = _gross_margins(products, scenario.assumptions)
    if margin is None:
        if not needed.any():
            return np.full(len(price), -1, dtype=np.int64)
        row = int(needed.argmax())
        others = int(needed.sum()) - 1
        more = f" and {others:,} more" if others else ""
        raise InputError(
            products.table.path,
            f"row {row + 2}, column unit_cost",
            f"no cost for product {shown(products.product_ids[row])}{more}, and the scenario "
            "assumes no gross margin",
            "a unit_cost, or assumptions.gross_margin in the scenario",
        )
    net = price / (1 + scenario.assumptions.tax_rate)
    return np.where(price > 0, np.rint(net * (1 - margin)), -1).astype(np.int64)


def _gross_margins(products: ProductTable, assumptions: Assumptions) -> NDArray[np.float64] | None:
    margin = assumptions.gross_margin
    if margin is None:
        return None
    if not isinstance(margin, GrossMargins):
        return np.full(products.table.rows, float(margin))
    names, codes = np.unique(products.texts[margin.by].astype(str), return_inverse=True)
    return np.array([margin.values.get(name, margin.default) for name in names])[codes]


def _margin_warnings(products: ProductTable, scenario: Scenario) -> list[str]:
    margin = scenario.assumptions.gross_margin
    if not isinstance(margin, GrossMargins):
        return []
    known = Counter(products.texts[margin.by])
    lacking = [name for name in margin.values if not known[name]]
    if not lacking:
        return []
    return [
        f"assumptions.gross_margin names {len(lacking)} of which {products.table.path.name} has "
        f"no product, such as {margin.by} {shown(lacking[0])}"
    ]
