"""Keys and values that --vary asks for, checked like those of a scenario file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.variation import Axis, Variation

SCENARIO = """
[scenario]
name = "shop"
week = "2018-W01"
[data]
orders = "orders.csv"
products = "products.csv"
[limits]
max_bundles = 12
[assumptions.gross_margin]
by = "category"
default = 0.3
"FROZEN PIZZA" = 0.25
[[rules]]
kind = "category-limit"
category = "DAIRY"
max = 3
[[rules]]
name = "sell.off"
kind = "clearance"
products = ["1", "2"]
target = 40
"""


@pytest.fixture
def shop(tmp_path: Path) -> Variation:
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return Variation(path)


def only(shop: Variation, text: str) -> Axis:
    (axis,) = shop.axes([text])
    return axis


def test_evenly_spaced_values_are_the_decimals_that_one_would_write(shop: Variation):
    axis = only(shop, "limits.min_plan_margin=0.15:0.35:9")
    assert axis.values == (0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325, 0.35)
    assert axis.merged is None


def test_whole_numbers_stay_whole_and_what_coincides_is_said(shop: Variation):
    axis = only(shop, "limits.max_bundles=1:4:7")  # 1, 1.5, 2, 2.5, 3, 3.5, 4: halves up
    assert axis.values == (1, 2, 3, 4)
    assert all(type(value) is int for value in axis.values)
    assert axis.asked == 7
    assert axis.merged == (
        "limits.max_bundles: of 7 values some are the same, which leaves 1, 2, 3, 4"
    )
    listed = only(shop, "limits.max_bundles = 5, 1, 5.0")
    assert (listed.values, listed.asked) == ((1, 5), 3)


def test_each_point_is_the_scenario_with_its_numbers_in_place(shop: Variation):
    axes = shop.axes(["limits.max_bundles=20,30", "limits.min_bundles=15,20"])
    scenarios = shop.scenarios(axes)
    assert list(scenarios) == [(20, 15), (20, 20), (30, 15), (30, 20)]
    limits = scenarios[30, 15].limits
    assert (limits.max_bundles, limits.min_bundles) == (30, 15)
    assert shop.base.limits.max_bundles == 12


def test_numbers_of_rules_and_of_margins_by_category_can_be_varied(shop: Variation):
    assert shop.scenario({"rules.sell.off.target": 50.0}).rules[1] != shop.base.rules[1]
    made = shop.scenario({"rules.category-limit[DAIRY].max": 1})
    assert made.rules[0].model_dump()["max"] == 1
    margins = shop.scenario({"assumptions.gross_margin.FROZEN PIZZA": 0.5}).assumptions
    assert margins.model_dump()["gross_margin"]["values"] == {"FROZEN PIZZA": 0.5}


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["limits.max_bundels=1,2"], "limits.max_bundels: unknown key (the nearest known is limit"),
        (["objective.maximize=1,2"], "objective.maximize: takes no number"),
        (["assumptions.gross_margin=0.1,0.2"], "assumptions.gross_margin: takes no number"),
        (["rules.sell.off.tarjet=1,2"], "the nearest known is rules.sell.off.target"),
        (["limits.max_bundles"], "expected KEY=LOW:HIGH:COUNT or KEY=1,2,5"),
        (["limits.max_bundles=1:5"], "expected LOW:HIGH:COUNT"),
        (["limits.max_bundles=1:5:1"], "expected a whole number above 1"),
        (["limits.max_bundles=1:5:1000000000"], "COUNT 1000000000; expected at most 1000"),
        (["limits.max_bundles=5:1:3"], "LOW 5 and HIGH 1; expected LOW below HIGH"),
        (["limits.max_bundles=1.5,2"], "limits.max_bundles: 1.5; expected a whole number"),
        (["limits.max_bundles=one"], "text 'one'; expected a number"),
        (["limits.discount_budget=nan"], "text 'nan'; expected a number"),
        (["limits.max_bundles=1,2"] * 2, "limits.max_bundles: given twice"),
        (["limits.max_bundles=1,2"] * 3, "3 keys; expected at most 2"),
    ],
)
def test_what_cannot_be_varied_is_one_line(shop: Variation, texts: Sequence[str], says: str):
    with pytest.raises(InputError) as caught:
        shop.axes(texts)
    assert str(caught.value).startswith("--vary: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limits.min_plan_margin=0.2,1.2", "--vary: limits.min_plan_margin: 1.2; expected a numb"),
        ("limits.max_bundles=-1,2", "--vary: limits.max_bundles: -1; expected a whole number of a"),
        (
            "limits.min_bundles=5,13",
            "--vary: limits.min_bundles: 13, above limits.max_bundles = 12",
        ),
    ],
)
def test_values_meet_the_checks_of_the_file(shop: Variation, text: str, says: str):
    with pytest.raises(InputError) as caught:
        shop.scenarios(shop.axes([text]))
    assert str(caught.value).startswith(says)
