"""groups.csv and levels.csv: figures by arithmetic, sums, and what the verifier finds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from bundlewise.instances.rules import Excluded, Locked, MustInclude
from bundlewise.instances.scenario import Assumptions, Limits
from bundlewise.solver.plan import Plan
from bundlewise.solver.plan_tables import PlanTables
from bundlewise.solver.planning import solve
from bundlewise.solver.verifier import verify_files

from .explained_plans import COST, PRICE, both, pair_groups, pair_margin, planned, reach
from .set_cases import shop_of_sets

VISITS, ETA = 100_000.0, 3.0


def groups_of(tables: PlanTables, bundle_id: str) -> list[dict]:
    assert tables.groups is not None
    return tables.groups[tables.groups["bundle_id"] == bundle_id].to_dict("records")


@pytest.mark.parametrize("deepest_cut", [0.5, 0.15])
def test_the_groups_of_a_pair_by_arithmetic(tmp_path: Path, deepest_cut: float) -> None:
    """Also with response capped at the deepest cut, which the accounts are then those of."""
    q = (0.1, 0.2)
    instance, beliefs = shop_of_sets(
        q, sensitivity=ETA, deepest_cut=deepest_cut, max_size=2, levels=(0.1,), visits=VISITS
    )
    plan, tables = planned(instance, beliefs, tmp_path)
    assert bool(plan.offers["capped"][0]) == (deepest_cut < 0.2)
    rows = groups_of(tables, "0+1")
    assert [(row["buys"], row["adds"]) for row in rows] == [
        (("0", "1"), ()),
        (("1",), ("0",)),
        (("0",), ("1",)),
        ((), ("0", "1")),
    ]
    for row, (share, gain) in zip(rows, pair_groups(q, ETA, 2.0, deepest_cut), strict=True):
        assert row["share"] == pytest.approx(share, rel=1e-4)
        assert row["units"] == pytest.approx(VISITS * share, rel=1e-4)
        assert row["gain"] == pytest.approx(gain, abs=1e-6)
        assert row["money"] == pytest.approx(row["units"] * gain, abs=0.1)
    expected = pair_margin(q, ETA, 2.0, VISITS, deepest_cut)
    assert sum(row["money"] for row in rows) == pytest.approx(expected, rel=1e-3)


def test_the_groups_of_a_triple_by_arithmetic(tmp_path: Path) -> None:
    q, off = (0.1, 0.2, 0.3), 3.0
    rule = Locked(kind="locked", name="three", products=("0", "1", "2"), level=0.1)
    instance, beliefs = shop_of_sets(q, sensitivity=ETA, levels=(0.1,), visits=VISITS, rules=[rule])
    _, tables = planned(instance, beliefs, tmp_path)
    rows = groups_of(tables, "0+1+2")
    assert [row["adds"] for row in rows] == [
        (), ("0",), ("1",), ("2",), ("0", "1"), ("0", "2"), ("1", "2"),
    ]  # fmt: skip
    up = [reach(value, ETA, off) - value for value in q]
    shares = [
        0.1 * 0.2 * 0.3,
        up[0] * 0.2 * 0.3,
        0.1 * up[1] * 0.3,
        0.1 * 0.2 * up[2],
        both((0.1, 0.2), ETA, off) * 0.3,
        both((0.1, 0.3), ETA, off) * 0.2,
        both((0.2, 0.3), ETA, off) * 0.1,
    ]
    margin = PRICE - COST
    for row, share in zip(rows, shares, strict=True):
        assert row["share"] == pytest.approx(share, rel=2e-3)
        assert row["gain"] == pytest.approx(len(row["adds"]) * margin - off, abs=1e-6)


def test_automatic_redemption_tax_and_offer_cost(tmp_path: Path) -> None:
    """Who buys both anyway is paid on all visits, the others count where they see the offer."""
    assumptions = Assumptions(
        exposure=0.4, redemption="automatic", tax_rate=0.25, offer_cost=12.34, diversion=0.0
    )
    q, off = (0.05, 0.06), 2.0
    rule = MustInclude(kind="must-include", name="in", products=("0", "1"))
    instance, beliefs = shop_of_sets(
        q, sensitivity=4.0, max_size=2, levels=(0.1,), visits=VISITS, assumptions=assumptions,
        rules=[rule],
    )  # fmt: skip
    plan, tables = planned(instance, beliefs, tmp_path)
    rows = groups_of(tables, "0+1")
    assert rows[0]["share"] == pytest.approx(0.05 * 0.06, rel=1e-5)
    assert rows[0]["units"] == pytest.approx(VISITS * 0.05 * 0.06, rel=1e-5)
    assert rows[0]["gain"] == pytest.approx(-off / 1.25, abs=1e-6)
    adds_first = (reach(0.05, 4.0, off) - 0.05) * 0.06
    assert rows[1]["units"] == pytest.approx(0.4 * VISITS * adds_first, rel=1e-4)
    assert rows[1]["gain"] == pytest.approx(PRICE / 1.25 - COST - off / 1.25, abs=1e-6)
    earned = sum(row["money"] for row in rows) - 12.34
    assert earned == pytest.approx(plan.offers["incremental_margin"][0] / 100, abs=1e-9)


@pytest.fixture(scope="module")
def rich_plan() -> Plan:
    """Pairs and triples that share products, some capped, with levels that rules refuse."""
    rules = [
        MustInclude(kind="must-include", name="three", products=("0", "1", "2")),
        Excluded(kind="excluded", name="not so deep", products=("0", "1", "2"), level=0.15),
    ]
    limits = Limits(max_bundles=4, max_bundles_per_product=2, min_bundle_margin=0.4)
    instance, beliefs = shop_of_sets(
        [0.1, 0.12, 0.08, 0.15, 0.2], sensitivity=3.5, scale=0.5, deepest_cut=0.18, lift=1.2,
        levels=(0.05, 0.1, 0.15, 0.2), visits=30_000.0, limits=limits, rules=rules,
    )  # fmt: skip
    return solve(instance, beliefs)


def rows_of(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name].decode())))


def test_money_adds_up_to_the_cent_whatever_the_bundle(rich_plan: Plan) -> None:
    files = rich_plan.files()
    groups = rows_of(files, "groups.csv")
    offers = rows_of(files, "plan.csv")
    assert {len(offer["product_ids"].split(";")) for offer in offers} == {2, 3}
    for offer in offers:
        own = [row for row in groups if row["bundle_id"] == offer["bundle_id"]]
        total = round(sum(100 * float(row["money"]) for row in own))
        assert total == round(100 * float(offer["incremental_margin"]))
        units = sum(float(row["units"]) for row in own)
        assert units == pytest.approx(float(offer["bundle_units"]), rel=1e-5)
    assert list(dict.fromkeys(row["bundle_id"] for row in groups)) == [
        offer["bundle_id"] for offer in offers
    ]


def test_levels_say_what_refuses_them_and_the_chosen_one_is_that_of_the_plan(
    rich_plan: Plan,
) -> None:
    files = rich_plan.files()
    levels = rows_of(files, "levels.csv")
    for offer in rows_of(files, "plan.csv"):
        own = [row for row in levels if row["bundle_id"] == offer["bundle_id"]]
        assert [float(row["level"]) for row in own] == [0.05, 0.1, 0.15, 0.2]
        chosen = [row for row in own if row["chosen"] == "true"]
        assert len(chosen) == 1
        assert {key: chosen[0][key] for key in chosen[0] if key in offer} == {
            key: offer[key] for key in offer if key in chosen[0]
        }
        assert chosen[0]["left_out"] == ""
        # margin rate 1 − 0.5/(1 − level): 0.375 at 0.2, below 0.4
        assert [row["left_out"] for row in own if row["level"] == "0.2"] == ["bundle-margin"]
        deep = next(row for row in own if row["level"] == "0.15")
        if offer["bundle_id"] == "0+1+2":
            assert deep["left_out"] == "not so deep"


def test_groups_stand_in_the_order_of_the_ids(tmp_path: Path) -> None:
    """Whatever the order of the products table: "10" stands before "9"."""
    q = [1e-3] * 9 + [0.1, 0.2]
    rule = MustInclude(kind="must-include", name="in", products=("9", "10"))
    instance, beliefs = shop_of_sets(
        q, sensitivity=ETA, max_size=2, levels=(0.1,), visits=VISITS, rules=[rule],
        limits=Limits(max_bundles=1),
    )  # fmt: skip
    _, tables = planned(instance, beliefs, tmp_path)
    rows = groups_of(tables, "10+9")
    assert [row["adds"] for row in rows] == [(), ("10",), ("9",), ("10", "9")]
    shares = [share for share, _ in pair_groups((0.2, 0.1), ETA, 2.0)]
    assert [row["share"] for row in rows] == pytest.approx(shares, rel=1e-3)


def test_a_level_that_gains_nothing_is_told(tmp_path: Path) -> None:
    """10.00 that cost 5.00 at 40 % off: who has both anyway costs 8.00, who adds one −3.00."""
    instance, beliefs = shop_of_sets(
        [0.3, 0.3], sensitivity=3.0, max_size=2, levels=(0.05, 0.4), visits=VISITS
    )
    _, tables = planned(instance, beliefs, tmp_path)
    assert tables.levels is not None
    deep = tables.levels[tables.levels["level"] == 0.4].to_dict("records")[0]
    expected = pair_margin((0.3, 0.3), 3.0, 8.0, VISITS, 0.5)
    assert deep["left_out"] == "no-gain"
    assert deep["incremental_margin"] == pytest.approx(expected, rel=1e-3)
    assert deep["value"] == pytest.approx(expected, rel=1e-3)


LEVEL_CELLS = ("bundle_price", "discount", "chosen", "left_out", "bundle_units", "revenue",
               "subsidised_units", "incremental_units", "margin", "discount_spend",
               "incremental_margin", "margin_rate", "value", "level")  # fmt: skip
GROUP_CELLS = ("buys", "adds", "share", "units", "gain", "money")


@pytest.fixture(scope="module")
def judged_case():
    """A plan beside the instance it was made for, as the verifier wants them."""
    instance, beliefs = shop_of_sets(
        [0.1, 0.12, 0.08], sensitivity=3.5, scale=0.5, max_size=2, levels=(0.05, 0.1, 0.4),
        visits=30_000.0,
    )  # fmt: skip
    plan = solve(instance, beliefs)
    return instance, plan.files()


@pytest.mark.parametrize(
    ("name", "column"),
    [("levels.csv", column) for column in LEVEL_CELLS]
    + [("groups.csv", column) for column in GROUP_CELLS],
)
def test_the_verifier_finds_a_changed_cell(judged_case, name: str, column: str) -> None:
    instance, files = judged_case
    assert verify_files(files, instance=instance) == ()
    rows = rows_of(files, name)
    changed = rows[0]
    old = changed[column]
    if column in ("chosen", "capped"):
        changed[column] = "false" if old == "true" else "true"
    elif column in ("left_out", "buys", "adds"):
        changed[column] = "" if old else "bundle-margin"
    elif column in ("bundle_price", "revenue", "margin", "discount_spend", "incremental_margin",
                    "money"):  # fmt: skip
        changed[column] = f"{float(old) * 1.1 + 1:.2f}"
    else:
        changed[column] = f"{float(old) * 1.05:.6f}".rstrip("0")[:8]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(changed), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    problems = verify_files({**files, name: text.getvalue().encode()}, instance=instance)
    assert any(problem.startswith(f"{name}: {changed['bundle_id']}") for problem in problems)


def test_files_of_older_versions_are_checked_without_the_two_tables(judged_case) -> None:
    instance, files = judged_case
    import json

    report = json.loads(files["plan.json"])
    for name in ("levels.csv", "groups.csv"):
        del report["files"][name]
    old = {name: body for name, body in files.items() if name not in ("levels.csv", "groups.csv")}
    old["plan.json"] = json.dumps(report).encode()
    assert verify_files(old, instance=instance) == ()


def test_an_empty_plan_has_headers_only() -> None:
    instance, beliefs = shop_of_sets([0.1, 0.1], sensitivity=0.1, max_size=2)
    files = solve(instance, beliefs).files()
    for name in ("levels.csv", "groups.csv"):
        assert len(files[name].decode().splitlines()) == 1
    assert rows_of(files, "plan.csv") == []
