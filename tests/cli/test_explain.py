"""``bundlewise explain`` at the command line, on the shipped instance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from bundlewise.cli.show_explanation import _who as who

from .conftest import Run


@pytest.fixture(scope="module")
def plan(seed_case: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of the shipped instance whose titles are markup, formulas and other scripts."""
    folder = tmp_path_factory.mktemp("odd")
    for file in seed_case.iterdir():
        shutil.copy(file, folder / file.name)
    products = pd.read_csv(folder / "products.csv", dtype=str, keep_default_na=False)
    odd = ("[bold]Tea[/bold]", "=1+1", "<script>alert(1)</script>", "茶 \u202ewith\u202c ünïcode")
    products["title"] = [
        f"{odd[k % len(odd)]} {name}" for k, name in enumerate(products["product_id"])
    ]
    products.to_csv(folder / "products.csv", index=False)
    answer = run("learn", folder / "scenario.toml", "--out", folder / "beliefs", "--quiet")
    assert answer.code == 0, answer.err
    text = (folder / "scenario.toml").read_text()  # learned once, for every command below
    text = text.replace("[data]\n", '[data]\nbeliefs = "beliefs"\n')
    (folder / "scenario.toml").write_text(text)
    answer = run("solve", folder / "scenario.toml", "--out", folder / "plan", "--quiet")
    assert answer.code == 0, answer.err
    return folder / "plan"


def first_bundle(plan: Path) -> pd.Series:
    return pd.read_csv(plan / "plan.csv", dtype=str, keep_default_na=False).iloc[0]


def test_a_bundle_is_explained_in_words(run: Run, plan: Path) -> None:
    row = first_bundle(plan)
    answer = run("explain", plan, row["bundle_id"])
    assert answer.code == 0, answer.err
    assert max(len(line) for line in answer.out.splitlines()) <= 100
    for text in (
        row["bundle_id"],
        "Of 1,000 visits that see it (EUR)",
        "paid for nothing",
        "The first cent off brings back",
        "chosen",
        "Rules that bind it",
        "orders hold all of it",
        "the size of the trips",
        "Dropping it costs",
        f"{float(row['incremental_margin']):.2f} EUR",
    ):
        assert text in " ".join(answer.out.split()), text
    assert "complement" not in answer.out


def test_json_is_complete_and_agrees_with_the_folder(run: Run, plan: Path) -> None:
    row = first_bundle(plan)
    answer = json.loads(run("explain", plan, row["bundle_id"], "--json").out)
    assert answer["bundle"]["bundle_id"] == row["bundle_id"]
    assert answer["bundle"]["incremental_margin"] == float(row["incremental_margin"])
    assert answer["not_told"] == []
    report = json.loads((plan / "plan.json").read_text())
    assert answer["gain"]["condition"] == report["evidence"][row["bundle_id"]]["gain_condition"]
    dropping = answer["dropping"]
    assert dropping["cost_low"] <= dropping["cost_high"]
    # what is dropped is worth no more than it earns alone, and nothing is better without it
    assert -0.01 <= dropping["cost_high"] <= float(row["incremental_margin"]) + 0.01
    assert dropping["objective"] <= report["bound"] + 1e-6
    earned = sum(group["money_a_week"] for group in answer["per_1000_visits"]["groups"])
    assert earned == pytest.approx(float(row["incremental_margin"]))


def test_forcing_a_bundle_of_the_plan_without_it_gives_the_plan_back(run: Run, plan: Path) -> None:
    """What comes when a bundle is dropped was a candidate, and forcing it in costs no more."""
    bundle = first_bundle(plan)["bundle_id"]
    dropping = json.loads(run("explain", plan, bundle, "--json").out)["dropping"]
    other = dropping["comes"][0]["bundle_id"].replace("+", ",")
    answer = json.loads(run("explain", plan, "--why-not", other, "--json").out)
    assert answer["candidate"]
    assert answer["forcing"]["cost_high"] <= dropping["cost_high"] + 1e-6
    shown = run("explain", plan, "--why-not", other)
    assert "It was a candidate" in shown.out
    assert "Forcing it in costs" in shown.out


