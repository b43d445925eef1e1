"""What benchmarks.mechanism prints where pair-weeks, or what moves in them, are lacking."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import mechanism

ROW: dict[str, Any] = {
    "pair_weeks": 40,
    "constant_lift": 0.6,
    "copula": 0.5,
    "difference": -0.1,
    "standard_error": 0.02,
    "standard_error_two_way": 0.03,
    "better": "copula",
    "movement": 1.1,
    "movement_error": 0.2,
}
NONE: dict[str, Any] = {"pair_weeks": 0}


def test_a_movement_that_nothing_tells_of_is_said() -> None:
    assert mechanism.line_of("all", ROW).endswith("1.10 ± 0.20")
    unmoved = ROW | {"movement": None, "movement_error": None}
    assert mechanism.line_of("all", unmoved).endswith("copula         the models say the same")


def test_a_part_without_pair_weeks_has_no_figures() -> None:
    assert mechanism.line_of("price_cut", NONE).split() == ["price_cut", "0"]
    assert mechanism.together("price_cut", [NONE, NONE]).split() == ["price_cut", "0"]


def test_folds_weigh_by_their_pair_weeks() -> None:
    other = ROW | {"pair_weeks": 120, "difference": -0.3, "standard_error": 0.04}
    error = ((40 * 0.02) ** 2 + (120 * 0.04) ** 2) ** 0.5 / 160
    line = mechanism.together("all", [ROW, NONE, other])
    assert line.split() == ["all", "160", "difference", "-0.25000", "±", f"{error:.5f}"]


def test_a_fold_that_is_skipped_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Data:
        for_demand = features = None

    monkeypatch.setattr(mechanism, "score_mechanism", lambda *_: {"skipped": "too short"})
    found = mechanism.show("a shop", Data(), (0, 1, 2))  # type: ignore[arg-type]
    assert found["price_cut"] == {"pair_weeks": 0}
    assert capsys.readouterr().out == "a shop: too short\n"
