"""The business rules of a scenario, one class a kind, named as in the scenario file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Ids = Annotated[tuple[str, ...], Field(min_length=1)]
Pair = Annotated[tuple[str, ...], Field(min_length=2, max_length=4)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]


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


Rule = Annotated[
    CategoryLimit | BrandLimit | MustInclude | Excluded | NeverTogether | AtMostOneOf | Locked,
    Field(discriminator="kind"),
]
