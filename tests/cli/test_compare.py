"""``bundlewise compare``: what it prints and keeps, where a scenario has no plan or no data too."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from bundlewise import models
from bundlewise.cli.comparison_page import breach_words, comparison_page
from bundlewise.cli.console import Progress
from bundlewise.cli.pipeline import Shared, get_beliefs, shared_instance
from bundlewise.cli.show_comparison import show_comparison
from bundlewise.cli.solve_many import solve_many
from bundlewise.instances import Scenario, read_scenario
from rich.console import Console

from .conftest import Run

Variant = Callable[..., Path]
CONFLICT = "[limits]\nmax_bundles = 60\nmin_bundles = 60"


@pytest.fixture(scope="module")
def base(seed_case: Path, tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """The shipped scenario with its beliefs learned before, so that comparing does not learn."""
    folder = tmp_path_factory.mktemp("compare")
    scenario = seed_case / "scenario.toml"
    assert run("learn", scenario, "--out", folder / "beliefs", "--quiet").code == 0
    text = (
        f'[scenario]\nname = "seed100"\nextends = "{scenario}"\n'
        f'[data]\nbeliefs = "{folder / "beliefs"}"\n'
    )
    (folder / "base.toml").write_text(text, encoding="utf-8")
    return folder / "base.toml"


@pytest.fixture(scope="module")
def seed_plan(base: Path, run: Run) -> Path:
    assert run("solve", base, "--out", base.parent / "plan", "--quiet").code == 0
    return base.parent / "plan"


@pytest.fixture
def variant(base: Path, tmp_path: Path) -> Variant:
    """A scenario that extends ``base`` by lines of TOML."""

    def write(lines: str, name: str) -> Path:
        path = tmp_path / f"{name}.toml"
        head = f'[scenario]\nname = "{name}"\nextends = "{base}"\n'
        path.write_text(head + lines, encoding="utf-8")
        return path

    return write


def test_figures_offers_and_changed_keys(seed_plan: Path, variant: Variant, run: Run) -> None:
    smaller = variant("[limits]\nmax_bundles = 5", "smaller")
    answer = run("compare", seed_plan, smaller, "--json")
    assert (answer.code, answer.err) == (0, "")
    result = json.loads(answer.out)
    figures = {row["label"]: row for row in result["scenarios"]}
    assert figures["seed100"]["bundles"] == 12
    assert figures["smaller"]["bundles"] == 5
    assert figures["smaller"]["incremental_margin"] < figures["seed100"]["incremental_margin"]
    assert result["changed_keys"] == {"smaller": ["limits.max_bundles"]}
    levels = [offer["levels"] for offer in result["offers"]]
    assert sum(found["seed100"] is not None for found in levels) == 12
    assert sum(found["smaller"] is not None for found in levels) == 5
    differing = sum(not offer["same"] for offer in result["offers"])
    assert differing >= 7
    text = run("compare", seed_plan, smaller).out
    assert "2 differs from 1 in: limits.max_bundles" in text
    assert f"{differing} are not" in text


def test_each_plan_is_judged_under_each_scenario(
    seed_plan: Path, variant: Variant, run: Run
) -> None:
    smaller = variant("[limits]\nmax_bundles = 5", "smaller")
    result = json.loads(run("compare", seed_plan, smaller, "--json").out)
    cross = {(entry["plan"], entry["under"]): entry for entry in result["cross"]}
    figures = {row["label"]: row for row in result["scenarios"]}
    assert list(cross) == [(a, b) for a in figures for b in figures]
    for name, row in figures.items():
        own = cross[name, name]
        assert own["incremental_margin"] == pytest.approx(row["incremental_margin"], abs=0.011)
        assert own["objective"] == pytest.approx(row["objective"])
        assert (own["regret"], own["broken_rules"]) == (0.0, [])
    # the same prices and beliefs: a plan earns the same wherever it is, and only limits differ
    fewer, more = (figures[name]["objective"] for name in ("smaller", "seed100"))
    assert cross["smaller", "seed100"]["regret"] == pytest.approx(more - fewer)
    assert cross["smaller", "seed100"]["broken_rules"] == []
    assert cross["seed100", "smaller"]["regret"] == pytest.approx(fewer - more)
    assert cross["seed100", "smaller"]["broken_rules"] == ["bundle-count"]
    assert result["robust"]["plan"] == "smaller"
    assert result["robust"]["largest_regret"] == pytest.approx(more - fewer)
    text = run("compare", seed_plan, smaller).out
    assert "1 under 2: bundle-count" in text
    assert "robust choice: smaller loses at most" in text


def test_scenarios_of_the_same_name_are_numbered(seed_plan: Path, run: Run) -> None:
    result = json.loads(run("compare", seed_plan, seed_plan, "--json").out)
    assert [row["label"] for row in result["scenarios"]] == ["seed100#1", "seed100#2"]
    assert all(offer["same"] for offer in result["offers"])


def test_a_conflict_in_one_scenario_leaves_the_others(
    seed_plan: Path, variant: Variant, run: Run, tmp_path: Path
) -> None:
    conflict, smaller = variant(CONFLICT, "conflict"), variant("[limits]\nmax_bundles = 5", "small")
    page = tmp_path / "page.html"
    answer = run("compare", conflict, seed_plan, smaller, "--json", "--html", page)
    assert answer.code == 3
    message = f"bundlewise: {conflict}: no plan satisfies these rules together"
    assert answer.err.startswith(message)
    assert len(answer.err.splitlines()) == 1
    result = json.loads(answer.out)
    first = result["scenarios"][0]
    assert (first["status"], first["objective"], first["bundles"]) == ("conflict", None, None)
    assert "no plan satisfies these rules together" in first["message"]
    assert {entry["plan"] for entry in result["cross"]} == {"seed100", "small"}
    under = [entry for entry in result["cross"] if entry["under"] == "conflict"]
    assert all(entry["regret"] is None for entry in under)
    assert all(entry["broken_rules"] == ["bundle-count"] for entry in under)
    assert result["robust"]["plan"] == "small"
    assert "any scenario but conflict, whose rules conflict" in result["robust"]["why"]
    assert "no plan satisfies these rules together" in page.read_text(encoding="utf-8")
    shown = run("compare", conflict, smaller)
    assert (shown.code, "conflict" in shown.out) == (3, True)


def test_no_plan_in_time_is_said_in_its_column(variant: Variant, run: Run) -> None:
    hasty = variant("[limits]\nmin_bundles = 3\n[solver]\ntime_limit = 1e-9", "hasty")
    conflict = variant(CONFLICT, "conflict")
    answer = run("compare", hasty, conflict, variant("", "base"), "--json")
    assert answer.code == 4  # the worse of 3 and 4
    status = [row["status"] for row in json.loads(answer.out)["scenarios"]]
    assert status[0] == "no plan"
    assert status[2] == "optimal"


def test_currencies_are_not_mixed(seed_plan: Path, variant: Variant, run: Run) -> None:
    foreign = variant("", "foreign")
    foreign.write_text(foreign.read_text().replace("\n", '\ncurrency = "JPY"\n', 1))
    assert "money in EUR and JPY" in run("compare", seed_plan, foreign).refused(2)


def test_plans_are_kept_where_asked(variant: Variant, run: Run, tmp_path: Path) -> None:
    small, large = (
        variant(f"[limits]\nmax_bundles = {most}", name) for name, most in (("a", 2), ("b", 3))
    )
    answer = run("compare", small, large, "--out", tmp_path / "plans", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    for name, path in (("a", small), ("b", large)):
        run("solve", path, "--out", tmp_path / f"alone-{name}", "--quiet")
        alone, kept = tmp_path / f"alone-{name}", tmp_path / "plans" / name
        tables = ("plan.csv", "products.csv", "levels.csv", "groups.csv")
        for file in (*tables, "scenario.toml", "report.html"):
            assert (kept / file).read_bytes() == (alone / file).read_bytes(), file
        assert run("check", kept).code == 0
    line = run("compare", small, large, "--out", tmp_path / "plans").refused(2)
    assert "holds a plan already" in line
    finished = run("compare", tmp_path / "plans" / "a", tmp_path / "plans" / "b", "--json")
    solved = run("compare", small, large, "--json")
    assert json.loads(finished.out)["cross"] == json.loads(solved.out)["cross"]


def test_data_that_are_gone_or_changed_are_said_and_the_rest_is_judged(
    seed_case: Path, seed_plan: Path, variant: Variant, run: Run, tmp_path: Path
) -> None:
    shutil.copytree(seed_case, tmp_path / "shop")
    run("solve", tmp_path / "shop" / "scenario.toml", "--out", tmp_path / "old", "--quiet")
    products = tmp_path / "shop" / "products.csv"
    products.write_text(products.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    small = variant("[limits]\nmax_bundles = 2", "small")
    answer = run("compare", tmp_path / "old", small, "--json")
    assert answer.code == 0
    result = json.loads(answer.out)
    assert "products.csv changed since the plan was made" in result["notes"][0]
    cross = {(entry["plan"], entry["under"]): entry for entry in result["cross"]}
    assert cross["small", "seed100"]["broken_rules"] is None
    assert cross["small", "seed100"]["regret"] is None
    assert cross["seed100", "small"]["broken_rules"] == ["bundle-count"]
    products.unlink()
    result = json.loads(run("compare", tmp_path / "old", small, "--json").out)
    assert "no plan can be judged under seed100" in result["notes"][0]
    assert "products.csv" in result["notes"][0]
    text = run("compare", tmp_path / "old", small).out
    assert "note: no plan can be judged under seed100" in text


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def made_up(title: str, label: str) -> dict[str, Any]:
    """A comparison whose names are markup."""
    figures = {
        "maximize": "margin",
        "status": "optimal",
        "objective": 1.0,
        "bound": 1.0,
        "gap": 0.0,
        "bundles": 1,
        "incremental_margin": -1234.5,
        "incremental_margin_low": -2000.0,
        "incremental_margin_high": 10.0,
        "revenue": 10.0,
        "margin": 4.0,
        "margin_rate": 0.4,
        "discount_spend": 1.0,
    }
    labels = ["first", label]
    cross = [
        {
            "plan": plan,
            "under": under,
            "incremental_margin": 1.0,
            "objective": 1.0,
            "regret": -0.5,
            "broken_rules": [title],
            "breaches": [{"rule": title, "where": title, "bundles": [title]}],
            "offers_made": 1,
        }
        for plan in labels
        for under in labels
    ]
    robust = {"plan": None, "largest_regret": None, "under": None, "why": title}
    offer = {"bundle_id": title, "name": title, "levels": {"first": 0.1, label: None}}
    return {
        "currency": "EUR",
        "scenarios": [{"label": name, "name": name, "week": "w", **figures} for name in labels],
        "changed_keys": {label: [f"rules.{title}"]},
        "offers": [{**offer, "same": False}],
        "cross": cross,
        "robust": robust,
        "notes": [title],
    }


def test_names_with_markup_are_shown_and_never_run() -> None:
    title, label = "<script>alert(1)</script> [bold]", "[red]x[/red]<b>"
    result = made_up(title, label)
    page = _Page(comparison_page(result))
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert any(title in words for words in page.words)
    assert any("−1,234.50" in words for words in page.words)
    console = Console(width=160, record=True)
    show_comparison(console, result)
    text = console.export_text()
    assert title in text
    assert label in text


def test_pages_name_every_table_and_ask_for_nothing(
    seed_plan: Path, variant: Variant, run: Run, tmp_path: Path
) -> None:
    small = variant("[limits]\nmax_bundles = 2", "small")
    file = tmp_path / "folder" / "page.html"
    assert run("compare", seed_plan, small, "--html", file, "--quiet").code == 0
    text = file.read_text(encoding="utf-8")
    assert "bundle-count: 12, at most 2" in text
    assert "The robust choice is small" in text
    assert not re.search(r"(src|href)=.https?:", text)
    assert "file exists" not in text
    line = run("compare", seed_plan, small, "--html", file).refused(2)
    assert "exists already" in line


def test_breaches_are_told_with_value_and_limit() -> None:
    assert breach_words({"rule": "a", "where": "a[1]", "value": 2.0, "at_least": 3.0}) == (
        "a[1]: 2, at least 3"
    )
    assert breach_words({"rule": "out", "where": "out", "bundles": ["1+2", "3+4"]}) == (
        "out: 1+2, 3+4"
    )


def plans_of(paths: Sequence[Path], workers: int, shared: Shared) -> list[bytes]:
    scenarios = [read_scenario(path) for path in paths]
    answers = solve_many(scenarios, Progress(quiet=True), shared, workers=workers)
    return [answer.plan.files()["plan.csv"] for answer in answers if answer.plan is not None]


def test_searches_side_by_side_find_what_they_find_one_by_one(variant: Variant) -> None:
    paths = [variant(f"[limits]\nmax_bundles = {n}", f"s{n}") for n in range(1, 4)]
    paths += [variant(f"[assumptions]\nexposure = 0.{n}", f"e{n}") for n in (4, 6)]
    shared = Shared()
    one_by_one = plans_of(paths, 1, shared)
    assert len(set(one_by_one)) == len(paths)
    assert plans_of(paths, 4, shared) == one_by_one
    assert plans_of(paths[::-1], 2, shared) == one_by_one[::-1]
    assert (len(shared.tables), len(shared.beliefs)) == (1, 1)


def test_beliefs_are_learned_once_for_those_that_learn_alike(
    seed_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scenario(lines: str) -> Scenario:
        head = f'[scenario]\nname = "x"\nextends = "{seed_case / "scenario.toml"}"\n'
        (tmp_path / "x.toml").write_text(head + lines, encoding="utf-8")
        return read_scenario(tmp_path / "x.toml")

    monkeypatch.setattr(models, "learn", lambda instance, progress: object())
    shared, progress = Shared(), Progress(quiet=True)

    def beliefs(lines: str) -> object:
        return get_beliefs(shared_instance(scenario(lines), progress, shared), progress, shared)

    first = beliefs("")
    alike = ["allow_same_category = false", "max_candidates = 9", "allow_promoted = true"]
    for line in alike:
        assert beliefs(f"[candidates]\n{line}") is first
    assert beliefs("[assumptions]\ngross_margin = 0.5\n[limits]\nmax_bundles = 1") is first
    other = ["min_support = 9", "max_size = 3"]
    assert len({id(beliefs(f"[candidates]\n{line}")) for line in other} - {id(first)}) == 2
    assert beliefs("[segments]\ncount = 2") is not first
    assert len(shared.tables) == 1


def test_a_folder_that_is_no_plan_is_refused(seed_plan: Path, tmp_path: Path, run: Run) -> None:
    line = run("compare", seed_plan, tmp_path).refused(2)
    assert str(tmp_path) in line
