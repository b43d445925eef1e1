"""The tables of a plan folder beside plan.csv, as explanations read them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..instances.bundle_ids import restore, unescape_id
from ..instances.errors import InputError
from ..instances.scenario import read_scenario
from ..instances.sections import Scenario
from .plan_folder import PlanFolder, read_plan_folder

_TEXT = ("bundle_id", "buys", "adds", "left_out", "product_id")
_FLAGS = ("chosen", "capped", "cost_assumed")


@dataclass(frozen=True, slots=True)
class PlanTables:
    """A finished plan with everything its folder says.

    Attributes
    ----------
    plan
        plan.json and plan.csv.
    scenario
        the resolved scenario.
    products
        products.csv, money in currency units.
    levels, groups
        levels.csv and groups.csv; ``buys`` and ``adds`` are tuples of product ids. None in plans
        of versions that did not write them.
    """

    plan: PlanFolder
    scenario: Scenario
    products: pd.DataFrame
    levels: pd.DataFrame | None
    groups: pd.DataFrame | None

    @property
    def titles(self) -> dict[str, str]:
        """Product id -> title, of the plan's products; the id where titles cannot be told apart."""
        found: dict[str, str] = {}
        for ids, joined in zip(
            self.plan.offers["product_ids"], self.plan.offers["titles"], strict=True
        ):
            names, titles = ids_of(ids), str(joined).split(" + ")
            if len(titles) != len(names):  # a title that holds the separator itself
                titles = names
            found.update(zip(names, titles, strict=True))
        return found


def read_plan_tables(folder: Path) -> PlanTables:
    """Read a plan folder; InputError where it is none, or a file in it cannot be read."""
    plan = read_plan_folder(folder)
    scenario = read_scenario(folder / "scenario.toml")
    products = _table(folder / "products.csv")
    if products is None:
        raise InputError(folder, "products.csv", "is missing", "a plan folder")
    return PlanTables(
        plan, scenario, products, _table(folder / "levels.csv"), _table(folder / "groups.csv")
    )


def ids_of(text: str) -> tuple[str, ...]:
    """The product ids of a cell, which are joined by ``;``."""
    return tuple(unescape_id(part) for part in text.split(";") if part)


def _table(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        table = pd.read_csv(io.BytesIO(path.read_bytes()), dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be read ({error})") from error
    for column in table.columns:
        if column in _FLAGS:
            table[column] = table[column] == "true"
        elif column in ("buys", "adds"):
            table[column] = [ids_of(restore(text)) for text in table[column]]
        elif column in _TEXT:
            table[column] = table[column].map(restore)
        else:
            table[column] = pd.to_numeric(table[column])
    return table
