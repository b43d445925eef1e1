from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from bundlewise.solver.plan_folder import read_plan_folder

from .conftest import Run

BUNDLEWISE = [sys.executable, "-c", "from bundlewise.cli.main import main; main()"]
Variant = Callable[..., Path]


@pytest.fixture
def sample(tmp_path: Path, run: Run) -> Path:
    """The folder that ``init`` writes, with beliefs learned."""
    shop = tmp_path / "shop"
    assert run("init", shop).code == 0
    assert run("learn", shop / "scenario.toml", "--out", shop / "beliefs").code == 0
    return shop


def with_engine(shop: Path, engine: str) -> Path:
    path = shop / f"{engine.replace(':', '-')}.toml"
    path.write_text(
        f'[scenario]\nname = "engines"\nextends = "scenario.toml"\n'
        f'[data]\nbeliefs = "beliefs"\n[solver]\nengine = "{engine}"\ngap = 0.0\n'
    )
    return path


def test_the_shipped_instance_gives_a_verified_plan(seed_plan: Path, run: Run):
    plan = read_plan_folder(seed_plan)
    assert plan.report["status"] == "optimal"
    assert plan.report["gap"] <= 0.001
    assert 0 < plan.report["kpis"]["bundles"] <= 12
    assert plan.report["kpis"]["incremental_margin"] > 0
    names = {path.name for path in seed_plan.iterdir()}
    tables = {"plan.csv", "products.csv", "levels.csv", "groups.csv", "beliefs.parquet"}
    assert names == {*tables, "plan.json", "scenario.toml", "report.html"}
    answer = run("check", seed_plan)
    assert (answer.code, answer.err) == (0, "")
    assert "holds" in answer.out


def test_the_table_and_the_account_are_on_stdout_alone(seed_case: Path, tmp_path: Path, run: Run):
    answer = run("solve", seed_case / "scenario.toml", "--out", tmp_path / "plan")
    assert answer.err == ""
    assert "seed100 2025-W45: 12 bundles" in answer.out
    assert "would have bought both anyway" in answer.out
    assert "Rules that bind: bundle-count" in answer.out
    assert "proven bound" in answer.out
    assert "verified independently" in answer.out


