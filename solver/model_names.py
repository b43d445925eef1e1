"""What the columns and groups of a plan's program are called in a model file."""

from __future__ import annotations

import numpy as np

from ..instances.bundle_ids import bundle_id
from ..instances.instance import Instance
from .offers import Offers
from .program import Program


def column_names(instance: Instance, offers: Offers, program: Program) -> list[str]:
    """(columns,) an offer by its bundle id and level; another column by the first row it is in."""
    levels = instance.scenario.discounts.levels
    names = [
        f"{bundle}_at_{levels[level]:g}"
        for bundle, level in zip(_bundles(instance, offers), offers.level.tolist(), strict=True)
    ]
    for column in range(len(offers), program.n_columns):
        rows = program.row[program.start[column] : program.start[column + 1]]
        names.append(f"extra_{program.row_name[rows[0]]}" if len(rows) else "extra")
    return names


def group_names(instance: Instance, offers: Offers, program: Program) -> list[str]:
    """(groups,) the bundle whose levels the group holds, or else the group's number."""
    names = [f"group_{g + 1}" for g in range(program.n_groups)]
    group = program.group[: len(offers)]
    first = np.unique(group, return_index=True)[1]
    bundles = _bundles(instance, offers.take(first))
    for column, bundle in zip(first.tolist(), bundles, strict=True):
        if group[column] >= 0:
            names[group[column]] = bundle
    return names


def _bundles(instance: Instance, offers: Offers) -> list[str]:
    ids = offers.of_products(instance.catalogue.product_ids, "").tolist()
    return [bundle_id(filter(None, of_bundle)) for of_bundle in ids]
