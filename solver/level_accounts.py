"""The accounts of the chosen bundles at every level: the rows of levels.csv."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .bundle_scores import score_bundles
from .filters import offer_mask
from .offers import Offers
from .plan_accounts import offer_accounts

LEVEL_COLUMNS = (
    "bundle_id",
    "level",
    "bundle_price",
    "discount",
    "chosen",
    "left_out",
    "bundle_units",
    "subsidised_units",
    "incremental_units",
    "revenue",
    "margin",
    "discount_spend",
    "incremental_margin",
    "margin_rate",
    "capped",
    "value",
)


def level_accounts(
    instance: Instance, beliefs: Beliefs, chosen: Offers, rows: pd.DataFrame
) -> pd.DataFrame:
    """One row a bundle and level that has a price of its own, as levels.csv holds them.

    Levels that are not offered at all have no row: those that the price ending merged into a
    deeper one or moved beyond the top level, and those that would give a product away.

    Parameters
    ----------
    chosen
        the offers of the plan.
    rows
        the rows of plan.csv (``offer_accounts``), money in cents.

    Returns
    -------
    pandas.DataFrame
        ``LEVEL_COLUMNS``, bundles in the order of ``rows`` and levels ascending; money in cents.
        ``left_out`` names the first filter that refuses the level (``filters``), "" where none
        does. ``value`` is what the scenario's objective earns, as in plan.json: currency, units or
        loss.
    """
    if not len(rows):
        return pd.DataFrame(columns=list(LEVEL_COLUMNS))
    offers = score_bundles(instance, beliefs, [chosen.bundle(k) for k in range(len(chosen))])
    nothing = np.zeros(len(offers))
    table = offer_accounts(instance, offers, nothing, nothing, beliefs.segments, beliefs.displaced)
    reasons = offer_mask(instance, beliefs).reasons(offers)
    position = {(offers.bundle(k), int(offers.bundle_price[k])): k for k in range(len(offers))}
    keys = zip(table["products"], table["bundle_price"], strict=True)
    at = [position[tuple(sorted(products)), price] for products, price in keys]
    table["left_out"] = [reasons[k] for k in at]
    in_money = instance.scenario.objective.maximize in ("margin", "revenue")
    table["value"] = offers.value[at] * (0.01 if in_money else 1.0)
    level = dict(zip(rows["bundle_id"], rows["level"], strict=True))
    table["chosen"] = [
        level[name] == at for name, at in zip(table["bundle_id"], table["level"], strict=True)
    ]
    table.loc[table["chosen"], "left_out"] = ""
    order = {name: k for k, name in enumerate(rows["bundle_id"])}
    table = table.assign(place=table["bundle_id"].map(order))
    table = table.sort_values(["place", "level"], ignore_index=True)
    return table[list(LEVEL_COLUMNS)]
