"""Held-out evaluation: how well later weeks are foretold, beside plain baselines and peers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
from .calibration import score_calibration
from .held_out import HeldOut, split_history
from .history import orders_before
from .next_product import score_next_product
from .panel import base_prices, weekly_panel
from .product_features import ProductFeatures, product_features
from .score_demand import score_demand
from .score_pairs import score_pairs


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of belief, and how it is scored.

    Attributes
    ----------
    key
        of the section in the scores.
    doing
        what is being done, for the person who waits.
    score
        the section of a split; ``{"skipped": why}`` where it has none.
    """

    key: str
    doing: str
    score: Callable[[HeldOut], dict[str, Any]]


def _pairs(held_out: HeldOut) -> dict[str, Any]:
    return score_pairs(held_out.orders, held_out.features, *held_out.weeks)


def _demand(held_out: HeldOut) -> dict[str, Any]:
    return score_demand(held_out.orders, held_out.features, *held_out.weeks)


BASIC = (
    Section("pairs", "scoring pairs", _pairs),
    Section("demand", "scoring demand", _demand),
)
"""The sections that ``learn`` puts into every manifest."""

SECTIONS = (
    *BASIC,
    Section("next_product", "ranking what joins a basket", score_next_product),
    Section("calibration", "checking how sure the beliefs are", score_calibration),
)


def evaluate(
    instance: Instance, *, progress: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Hold out the last weeks of an instance's orders, learn on the others, and score.

    Parameters
    ----------
    progress
        told in a few words what is being scored.

    Returns
    -------
    train_weeks, test_weeks, products
        what was scored.
    pairs
        score by method, (Σ y·log μ − Σ μ)/Σ y over all pairs of products; higher is better.
    demand
        mean Poisson deviance by method over product-weeks; lower is better.
    next_product, calibration, …
        one entry a section, as the function that scores it says.

    Raises InputError where the history is too short to hold anything out.
    """
    scenario = instance.scenario
    orders = orders_before(instance.orders, scenario.week)
    if not orders.n_visits:
        raise InputError(scenario.data.orders, None, "no order before the planned week")
    first_week, end_week = int(orders.week.min()), int(orders.week.max()) + 1
    prices = base_prices(
        instance.catalogue.reference_price, weekly_panel(orders, first_week, end_week)
    )
    features = product_features(instance.catalogue, prices)
    held_out = split_history(orders, features, first_week, end_week, instance)
    if isinstance(held_out, str):
        raise InputError(scenario.data.orders, None, held_out)
    return scores_of(held_out, SECTIONS, progress)


def held_out_scores(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    end_week: int,
) -> dict[str, Any]:
    """The pairs and demand of ``evaluate``; ``skipped`` says why where there are none.

    Parameters
    ----------
    first_week, end_week
        the weeks used, the last of them (13, or a quarter of what there is) held out.
    """
    held_out = split_history(orders, features, first_week, end_week)
    if isinstance(held_out, str):
        return {"skipped": held_out}
    return scores_of(held_out, BASIC)


def scores_of(
    held_out: HeldOut,
    sections: tuple[Section, ...],
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """What was scored, and an entry for each section."""
    scores: dict[str, Any] = {
        "train_weeks": held_out.split_week - held_out.first_week,
        "test_weeks": held_out.end_week - held_out.split_week,
        "products": len(held_out.scored),
    }
    for section in sections:
        if progress is not None:
            progress(section.doing)
        scores[section.key] = section.score(held_out)
    return scores
