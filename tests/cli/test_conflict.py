"""What a person and a machine are told where no plan fits, and what rules cost where one does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def conflict(seed_case: Path, tmp_path: Path) -> Path:
    """More bundles than products allow under one bundle a product."""
    path = tmp_path / "conflict.toml"
    path.write_text(
        f'[scenario]\nname = "conflict"\nextends = {json.dumps(str(seed_case / "scenario.toml"))}\n'
        "[limits]\nmax_bundles = 60\nmin_bundles = 60\n"
    )
    return path


def test_a_conflict_says_what_would_be_enough(conflict: Path, tmp_path: Path, run: Run) -> None:
    line = run("solve", conflict, "--out", tmp_path / "plan").refused(3)
    assert "limits.min_bundles = 60 and limits.max_bundles = 60" in line
    assert "alone would do: " in line
    assert "limits.max_bundles_per_product = 2 instead of 1" in line
    assert not (tmp_path / "plan").exists()


def test_json_holds_the_whole_explanation(conflict: Path, tmp_path: Path, run: Run) -> None:
    answer = run("solve", conflict, "--out", tmp_path / "plan", "--json")
    assert answer.code == 3
    assert len(answer.err.splitlines()) == 1
    explained = json.loads(answer.out)["conflict"]
    assert set(explained["rules"]) == {"bundle-count", "product-exposure"}
    assert explained["smallest"] is True
    changes = {change["rule"]: change for change in explained["relaxations"]}
    enough = changes["bundle-count"]["enough"]
    assert changes["bundle-count"]["proven"] is True
    assert changes["bundle-count"]["key"] == "limits.min_bundles"
    # what is said to be enough is, and one more is not
    for fewest, code in ((enough, 0), (enough + 1, 3)):
        text = conflict.read_text().replace("min_bundles = 60", f"min_bundles = {fewest}")
        conflict.with_name("tried.toml").write_text(text)
        tried = run("solve", conflict.with_name("tried.toml"), "--out", tmp_path / f"{fewest}")
        assert tried.code == code, tried.err


def test_what_rules_cost_is_shown_and_written(seed_case: Path, tmp_path: Path, run: Run) -> None:
    answer = run("solve", seed_case / "scenario.toml", "--out", tmp_path / "plan")
    assert "What rules cost: one more bundle" in answer.out
    report = json.loads((tmp_path / "plan" / "plan.json").read_text())
    prices = {price["rule"]: price for price in report["prices"]}
    assert 0 < len(prices) <= 5
    more = prices["bundle-count"]
    assert more["step_text"] == "one more bundle"
    assert more["change"] == pytest.approx(more["objective"] - report["objective"])
    entry = next(rule for rule in report["rules"] if rule["name"] == "bundle-count")
    assert entry["exact_price"] == more
    assert entry["shadow_price_unit"] == f"{report['currency']} a week per bundle"
    assert entry["priced_by"] == "linear relaxation"
    # a plan with one bundle more is worth that much more
    other = tmp_path / "more.toml"
    base = json.dumps(str(seed_case / "scenario.toml"))
    other.write_text(
        f'[scenario]\nname = "more"\nextends = {base}\n'
        f"[limits]\nmax_bundles = {report['kpis']['bundles'] + 1}\n[solver]\ngap = 0.0\n"
    )
    assert run("solve", other, "--out", tmp_path / "more").code == 0
    again = json.loads((tmp_path / "more" / "plan.json").read_text())
    assert again["objective"] - report["objective"] == pytest.approx(more["change"], abs=1e-6)
