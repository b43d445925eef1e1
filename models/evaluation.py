"""Held-out evaluation: how well later weeks are foretold, beside plain baselines and peers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
from ..instances.scenario import Scenario
from ..instances.weeks import week_label
from .held_out import HeldOut, split_history
from .history import orders_before
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


def _sets(held_out: HeldOut) -> dict[str, Any]:
    from .score_sets import score_sets

    return score_sets(held_out.orders, held_out.features, *held_out.weeks)


def _interests(held_out: HeldOut) -> dict[str, Any]:
    from .score_interests import score_interests

    orders, features, events = held_out.orders, held_out.features, held_out.events
    found = score_interests(orders, events, features, *held_out.weeks)
    return found or {"skipped": "no topics can be learned, or no shopper came back"}


def _segments(held_out: HeldOut) -> dict[str, Any]:
    from .score_segments import score_segments

    orders, features, events = held_out.orders, held_out.features, held_out.events
    found = score_segments(orders, events, features, *held_out.weeks)
    return found or {"skipped": "no segments can be learned"}


def _relations(held_out: HeldOut) -> dict[str, Any]:
    from .score_relations import score_relations

    return score_relations(held_out.orders, held_out.known_features, *held_out.weeks)


def _mechanism(held_out: HeldOut) -> dict[str, Any]:
    from .score_mechanism import score_mechanism

    return score_mechanism(held_out.orders, held_out.features, *held_out.weeks)


def _next_product(held_out: HeldOut) -> dict[str, Any]:
    from .next_product import score_next_product

    return score_next_product(held_out)


def _calibration(held_out: HeldOut) -> dict[str, Any]:
    from .calibration import score_calibration

    return score_calibration(held_out)


BASIC = (
    Section("pairs", "scoring pairs", _pairs),
    Section("demand", "scoring demand", _demand),
)
"""The sections that ``learn`` puts into every manifest."""

_SETS = Section("sets", "scoring sets of three and four", _sets)
_SHOPPERS = (
    Section("interests", "scoring interest tags", _interests),
    Section("segments", "scoring segments of shoppers", _segments),
)
_OTHERS = (
    Section("relations", "foretelling which pairs come together", _relations),
    Section("mechanism", "following joint purchases as prices move", _mechanism),
    Section("next_product", "ranking what joins a basket", _next_product),
    Section("calibration", "checking how sure the beliefs are", _calibration),
)


def sections_of(scenario: Scenario) -> tuple[Section, ...]:
    """What is learned for a scenario: sets and segments only where it asks for them."""
    sets = (_SETS,) if scenario.candidates.max_size > 2 else ()
    shoppers = _SHOPPERS if scenario.segments.count != 1 else ()
    return (*BASIC, *sets, *shoppers, *_OTHERS)


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
    name, first_scored_week, last_scored_week, train_weeks, test_weeks, products
        what was scored.
    pairs
        score by method, (Σ y·log μ − Σ μ)/Σ y over all pairs of products; higher is better.
    demand
        mean Poisson deviance by method over product-weeks; lower is better.
    sets, interests, segments, relations, mechanism, next_product, calibration
        as the functions that score them say; the first three where the scenario asks for them.
    seconds
        by section.

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
    scored = {
        "name": scenario.name,
        "first_scored_week": week_label(held_out.split_week),
        "last_scored_week": week_label(held_out.end_week - 1),
    }
    scores, seconds = scores_of(held_out, sections_of(scenario), progress)
    return scored | scores | {"seconds": seconds}


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
    return scores_of(held_out, BASIC)[0]


def scores_of(
    held_out: HeldOut,
    sections: tuple[Section, ...],
    progress: Callable[[str], None] | None = None,
) -> tuple[dict[str, Any], dict[str, float]]:
    """What was scored with an entry for each section, and the seconds of each."""
    seconds: dict[str, float] = {}
    scores: dict[str, Any] = {
        "train_weeks": held_out.split_week - held_out.first_week,
        "test_weeks": held_out.end_week - held_out.split_week,
        "products": len(held_out.scored),
    }
    for section in sections:
        if progress is not None:
            progress(section.doing)
        start = time.perf_counter()
        scores[section.key] = section.score(held_out)
        seconds[section.key] = round(time.perf_counter() - start, 1)
    return scores, seconds
