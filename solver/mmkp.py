"""The program of a published knapsack benchmark, and a check that does not go through it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ..instances.mmkp import MmkpInstance
from .program import Program
from .program_builder import ProgramBuilder


def mmkp_program(instance: MmkpInstance) -> Program:
    """Maximise Σ value·x; exactly one item of each class; Σ weight·x <= capacity in each resource.

    Columns are the items in the file's order, groups the classes. Values are in the file's
    units; rows are in units of 10^-weight_places, so that their coefficients are whole.
    """
    builder = ProgramBuilder(
        instance.values / 10.0**instance.value_places,
        group=instance.item_class,
        group_exact=np.ones(instance.n_classes, dtype=np.bool_),
    )
    item, resource = np.nonzero(instance.weights)
    builder.add_rows(
        [f"resource[{k + 1}]" for k in range(instance.n_resources)],
        resource.astype(np.int64),
        item.astype(np.int64),
        instance.weights[item, resource],
        upper=instance.capacities,
        rule="resource",
        kind="resource",
    )
    return builder.build()


@dataclass(frozen=True, slots=True)
class MmkpCheck:
    """What an assignment is worth, and what is wrong with it.

    Attributes
    ----------
    value
        Σ value of the items chosen, exact.
    problems
        one line each; empty where the assignment is a solution.
    """

    value: Decimal
    problems: tuple[str, ...]


def check_mmkp(instance: MmkpInstance, values: NDArray[np.float64]) -> MmkpCheck:
    """Check an assignment (items,) against the instance in whole numbers, without tolerances."""
    problems = []
    if not np.all((values == 0) | (values == 1)):
        problems.append("an item is chosen in part")
    chosen = np.flatnonzero(values > 0.5)
    count = np.bincount(instance.item_class[chosen], minlength=instance.n_classes)
    problems += [
        f"class {which + 1}: {count[which]} items chosen, not exactly one"
        for which in np.flatnonzero(count != 1).tolist()
    ]
    for resource, capacity in enumerate(instance.capacities.tolist()):
        # whole numbers without a limit: a sum of int64 could wrap round
        used = sum(instance.weights[chosen, resource].tolist())
        if used > capacity:
            shown = _decimal(used, instance.weight_places)
            within = _decimal(capacity, instance.weight_places)
            problems.append(f"resource {resource + 1}: {shown} used of {within}")
    value = sum(instance.values[chosen].tolist())
    return MmkpCheck(_decimal(value, instance.value_places), tuple(problems))


def _decimal(whole: int, places: int) -> Decimal:
    return Decimal(whole).scaleb(-places)
