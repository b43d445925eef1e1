"""Last week's plan, read for the rules that compare weeks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.instance import Instance
from bundlewise.instances.previous_plan import read_previous_plan
from bundlewise.instances.rules import Stability
from bundlewise.instances.weeks import week_label

from .files import SCENARIO, load

LEVELS = (0.05, 0.1, 0.2)
KEEP = '[[rules]]\nname = "keep"\nkind = "stability"\nmin_share = 0.5\n'


def folder_of(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "last"
    folder.mkdir(exist_ok=True)
    (folder / "plan.csv").write_text(text, encoding="utf-8")
    return folder


def test_ids_are_as_in_the_tables_and_levels_as_this_weeks(tmp_path: Path) -> None:
    # 0.15 lies between 0.1 and 0.2: the smaller; 0.3 is nearest to 0.2
    text = "product_ids,level,discount\n007;B%2B1,0.15,0.5\n'=7;C,0.3,0.5\nA;B,0.1,0.5\n"
    plan = read_previous_plan(folder_of(tmp_path, text), LEVELS)
    assert [(bundle.products, bundle.level) for bundle in plan.bundles] == [
        (("007", "B+1"), 1),
        (("=7", "C"), 2),
        (("A", "B"), 1),
    ]
    assert plan.bundles[0].bundle_id == "007+B%2B1"


def test_the_discount_stands_in_for_a_level(tmp_path: Path) -> None:
    plan = read_previous_plan(folder_of(tmp_path, "product_ids,discount\n1;2,0.19\n"), LEVELS)
    assert plan.bundles[0].level == 2


def test_a_plan_without_bundles(tmp_path: Path) -> None:
    assert read_previous_plan(folder_of(tmp_path, "product_ids,level\n"), LEVELS).bundles == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "plan.csv: is empty; expected the folder of last week's plan"),
        ("a,b\n1,2\n", "header: no column product_ids or discount; expected those of a plan"),
        ("product_ids,level\n1,0.1\n", "row 2, column product_ids: found '1'; expected different"),
        ("product_ids,level\n1;1,0.1\n", "column product_ids: found '1;1'; expected different"),
        ("product_ids,level\n1;2,0.1\n2;1,0.1\n", "row 3, column product_ids: found '2;1' a sec"),
        ("product_ids,level\n1;2,lots\n", "row 2, column level: found 'lots'; expected a share"),
        ("product_ids,discount\n1;2,0\n", "row 2, column discount: found '0'; expected a share"),
    ],
)
def test_what_is_no_plan_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_previous_plan(folder_of(tmp_path, text), LEVELS)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_or_no_plan(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"last: no such folder; expected the folder of last wee"):
        read_previous_plan(tmp_path / "last", LEVELS)
    (tmp_path / "last").mkdir()
    with pytest.raises(InputError, match=r"last: has no plan\.csv; .*\(data\.previous_plan\)"):
        read_previous_plan(tmp_path / "last", LEVELS)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: is a file"):
        read_previous_plan(tmp_path / "file", LEVELS)


def with_last_week(tmp_path: Path, plan: str, rules: str) -> Instance:
    folder_of(tmp_path, plan)
    data = 'products = "products.csv"\nprevious_plan = "last"'
    return load(
        tmp_path, scenario=SCENARIO.replace('products = "products.csv"', data) + "\n" + rules
    )


def test_an_instance_has_last_weeks_plan_where_a_rule_asks(tmp_path: Path) -> None:
    # C is not active, Z no longer in the table
    text = "product_ids,level\n007;7,0.1\n7;C,0.1\n7;Z,0.1\n"
    instance = with_last_week(tmp_path, text, KEEP)
    assert instance.previous_plan is not None
    assert len(instance.previous_plan.bundles) == 3
    entry = instance.inputs[-1]
    assert (entry.path, entry.rows) == (str(tmp_path / "last" / "plan.csv"), 3)
    (told,) = [line for line in instance.warnings if "of last week's 3 bundles" in line]
    assert told.startswith("2 of last week's 3 bundles hold products that are no longer on offer")
    assert "7+C (C), 7+Z (Z); the" in told


def test_without_a_rule_the_folder_is_not_opened(tmp_path: Path) -> None:
    instance = with_last_week(tmp_path, "no plan at all", "")
    assert instance.previous_plan is None
    assert any("data.previous_plan is not used" in line for line in instance.warnings)


def test_an_empty_plan_of_last_week_is_told(tmp_path: Path) -> None:
    instance = with_last_week(tmp_path, "product_ids,level\n", KEEP)
    assert any("last week's plan holds no bundle" in line for line in instance.warnings)


@pytest.mark.parametrize(
    ("week", "told"), [("2018-W01", True), ("2018-W02", True), ("2017-W52", False), ("soon", False)]
)
def test_a_plan_that_is_not_of_an_earlier_week_is_told(
    tmp_path: Path, week: str, told: bool
) -> None:
    text = "product_ids,level\n007;7,0.1\n"
    folder_of(tmp_path, text)
    (tmp_path / "last" / "plan.json").write_text(json.dumps({"week": week}))
    instance = with_last_week(tmp_path, text, KEEP)
    assert week_label(instance.scenario.week) == "2018-W01"
    said = f"a plan of {week}, which is not before the planned week 2018-W01"
    assert any(said in line for line in instance.warnings) == told


@pytest.mark.parametrize("report", ["{", "[]", '{"files": 3}', '{"files": {"plan.csv": "%s"}}'])
def test_a_plan_that_was_changed_is_told(tmp_path: Path, report: str) -> None:
    text = "product_ids,level\n007;7,0.1\n"
    folder_of(tmp_path, text)
    (tmp_path / "last" / "plan.json").write_text(
        report.replace("%s", hashlib.sha256(text.encode()).hexdigest())
    )
    for written, changed in ((text, False), (text + "7;C,0.1\n", "%s" in report)):
        instance = with_last_week(tmp_path, written, KEEP)
        said = "plan.csv was changed after it was written"
        found = any(said in line for line in instance.warnings)
        assert found == changed


@pytest.mark.parametrize(
    ("share", "bundles", "fewest"),
    [(0.7, 10, 7), (0.71, 10, 8), (1.0, 3, 3), (0.01, 1, 1), (0.5, 0, 0), (None, 9, 0)],
)
def test_the_share_is_rounded_up(share: float | None, bundles: int, fewest: int) -> None:
    assert Stability(kind="stability", min_share=share, max_steps=1).fewest(bundles) == fewest


def test_same_level_and_clearance_name_what_the_tables_have(tmp_path: Path) -> None:
    for rule, said in (
        ('kind = "same-level"\ncategory = "Drink"', "no category 'Drink' in products.csv (the nea"),
        ('kind = "same-level"\nbundles = [["007", "7"], ["7", "X"]]', "no product 'X' in products"),
        ('kind = "clearance"\nproducts = ["00"]\ntarget = 1', "no product '00' in products.csv"),
    ):
        with pytest.raises(InputError) as caught:
            load(tmp_path, scenario=f"{SCENARIO}\n[[rules]]\n{rule}\n")
        assert said in str(caught.value)
