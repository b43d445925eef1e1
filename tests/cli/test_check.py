from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

Table = list[list[str]]


def edit(plan: Path, change: Callable[[Table], None], file: str = "plan.csv") -> None:
    """Rewrite a table of a plan after a change of its rows (row 0 is the header)."""
    path = plan / file
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    change(rows)
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8")


def set_cell(row: int, column: str, value: Callable[[str], str]) -> Callable[[Table], None]:
    def change(rows: Table) -> None:
        place = rows[0].index(column)
        rows[row][place] = value(rows[row][place])

    return change


def cents_up(text: str) -> str:
    return f"{float(text) + 0.01:.2f}"


def one_percent_up(text: str) -> str:
    return f"{float(text) * 1.01:.6g}"


EDITS = {
    "list_price": cents_up,
    "bundle_price": cents_up,
    "revenue": cents_up,
    "margin": cents_up,
    "discount_spend": cents_up,
    "incremental_margin": cents_up,
    "incremental_margin_low": lambda text: f"{float(text) - 3:.2f}",
    "incremental_margin_high": lambda text: f"{float(text) + 3:.2f}",
    "bundle_units": one_percent_up,
    "subsidised_units": one_percent_up,
    "incremental_units": one_percent_up,
    "added_units": lambda text: ";".join(reversed(text.split(";"))),
    "discount": lambda text: f"{float(text) + 1e-5:.6f}",
    "margin_rate": lambda text: f"{float(text) + 1e-5:.6f}",
    "level": lambda text: "0.25" if text != "0.25" else "0.3",
    "capped": lambda text: "false" if text == "true" else "true",
    "titles": lambda text: text + "!",
    "name": lambda text: text + "!",
    "product_ids": lambda text: text.replace(text.split(";")[0], "000"),
    "bundle_id": lambda text: text + "0",
}


@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("row", [1, 7, 12])
def test_any_edited_cell_is_found_and_named(column: str, row: int, plan_copy: Path, run: Run):
    edit(plan_copy, set_cell(row, column, EDITS[column]))
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert answer.err == ""
    assert "plan.csv" in answer.out
    assert column in answer.out or (column == "name" and "sha256" in answer.out), answer.out


def swap(rows: Table) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def drop(rows: Table) -> None:
    del rows[3]


def repeat(rows: Table) -> None:
    rows.append(list(rows[-1]))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (swap, "expected before"),
        (drop, "kpis"),
        (repeat, "one-level"),
        (lambda rows: rows.clear(), "header"),
    ],
)
def test_rows_moved_dropped_or_repeated_are_found(
    change: Callable[[Table], None], word: str, plan_copy: Path, run: Run
):
    edit(plan_copy, change)
    answer = run("check", plan_copy, "--json")
    assert answer.code == 5
    found = json.loads(answer.out)
    assert found["ok"] is False
    assert any(word in problem for problem in found["problems"]), found["problems"]


@pytest.mark.parametrize("key", ["objective", "bound", "gap", "status"])
def test_a_better_proof_than_there_is_is_found(key: str, plan_copy: Path, run: Run):
    path = plan_copy / "plan.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report[key] = {
        "objective": report["objective"] + 1,
        "bound": report["bound"] - 1,
        "gap": 0.5,
        "status": "proven",
    }[key]
    path.write_text(json.dumps(report), encoding="utf-8")
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert f"plan.json: {key}" in answer.out or key in answer.out


def test_products_csv_is_checked_too(plan_copy: Path, run: Run):
    edit(plan_copy, set_cell(1, "unit_cost", cents_up), "products.csv")
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert "products.csv" in answer.out
    assert "unit_cost" in answer.out


def test_a_missing_file_is_named(plan_copy: Path, run: Run):
    (plan_copy / "beliefs.parquet").unlink()
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert "beliefs.parquet: is missing" in answer.out


def test_a_stricter_rule_in_the_plans_own_scenario_is_found_broken(plan_copy: Path, run: Run):
    path = plan_copy / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    assert "max_bundles = 12" in text
    path.write_text(text.replace("max_bundles = 12", "max_bundles = 11"), encoding="utf-8")
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert "rule bundle-count: 12, expected at most 11" in answer.out
