"""``bundlewise recommend``: rankings for groups and for the shoppers of a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from .conftest import Run


@pytest.fixture(scope="module")
def shop(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recommend") / "shop"
    assert run("init", folder).code == 0
    return folder


@pytest.fixture(scope="module")
def plan(run: Run, shop: Path) -> Path:
    """A plan without segments."""
    out = shop.parent / "plan"
    answer = run("solve", shop / "scenario.toml", "--out", out, "--quiet")
    assert answer.code == 0, answer.err
    return out


def test_a_plan_without_segments_has_one_group(run: Run, plan: Path) -> None:
    answer = run("recommend", plan, "--json", "--top", 3)
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert result["segments"] is False
    (group,) = result["groups"]
    assert group["name"] == "all shoppers"
    assert [row["rank"] for row in group["bundles"]] == [1, 2, 3]
    offers = pd.read_csv(plan / "plan.csv").set_index("bundle_id")
    best = offers.loc[group["bundles"][0]["bundle_id"]]
    visits = json.loads((plan / "plan.json").read_text())["assumptions"]["visits"]
    found = group["bundles"][0]
    assert found["margin_per_1000_visits"] == pytest.approx(
        1000 * best["incremental_margin"] / visits, rel=1e-9
    )
    assert found["probability"] == pytest.approx(best["bundle_units"] / visits, rel=1e-6)
    assert "without segments" in run("recommend", plan).out


def test_shoppers_of_a_file_are_ranked_and_ids_stay_in_the_table(
    run: Run, shop: Path, plan: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in plan.iterdir()}
    out = tmp_path / "ranks.csv"
    answer = run(
        "recommend", plan, "--shoppers", shop / "orders.csv", "--out", out, "--top", 2, "--json"
    )
    assert answer.code == 0, answer.err
    ranks = pd.read_csv(out, dtype={"customer_id": str})
    customers = pd.read_csv(shop / "orders.csv", dtype=str)["customer_id"].dropna().unique()
    assert json.loads(answer.out)["shoppers"] == len(customers)
    assert ranks["customer_id"].unique().tolist() == customers.tolist()
    assert ranks["rank"].tolist() == [1, 2] * len(customers)
    assert ranks["probability"].between(0, 1).all()
    gain = ranks["margin_per_1000_visits"].to_numpy().reshape(-1, 2)
    assert (gain[:, 0] >= gain[:, 1]).all()
    assert {path.name: path.read_bytes() for path in plan.iterdir()} == before


def test_who_often_buys_its_products_takes_a_bundle_more_often(
    run: Run, plan: Path, tmp_path: Path
) -> None:
    """The personal probability follows the shopper's own purchases."""
    offers = pd.read_csv(plan / "plan.csv", dtype=str)
    last = str(offers["product_ids"].iloc[-1]).split(";")
    lines = [("keen", f"k{visit}", last[visit % 2]) for visit in range(12)]
    lines += [(f"other{n}", f"o{n}-{visit}", "nothing") for n in range(20) for visit in range(12)]
    file = tmp_path / "lines.csv"
    table = pd.DataFrame(lines, columns=["customer_id", "order_id", "product_id"])
    table.to_csv(file, index=False)
    out = tmp_path / "ranks.parquet"
    answer = run("recommend", plan, "--shoppers", file, "--out", out, "--top", 50)
    assert answer.code == 0
    assert "240 lines of products that the products table lacks not used" in answer.err
    ranks = pd.read_parquet(out)
    bundle = str(offers["bundle_id"].iloc[-1])
    taken = ranks[ranks["bundle_id"] == bundle].set_index("customer_id")["probability"]
    assert taken["keen"] > 3 * taken["other1"]


