"""The business rules of a scenario, one class a kind, named as in the scenario file."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Ids = Annotated[tuple[str, ...], Field(min_length=1)]
Pair = Annotated[tuple[str, ...], Field(min_length=2, max_length=4)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]  # what sums can hold


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = ""


class CategoryLimit(_Rule):
    """Number of offers that touch a category lies between min and max."""

    kind: Literal["category-limit"]
    category: str
    min: Count = 0
    max: Count | None = None


class BrandLimit(_Rule):
    """Number of offers that touch a brand lies between min and max."""

    kind: Literal["brand-limit"]
    brand: str
    min: Count = 0
    max: Count | None = None


class MustInclude(_Rule):
    """A bundle with exactly these products is in the plan (at this level, where one is given)."""

    kind: Literal["must-include"]
    products: Pair
    level: Share | None = None


class Excluded(_Rule):
    """A bundle with exactly these products is not in the plan (not at this level, if given)."""

    kind: Literal["excluded"]
    products: Pair
    level: Share | None = None


class NeverTogether(_Rule):
    """No bundle holds two of these products."""

    kind: Literal["never-together"]
    products: Annotated[tuple[str, ...], Field(min_length=2)]


class AtMostOneOf(_Rule):
    """At most one offer touches any of these products, or is one of these bundles.

    ``products`` is a list of product ids, ``bundles`` a list of lists of product ids.
    """

    kind: Literal["at-most-one-of"]
    products: Ids | None = None
    bundles: Annotated[tuple[Pair, ...], Field(min_length=1)] | None = None


class Locked(_Rule):
    """The offer of exactly these products at this level is in the plan."""

    kind: Literal["locked"]
    products: Pair
    level: Share


class SameLevel(_Rule):
    """The offers of a line share one entry of ``discounts.levels``.

    The line is what these bundles offer (a list of lists of product ids), or every offer that
    touches the category.
    """

    kind: Literal["same-level"]
    bundles: Annotated[tuple[Pair, ...], Field(min_length=2)] | None = None
    category: str | None = None


class Stability(_Rule):
    """The plan keeps to last week's (``data.previous_plan``).

    Of last week's n bundles at least ⌈min_share·n⌉ are in the plan again; one that is lies at
    most ``max_steps`` entries of ``discounts.levels`` from its level of last week.
    """

    kind: Literal["stability"]
    min_share: Annotated[float, Field(gt=0, le=1)] | None = None
    max_steps: Count | None = None

    def fewest(self, bundles: int) -> int:
        """⌈min_share·n⌉, or 0 without a ``min_share``; 0.7·10 is 7 whatever binary digits say."""
        return math.ceil((self.min_share or 0.0) * bundles - 1e-9)


class Clearance(_Rule):
    """Incremental units of these products, all together, reach a target.

    With a ``price`` a unit that is missing costs so much and no more; without one, none may be.
    """

    kind: Literal["clearance"]
    products: Ids
    target: Positive
    price: Positive | None = None


Rule = Annotated[
    CategoryLimit
    | BrandLimit
    | MustInclude
    | Excluded
    | NeverTogether
    | AtMostOneOf
    | Locked
    | SameLevel
    | Stability
    | Clearance,
    Field(discriminator="kind"),
]
