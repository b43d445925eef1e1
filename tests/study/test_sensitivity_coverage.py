"""benchmarks.sensitivity_coverage finds nine in ten inside where posteriors are right."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.instances.orders import Orders
from bundlewise.models.category_effects import no_effects
from bundlewise.models.sensitivity import Sensitivity, truncated_moments
from numpy.typing import NDArray

from benchmarks.sensitivity_coverage import TAIL, Group, compared, households

PRODUCTS, CAP = 20_000, 8.0
PRIOR_LOCATION, PRIOR_SCALE = 1.0, 1.5


def group(
    centre: NDArray[np.float64], information: NDArray[np.float64], scale: float = 1.0
) -> Group:
    """Posteriors from N(centre, 1/information), and one product that shows the prior."""
    precision = information + PRIOR_SCALE**-2
    location = (centre * information + PRIOR_LOCATION * PRIOR_SCALE**-2) / precision
    location = np.append(location, PRIOR_LOCATION)
    scales = np.append(precision**-0.5, PRIOR_SCALE)
    scales[:-1] *= scale
    mean, spread = truncated_moments(location, scales, CAP)
    found = Sensitivity(
        location=location,
        scale=scales,
        cap=CAP,
        mean=mean,
        spread=spread,
        category_mean=mean[-1:],
        information=np.append(information, 0.0),
        category=np.zeros(PRODUCTS + 1, dtype=np.int32),
        effects=no_effects(1, 2),
        fit={},
    )
    return Group(found, PRODUCTS)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_nine_in_ten_are_inside_and_fewer_of_posteriors_too_sure(
    scale: float,
) -> None:
    random = np.random.default_rng(1)
    eta = random.normal(PRIOR_LOCATION, PRIOR_SCALE, 3 * PRODUCTS)
    eta = eta[(eta > 0) & (eta < CAP)][:PRODUCTS]
    information = random.uniform(0.2, 4.0, (2, PRODUCTS))
    centres = random.normal(eta, information**-0.5)
    sure, other = group(centres[0], information[0], scale), group(centres[1], information[1])
    quantile = compared(sure, other).quantile
    found = float(((quantile >= TAIL) & (quantile <= 1 - TAIL)).mean())
    if scale == 1.0:
        assert found == pytest.approx(1 - 2 * TAIL, abs=0.01)
        assert (quantile < TAIL).mean() == pytest.approx(TAIL, abs=0.01)
    else:
        assert found < 0.85


def test_products_that_the_other_group_says_nothing_of_are_left_out() -> None:
    ones = np.ones(PRODUCTS)
    silent = np.where(np.arange(PRODUCTS) % 2 == 0, 0.0, 2.0)
    found = compared(group(ones, ones), group(ones, silent))
    assert len(found.quantile) == PRODUCTS // 2
    np.testing.assert_allclose(found.quantile, found.quantile[0])


def test_the_likelihood_is_the_posterior_without_its_prior() -> None:
    random = np.random.default_rng(2)
    centre, information = random.normal(2, 3, PRODUCTS), random.uniform(0.1, 4.0, PRODUCTS)
    found, told = group(centre, information).likelihood()
    np.testing.assert_allclose(found, centre)
    np.testing.assert_array_equal(told, information)


def test_both_parities_are_in_each_group_and_lines_stay_with_their_visits() -> None:
    customer = np.arange(8, dtype=np.int32)
    lines = np.repeat(np.arange(8, dtype=np.int32), 2)
    n = len(lines)
    orders = Orders(
        visit=lines,
        product=lines,
        quantity=np.ones(n),
        amount=np.full(n, 100, dtype=np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=np.zeros(8, dtype=np.int32),
        customer=customer,
        store=np.full(8, -1, dtype=np.int32),
        n_products=8,
    )
    parts = [households(orders, part) for part in (0, 1)]
    assert [part.customer.tolist() for part in parts] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    for part in parts:
        np.testing.assert_array_equal(part.customer[part.visit], part.product)
