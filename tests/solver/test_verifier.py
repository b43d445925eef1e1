"""The verifier passes a right plan and names what is wrong with every other.

The plan it starts from is written by ``plan_by_hand``, not by the package's writer.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.solver.verifier import verify_files, verify_plan

from .plan_by_hand import HEADER, OFFERS, PRODUCTS, SCENARIO, plan_files


@dataclass
class Made:
    """A plan folder's content and what to change in it."""

    files: dict[str, bytes]

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files["plan.csv"].decode())))

    def with_rows(self, rows: list[dict[str, str]]) -> dict[str, bytes]:
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADER.split(","), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return {**self.files, "plan.csv": text.getvalue().encode()}

    def with_report(self, change: Callable[[dict], object]) -> dict[str, bytes]:
        report = json.loads(self.files["plan.json"])
        change(report)
        return {**self.files, "plan.json": json.dumps(report).encode()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables and the scenario that the plan is for."""
    path = tmp_path_factory.mktemp("by-hand")
    lines = ["order_id,product_id,ordered_at,quantity,amount"]
    # Each of the three pairs in 15 orders.
    lines += [
        f"o{k},00{2 * (k % 3) + side},2025-02-{1 + k % 20:02d},1,2.00"
        for k in range(45)
        for side in (1, 2)
    ]
    (path / "orders.csv").write_text("\n".join(lines) + "\n")
    (path / "products.csv").write_text(PRODUCTS)
    (path / "scenario.toml").write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def made(folder: Path) -> Made:
    return Made(plan_files(folder))


def test_a_right_plan_has_no_problems(made: Made) -> None:
    assert verify_files(made.files) == ()


def test_a_plan_folder_is_checked_with_its_own_tables(made: Made, tmp_path: Path) -> None:
    for name, content in made.files.items():
        (tmp_path / name).write_bytes(content)
    assert verify_plan(tmp_path) == ()


def test_no_plan_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        verify_plan(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"neither plan\.csv nor plan\.json"):
        verify_plan(tmp_path)


@pytest.mark.parametrize("name", ["plan.csv", "plan.json", "products.csv", "beliefs.parquet"])
def test_a_missing_or_broken_file_is_named(made: Made, name: str) -> None:
    rest = {key: content for key, content in made.files.items() if key != name}
    assert f"{name}: is missing" in verify_files(rest)
    broken = verify_files({**made.files, name: b"\xff\x00 no such file"})
    assert any(problem.startswith(f"{name}: ") for problem in broken)


def _factor(value: float) -> Callable[[str], str]:
    """Scale a number and write it as before: two decimals for money, else six digits."""

    def change(text: str) -> str:
        number = float(text) * value
        decimals = text.partition(".")[2]
        return f"{number:.2f}" if len(decimals) == 2 else f"{number:.6g}"

    return change


_EDITS: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("bundle_id", lambda text: "001+003", "bundle_id"),
    ("product_ids", lambda text: "001;003", "product_ids"),
    ("product_ids", lambda text: "002;001", "product_ids"),
    ("product_ids", lambda text: "001;009", "009"),
    ("product_ids", lambda text: "001;007", "007"),
    ("titles", lambda text: text + "!", "titles"),
    ("level", lambda text: "0.1", "level"),
    ("level", lambda text: "0.33", "level"),
    ("list_price", _factor(1.01), "list_price"),
    ("bundle_price", lambda text: f"{float(text) - 0.1:.2f}", "bundle_price"),
    ("bundle_price", lambda text: "1.09", "bundle_price"),
    ("discount", lambda text: "0.190000", "discount"),
    ("bundle_units", _factor(1.02), "bundle_units"),
    ("bundle_units", _factor(1.002), "bundle_units"),
    ("bundle_units", lambda text: f"-{text}", "bundle_units"),
    ("subsidised_units", _factor(0.98), "subsidised_units"),
    ("incremental_units", _factor(1.0001), "incremental_units"),
    ("added_units", lambda text: ";".join(reversed(text.split(";"))), "added_units"),
    ("added_units", lambda text: text.split(";")[0], "added_units"),
    ("revenue", lambda text: f"{float(text) + 0.01:.2f}", "revenue"),
    ("margin", lambda text: f"{float(text) - 0.01:.2f}", "margin"),
    ("discount_spend", lambda text: f"{float(text) + 0.01:.2f}", "discount_spend"),
    ("incremental_margin", lambda text: f"{float(text) + 0.01:.2f}", "incremental_margin"),
    ("incremental_margin", lambda text: "lots", "incremental_margin"),
    ("incremental_margin_low", lambda text: f"{float(text) - 900:.2f}", "margin_low"),
    ("incremental_margin_high", lambda text: f"{float(text) + 900:.2f}", "margin_high"),
    ("incremental_margin_low", lambda text: "999999.00", "incremental_margin_low"),
    ("margin_rate", _factor(1.001), "margin_rate"),
    ("name", lambda text: text + "!", "plan.csv: was changed"),
)


@pytest.mark.parametrize(("column", "change", "named"), _EDITS)
def test_every_edited_cell_is_named(made: Made, column: str, change: Callable, named: str) -> None:
    for number in range(len(OFFERS)):
        rows = made.rows()
        if column == "product_ids" and rows[number]["bundle_id"] != "001+002":
            continue
        before, rows[number][column] = rows[number][column], change(rows[number][column])
        if rows[number][column] == before:
            continue
        bundle = rows[number]["bundle_id"]
        problems = verify_files(made.with_rows(rows))
        assert any(named in problem for problem in problems), problems
        if column not in ("name", "bundle_id"):
            assert any(problem.startswith(f"plan.csv: {bundle}: ") for problem in problems)


def test_a_wrong_capped_flag_is_named(made: Made) -> None:
    rows = made.rows()
    flags = {row["bundle_id"]: row["capped"] for row in rows}
    assert flags == {"001+002": "false", "003+004": "true", "005+006": "false"}
    rows = [{**row, "capped": "false"} for row in rows]
    assert any(
        problem.startswith("plan.csv: 003+004: capped")
        for problem in verify_files(made.with_rows(rows))
    )


def test_rows_added_removed_or_moved_are_named(made: Made) -> None:
    rows = made.rows()
    assert any(
        "one-level 001+002" in p for p in verify_files(made.with_rows([*rows, rows[0]]))
    ) or (rows[0]["bundle_id"] != "001+002")
    moved = verify_files(made.with_rows(rows[::-1]))
    assert any("stands after" in problem for problem in moved)
    gone = [row for row in rows if row["bundle_id"] != "003+004"]
    problems = verify_files(made.with_rows(gone))
    assert any("rule must-include breakfast: 0" in problem for problem in problems)
    assert any("kpis: bundles is 3, expected 2" in problem for problem in problems)
    emptied = verify_files({**made.files, "plan.csv": f"{HEADER}\n".encode()})
    assert any("rule locked fixed" in problem for problem in emptied)


@pytest.mark.parametrize(
    ("scenario", "named"),
    [
        (("max_bundles = 3", "max_bundles = 2"), "rule bundle-count: 3, expected at most 2"),
        (("max_bundles = 3", "max_bundles = 5\nmin_bundles = 4"), "expected at least 4"),
        (("stock_safety = 0.1", "stock_safety = 0.2"), "rule stock stock[003]"),
        (("min_bundle_margin = 0.2", "min_bundle_margin = 0.56"), "rule bundle-margin 001+002"),
        (("min_plan_margin = 0.25", "min_plan_margin = 0.6"), "rule plan-margin"),
        (("discount_budget = 2000", "discount_budget = 200"), "rule discount-budget"),
        (('brand = "Bowl"\nmax = 1', 'brand = "Bowl"\nmax = 0'), "rule brand-limit bowl"),
        (('category = "Snacks"\nmin = 1\nmax = 1', 'category = "Hot"\nmax = 0'), "limit snacks: 1"),
        (('products = ["003", "004"]', 'products = ["003", "005"]'), "must-include breakfast"),
        (('["005", "006"]\nlevel = 0.1', '["005", "006"]\nlevel = 0.2'), "rule locked fixed"),
        (('products = ["001", "002"]', 'products = ["001", "003"]'), "at-most-one-of one-hot"),
        (('products = ["001", "005"]', 'products = ["001", "002"]'), "never-together apart"),
        (('products = ["002", "003"]', 'products = ["005", "006"]'), "rule excluded never"),
        (
            ('products = ["002", "003"]', 'products = ["005", "006"]\nlevel = 0.1'),
            "rule excluded never",
        ),
        (("min_support = 5", "min_support = 16"), "rule min_support 001+002: 15 orders"),
        (
            ("min_support = 5", "min_support = 5\nallow_same_category = false"),
            "rule allow_same_category 001+002",
        ),
        (("visits = 10000", "visits = 9000"), "assumptions: visits"),
    ],
)
def test_every_broken_rule_is_named(
    made: Made, folder: Path, tmp_path: Path, scenario: tuple[str, str], named: str
) -> None:
    old, new = scenario
    assert old in SCENARIO
    text = SCENARIO.replace(old, new, 1)
    text = text.replace('"orders.csv"', f'"{folder / "orders.csv"}"')
    text = text.replace('"products.csv"', f'"{folder / "products.csv"}"')
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    problems = verify_files(made.files, instance=load_instance(read_scenario(path)))
    assert any(named in problem for problem in problems), problems


def test_prices_of_the_tables_are_kept(made: Made, folder: Path, tmp_path: Path) -> None:
    def problems_with(old: str, new: str) -> tuple[str, ...]:
        assert old in PRODUCTS
        (tmp_path / "products.csv").write_text(PRODUCTS.replace(old, new))
        text = SCENARIO.replace('"orders.csv"', f'"{folder / "orders.csv"}"')
        (tmp_path / "scenario.toml").write_text(text)
        instance = load_instance(read_scenario(tmp_path / "scenario.toml"))
        return verify_files(made.files, instance=instance)

    low = problems_with("3.00,,5.00,0.20", "3.00,,8.50,0.20")
    assert any("rule min-price 001+002: 8.39, expected at least 8.50" in line for line in low)
    dear = problems_with("001,Coffee,Hot,Alto,8.00", "001,Coffee,Hot,Alto,9.00")
    assert any("expected above 9.00" in line for line in dear)
    gone = problems_with("0.80,,,,true", "0.80,,,,false")
    assert any("005, which is inactive" in line for line in gone)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda report: report.update(objective=report["objective"] + 1), "objective is"),
        (lambda report: report.update(bound=report["objective"] - 5), "bound is"),
        (lambda report: report.update(bound=report["objective"] * 1.05), "gap is"),
        (lambda report: report.update(status="perfect"), "status is perfect"),
        (
            lambda report: report.update(bound=report["objective"] * 1.05, gap=0.05),
            "status is optimal with a gap",
        ),
        (lambda report: report["kpis"].update(revenue=1.0), "kpis: revenue"),
        (lambda report: report["kpis"].update(sales_loss=1.0), "kpis: sales_loss"),
        (
            lambda report: report["kpis"].update(incremental_margin_low=-900.0),
            "margin_low is -900.00",
        ),
        (lambda report: report["rules"][0].update(slack=2), "rules: bundle-count: slack"),
        (lambda report: report["rules"].pop(0), "rules: bundle-count is missing"),
        (lambda report: report["inputs"][0].update(sha256="0"), "has changed since"),
        (lambda report: report["files"].update({"products.csv": "0"}), "products.csv: was changed"),
        (lambda report: report["files"].update({"more.csv": "0"}), "more.csv: is missing"),
        (lambda report: report["assumptions"].update(exposure=1.0), "assumptions: exposure"),
    ],
)
def test_every_wrong_figure_of_the_report_is_named(
    made: Made, change: Callable, named: str
) -> None:
    problems = verify_files(made.with_report(change))
    assert any(named in problem for problem in problems), problems


def test_an_edited_products_table_is_named(made: Made) -> None:
    text = made.files["products.csv"].decode()
    for old, new, named in (
        ("8.00,3.00", "8.10,3.00", "001: reference_price"),
        ("400,", "4000,", "003: stock"),
        (",false,", ",true,", "001: cost_assumed"),
    ):
        assert old in text
        edited = {**made.files, "products.csv": text.replace(old, new, 1).encode()}
        assert any(named in problem for problem in verify_files(edited))


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("sensitivity_location", np.nan, "sensitivity_location is nan"),
        ("purchase_probability", 0.0, "purchase_probability is 0.0"),
        ("reference_price", 801.0, "reference_price is 801.0"),
        ("odds_ratio", -1.0, "odds_ratio is -1.0"),
        ("joint_probability", 0.5, "joint_probability is 0.5"),
        ("sensitivity_location", 4.5, "from the beliefs"),
        ("purchase_spread", 0.5, "incremental_margin_high is"),
    ],
)
def test_beliefs_that_do_not_bear_the_plan_out_are_named(
    made: Made, column: str, value: float, named: str
) -> None:
    table = pd.read_parquet(io.BytesIO(made.files["beliefs.parquet"]))
    table[column] = table[column].astype(float).where(table[column].isna(), value)
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    problems = verify_files({**made.files, "beliefs.parquet": stream.getvalue()})
    assert any(named in problem for problem in problems), problems


def test_an_empty_plan_is_fine(folder: Path, tmp_path: Path) -> None:
    text = SCENARIO[: SCENARIO.index("[[rules]]")]
    text = text.replace('"orders.csv"', f'"{folder / "orders.csv"}"')
    text = text.replace('"products.csv"', f'"{folder / "products.csv"}"')
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    assert verify_files(plan_files(folder, offers=(), scenario=path)) == ()