def test_json_is_plan_json_and_quiet_is_silent(seed_case: Path, tmp_path: Path, run: Run):
    answer = run("solve", seed_case / "scenario.toml", "--out", tmp_path / "plan", "--json")
    assert json.loads(answer.out) == json.loads((tmp_path / "plan" / "plan.json").read_text())
    answer = run("solve", seed_case / "scenario.toml", "--out", tmp_path / "other", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


@pytest.mark.parametrize("engine", ["auto", "highs", "scip", "cp-sat", "pulp:CBC"])
def test_same_inputs_give_the_same_plan_to_the_byte(
    engine: str, sample: Path, tmp_path: Path, run: Run
):
    scenario = with_engine(sample, engine)
    for name in ("one", "two"):
        assert run("solve", scenario, "--out", tmp_path / name).code == 0
    first, second = (tmp_path / name / "plan.csv" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_every_engine_finds_the_same_value(sample: Path, tmp_path: Path, run: Run):
    objectives = {}
    for engine in ("auto", "highs", "scip", "cp-sat", "pulp:CBC"):
        out = tmp_path / engine.replace(":", "-")
        answer = run("solve", with_engine(sample, engine), "--out", out, "--json")
        objectives[engine] = json.loads(answer.out)["objective"]
    assert max(objectives.values()) - min(objectives.values()) < 1e-4, objectives


def test_saved_beliefs_give_the_same_plan_as_learning_now(
    seed_case: Path, seed_plan: Path, variant: Variant, tmp_path: Path, run: Run
):
    answer = run("learn", seed_case / "scenario.toml", "--out", tmp_path / "beliefs")
    assert answer.code == 0
    scenario = variant(f'[data]\nbeliefs = "{tmp_path / "beliefs"}"')
    assert run("solve", scenario, "--out", tmp_path / "plan").code == 0
    assert (tmp_path / "plan" / "plan.csv").read_bytes() == (seed_plan / "plan.csv").read_bytes()


def test_an_existing_plan_is_refused_before_any_work(seed_plan: Path, seed_case: Path, run: Run):
    before = (seed_plan / "plan.json").read_bytes()
    line = run("solve", seed_case / "scenario.toml", "--out", seed_plan).refused(2)
    assert line.endswith("holds a plan already; expected --force to replace it")
    assert (seed_plan / "plan.json").read_bytes() == before


def test_an_empty_plan_says_why_and_is_a_success(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant("[assumptions]\noffer_cost = 100000.0")
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert answer.code == 0
    assert "0 bundles" in answer.out
    said = " ".join(answer.out.split())
    assert re.search(r"no bundle is offered: none of 4,\d\d\d candidates gains at any level", said)
    report = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert (report["status"], report["objective"], report["bound"], report["gap"]) == (
        "optimal",
        0.0,
        0.0,
        0.0,
    )
    assert (tmp_path / "plan" / "plan.csv").read_text().count("\n") == 1
    assert run("check", tmp_path / "plan").code == 0


def test_no_bundles_to_choose_is_a_conflict_where_some_are_required(
    variant: Variant, tmp_path: Path, run: Run
):
    scenario = variant(
        "[limits]\nmin_bundles = 12\n"
        '[[rules]]\nname = "little-coffee"\nkind = "category-limit"\n'
        'category = "Coffee & tea"\nmin = 6\n'
        '[[rules]]\nname = "no-coffee"\nkind = "category-limit"\n'
        'category = "Coffee & tea"\nmax = 4\n'
    )
    line = run("solve", scenario, "--out", tmp_path / "plan").refused(3)
    assert "little-coffee" in line
    assert "no-coffee" in line
    assert "bundle-count" not in line
    assert not (tmp_path / "plan").exists()


def test_a_limit_without_a_plan_is_exit_4(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant("[solver]\ntime_limit = 1e-9")
    line = run("solve", scenario, "--out", tmp_path / "plan").refused(4)
    assert "no plan found within the time limit" in line
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize("objective", ["margin", "revenue", "units", "affinity"])
def test_every_objective_gives_a_plan_that_passes_its_check(
    objective: str, variant: Variant, tmp_path: Path, run: Run
):
    scenario = variant(f'[objective]\nmaximize = "{objective}"\n')
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    plan = read_plan_folder(tmp_path / "plan")
    assert len(plan.offers) == 12
    if objective == "affinity":
        assert set(plan.offers["level"]) == {0.05}
        loss = plan.report["kpis"]["sales_loss"]
        assert plan.report["objective"] == pytest.approx(-loss)


@pytest.mark.parametrize(
    "lines",
    [
        '[assumptions]\nexposure = 0.5\nredemption = "automatic"',
        "[assumptions]\ntax_rate = 0.07\noffer_cost = 0.5\ndiversion = 0.2",
        "[limits]\nmin_bundle_margin = 0.38\nmin_plan_margin = 0.4\ndiscount_budget = 60.0",
        "[limits]\nmax_bundles_per_product = 2\nstock_safety = 0.5",
        '[discounts]\nlevels = [0.03, 0.07, 0.21]\nprice_ending = ".95"',
        '[[rules]]\nkind = "locked"\nproducts = ["008", "022"]\nlevel = 0.05\n'
        '[[rules]]\nkind = "must-include"\nproducts = ["001", "002"]\n'
        '[[rules]]\nkind = "at-most-one-of"\nproducts = ["020", "021", "022"]\n',
    ],
)
def test_plans_under_other_assumptions_and_rules_pass_their_check(
    lines: str, variant: Variant, tmp_path: Path, run: Run
):
    answer = run("solve", variant(lines), "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    assert run("check", tmp_path / "plan").code == 0


def test_titles_that_look_like_markup_or_formulas_are_shown_as_they_are(tmp_path: Path, run: Run):
    assert run("init", tmp_path / "shop").code == 0
    products = pd.read_csv(tmp_path / "shop" / "products.csv", dtype=str, keep_default_na=False)
    titles = ["=HYPERLINK(1)", "[bold]<script>alert(1)</script>", "Käse 🧀 \u202e", "\x1b[31mred"]
    products["title"] = [titles[k % len(titles)] for k in range(len(products))]
    products.to_csv(tmp_path / "shop" / "products.csv", index=False)
    answer = run("solve", tmp_path / "shop" / "scenario.toml", "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    assert "[bold]<script>" in answer.out
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    cells = pd.read_csv(tmp_path / "plan" / "plan.csv", dtype=str)
    assert not cells["titles"].str.startswith(("=", "+", "-", "@")).any()
    assert cells["titles"].str.contains("<script>alert(1)</script>", regex=False).any()
    assert not cells["product_ids"].str.contains("'").any()
    assert cells["product_ids"].str.startswith("00").all()
    assert run("check", tmp_path / "plan").code == 0


def test_no_customer_id_is_in_any_file_of_a_plan(tmp_path: Path, run: Run):
    assert run("init", tmp_path / "shop").code == 0
    orders = pd.read_csv(tmp_path / "shop" / "orders.csv", dtype=str, keep_default_na=False)
    orders["customer_id"] = "secret-person-" + (orders.index % 50).astype(str)
    orders.loc[3, "quantity"] = "-1"
    orders.to_csv(tmp_path / "shop" / "orders.csv", index=False)
    assert run("solve", tmp_path / "shop" / "scenario.toml", "--out", tmp_path / "plan").code == 0
    quarantine = (tmp_path / "plan" / "quarantine.csv").read_text()
    assert "non-positive quantity" in quarantine
    for path in (tmp_path / "plan").iterdir():
        assert b"secret-person" not in path.read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", "nowhere.toml", "--out", "plan"], ["nowhere.toml"]),
        (["solve"], ["Missing argument 'SCENARIO'", "solve --help"]),
        (["solve", "a.toml"], ["--out"]),
        (["sovle"], ["No such command 'sovle'", "solve"]),
        (["check", "nowhere"], ["nowhere", "is not there"]),
        (["compare", "a.toml"], ["at least two"]),
        (["instance", "nothing", "--out", "x"], ["'nothing'", "seed100"]),
    ],
)
def test_bad_usage_is_one_line_in_a_shell_and_exit_2(
    arguments: list[str], words: list[str], tmp_path: Path
):
    result = subprocess.run(
        [*BUNDLEWISE, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_exit_codes_as_a_shell_sees_them(variant: Variant, tmp_path: Path):
    cases = {
        0: variant("", "fine"),
        2: variant("[limits]\nmax_bundels = 3", "typo"),
        3: variant('[[rules]]\nkind = "brand-limit"\nbrand = "Monte Alto"\nmin = 30', "conflict"),
        4: variant("[solver]\ntime_limit = 1e-9", "late"),
    }
    for code, scenario in cases.items():
        out = tmp_path / f"plan{code}"
        result = subprocess.run(
            [*BUNDLEWISE, "solve", str(scenario), "--out", str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        assert (result.stdout == "") == (code != 0)
        assert len(result.stderr.splitlines()) == (0 if code == 0 else 1)
        assert out.exists() == (code == 0)


def test_a_reader_that_leaves_early_is_no_error(seed_plan: Path):
    command = " ".join(f"'{part}'" for part in [*BUNDLEWISE, "check", str(seed_plan)])
    result = subprocess.run(
        ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0
    assert result.stderr == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(seed_case: Path, tmp_path: Path, run: Run):
    (tmp_path / "locked").mkdir(mode=0o500)
    out = tmp_path / "locked" / "plan"
    line = run("solve", seed_case / "scenario.toml", "--out", out).refused(2)
    assert "cannot be written" in line


def test_candidates_that_were_cut_are_a_warning(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant(
        "[candidates]\nmax_candidates = 3\n"
        '[[rules]]\nname = "candidates"\nkind = "never-together"\nproducts = ["001", "002"]'
    )
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    report = read_plan_folder(tmp_path / "plan").report
    assert report["candidates"] > report["candidates_cut"] > 0
    assert report["counts"]["candidates"] == report["candidates"]
    assert "candidates.max_candidates = 3 cut" in report["warnings"][-1]
    assert "candidates.max_candidates = 3 cut" in answer.out
    assert "no proof covers those" in report["proof"]["scope"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("[assumptions]\noffer_cost = 5000", "yet none earns back the offer cost of 5,000.00"),
        (
            "[limits]\nmax_bundles = 5\nmin_bundle_margin = 0.95",
            r"filters removed ([\d,]+) \(\1 by bundle-margin\), and no other gains",
        ),
    ],
)
def test_an_empty_plan_says_what_stood_in_the_way(
    lines: str, reason: str, variant: Variant, tmp_path: Path, run: Run
):
    answer = run("solve", variant(lines), "--out", tmp_path / "plan", "--json")
    assert answer.code == 0, answer.err
    assert re.search(reason, json.loads(answer.out)["warnings"][-1])


def test_without_a_price_change_no_response_is_promised(tmp_path: Path, run: Run):
    shop = tmp_path / "shop"
    assert run("init", shop).code == 0
    orders = pd.read_csv(shop / "orders.csv", dtype=str)
    prices = pd.read_csv(shop / "products.csv", dtype=str).set_index("product_id")["list_price"]
    unit = orders["product_id"].map(prices).astype(float)
    orders["amount"] = (unit * orders["quantity"].astype(float)).round(2)
    orders["list_amount"] = orders["amount"]
    orders.to_csv(shop / "orders.csv", index=False)
    answer = run("solve", shop / "scenario.toml", "--out", tmp_path / "plan", "--json")
    report = json.loads(answer.out)
    assert (answer.code, report["kpis"]["bundles"]) == (0, 0)
    assumed, empty = report["warnings"]
    assert "no price changed in the orders" in assumed
    assert re.search(r"and (\d+) of \1 products never were", empty)


def test_a_reader_that_leaves_is_no_bug(seed_plan: Path):
    command = [*BUNDLEWISE, "compare", str(seed_plan), str(seed_plan)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_terminal_that_lacks_a_letter_is_no_bug(seed_case: Path, tmp_path: Path):
    shutil.copytree(seed_case, tmp_path / "Läden")
    done = subprocess.run(
        [*BUNDLEWISE, "validate", str(tmp_path / "Läden" / "scenario.toml")],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"L?den" in done.stdout


def test_an_engine_that_is_not_installed_is_refused_before_learning(
    variant: Variant, tmp_path: Path, run: Run
):
    scenario = variant('[solver]\nengine = "pulp:NoSuch"')
    for arguments in (("solve", scenario, "--out", tmp_path / "plan"), ("validate", scenario)):
        line = run(*arguments).refused(2)
        assert "variant.toml: solver.engine: 'pulp:NoSuch' names no solver that PuLP knows" in line
        assert "pulp:CBC" in line


def test_ids_with_separators_escapes_and_formulas_pass_the_check(tmp_path: Path, run: Run):
    assert run("init", tmp_path / "shop").code == 0
    odd = ["a+b", "c;d", "e,f", "%2B", ";8%2B", "'=19", "=1", "-2", "007", "50%", "<i>x</i>", "é"]
    for name in ("products", "orders", "prices"):
        path = tmp_path / "shop" / f"{name}.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table["product_id"] = [
            odd[int(old) - 1] if int(old) <= len(odd) else old for old in table["product_id"]
        ]
        table.to_csv(path, index=False)
    scenario = tmp_path / "shop" / "scenario.toml"
    scenario.write_text(
        scenario.read_text()
        .replace("max_bundles = 6", "max_bundles = 20")
        .replace('products = ["0026", "0028"]', 'products = ["0026", "0030"]')
    )
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    assert run("check", tmp_path / "plan").code == 0
    plan = read_plan_folder(tmp_path / "plan")
    assert any("%" in name or "+" in name.replace("+", "", 1) for name in plan.offers["bundle_id"])


def test_the_headline_says_what_competing_bundles_earn(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant("[limits]\nmax_bundles_per_product = 3")
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert answer.code == 0, answer.err
    report = read_plan_folder(tmp_path / "plan").report
    together = report["overlap"]["together"]
    assert 0 < together < report["overlap"]["separate"]
    assert f"as bundles compete for shoppers {together:,.2f} EUR" in " ".join(answer.out.split())


def test_last_weeks_plan_is_not_silently_ignored(variant: Variant, tmp_path: Path, run: Run):
    scenario = variant('[data]\nprevious_plan = "nowhere"')
    answer = run("solve", scenario, "--out", tmp_path / "plan")
    assert "data.previous_plan is not used" in answer.out


def test_a_closed_stdout_is_no_error(seed_plan: Path):
    command = " ".join(f"'{part}'" for part in [*BUNDLEWISE, "check", str(seed_plan)])
    result = subprocess.run(
        ["bash", "-c", f"{command} >&-"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
