"""A planning problem, ready to learn from and to solve."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from .catalogue import Catalogue
from .orders import Orders
from .scenario import Scenario


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that went into a plan: what plan.json says of it."""

    path: str
    sha256: str
    rows: int
    rows_used: int


@dataclass(frozen=True, slots=True)
class Instance:
    """Order lines, products and a scenario that belong together.

    Attributes
    ----------
    scenario
        the resolved scenario; ``scenario.week`` is the planned week.
    orders
        clean lines from before the planned week.
    catalogue
        products with reference prices and costs resolved for the planned week.
    events
        rows of the events table with ``product`` as catalogue index; None without one.
    quarantine
        the bad order lines as read, with ``line`` (row in the file, the header being 1) and
        ``reason``.
    visits
        visits expected in the planned week.
    inputs
        the files read, with hashes and row counts.
    counts
        what cleaning found: reason -> lines, and what was left out for other causes.
    warnings
        sentences for the person who reads the plan.
    """

    scenario: Scenario
    orders: Orders
    catalogue: Catalogue
    events: pd.DataFrame | None
    quarantine: pd.DataFrame
    visits: float
    inputs: tuple[InputFile, ...]
    counts: dict[str, int]
    warnings: tuple[str, ...]
