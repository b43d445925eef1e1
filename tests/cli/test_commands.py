from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from .conftest import Run

Variant = Callable[..., Path]


def test_validate_reports_the_data_and_writes_nothing(seed_case: Path, run: Run):
    before = sorted(seed_case.iterdir())
    answer = run("validate", seed_case / "scenario.toml", "--json")
    assert (answer.code, answer.err) == (0, "")
    report = json.loads(answer.out)
    quality = report["quality"]
    assert quality["products"] == 100
    assert (
        quality["lines_read"]
        == quality["lines_used"] + quality["lines_quarantined"] + (quality["lines_later"])
    )
    assert sorted(seed_case.iterdir()) == before
    text = run("validate", seed_case / "scenario.toml").out
    assert f"{quality['lines_read']:,} read" in text


def test_validate_counts_bad_lines_by_reason(tmp_path: Path, run: Run):
    assert run("init", tmp_path / "shop").code == 0
    path = tmp_path / "shop" / "orders.csv"
    orders = pd.read_csv(path, dtype=str, keep_default_na=False)
    orders.loc[0, "quantity"] = "0"
    orders.loc[1, "product_id"] = "ghost"
    orders.loc[2, "ordered_at"] = "yesterday"
    orders.to_csv(path, index=False)
    report = json.loads(run("validate", tmp_path / "shop" / "scenario.toml", "--json").out)
    assert report["quarantined"] == {
        "non-positive quantity": 1,
        "unknown product": 1,
        "unreadable date": 1,
    }


def test_learn_writes_a_folder_that_pandas_reads(seed_case: Path, tmp_path: Path, run: Run):
    answer = run("learn", seed_case / "scenario.toml", "--out", tmp_path / "beliefs")
    assert answer.code == 0
    assert "learned from 2025-W" in answer.out
    products = pd.read_parquet(tmp_path / "beliefs" / "products.parquet")
    pairs = pd.read_parquet(tmp_path / "beliefs" / "pairs.parquet")
    assert {"product_id", "purchase_probability", "price_sensitivity", "deepest_cut"} <= set(
        products.columns
    )
    assert {"product_a", "product_b", "orders", "joint_probability", "odds_ratio"} <= set(
        pairs.columns
    )
    manifest = json.loads((tmp_path / "beliefs" / "manifest.json").read_text(encoding="utf-8"))
    assert "held_out" in manifest
    line = run("learn", seed_case / "scenario.toml", "--out", tmp_path / "beliefs").refused(2)
    assert "--force" in line


def test_evaluate_puts_scores_beside_baselines(seed_case: Path, run: Run):
    scores = json.loads(run("evaluate", seed_case / "scenario.toml", "--json").out)
    assert scores["pairs"]["learned"] > scores["pairs"]["independence"]
    assert scores["demand"]["learned"] < scores["demand"]["no_price"]
    text = run("evaluate", seed_case / "scenario.toml").out
    assert f"{scores['pairs']['learned']:.4f}" in text


@pytest.mark.parametrize("name", ["seed100", "synthetic"])
def test_an_instance_is_ready_to_solve(name: str, tmp_path: Path, run: Run):
    answer = run("instance", name, "--out", tmp_path / name)
    assert answer.code == 0
    assert f"next: bundlewise solve {tmp_path / name / 'scenario.toml'}" in answer.out
    assert run("validate", tmp_path / name / "scenario.toml").code == 0
    line = run("instance", name, "--out", tmp_path / name).refused(2)
    assert "already" in line


def test_init_overwrites_nothing(tmp_path: Path, run: Run):
    assert run("init", tmp_path / "shop").code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "shop").iterdir()}
    run("init", tmp_path / "shop").refused(2)
    assert {path: path.read_bytes() for path in (tmp_path / "shop").iterdir()} == before


def test_another_week_can_be_asked_for(seed_case: Path, tmp_path: Path, run: Run):
    out = tmp_path / "plan"
    answer = run("solve", seed_case / "scenario.toml", "--week", "2025-W40", "--out", out)
    assert answer.code == 0, answer.err
    assert "seed100 2025-W40" in answer.out
    assert run("check", out).code == 0
    out = tmp_path / "other"
    line = run("solve", seed_case / "scenario.toml", "--week", "2025-W60", "--out", out).refused(2)
    assert "2025-W60" in line


def test_stated_beliefs_may_not_know_the_planned_week(
    seed_case: Path, tmp_path: Path, variant: Variant, run: Run
):
    folder = tmp_path / "beliefs"
    assert run("learn", seed_case / "scenario.toml", "--out", folder, "--quiet").code == 0
    scenario = variant('[data]\nbeliefs = "beliefs"')
    assert run("validate", scenario, "--quiet").code == 0
    for command in (("validate",), ("solve", "--out", tmp_path / "plan")):
        line = run(command[0], scenario, "--week", "2025-W40", *command[1:]).refused(2)
        assert "learned from orders up to 2025-W44; expected orders from before the" in line
    (folder / "pairs.parquet").unlink()
    assert "pairs.parquet" in run("validate", scenario).refused(2)
    assert not (tmp_path / "plan").exists()


def test_a_folder_that_cannot_be_written_is_named_in_one_line(
    seed_case: Path, tmp_path: Path, run: Run
):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    for command in (
        ("init", out),
        ("instance", "seed100", "--out", out),
        ("learn", seed_case / "scenario.toml", "--out", out),
        ("solve", seed_case / "scenario.toml", "--out", out),
    ):
        assert f"{out}: cannot be written (" in run(*command).refused(2)


def test_beliefs_of_better_supported_pairs_are_a_warning(
    seed_case: Path, tmp_path: Path, variant: Variant, run: Run
):
    learned = variant("[candidates]\nmin_support = 9", "learned")
    assert run("learn", learned, "--out", tmp_path / "beliefs", "--quiet").code == 0
    wider = variant('[data]\nbeliefs = "beliefs"\n[candidates]\nmin_support = 4', "wider")
    answer = run("solve", wider, "--out", tmp_path / "plan", "--json")
    warnings = json.loads(answer.out)["warnings"]
    assert any("at least 9 joint orders: candidates.min_support = 4" in text for text in warnings)


def test_the_bare_command_shows_its_help(run: Run):
    answer = run()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: ")


@pytest.mark.parametrize(
    "arguments", [("check", "NAME"), ("solve", "no.toml", "--out", "NAME"), ("learn", "NAME")]
)
def test_a_name_the_system_does_not_take_is_no_bug(arguments: tuple[str, ...], run: Run):
    extra = ("--out", "beliefs") if arguments[0] == "learn" else ()
    name = "x" * 300
    line = run(*(name if part == "NAME" else part for part in arguments), *extra).refused(2)
    assert name in line
    assert "File name too long" in line
