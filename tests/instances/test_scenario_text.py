"""Scenarios written as TOML read back the same; differences are named by key."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.instances.rules import BrandLimit, CategoryLimit
from bundlewise.instances.scenario import (
    Assumptions,
    Candidates,
    Data,
    Discounts,
    GrossMargins,
    Limits,
    Objective,
    Scenario,
    Solver,
    changed_keys,
    read_scenario,
    scenario_toml,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHARE = st.floats(0, 1, exclude_min=True, exclude_max=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NAME = TEXT.filter(lambda text: text not in ("by", "default"))
MARGIN = st.none() | SHARE | st.builds(
    GrossMargins,
    by=st.sampled_from(["category", "department"]),
    default=SHARE,
    values=st.dictionaries(NAME, SHARE, max_size=3),
)  # fmt: skip


def scenario(**changes: object) -> Scenario:
    parts: dict[str, object] = {
        "name": "a",
        "week": 2500,
        "currency": "USD",
        "path": Path("/s.toml"),
        "data": Data(orders=Path("/data/orders.csv"), products=Path("/data/products.csv")),
        "assumptions": Assumptions(),
        "candidates": Candidates(),
        "discounts": Discounts(),
        "objective": Objective(),
        "limits": Limits(max_bundles=5),
        "rules": (),
        "solver": Solver(),
    }
    return Scenario.model_validate(parts | changes)


@given(
    margin=MARGIN,
    visits=st.none() | st.floats(0.001, 1e9),
    levels=st.sets(SHARE, min_size=1, max_size=5),
    categories=st.sets(TEXT, max_size=3),
    brand=TEXT,
    deterministic=st.booleans(),
    budget=st.none() | st.floats(0, 1e9),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back_the_same(
    tmp_path: Path,
    margin: float | GrossMargins | None,
    visits: float | None,
    levels: set[float],
    categories: set[str],
    brand: str,
    deterministic: bool,
    budget: float | None,
) -> None:
    rules = [
        CategoryLimit(name=f"rule {number}", kind="category-limit", category=category, max=number)
        for number, category in enumerate(sorted(categories))
    ]
    path = tmp_path / "written.toml"
    original = scenario(
        path=path,
        assumptions=Assumptions(gross_margin=margin, visits=visits),
        discounts=Discounts(levels=tuple(levels)),
        rules=(*rules, BrandLimit(name=brand, kind="brand-limit", brand=brand, max=1)),
        solver=Solver(deterministic=deterministic),
        limits=Limits(max_bundles=5, discount_budget=budget),
    )
    path.write_text(scenario_toml(original), encoding="utf-8", newline="\n")
    assert read_scenario(path) == original


def test_a_resolved_file_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "base.toml").write_text(
        '[scenario]\nname = "x"\nweek = "2018-W01"\n[data]\norders = "o.csv"\nproducts = "p.csv"\n'
        "[limits]\nmax_bundles = 3\n"
        '[[rules]]\nkind = "never-together"\nproducts = ["1", "2"]\n',
        encoding="utf-8",
    )
    (tmp_path / "in" / "s.toml").write_text(
        '[scenario]\nextends = "../base.toml"\n[data]\nprices = "prices.csv"\n', encoding="utf-8"
    )
    first = read_scenario(tmp_path / "in" / "s.toml")
    assert first.data.prices == tmp_path / "in" / "prices.csv"
    (tmp_path / "out" / "scenario.toml").write_text(scenario_toml(first), encoding="utf-8")
    second = read_scenario(tmp_path / "out" / "scenario.toml")
    assert second.model_copy(update={"path": first.path}) == first


LIMIT = CategoryLimit(name="tea", kind="category-limit", category="TEA", max=1)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"name": "b", "path": Path("/other.toml")}, []),
        ({"week": 2501, "currency": "EUR"}, ["scenario.currency", "scenario.week"]),
        ({"limits": Limits(max_bundles=6)}, ["limits.max_bundles"]),
        ({"discounts": Discounts(levels=(0.1,))}, ["discounts.levels"]),
        ({"rules": ()}, ["rules.tea"]),
        ({"rules": (LIMIT.model_copy(update={"max": 2}),)}, ["rules.tea.max"]),
        (
            {"rules": (LIMIT, BrandLimit(name="oven", kind="brand-limit", brand="O"))},
            ["rules.oven"],
        ),
        (
            {"assumptions": Assumptions(gross_margin=GrossMargins(by="category", default=0.2))},
            ["assumptions.gross_margin.by", "assumptions.gross_margin.default"],
        ),
    ],
)
def test_changed_keys(changes: dict[str, object], keys: list[str]) -> None:
    first, second = scenario(rules=(LIMIT,)), scenario(**({"rules": (LIMIT,)} | changes))
    assert changed_keys(first, second) == keys
    assert changed_keys(second, first) == changed_keys(first, second)
