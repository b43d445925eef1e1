"""``bundlewise report``, and the report that every plan folder holds."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from bundlewise.cli.report_accounts import break_even_words
from bundlewise.cli.report_data import read_report_files
from bundlewise.cli.report_page import report_page

from .conftest import Run


def test_the_folder_alone_gives_the_report_that_solve_wrote(
    seed_plan: Path, tmp_path: Path, run: Run
):
    answer = run("report", seed_plan, "--out", tmp_path / "page.html")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_bytes() == (seed_plan / "report.html").read_bytes()


def test_a_plan_without_a_report_passes_its_check_and_gets_one(plan_copy: Path, run: Run):
    report = json.loads((plan_copy / "plan.json").read_text())
    del report["files"]["report.html"]
    (plan_copy / "plan.json").write_text(json.dumps(report, indent=2))
    page = (plan_copy / "report.html").read_bytes()
    (plan_copy / "report.html").unlink()
    assert run("check", plan_copy).code == 0
    assert run("report", plan_copy, "-q").code == 0
    assert (plan_copy / "report.html").read_bytes() == page
    assert "report.html" in json.loads((plan_copy / "plan.json").read_text())["files"]
    assert run("check", plan_copy).code == 0
    assert not list(plan_copy.glob(".*"))


def test_a_report_that_was_touched_fails_the_check_until_it_is_made_anew(plan_copy: Path, run: Run):
    with (plan_copy / "report.html").open("a") as file:
        file.write("<!-- -->")
    answer = run("check", plan_copy)
    assert answer.code == 5
    assert "report.html: was changed" in answer.out
    assert run("report", plan_copy, "-q").code == 0
    assert run("check", plan_copy).code == 0


def test_the_page_says_where_the_plan_was_changed(plan_copy: Path, tmp_path: Path, run: Run):
    table = (plan_copy / "plan.csv").read_text()
    (plan_copy / "plan.csv").write_text(table.replace(",true\n", ",false\n"))
    answer = run("report", plan_copy, "--out", tmp_path / "page.html", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["bytes"] == (tmp_path / "page.html").stat().st_size
    assert "Changed since it was checked:</strong> plan.csv" in (tmp_path / "page.html").read_text()


def test_no_report_of_what_is_no_plan(tmp_path: Path, plan_copy: Path, run: Run):
    assert "is not a plan" in run("report", tmp_path).refused(2)
    (plan_copy / "products.csv").unlink()
    assert "cannot be read as a plan" in run("report", plan_copy).refused(2)
    (plan_copy / "plan.json").write_text("{")
    assert "cannot be read as a plan" in run("report", plan_copy).refused(2)


def test_no_report_where_it_cannot_be_written(seed_plan: Path, tmp_path: Path, run: Run):
    line = run("report", seed_plan, "--out", tmp_path / "missing" / "page.html").refused(2)
    assert "missing" in line


@pytest.mark.parametrize(
    ("even", "words"),
    [
        (None, "still gains at the deepest"),
        (0.0, "earns nothing at any discount"),
        (0.125, "breaks even at 12.5\u00a0% off"),
    ],
)
def test_the_break_even_discount_in_words(even: float | None, words: str):
    assert words in break_even_words(even)


def test_the_plans_own_report_named_as_the_file_to_write_passes_the_check(
    plan_copy: Path, run: Run
):
    own = plan_copy / "report.html"
    own.write_text("touched", encoding="utf-8")
    assert run("report", plan_copy, "--out", own).code == 0
    assert run("check", plan_copy).code == 0
    plan = json.loads((plan_copy / "plan.json").read_text(encoding="utf-8"))
    assert plan["files"]["report.html"] == hashlib.sha256(own.read_bytes()).hexdigest()


def test_a_plan_that_costs_margin_for_another_objective_says_so(seed_plan: Path):
    files = read_report_files(seed_plan)
    plan = json.loads(files["plan.json"])
    plan["kpis"]["incremental_margin"] = -54.67
    files["plan.json"] = json.dumps(plan).encode()
    stated = files["scenario.toml"].decode()
    assert 'maximize = "margin"' in stated
    files["scenario.toml"] = stated.replace('maximize = "margin"', 'maximize = "revenue"').encode()
    page = report_page(files)
    assert re.search(r"expected to bring 54\.67\s[A-Z]{3} less margin", page)
    assert "They were chosen for another objective: revenue." in page
