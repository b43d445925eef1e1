"""A planning problem, ready to learn from and to solve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from .catalogue import Catalogue
from .orders import Orders
from .previous_plan import PreviousPlan
from .prices import PriceTable
from .promotions import PromotionTable
from .sections import Scenario


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that went into a plan: what plan.json says of it."""

    path: str
    sha256: str
    rows: int
    rows_used: int


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What ``validate`` reports of the tables.

    Attributes
    ----------
    first_day, last_day
        first and last day with a clean order line, up to the end of the planned week.
    weeks
        ISO weeks with visits to learn from.
    lines_read, lines_used, lines_quarantined, lines_later
        order lines in the file, learned from, set aside, and dated in or after the planned week
        (those may be set aside as well).
    products, products_sold, products_available
        products listed, with an order line to learn from, and free to be in a bundle.
    price_sources
        where reference prices come from -> products.
    costs_stated, costs_assumed, stocks_stated
        products with a cost from the table, from an assumed gross margin, with a stock.
    visits_assumed
        whether ``visits`` is from the scenario rather than from the orders.
    """

    first_day: date
    last_day: date
    weeks: int
    lines_read: int
    lines_used: int
    lines_quarantined: int
    lines_later: int
    products: int
    products_sold: int
    products_available: int
    price_sources: dict[str, int]
    costs_stated: int
    costs_assumed: int
    stocks_stated: int
    visits_assumed: bool


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
    prices
        the prices table; None without one.
    promotions
        displays and mailers; None without a promotions table.
    quality
        figures for the data-quality report; None for an instance that was not read from files.
    previous_plan
        last week's plan; None unless a stability rule compares with it.
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
    prices: PriceTable | None = None
    quality: DataQuality | None = None
    previous_plan: PreviousPlan | None = None
    promotions: PromotionTable | None = None