def test_titles_from_data_are_shown_as_they_are(run: Run, plan: Path) -> None:
    row = first_bundle(plan)
    products = row["product_ids"].split(";")
    answer = run("explain", plan, row["bundle_id"])
    assert answer.code == 0, answer.err
    titles = pd.read_csv(plan.parent / "products.csv", dtype=str).set_index("product_id")
    flat = " ".join(answer.out.split())
    for product in products:
        title = str(titles.loc[product, "title"]).replace("\u202e", "�").replace("\u202c", "�")
        assert title in flat
    assert "\u202e" not in answer.out
    found = json.loads(run("explain", plan, row["bundle_id"], "--json").out)
    assert found["bundle"]["titles"] == [titles.loc[product, "title"] for product in products]
    part = f"{titles.loc[products[0], 'title']}".upper()
    assert run("explain", plan, part, "--json").code == 0
    for asked in (f"{products[0]},{products[1]}", row["bundle_id"]):
        assert "It is in the plan" in run("explain", plan, "--why-not", asked).out


def test_without_the_data_the_rest_is_told(run: Run, plan: Path, tmp_path: Path) -> None:
    alone = tmp_path / "plan"
    shutil.copytree(plan, alone)
    text = (alone / "scenario.toml").read_text()
    (alone / "scenario.toml").write_text(text.replace(str(plan.parent), str(tmp_path)))
    row = first_bundle(alone)
    answer = run("explain", alone, row["bundle_id"])
    assert answer.code == 0, answer.err
    flat = " ".join(answer.out.split())
    assert "Not told: the cost of dropping it: the data cannot be read" in flat
    assert "The first cent off brings back" in flat
    absent = run("explain", alone, "--why-not", "001,100")
    assert absent.code == 0
    assert "Not told: whether it is a candidate" in absent.out


def test_data_changed_since_are_not_asked(run: Run, plan: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(plan.parent, shop)
    text = (shop / "plan" / "scenario.toml").read_text()
    (shop / "plan" / "scenario.toml").write_text(text.replace(str(plan.parent), str(shop)))
    report = (shop / "plan" / "plan.json").read_text()
    (shop / "plan" / "plan.json").write_text(report.replace(str(plan.parent), str(shop)))
    products = pd.read_csv(shop / "products.csv", dtype=str, keep_default_na=False)
    products["title"] += " new"
    products.to_csv(shop / "products.csv", index=False)
    answer = run("explain", shop / "plan", first_bundle(shop / "plan")["bundle_id"])
    flat = " ".join(answer.out.split())
    assert "products.csv was changed after the plan was made" in flat


def test_what_is_no_bundle_is_refused_with_the_nearest(run: Run, plan: Path) -> None:
    row = first_bundle(plan)
    wrong = row["bundle_id"][:-1] + "x"
    line = run("explain", plan, wrong).refused(2)
    assert f"no bundle {wrong!r} (the nearest is {row['bundle_id']}" in line
    line = run("explain", plan, "--why-not", "001,0O2").refused(2)
    assert "no product '0O2' (the nearest is " in line
    assert "two to four" in run("explain", plan, "--why-not", "001").refused(2)
    assert run("explain", plan).code == 2
    assert run("explain", plan, "x", "--why-not", "001,002").code == 2
    assert "is not a plan" in run("explain", plan.parent, "x").refused(2)


def test_a_plan_that_offers_nothing_has_nothing_to_explain(
    run: Run, plan: Path, tmp_path: Path
) -> None:
    scenario = tmp_path / "none.toml"
    base = (plan.parent / "scenario.toml").as_posix()
    scenario.write_text(
        f'[scenario]\nname = "none"\nextends = "{base}"\n[limits]\nmax_bundles = 0\n'
    )
    assert run("solve", scenario, "--out", tmp_path / "none", "--quiet").code == 0
    answer = run("explain", tmp_path / "none", "012+407")
    assert answer.code == 2
    assert "it offers none" in answer.err
    page = (tmp_path / "none" / "report.html").read_text(encoding="utf-8")
    assert "go to shoppers who buy all of it anyway" not in page  # no share of nothing sold
    assert "of revenue net of tax" not in page


def test_supplier_funding_that_covers_the_discount_is_not_called_a_loss() -> None:
    group = {"buys_titles": ["Tea", "Milk"], "adds_titles": [], "gain": 0.4}
    assert who(group) == "buy Tea and Milk anyway"
    assert who({**group, "gain": -0.1}) == "buy Tea and Milk anyway: paid for nothing"
