"""Offers scored by segment: they add up, and a target group is where the offer gains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.scenario import Assumptions, Objective
from bundlewise.solver.candidates import candidate_pairs
from bundlewise.solver.posterior import NODES
from bundlewise.solver.scoring_kernel import Scores, product_table, score_pairs, terms_of
from bundlewise.solver.segment_pairs import LARGEST_TIE
from bundlewise.solver.segment_scoring import SegmentScores, score_by_segment

from .reference_shares import PairCase, reference_shares
from .segment_cases import SHARE, made_segments
from .test_scoring_accounts import shop

N = 12
SOME = Assumptions(tax_rate=0.1, exposure=0.5, offer_cost=2.0)


def scored(
    spread: float, factor_spread: float = 0.0, *, target: bool = False, **sections: Any
) -> tuple[Scores, SegmentScores, np.ndarray]:
    """Accounts pooled, by segment, and the discounts they are at."""
    instance, beliefs = shop(N, **sections)
    pairs, _ = candidate_pairs(instance, beliefs)
    price = instance.catalogue.reference_price
    each = (price[pairs.first] + price[pairs.second])[:, None]
    discount = (each * np.array([0.0, 0.05, 0.1, 0.2])).astype(np.int64)
    table, terms = product_table(instance, beliefs, NODES), terms_of(instance)
    segments = made_segments(N, spread, factor_spread=factor_spread)
    found = score_by_segment(pairs, discount, table, terms, segments, target=target)
    return score_pairs(pairs, discount, table, terms), found, discount


@pytest.mark.parametrize("maximize", ["margin", "revenue", "units"])
def test_segments_that_are_alike_add_up_to_all_shoppers(maximize: Any) -> None:
    pooled, found, discount = scored(0.0, objective=Objective(maximize=maximize), assumptions=SOME)
    for name in ("value", "incremental_margin", "bundle_units", "added_first", "added_second"):
        assert np.allclose(getattr(found.scores, name), getattr(pooled, name), rtol=1e-8, atol=1e-9)
    assert np.array_equal(found.scores.capped, pooled.capped)
    assert (found.shown_to[discount > 0] == 0b111).all()
    assert not found.shown_to[discount == 0].any()


def test_those_who_buy_both_anyway_are_as_many_as_without_segments() -> None:
    pooled, found, discount = scored(0.3, assumptions=SOME)
    assert found.loose_pairs == 0
    assert np.allclose(found.scores.subsidised_units, pooled.subsidised_units, rtol=1e-9)
    some = discount > 0
    away = found.scores.bundle_units[some] / pooled.bundle_units[some] - 1
    assert np.abs(away).max() > 0.01  # else segments would not matter at all


def test_the_accounts_of_each_segment_are_those_of_the_reference() -> None:
    instance, beliefs = shop(N, assumptions=SOME)
    beliefs = replace(
        beliefs,
        sensitivity_scale=np.zeros(N),
        deepest_cut=np.full(N, 0.99),  # nothing is capped
    )
    pairs, _ = candidate_pairs(instance, beliefs)
    some = pairs.take(slice(3, 8))
    discount = np.full((5, 1), 40, dtype=np.int64)
    table, terms = product_table(instance, beliefs, 1), terms_of(instance)
    segments = made_segments(N, 0.4, factor_spread=0.3)
    found = score_by_segment(some, discount, table, terms, segments, target=False)
    from bundlewise.solver.segment_pairs import within_odds_ratio

    q = beliefs.purchase_probability[:, None] * segments.purchase_ratio
    a, b = some.first, some.second
    psi = within_odds_ratio(q[a], q[b], SHARE, some.joint_probability, some.odds_ratio)
    for row in range(5):
        i, j = int(a[row]), int(b[row])
        total = np.zeros(4)
        for s in range(3):
            case = PairCase(
                q=(float(q[i, s]), float(q[j, s])),
                psi=float(psi[row]),
                eta=(
                    float(beliefs.price_sensitivity[i] * segments.sensitivity_factor[i, s]),
                    float(beliefs.price_sensitivity[j] * segments.sensitivity_factor[j, s]),
                ),
                price=tuple(float(instance.catalogue.reference_price[x]) for x in (i, j)),  # pyright: ignore[reportArgumentType]
                discount=40.0,
            )
            total += SHARE[s] * np.array(reference_shares(case))
        seen = instance.visits * 0.5
        assert found.scores.subsidised_units[row, 0] == pytest.approx(seen * total[0], rel=1e-6)
        assert found.scores.bundle_units[row, 0] == pytest.approx(seen * total.sum(), rel=0.005)


def test_a_target_group_is_where_the_offer_gains() -> None:
    _, everybody, discount = scored(0.8, 0.4, assumptions=SOME)
    _, found, _ = scored(0.8, 0.4, target=True, assumptions=SOME)
    offered = discount > 0
    some = offered & (found.shown_to != 0b111) & (found.shown_to != 0)
    assert some.sum() > 20
    assert (found.scores.value[some] >= everybody.scores.value[some]).all()
    assert (found.scores.value[some] > -200 - 1e-9).all()  # 0 or more, less what the offer costs
    rest = offered & ~some
    assert np.allclose(found.scores.value[rest], everybody.scores.value[rest])
    assert (found.shown_to[offered] > 0).all()


def test_ties_beyond_what_segments_allow_are_counted() -> None:
    _, found, _ = scored(3.0)
    assert found.loose_pairs > 0
    assert LARGEST_TIE > 1e6
    assert np.isfinite(found.scores.value).all()
