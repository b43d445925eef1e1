"""Same-level, stability and clearance from the scenario file to a checked plan."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bundlewise.solver.plan_folder import PlanFolder, read_plan_folder

from .conftest import Run

LEVELS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
Solve = Callable[..., PlanFolder]


@pytest.fixture
def write(seed_case: Path, tmp_path: Path) -> Callable[[str], Path]:
    def variant(text: str) -> Path:
        path = tmp_path / "variant.toml"
        head = f'[scenario]\nname = "variant"\nextends = "{seed_case / "scenario.toml"}"\n'
        path.write_text(head + text)
        return path

    return variant


@pytest.fixture
def solve(write: Callable[[str], Path], tmp_path: Path, run: Run) -> Solve:
    """Solve the shipped instance with further text, and check the plan."""

    def call(text: str) -> PlanFolder:
        folder = tmp_path / "plan"
        answer = run("solve", write(text), "--out", folder, "--force")
        assert answer.code == 0, answer.err
        assert run("check", folder).code == 0
        return read_plan_folder(folder)

    return call


def last(folder: Path) -> str:
    return f'[data]\nprevious_plan = "{folder}"\n'


def rule_of(plan: PlanFolder, name: str) -> dict[str, Any]:
    return next(rule for rule in plan.report["rules"] if rule["name"] == name)


def test_a_category_at_one_level(seed_plan: Path, solve: Solve) -> None:
    free = read_plan_folder(seed_plan)
    products = pd.read_csv(
        Path(free.report["inputs"][1]["path"]), dtype={"product_id": str}
    ).set_index("product_id")["category"]

    def levels(plan: PlanFolder, category: str) -> list[float]:
        held = plan.offers["product_ids"].map(
            lambda ids: any(products[name] == category for name in ids.split(";"))
        )
        return plan.offers["level"][held].tolist()

    category = next(name for name in products.unique() if len(set(levels(free, name))) > 1)
    plan = solve(f'[[rules]]\nname = "line"\nkind = "same-level"\ncategory = "{category}"\n')
    line = rule_of(plan, "line")
    assert [line[key] for key in ("kind", "value", "limit", "slack")] == ["same-level", 1, 1, 0]
    assert line["shadow_price"] > 0
    assert line["shadow_price_unit"] == "EUR a week per level allowed in the line"
    assert line["priced_by"] == "linear relaxation"
    assert len(set(levels(plan, category))) == 1
    assert plan.report["objective"] < free.report["objective"]


def test_a_week_after_another(seed_plan: Path, solve: Solve) -> None:
    before = read_plan_folder(seed_plan)
    keep = '[[rules]]\nname = "keep"\nkind = "stability"\nmin_share = 0.7\nmax_steps = 1\n'
    # of 12 bundles 9 (8.4 rounded up), though only half of the products may be in one
    plan = solve(last(seed_plan) + keep + "[discounts]\nlevels = [0.05, 0.30]\n")
    again = set(plan.offers["bundle_id"]) & set(before.offers["bundle_id"])
    entry = rule_of(plan, "keep")
    assert (entry["limit"], entry["value"], entry["slack"]) == (9, len(again), len(again) - 9)
    assert len(again) >= 9
    assert rule_of(plan, "keep[max_steps]")["limit"] == 1
    assert plan.report["inputs"][-1]["path"] == str(seed_plan / "plan.csv")


def test_levels_move_by_no_more_than_the_steps(seed_plan: Path, solve: Solve) -> None:
    before = read_plan_folder(seed_plan).offers.set_index("bundle_id")["level"]
    dearer = "[assumptions]\noffer_cost = 2.0\n[objective]\nmaximize = 'units'\n"
    steps = {}
    for most in (None, 1, 0):
        rule = "" if most is None else f'[[rules]]\nkind = "stability"\nmax_steps = {most}\n'
        plan = solve(dearer + (last(seed_plan) + rule if rule else ""))
        after = plan.offers.set_index("bundle_id")["level"]
        both = after.index.intersection(before.index)
        moved = [abs(LEVELS.index(after[bundle]) - LEVELS.index(before[bundle])) for bundle in both]
        steps[most] = max(moved, default=0)
    assert steps[None] > 1
    assert (steps[1], steps[0]) == (1, 0)


def test_a_bundle_that_left_the_shop_still_counts(
    seed_plan: Path, write: Callable[[str], Path], solve: Solve, tmp_path: Path, run: Run
) -> None:
    gone = tmp_path / "last"
    shutil.copytree(seed_plan, gone)
    text = (gone / "plan.csv").read_text()
    first = read_plan_folder(gone).offers["product_ids"][0]
    (gone / "plan.csv").write_text(text.replace(f",{first},", ",011;gone,"))
    keep = '[[rules]]\nname = "keep"\nkind = "stability"\nmin_share = '
    plan = solve(f"{last(gone)}{keep}0.9\n")  # 11 of 12
    assert rule_of(plan, "keep")["value"] == 11
    warnings = " ".join(plan.report["warnings"])
    assert "hold products that are no longer on offer: 011+gone (gone); the" in warnings
    assert "1 of last week's 12 bundles cannot be offered again" in warnings
    answer = run("solve", write(f"{last(gone)}{keep}1.0\n"), "--out", tmp_path / "none")
    assert answer.code == 3
    assert "keep asks for 12 of last week's 12 bundles (min_share = 1; 11 can be" in answer.err
    assert "not 011+gone" in answer.err


def test_last_weeks_plan_must_be_there(
    write: Callable[[str], Path], tmp_path: Path, run: Run
) -> None:
    rule = '[[rules]]\nkind = "stability"\nmin_share = 0.5\n'
    line = run("solve", write(rule), "--out", tmp_path / "plan").refused(2)
    assert "rules[3]: no data.previous_plan to compare with" in line
    scenario = write(last(tmp_path / "nowhere") + rule)
    line = run("validate", scenario).refused(2)
    assert "nowhere: no such folder; expected the folder of last week's plan" in line


def test_a_plan_may_not_replace_the_one_it_is_compared_with(
    seed_plan: Path, write: Callable[[str], Path], tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "last"
    shutil.copytree(seed_plan, folder)
    scenario = write(last(folder) + '[[rules]]\nkind = "stability"\nmin_share = 0.5\n')
    line = run("solve", scenario, "--out", folder, "--force").refused(2)
    assert "is data.previous_plan" in line
    assert (folder / "plan.json").read_bytes() == (seed_plan / "plan.json").read_bytes()


def test_a_soft_target_and_a_hard_one(seed_plan: Path, solve: Solve) -> None:
    # one bundle a product: twice the units of a product ask for a deeper level or another bundle
    free = read_plan_folder(seed_plan)
    products = pd.read_csv(seed_plan / "products.csv", dtype={"product_id": str})
    held = products["product_id"][0]
    units = float(products["incremental_units"][0])
    target = round(2 * units, 3)
    rule = f'[[rules]]\nname = "clear"\nkind = "clearance"\nproducts = ["{held}"]\n'
    cheap = solve(f"{rule}target = {target}\nprice = 0.001\n")
    entry = rule_of(cheap, "clear")
    assert entry["slack"] == pytest.approx(-entry["missing"])
    assert entry["penalty"] == pytest.approx(0.001 * entry["missing"])
    kpi = cheap.report["kpis"]["incremental_margin"]
    assert kpi == pytest.approx(free.report["kpis"]["incremental_margin"], rel=1e-3)
    assert cheap.report["objective"] == pytest.approx(kpi - entry["penalty"], abs=0.05)
    assert "rule clear: " in " ".join(cheap.report["warnings"])
    hard = solve(f"{rule}target = {target}\n")
    entry = rule_of(hard, "clear")
    assert entry["value"] >= target
    assert "missing" not in entry
    assert hard.report["objective"] < free.report["objective"]


def test_a_target_beyond_reach_is_a_conflict(
    write: Callable[[str], Path], tmp_path: Path, run: Run
) -> None:
    rule = '[[rules]]\nname = "clear"\nkind = "clearance"\nproducts = ["001"]\ntarget = 1e6\n'
    answer = run("solve", write(rule), "--out", tmp_path / "plan")
    assert answer.code == 3
    assert "clear asks for target = 1e+06 incremental units of 001" in answer.err


def test_affinity_with_a_soft_target(solve: Solve) -> None:
    text = (
        '[objective]\nmaximize = "affinity"\n[limits]\nmax_bundles = 3\n'
        '[[rules]]\nname = "clear"\nkind = "clearance"\nproducts = ["011"]\ntarget = 5\n'
        "price = 0.000001\n"
    )
    plan = solve(text)
    assert plan.report["kpis"]["bundles"] == 3
    assert json.dumps(rule_of(plan, "clear")["penalty"])
