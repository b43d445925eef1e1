"""The accounts of the chosen offers, as plan.csv and products.csv hold them.

Units are written with six significant digits, and every money figure is computed from the
written units, so that a reader with a calculator gets the figures of the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.bundle_ids import bundle_id, escape_id
from ..instances.instance import Instance
from ..models.beliefs import Beliefs, Displaced
from ..models.segments import Segments
from .accounts import standalone_units
from .economics import unit_gain
from .offers import Offers
from .segment_views import shown

PLAN_COLUMNS = (
    "bundle_id",
    "name",
    "product_ids",
    "titles",
    "level",
    "list_price",
    "bundle_price",
    "discount",
    "bundle_units",
    "subsidised_units",
    "incremental_units",
    "added_units",
    "revenue",
    "margin",
    "discount_spend",
    "incremental_margin",
    "incremental_margin_low",
    "incremental_margin_high",
    "margin_rate",
    "capped",
)
SEGMENTS_COLUMN = "segments"
"""Last column of plan.csv where offers were scored by segment: whom the offer is shown to."""

_NAME_PART = 32  # characters of each title in a bundle's name


def significant(value: float) -> float:
    """The value with six significant digits."""
    return float(f"{value:.5e}")


def round_cents(cents: float) -> int:
    """Whole cents, halves to even."""
    return round(cents)


def offer_accounts(
    instance: Instance,
    chosen: Offers,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    segments: Segments | None = None,
    displaced: Displaced | None = None,
) -> pd.DataFrame:
    """One row an offer, money in whole cents, sorted as plan.csv is.

    Parameters
    ----------
    chosen
        the offers of the plan.
    low, high
        (offers,) ends of the 90 % interval of the incremental margin, cents.
    segments
        those that offers were scored by.
    displaced
        what of the added units is taken from elsewhere, by the beliefs.

    Returns
    -------
    pandas.DataFrame
        the columns of plan.csv (``PLAN_COLUMNS``), and ``products``: catalogue indices in the
        order of ``product_ids``. Money columns are integers of cents. With segments also
        ``SEGMENTS_COLUMN``: a tuple of names.
    """
    gain = unit_gain(instance, displaced)
    rows = [
        _offer_row(instance, gain, chosen, k, float(low[k]), float(high[k]))
        for k in range(len(chosen))
    ]
    columns = [*PLAN_COLUMNS, "products"]
    if segments is not None:
        columns.append(SEGMENTS_COLUMN)
        for k, row in enumerate(rows):
            names = enumerate(segments.name)
            row[SEGMENTS_COLUMN] = tuple(str(n) for s, n in names if shown(chosen, s)[k])
    table = pd.DataFrame(rows, columns=columns)
    order = ["incremental_margin", "bundle_id"]
    return table.sort_values(order, ascending=[False, True], ignore_index=True)


def _offer_row(
    instance: Instance,
    gain: NDArray[np.float64],
    chosen: Offers,
    k: int,
    low: float,
    high: float,
) -> dict[str, object]:
    catalogue, assumptions = instance.catalogue, instance.scenario.assumptions
    size = len(chosen.bundle(k))
    order = sorted(range(size), key=lambda side: _id(instance, chosen, k, side))
    products = [int(chosen.products[k, side]) for side in order]
    ids = [str(catalogue.product_ids[product]) for product in products]
    titles = [str(catalogue.title[product]) for product in products]
    list_price, bundle_price = int(chosen.list_price[k]), int(chosen.bundle_price[k])
    units = significant(float(chosen.bundle_units[k]))
    added = [significant(float(chosen.added_units[k, side])) for side in order]

    net = 1.0 + assumptions.tax_rate
    costs = sum(int(catalogue.unit_cost[product]) for product in products)
    funding = sum(int(catalogue.supplier_funding[product]) for product in products)
    gained = sum(
        count * float(gain[product]) for count, product in zip(added, products, strict=True)
    )
    incremental = gained + units * (funding - (list_price - bundle_price) / net)
    revenue = units * bundle_price
    margin = units * (bundle_price / net - costs + funding)
    return {
        "bundle_id": bundle_id(ids),
        "name": bundle_name(titles, ids),
        "product_ids": ";".join(escape_id(product_id) for product_id in ids),
        "titles": " + ".join(titles),
        "level": instance.scenario.discounts.levels[int(chosen.level[k])],
        "list_price": list_price,
        "bundle_price": bundle_price,
        "discount": (list_price - bundle_price) / list_price,
        "bundle_units": units,
        "subsidised_units": significant(float(chosen.subsidised_units[k])),
        "incremental_units": significant(float(chosen.added_units[k].sum())),
        "added_units": added,
        "revenue": round_cents(revenue),
        "margin": round_cents(margin),
        "discount_spend": round_cents(units * (list_price - bundle_price)),
        "incremental_margin": round_cents(incremental - 100 * assumptions.offer_cost),
        "incremental_margin_low": round_cents(low),
        "incremental_margin_high": round_cents(high),
        "margin_rate": margin / (revenue / net) if revenue > 0 else math.nan,
        "capped": bool(chosen.capped[k]),
        "products": tuple(products),
    }


def product_accounts(instance: Instance, beliefs: Beliefs, rows: pd.DataFrame) -> pd.DataFrame:
    """products.csv: one row for each product in the plan, sorted by id; money in cents."""
    catalogue = instance.catalogue
    added: dict[int, float] = {}
    for products, counts in zip(rows["products"], rows["added_units"], strict=True):
        for product, count in zip(products, counts, strict=True):
            added[product] = added.get(product, 0.0) + count
    chosen = sorted(added, key=lambda product: str(catalogue.product_ids[product]))
    index = np.array(chosen, dtype=np.int64)
    standalone = standalone_units(instance, beliefs)[index]
    return pd.DataFrame(
        {
            "product_id": [str(value) for value in catalogue.product_ids[index]],
            "reference_price": catalogue.reference_price[index],
            "unit_cost": catalogue.unit_cost[index],
            "cost_assumed": catalogue.cost_assumed[index],
            "purchase_probability": beliefs.purchase_probability[index],
            "price_sensitivity": beliefs.price_sensitivity[index],
            "deepest_cut": beliefs.deepest_cut[index],
            "stock": catalogue.stock[index],
            "standalone_units": [significant(float(value)) for value in standalone],
            "incremental_units": [significant(added[product]) for product in chosen],
        }
    )


def sales_loss(beliefs: Beliefs, rows: pd.DataFrame) -> float:
    """The seed's loss L(S) = −Σ p_i p_j log P(S_ij = 1) over the chosen pairs.

    Of larger bundles every pair within counts, each once: s_ij = 1 says that it is offered.
    """
    pairs = sorted({pair for held in rows["products"] for pair in combinations(sorted(held), 2)})
    first, second = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    joint = beliefs.joint_probability(first, second)
    q = beliefs.purchase_probability
    return float(-(q[first] * q[second] * np.log(joint)).sum())


def _id(instance: Instance, chosen: Offers, k: int, side: int) -> str:
    return str(instance.catalogue.product_ids[chosen.products[k, side]])


def bundle_name(titles: Sequence[str], ids: Sequence[str]) -> str:
    """A name for people: titles shortened, told apart by their ids where they are the same."""
    short = [_shorten(title) for title in titles]
    if len(set(short)) < len(short):
        short = [f"{title} ({product_id})" for title, product_id in zip(short, ids, strict=True)]
    return " & ".join(short)


def _shorten(title: str) -> str:
    return title if len(title) <= _NAME_PART else title[: _NAME_PART - 1].rstrip() + "…"