def test_shoppers_and_their_lines_may_stand_in_two_files(
    run: Run, shop: Path, plan: Path, tmp_path: Path
) -> None:
    ids = tmp_path / "ids.csv"
    ids.write_text("customer_id\nC00467\nC00467\n=nobody\n", encoding="utf-8")
    out = tmp_path / "ranks.csv"
    answer = run(
        "recommend", plan, "--shoppers", ids, "--orders", shop / "orders.csv", "--out", out
    )
    assert answer.code == 0, answer.err
    ranks = pd.read_csv(out, dtype=str)
    assert ranks["customer_id"].unique().tolist() == ["C00467", "'=nobody"]  # no formula


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shoppers", "s.csv"), "--shoppers and --out go together"),
        (("--orders", "s.csv"), "--orders needs --shoppers"),
        (("--shoppers", "s.csv", "--out", "x.txt"), "unknown kind of file; expected a name that"),
    ],
)
def test_wrong_usage_is_one_line(
    run: Run, plan: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in run("recommend", plan, *options).refused(2)


def test_no_customer_goes_into_the_plan_and_nothing_is_overwritten(
    run: Run, shop: Path, plan: Path, tmp_path: Path
) -> None:
    inside = run("recommend", plan, "--shoppers", shop / "orders.csv", "--out", plan / "x.csv")
    assert "is in the plan's folder" in inside.refused(2)
    there = tmp_path / "there.csv"
    there.write_text("mine", encoding="utf-8")
    again = run("recommend", plan, "--shoppers", shop / "orders.csv", "--out", there)
    assert "--force to replace it" in again.refused(2)
    assert there.read_text(encoding="utf-8") == "mine"
    nowhere = run("recommend", tmp_path)
    assert "is not a plan" in nowhere.refused(2)


def test_no_table_that_is_read_is_replaced(
    run: Run, shop: Path, plan: Path, tmp_path: Path
) -> None:
    """--force replaces earlier ranks, never the shoppers, their lines or the plan's own tables."""
    ids = tmp_path / "ids.csv"
    ids.write_text("customer_id\nC00467\nnobody\n", encoding="utf-8")
    lines = shop / "orders.csv"
    before = lines.read_bytes()
    asked = ("recommend", plan, "--shoppers", ids, "--orders", lines, "--force", "--out")
    for out in (ids, lines):
        assert "is a file to read from" in run(*asked, out).refused(2)
    own = run(*asked, shop / "products.csv")
    assert "is a table that the plan was made from" in own.refused(2)
    assert lines.read_bytes() == before
    made = run(*asked, tmp_path / "new" / "ranks.csv")
    assert made.code == 0
    assert "1 shoppers without an order" in made.err


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda table: table.drop(columns="sensitivity_cap"), "no column 'sensitivity_cap'"),
        (lambda table: table[table["kind"] == "product"], "says nothing of"),
        (lambda table: table[table["kind"] == "pair"], "says nothing of"),
    ],
)
def test_beliefs_that_lack_something_are_one_line(
    run: Run,
    plan: Path,
    tmp_path: Path,
    broken: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    copy = tmp_path / "plan"
    shutil.copytree(plan, copy)
    broken(pd.read_parquet(copy / "beliefs.parquet")).to_parquet(copy / "beliefs.parquet")
    found = run("recommend", copy).refused(2)
    assert "beliefs.parquet: " in found
    assert message in found


def test_the_till_s_gift_to_the_unseen_is_no_matter_of_who_sees_the_offer(
    run: Run, shop: Path, tmp_path: Path
) -> None:
    """With automatic redemption a shopper without orders ranks as the group does."""
    text = (shop / "scenario.toml").read_text(encoding="utf-8")
    for old, new in (
        ("exposure = 1.0", "exposure = 0.5"),
        ('redemption = "seen"', 'redemption = "automatic"'),
        ("tax_rate = 0.0", "tax_rate = 0.07"),
        ("offer_cost = 0.0", "offer_cost = 0.7"),
    ):
        assert old in text
        text = text.replace(old, new)
    scenario, out = shop / "automatic.toml", tmp_path / "plan"
    scenario.write_text(text, encoding="utf-8")
    assert run("solve", scenario, "--out", out, "--quiet").code == 0
    (group,) = json.loads(run("recommend", out, "--json", "--top", 9).out)["groups"]
    file, ranks = tmp_path / "lines.csv", tmp_path / "ranks.csv"
    file.write_text("customer_id,order_id,product_id\nnew,1,unheard-of\n", encoding="utf-8")
    ids = tmp_path / "ids.csv"
    ids.write_text("customer_id\nnobody\n", encoding="utf-8")
    asked = ("--shoppers", ids, "--orders", file, "--out", ranks, "--top", 9)
    assert run("recommend", out, *asked).code == 0
    alone = pd.read_csv(ranks)
    assert alone["bundle_id"].tolist() == [row["bundle_id"] for row in group["bundles"]]
    for column in ("probability", "margin_per_1000_visits"):
        expected = [row[column] for row in group["bundles"]]
        close = 1e-3 if column == "probability" else 0.05  # plan.csv has whole cents
        assert alone[column].tolist() == pytest.approx(expected, abs=close)


def test_a_file_that_names_nobody_is_refused(run: Run, plan: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("customer_id,order_id,product_id\n,1,0001\n", encoding="utf-8")
    answer = run("recommend", plan, "--shoppers", file, "--out", tmp_path / "x.csv")
    assert "column customer_id: no customer in any row" in answer.refused(2)
