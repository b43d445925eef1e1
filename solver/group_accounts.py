"""Who buys each chosen bundle and what the shop gains by them: the rows of groups.csv."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..instances.bundle_ids import escape_id
from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .economics import unit_gain
from .group_shares import GroupShares, audiences
from .offers import Offers
from .plan_accounts import round_cents, significant

GROUP_COLUMNS = ("bundle_id", "buys", "adds", "share", "units", "gain", "money")


def group_accounts(
    instance: Instance, beliefs: Beliefs, chosen: Offers, rows: pd.DataFrame
) -> pd.DataFrame:
    """One row a bundle and group of shoppers, as groups.csv holds them.

    Money of a group = units × (Σ m of what it adds + F − D/(1 + tax)). Units have six significant
    digits here as in plan.csv, where they add up otherwise: what that leaves open is added to the
    largest money of the bundle, so that Σ money − offer_cost is its ``incremental_margin`` to the
    cent.

    Parameters
    ----------
    chosen
        the offers of the plan.
    rows
        the rows of plan.csv (``offer_accounts``), money in cents.

    Returns
    -------
    pandas.DataFrame
        ``GROUP_COLUMNS``, in the order of ``rows``; ``buys`` and ``adds`` escaped ids joined by
        ``;``, ``gain`` cents a unit, ``money`` whole cents a week.
    """
    gain = unit_gain(instance, beliefs.displaced)
    found = _units(instance, beliefs, chosen)
    place = {chosen.bundle(k): k for k in range(len(chosen))}
    table = []
    for row in rows.to_dict("records"):
        groups, units, visits = found[place[tuple(sorted(row["products"]))]]
        table += _bundle_rows(instance, gain, row, groups, units, visits)
    return pd.DataFrame(table, columns=list(GROUP_COLUMNS))


def _units(
    instance: Instance, beliefs: Beliefs, chosen: Offers
) -> list[tuple[GroupShares, np.ndarray, np.ndarray]]:
    """Of each offer its groups, their units a week, and the visits these are counted on.

    With automatic redemption those who buy all of a bundle anyway get its price on every visit.
    Segments are added up, over the visits of those that are shown the offer.
    """
    assumptions = instance.scenario.assumptions
    paid = 1.0 if assumptions.redemption == "automatic" else assumptions.exposure
    discount = (chosen.list_price - chosen.bundle_price).astype(np.float64)
    found: list[tuple[GroupShares, np.ndarray, np.ndarray] | None] = [None] * len(chosen)
    for audience in audiences(instance, beliefs, chosen):
        for k, capped in zip(audience.rows, audience.capped, strict=True):
            groups = audience.groups.shares(
                chosen.bundle(int(k)), discount[k : k + 1], capped=bool(capped)
            )
            visits = np.full(len(groups.adds), instance.visits * assumptions.exposure)
            visits[0] = instance.visits * paid
            units = groups.share[0] * visits * (audience.visits / instance.visits)
            before = found[k]
            found[k] = (groups, units if before is None else units + before[1], visits)
    return [entry for entry in found if entry is not None]


def _bundle_rows(
    instance: Instance,
    gain: np.ndarray,
    row: dict,
    groups: GroupShares,
    units: np.ndarray,
    visits: np.ndarray,
) -> list[dict[str, object]]:
    catalogue, assumptions = instance.catalogue, instance.scenario.assumptions
    funding = sum(int(catalogue.supplier_funding[product]) for product in row["products"])
    off = (row["list_price"] - row["bundle_price"]) / (1.0 + assumptions.tax_rate)
    table: list[dict[str, object]] = []
    for k in _in_order(groups, row["products"]):
        buys, adds, count, seen = groups.buys[k], groups.adds[k], units[k], visits[k]
        written = significant(float(count))
        unit = float(sum(gain[product] for product in adds)) + funding - off
        table.append(
            {
                "bundle_id": row["bundle_id"],
                "buys": _ids(instance, buys),
                "adds": _ids(instance, adds),
                "share": float(count / seen),
                "units": written,
                "gain": unit,
                "money": round_cents(written * unit),
            }
        )
    money = [int(str(entry["money"])) for entry in table]
    due = row["incremental_margin"] + round_cents(100 * assumptions.offer_cost) - sum(money)
    largest = max(range(len(money)), key=lambda k: abs(money[k]))
    table[largest]["money"] = money[largest] + due
    return table


def _in_order(groups: GroupShares, products: tuple[int, ...]) -> list[int]:
    """Groups by the number of products they add, then by these in the order of plan.csv."""
    place = {product: k for k, product in enumerate(products)}
    adds = [tuple(sorted(place[product] for product in added)) for added in groups.adds]
    return sorted(range(len(adds)), key=lambda k: (len(adds[k]), adds[k]))


def _ids(instance: Instance, products: tuple[int, ...]) -> str:
    return ";".join(
        escape_id(name) for name in sorted(str(instance.catalogue.product_ids[p]) for p in products)
    )
