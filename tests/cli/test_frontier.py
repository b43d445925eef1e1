"""The frontier command: its points, its files, its page and its errors."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundlewise.cli import frontier as frontier_command
from bundlewise.cli.frontier_files import COLUMNS, frontier_csv
from bundlewise.cli.frontier_page import frontier_page
from bundlewise.instances.scenario import Scenario
from bundlewise.instances.variation import Axis
from bundlewise.solver.frontier import FIGURES, Point
from bundlewise.solver.frontier_report import frontier_report
from bundlewise.solver.solution import Status

from .conftest import Answer, Run

Variant = Callable[..., Path]


@pytest.fixture(scope="module")
def traced(seed_case: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped instance with 2 to 6 bundles under two floors of the margin."""
    out = tmp_path_factory.mktemp("frontier") / "out"
    answer = run(
        "frontier", seed_case / "scenario.toml", "--vary", "limits.max_bundles=2,4,6", "--vary",
        "limits.min_plan_margin=0.3,0.5", "--out", out, "--json",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == read(out)
    return out


def read(out: Path) -> dict[str, Any]:
    return json.loads((out / "frontier.json").read_text(encoding="utf-8"))


def objective(answer: Answer) -> float:
    assert answer.code == 0, answer.err
    return json.loads(answer.out)["objective"]


def test_every_point_is_the_plan_of_its_own_scenario(
    traced: Path, variant: Variant, tmp_path: Path, run: Run
):
    result = read(traced)
    assert [key["looser"] for key in result["keys"]] == ["higher", "lower"]
    assert [len(key["values"]) for key in result["keys"]] == [3, 2]
    assert len(result["points"]) == result["points_asked"] == 6
    found = {tuple(point["values"].values()): point for point in result["points"]}
    path = variant("[limits]\nmax_bundles = 6\nmin_plan_margin = 0.5")
    alone = objective(run("solve", path, "--out", tmp_path / "plan", "--json"))
    point = found[6, 0.5]
    assert point["objective"] <= alone * (1 + 1e-3)
    assert alone <= point["bound"] * (1 + 1e-12)
    assert point["gap"] <= 1e-3
    assert point["bundles"] == 6
    for bundles in (2, 4, 6):  # a lower floor is looser
        assert found[bundles, 0.5]["objective"] <= found[bundles, 0.3]["bound"]
    for low, high in ((2, 4), (4, 6)):
        assert found[low, 0.3]["objective"] <= found[high, 0.3]["objective"]
    assert len(result["knees"]) == 2


def test_the_table_has_the_columns_that_are_documented(traced: Path):
    rows = list(csv.DictReader(io.StringIO((traced / "frontier.csv").read_text("utf-8"))))
    assert list(rows[0]) == ["limits.max_bundles", "limits.min_plan_margin", *COLUMNS]
    for row, point in zip(rows, read(traced)["points"], strict=True):
        assert float(row["limits.min_plan_margin"]) == point["values"]["limits.min_plan_margin"]
        assert row["limits.max_bundles"] == str(point["values"]["limits.max_bundles"])
        assert float(row["objective"]) == point["objective"]
        assert float(row["revenue"]) == pytest.approx(point["revenue"])
        assert row["status"] == "optimal"
        assert row["conflict"] == ""


def test_the_page_needs_no_network_and_shows_every_point(traced: Path):
    page = (traced / "frontier.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|<img", page)
    for point in read(traced)["points"]:
        assert f"{point['objective']:,.2f}" in page
    assert page.count("<svg") == 1


def test_what_an_assumption_changes_is_made_anew(variant: Variant, tmp_path: Path, run: Run):
    few = variant("[limits]\nmax_bundles = 3", "few")
    answer = run("frontier", few, "--vary", "assumptions.exposure=0.5,1.0", "--json")
    assert (answer.code, answer.err) == (0, "")
    half, full = json.loads(answer.out)["points"]
    path = variant("[limits]\nmax_bundles = 3\n[assumptions]\nexposure = 0.5")
    alone = objective(run("solve", path, "--out", tmp_path / "plan", "--json"))
    assert half["objective"] == pytest.approx(alone, rel=1e-3)
    assert half["objective"] < 0.6 * full["objective"]


def test_a_terminal_reads_of_points_knees_and_conflicts(variant: Variant, run: Run):
    path = variant("[limits]\nmin_bundles = 4")
    answer = run("frontier", path, "--vary", "limits.min_plan_margin=0.5,0.54,0.58")
    assert answer.code == 0
    text = " ".join(answer.out.split())
    assert "1 point without a plan: bundle-count, plan-margin conflict there." in text
    assert "No knee: a plan at 2 points only" in text
    assert "From limits.min_plan_margin = 0.5 to 0.54" in text


def test_no_plan_at_any_point_is_a_conflict_and_still_written(
    variant: Variant, tmp_path: Path, run: Run
):
    path = variant("[limits]\nmin_bundles = 4")
    out = tmp_path / "frontier.csv"
    vary = "limits.min_plan_margin=0.60,0.62"
    answer = run("frontier", path, "--vary", vary, "--csv", out, "--quiet")
    line = answer.refused(3)
    assert "at every point, no plan satisfies these rules together: bundle-count" in line
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [row["status"] for row in rows] == ["infeasible"] * 2
    assert [row["conflict"] for row in rows] == ["bundle-count; plan-margin"] * 2
    assert rows[1]["conflict_from"] == "0.6"


def test_ctrl_c_keeps_the_points_that_are_done(
    seed_case: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    def interrupt_after_the_second(_progress: object, label: str, _point: Point) -> None:
        if label.startswith("2 of"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(frontier_command, "_say_done", interrupt_after_the_second)
    vary = "limits.max_bundles=1:6:6"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        answer = run("frontier", seed_case / "scenario.toml", "--vary", vary, "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    assert answer.code == 0, answer.err
    assert "interrupted: ending the search" in answer.err
    result = json.loads(answer.out)
    assert 2 <= len(result["points"]) < result["points_asked"] == 6
    assert {1, 6} <= {point["values"]["limits.max_bundles"] for point in result["points"]}


def test_mistakes_are_one_line(seed_case: Path, tmp_path: Path, run: Run):
    scenario = seed_case / "scenario.toml"
    line = run("frontier", scenario, "--vary", "limits.max_bundels=1,2").refused(2)
    assert "the nearest known is limits.max_bundles" in line
    line = run("frontier", scenario, "--vary", "limits.min_bundles=4,20").refused(2)
    assert "limits.min_bundles: 20, above limits.max_bundles = 12" in line
    assert "--vary" in run("frontier", scenario).refused(2)
    (tmp_path / "there.csv").write_text("x", encoding="utf-8")
    vary = ("--vary", "limits.max_bundles=1,2", "--csv")
    assert "--force" in run("frontier", scenario, *vary, tmp_path / "there.csv").refused(2)
    assert "is a folder" in run("frontier", scenario, *vary, tmp_path).refused(2)


def test_values_that_coincide_are_said(seed_case: Path, run: Run):
    vary = "limits.max_bundles=1:2:3"
    answer = run("frontier", seed_case / "scenario.toml", "--vary", vary, "--json")
    assert answer.code == 0
    assert answer.err == (
        "bundlewise: limits.max_bundles: of 3 values some are the same, which leaves 1, 2\n"
    )
    assert json.loads(answer.out)["points_asked"] == 2


def by_hand(scenario: Scenario, key: str, *points: Point) -> dict[str, Any]:
    axis = Axis(key, tuple(sorted({point.values[0] for point in points})), len(points))
    return frontier_report(scenario, (axis,), (0,), points)


def test_what_the_data_name_is_escaped(seed_scenario: Scenario):
    evil = "=1+<script>alert('x')</script>[bold]"
    figures: dict[str, Any] = dict.fromkeys(FIGURES, 10.0) | {"bundles": 3}
    result = by_hand(
        seed_scenario,
        f"rules.{evil}.max",
        Point((1,), Status.OPTIMAL, 10.0, 10.0, figures),
        Point((2,), Status.INFEASIBLE, conflict=(evil,), message=evil),
    )
    page = frontier_page(result)
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    row = list(csv.DictReader(io.StringIO(frontier_csv(result).decode())))[1]
    assert row["conflict"] == row["message"] == f"'{evil}"


def test_a_frontier_without_a_plan_in_time_exits_as_solve_does():
    late = Point((1,), Status.UNKNOWN, message="no plan found within the time limit")
    none = Point((2,), Status.INFEASIBLE, conflict=("a", "b"), message="no plan satisfies a, b")
    assert frontier_command._no_plan([none, late]).exit_code == 4
    assert frontier_command._no_plan([none]).exit_code == 3


def test_a_page_without_any_plan_has_no_chart(seed_scenario: Scenario):
    page = frontier_page(
        by_hand(seed_scenario, "limits.max_bundles", Point((1,), Status.UNKNOWN, message="late"))
    )
    assert "<svg" not in page
    assert "No point has a plan." in page
    assert "1 point for which the time limit came before a plan." in page


@pytest.fixture
def seed_scenario(seed_case: Path) -> Scenario:
    from bundlewise.instances import read_scenario

    return read_scenario(seed_case / "scenario.toml")
