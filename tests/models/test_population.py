"""The population of sensitivities: recovered from many products, not made up from a few."""

from __future__ import annotations

import numpy as np
from bundlewise.models.population import PRIOR_MEAN, PRIOR_SPREAD, fit_population


def test_spreads_and_locations_are_recovered_from_many_products():
    rng = np.random.default_rng(1)
    category = np.repeat(np.arange(30), 60).astype(np.int32)
    location = rng.normal(4.0, 0.9, 30)
    truth = np.maximum(rng.normal(location[category], 1.2), 0.0)
    information = rng.uniform(0.5, 20.0, len(truth))
    found = fit_population(truth + rng.normal(0, information**-0.5), information, category, 30)
    assert abs(found.mean - 4.0) < 0.5
    assert 0.6 < found.between < 1.3
    assert 1.0 < found.within < 1.5
    covered = np.abs(found.location - location) < 1.645 * np.sqrt(found.location_variance)
    assert np.mean(covered) > 0.75


def test_without_evidence_the_published_elasticities_are_left():
    found = fit_population(np.empty(0), np.empty(0), np.empty(0, dtype=np.int32), 2)
    assert abs(found.mean - PRIOR_MEAN) < 0.25
    spread = np.sqrt(found.within**2 + found.location_variance)
    assert (spread > 0.75 * PRIOR_SPREAD).all()
    assert (spread < 1.25 * PRIOR_SPREAD).all()


def test_a_few_vague_products_do_not_make_a_narrow_population():
    """Three products that say 2 ± 1 do not prove that every product lies within 0.1 of it."""
    found = fit_population(np.full(3, 2.0), np.ones(3), np.zeros(3, dtype=np.int32), 1)
    assert found.within > 0.5
