"""``solve --write-model``: the program that is solved, in a file that other solvers read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pulp
import pytest
from bundlewise.instances import ConflictError, load_instance, read_scenario
from bundlewise.models import learn
from bundlewise.solver import conflicts, planning

from .conftest import Run

Variant = Callable[..., Path]


@pytest.mark.parametrize(
    ("lines", "others"),
    [
        ("[limits]\nmax_bundles_per_product = 2\n", set()),
        (
            '[[rules]]\nname = "clear"\nkind = "clearance"\nproducts = ["001", "022"]\n'
            'target = 40\nprice = 0.5\n[[rules]]\nname = "same"\nkind = "same-level"\n'
            'category = "Coffee & tea"\n',
            {"x_extra_clear", "x_extra_same", "x_extra_same_2"},
        ),
    ],
)
def test_the_plan_and_the_model_have_the_same_optimum(
    lines: str, others: set[str], variant: Variant, tmp_path: Path, run: Run
):
    scenario = variant(f"{lines}[solver]\ngap = 0.0")
    model = tmp_path / "model.mps"
    answer = run("solve", scenario, "--out", tmp_path / "plan", "--write-model", model, "--json")
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert "model" in report["seconds"]
    columns, problem = pulp.LpProblem.fromMPS(str(model))
    offers = [name for name in columns if not name.startswith("x_extra_")]
    assert len(offers) == report["offers"]
    assert others <= set(columns)
    with pytest.warns(DeprecationWarning, match="PuLP 4"):
        problem.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0))
    cents = -float(pulp.value(problem.objective))
    assert report["objective"] == pytest.approx(cents / 100, abs=0.01)


def test_the_model_is_written_where_the_rules_conflict(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant(
        '[[rules]]\nname = "many"\nkind = "brand-limit"\nbrand = "Monte Alto"\nmin = 30'
    )
    model = tmp_path / "model.lp"
    run("solve", scenario, "--out", tmp_path / "plan", "--write-model", model).refused(3)
    assert "r_many: x_" in model.read_text()
    assert not (tmp_path / "plan").exists()


def test_writing_the_model_takes_no_time_from_the_explanation(
    variant: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    scenario = variant(
        '[[rules]]\nname = "many"\nkind = "brand-limit"\nbrand = "Monte Alto"\nmin = 30\n'
        "[solver]\ntime_limit = 30"
    )
    given: list[float] = []

    def explain(*_: object, seconds: float, **__: object) -> ConflictError:
        given.append(seconds)
        return ConflictError(("many",), "no plan")

    monkeypatch.setattr(planning, "_write_model", lambda *_: time.sleep(0.3))
    monkeypatch.setattr(conflicts, "explain_conflict", explain)
    instance = load_instance(read_scenario(scenario))
    spent: dict[str, float] = {}
    with pytest.raises(ConflictError):
        planning.solve(instance, learn(instance), seconds=spent, model_file=tmp_path / "model.lp")
    assert spent["model"] >= 0.3
    assert given == [pytest.approx(30.0 - spent["program"] - spent["solve"])]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.txt", "ends in '.txt'; expected one of .mps, .lp"),
        ("nowhere/model.lp", "cannot be written (No such file or directory)"),
        ("there.lp", "exists already; expected --force to replace it"),
        ("plan/model.lp", "the model cannot be in the plan's own folder"),
    ],
)
def test_a_place_that_will_not_do_is_refused_before_any_work(
    name: str, words: str, tmp_path: Path, run: Run
):
    (tmp_path / "there.lp").write_text("mine")
    # The scenario is not there either: nothing was read by then.
    line = run(
        "solve",
        tmp_path / "no.toml",
        "--out",
        tmp_path / "plan",
        "--write-model",
        tmp_path / name,
    ).refused(2)
    assert words in line
    assert [path.name for path in tmp_path.iterdir()] == ["there.lp"]


def test_force_replaces_an_earlier_model(seed_case: Path, tmp_path: Path, run: Run):
    model = tmp_path / "model.lp"
    model.write_text("old")
    scenario = seed_case / "scenario.toml"
    answer = run(
        "solve", scenario, "--out", tmp_path / "plan", "--write-model", model, "--force", "-q"
    )
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert model.read_text().startswith("\\* bundlewise *\\\nMaximize\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.lp", "plan"]
