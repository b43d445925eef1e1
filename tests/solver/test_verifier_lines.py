"""The verifier on lines, weeks and targets: a right plan passes, a planted breach is named.

The plan is ``plan_by_hand``'s: 001+002 and 003+004 at 0.2, 005+006 at 0.1, of the levels 0.05,
0.1, 0.2 and 0.25.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bundlewise.solver.verifier import verify_files

from .plan_by_hand import PRODUCTS, SCENARIO, plan_files

LAST_WEEK = "product_ids,level\n001;002,0.2\n003;004,0.1\n001;009,0.05\n"
"""003+004 was one level lower; 009 is no longer in the table."""

LINE = '[[rules]]\nname = "line"\nkind = "same-level"\nbundles = [["002", "001"], ["004", "003"]]\n'
KEEP = '[[rules]]\nname = "keep"\nkind = "stability"\nmin_share = 0.6\nmax_steps = 1\n'
CLEAR = '[[rules]]\nname = "clear"\nkind = "clearance"\nproducts = ["003", "005"]\ntarget = 20\n'
Change = Callable[[dict], object]
Problems = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lines")
    lines = ["order_id,product_id,ordered_at,quantity,amount"]
    lines += [
        f"o{k},00{2 * (k % 3) + side},2025-02-{1 + k % 20:02d},1,2.00"
        for k in range(45)
        for side in (1, 2)
    ]
    (path / "orders.csv").write_text("\n".join(lines) + "\n")
    (path / "products.csv").write_text(PRODUCTS)
    (path / "last").mkdir()
    (path / "last" / "plan.csv").write_text(LAST_WEEK)
    return path


def scenario_text(folder: Path, rules: str) -> str:
    data = f'products = "{folder / "products.csv"}"\nprevious_plan = "{folder / "last"}"'
    text = f"{SCENARIO}\n{rules}".replace('products = "products.csv"', data)
    return text.replace('"orders.csv"', f'"{folder / "orders.csv"}"')


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, bytes]:
    """The plan's files, for a scenario whose stability rule makes last week's plan an input."""
    (folder / "scenario.toml").write_text(scenario_text(folder, KEEP))
    return plan_files(folder, scenario=folder / "scenario.toml")


@pytest.fixture
def problems_of(folder: Path, made: dict[str, bytes]) -> Problems:
    """Problems of the plan under the scenario with further rules, and entries of plan.json."""

    def problems(
        rules: str, *entries: dict, change: Change = lambda report: None, **keys: str
    ) -> tuple[str, ...]:
        text = scenario_text(folder, rules)
        for key, value in keys.items():
            text = text.replace(f"{key} = ", f"{key} = {value} # ", 1)
        report = json.loads(made["plan.json"])
        report["files"]["scenario.toml"] = hashlib.sha256(text.encode()).hexdigest()
        report["rules"] += entries
        change(report)
        files = {**made, "scenario.toml": text.encode(), "plan.json": json.dumps(report).encode()}
        return verify_files(files)

    return problems


def entry(name: str, kind: str, value: float, limit: float | None, slack: float | None) -> dict:
    return {"name": name, "kind": kind, "value": value, "limit": limit, "slack": slack}


@pytest.fixture(scope="module")
def units(made: dict[str, bytes]) -> float:
    """Units that the plan adds of 003 and 005: the first product of their bundles."""
    rows = list(csv.DictReader(io.StringIO(made["plan.csv"].decode())))
    held = [row for row in rows if row["bundle_id"] in ("003+004", "005+006")]
    return sum(float(row["added_units"].split(";")[0]) for row in held)


def test_a_line_at_one_level(problems_of: Problems) -> None:
    good = entry("line", "same-level", 1, 1, 0)
    assert problems_of(LINE, good) == ()
    (said,) = problems_of(LINE, {**good, "value": 2, "slack": -1})[:1]
    assert said == "plan.json: rules: line: value is 2, expected 1"
    assert any("line is missing" in line for line in problems_of(LINE))


def test_a_rule_that_is_listed_twice_or_not_in_force_is_named(problems_of: Problems) -> None:
    good = entry("line", "same-level", 1, 1, 0)
    said = "plan.json: rules: line is listed, expected the rules in force, each once"
    assert problems_of(LINE, good, good) == (said,)
    assert said in problems_of("", good)


def test_a_line_at_two_levels_is_named(problems_of: Problems) -> None:
    # 003+004 stands at 0.2, 005+006 at 0.1
    rule = LINE.replace('["002", "001"]', '["005", "006"]')
    problems = problems_of(rule, entry("line", "same-level", 2, 1, -1))
    assert problems == ("plan.csv: rule same-level line: 2, expected at most 1",)
    # one offer of the category is in the plan, whatever its level
    rule = '[[rules]]\nname = "line"\nkind = "same-level"\ncategory = "Snacks"\n'
    assert problems_of(rule, entry("line", "same-level", 1, 1, 0)) == ()


def test_levels_that_lead_to_one_price_are_one(problems_of: Problems) -> None:
    # 8.39 of 001+002 (10.50) answers to 0.2 (8.40) and to 0.2055 (8.342), 8.79 of 003+004 (11.00)
    # to 0.2 (8.80) but not to 0.2055 (8.74, nearer to 8.69): 0.2 serves both
    problems = problems_of(LINE, levels="[0.05, 0.1, 0.2, 0.2055]")
    assert any("001+002: level is 0.2, expected 0.2055" in line for line in problems)
    assert not any("same-level" in line for line in problems)


def test_last_weeks_bundles(problems_of: Problems) -> None:
    # two of three are kept: 0.6·3 = 1.8 asks for 2
    entries = (
        entry("keep", "stability", 2, 2, 0),
        entry("keep[max_steps]", "stability", 1, 1, 0),
    )
    assert problems_of(KEEP, *entries) == ()
    more = KEEP.replace("0.6", "0.7")
    assert "plan.csv: rule stability keep: 2, expected at least 3" in problems_of(more)
    fewer = KEEP.replace("max_steps = 1", "max_steps = 0")
    said = "plan.csv: rule stability keep: 003+004 1 level from last week's, expected at most 0"
    assert said in problems_of(fewer)
    wrong = ({**entries[0], "value": 3, "slack": 1}, {**entries[1], "value": 0, "slack": 1})
    problems = problems_of(KEEP, *wrong)
    assert "plan.json: rules: keep: value is 3, expected 2" in problems
    assert "plan.json: rules: keep[max_steps]: value is 0, expected 1" in problems


def test_last_weeks_bundles_need_no_support(problems_of: Problems) -> None:
    # the other two bundles are forced in by rules
    said = "plan.csv: rule min_support 001+002: 15 orders, expected at least 16"
    assert said in problems_of("", min_support="16")
    assert said not in problems_of(KEEP, min_support="16")


def test_a_plan_of_last_week_that_changed_is_named(problems_of: Problems) -> None:
    def change(report: dict) -> None:
        assert report["inputs"][-1]["path"].endswith("plan.csv")
        report["inputs"][-1]["sha256"] = hashlib.sha256(b"other").hexdigest()

    problems = problems_of(KEEP, change=change)
    assert any("last/plan.csv: has changed since the plan was made" in line for line in problems)


def test_a_target_that_is_reached(problems_of: Problems, units: float) -> None:
    good = entry("clear", "clearance", units, 20, units - 20)
    assert problems_of(CLEAR, good) == ()
    assert any(
        "rules: clear: value" in line for line in problems_of(CLEAR, {**good, "value": units + 1})
    )


def test_a_hard_target_that_is_missed_is_named(problems_of: Problems) -> None:
    problems = problems_of(CLEAR.replace("20", "100000"))
    assert any(
        line.startswith("plan.csv: rule clearance clear: ") and "at least 100000" in line
        for line in problems
    )


def test_a_soft_target_costs_its_price(problems_of: Problems, units: float) -> None:
    missing = 1000 - units
    rule = CLEAR.replace("20", "1000") + "price = 0.5\n"
    good = entry("clear", "clearance", units, 1000, -missing)
    good |= {"missing": missing, "penalty": missing / 2}

    def with_penalty(report: dict) -> None:
        report["objective"] -= missing / 2
        report["bound"] = report["objective"] + 0.0005 * abs(report["objective"])

    assert problems_of(rule, good, change=with_penalty) == ()
    assert any(line.startswith("plan.json: objective is") for line in problems_of(rule))
    for wrong, said in (
        ({"missing": missing / 2}, "rules: clear: missing is"),
        ({"penalty": missing}, "rules: clear: penalty is"),
        ({"slack": 0.0}, "rules: clear: slack is"),
    ):
        problems = problems_of(rule, good | wrong, change=with_penalty)
        assert any(said in line for line in problems), problems


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bundle-margin", "rules: bundle-margin: value is"),
        ("min-price", "rules: min-price: value is 4.39"),
    ],
)
def test_figures_of_filters_are_checked(problems_of: Problems, name: str, said: str) -> None:
    def change(report: dict) -> None:
        found = next(rule for rule in report["rules"] if rule["name"] == name)
        found["value"] += 1

    assert any(said in line for line in problems_of("", change=change))
