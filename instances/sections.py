"""The sections of a scenario file: every key, its type, its range and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .rules import Positive, Rule, Share

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BelowOne = Annotated[float, Field(lt=1, allow_inf_nan=False)]
OpenShare = Annotated[float, Field(ge=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Data(_Section):
    """Where the tables are (resolved to absolute paths when the scenario is read)."""

    orders: Path
    products: Path
    prices: Path | None = None
    events: Path | None = None
    promotions: Path | None = None
    beliefs: Path | None = None
    previous_plan: Path | None = None
    max_age_days: Annotated[int, Field(ge=0)] | None = None


class GrossMargins(_Section):
    """Gross margins by category or department; ``default`` where none is named."""

    by: Literal["category", "department"]
    default: OpenShare
    values: dict[str, OpenShare] = {}


class Assumptions(_Section):
    gross_margin: OpenShare | GrossMargins | None = None
    tax_rate: NonNegative = 0.0
    visits: Positive | None = None
    exposure: Annotated[float, Field(gt=0, le=1)] = 1.0
    redemption: Literal["seen", "automatic"] = "seen"
    offer_cost: NonNegative = 0.0
    diversion: Annotated[float, Field(ge=0, le=1)] | None = None


class Candidates(_Section):
    min_support: Annotated[int, Field(ge=1)] = 5
    max_size: Annotated[int, Field(ge=2, le=4)] = 2
    max_candidates: Annotated[int, Field(ge=1)] = 200_000
    allow_same_category: bool = True
    allow_promoted: bool = False


class Discounts(_Section):
    levels: Annotated[tuple[Share, ...], Field(min_length=1, max_length=64)] = (
        0.05,
        0.10,
        0.15,
        0.20,
        0.25,
        0.30,
    )
    price_ending: Literal["none", "x.x9", ".99", ".95", ".00"] = "none"

    @field_validator("levels")
    @classmethod
    def _ascending(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(levels))


class Objective(_Section):
    maximize: Literal["margin", "revenue", "units", "affinity"] = "margin"


class Limits(_Section):
    max_bundles: Annotated[int, Field(ge=0)]
    min_bundles: Annotated[int, Field(ge=0)] = 0
    max_bundles_per_product: Annotated[int, Field(ge=1)] = 1
    stock_safety: OpenShare = 0.0
    min_bundle_margin: BelowOne | None = None
    min_plan_margin: BelowOne | None = None
    discount_budget: NonNegative | None = None


class Solver(_Section):
    engine: str = "auto"
    gap: NonNegative = 0.001
    time_limit: Positive = 60.0
    threads: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0)] = 0
    deterministic: bool = False


class SegmentSettings(_Section):
    """Segments of shoppers: how many are learned (1: none), and whether offers may choose.

    ``target``: an offer is shown only to the segments in which it gains. Segments of fewer than
    ``min_customers`` customers join their neighbours.
    """

    count: Literal["auto"] | Annotated[int, Field(ge=1, le=16)] = 1
    target: bool = False
    min_customers: Annotated[int, Field(ge=1)] = 20


class Scenario(_Section):
    """One scenario, resolved: ``extends`` merged, paths absolute, every default filled in.

    ``week`` is a week number (``weeks.week_index``); ``path`` is the file it was read from.
    """

    name: str
    week: int
    currency: str
    path: Path
    data: Data
    assumptions: Assumptions
    candidates: Candidates
    discounts: Discounts
    objective: Objective
    limits: Limits
    rules: tuple[Rule, ...]
    solver: Solver
    segments: SegmentSettings = SegmentSettings()
