"""The knee on curves where it is known."""

from __future__ import annotations

import pytest
from bundlewise.solver.knee import find_knee


def test_the_knee_of_a_curve_that_rises_and_then_hardly_does() -> None:
    # 0 to 8 in four steps, then 8.5, 9, 9.5, 10: the corner is the fifth point. The chord there is
    # at 10·4/8 = 5, so it lies 3 of 10 above
    objectives = [0.0, 2.0, 4.0, 6.0, 8.0, 8.5, 9.0, 9.5, 10.0]
    knee = find_knee(list(range(9)), objectives, objectives)
    assert knee.at == 4
    assert knee.height == pytest.approx(0.3)
    assert knee.reason == ""


def test_kneedle_s_own_example() -> None:
    # figure 2 of Satopää et al. 2011: y = −1/(x + 0.1) + 5 at ten points of [0, 1], knee at 0.22
    values = [k / 9 for k in range(10)]
    objectives = [5 - 1 / (value + 0.1) for value in values]
    knee = find_knee(values, objectives, objectives)
    assert knee.at == 2
    assert knee.height == pytest.approx(0.536, abs=1e-3)


def test_a_curve_that_falls_bends_where_it_begins_to_fall_fast() -> None:
    objectives = [10.0, 9.8, 9.5, 9.0, 4.0, 0.0]  # a margin floor that rises
    assert find_knee([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], objectives, objectives).at == 3


def test_values_need_not_be_evenly_spaced() -> None:
    # above the chord by 1 − 0.1 = 0.9, and by 1.5 − 1 = 0.5
    assert find_knee([0, 1, 10, 20], [0.0, 1.0, 1.5, 2.0], [None] * 4).at == 1


@pytest.mark.parametrize(
    ("objectives", "bounds", "reason"),
    [
        ([1.0, 2.0], [1.0, 2.0], "a plan at 2 points only"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "no point lies above the straight line"),
        ([1.0, 1.2, 3.0], [1.0, 1.2, 3.0], "no point lies above the straight line"),
        ([2.0, 2.0, 2.0], [2.0, 2.0, 2.0], "both ends of the curve earn the same"),
        # 2.05 is above the chord at 2, but the last end may be worth 3.2, and the chord then 2.1
        ([1.0, 2.05, 3.0], [1.0, 2.05, 3.2], "smaller than what the proofs leave open"),
    ],
)
def test_there_is_no_knee(objectives: list[float], bounds: list[float | None], reason: str) -> None:
    knee = find_knee([1, 2, 3][: len(objectives)], objectives, bounds)
    assert knee.at is None
    assert knee.height is None
    assert reason in knee.reason
