"""``bundlewise evaluate``: what it prints and the page that it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bundlewise.cli.evaluation_page import evaluation_page
from bundlewise.cli.score_tables import cell, tables_of

from .conftest import Answer, Run

EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "use", "wbr"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and keeps what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.targets: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def written(
    seed_case: Path, tmp_path_factory: pytest.TempPathFactory, run: Run
) -> tuple[Answer, Path]:
    out = tmp_path_factory.mktemp("evaluation") / "scores"
    answer = run("evaluate", seed_case / "scenario.toml", "--out", out)
    assert answer.code == 0, answer.err
    return answer, out


def test_json_page_and_terminal_say_the_same(written: tuple[Answer, Path]):
    answer, out = written
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.html", "evaluation.json"]
    scores = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert {"pairs", "demand", "mechanism", "next_product", "calibration"} <= set(scores)
    assert scores["pairs"]["learned"] > scores["pairs"]["independence"]
    page = " ".join(Page((out / "evaluation.html").read_text(encoding="utf-8")).text)
    recall = scores["next_product"]["methods"]["beliefs"]["recall_at_10"]
    for figure in (scores["pairs"]["learned"], scores["demand"]["no_price"], recall):
        assert f"{figure:.4f}" in page
        assert f"{figure:.4f}" in answer.out
    assert f"written: {out / 'evaluation.html'}" in answer.out


def test_the_page_is_whole_without_a_network_or_scripts(written: tuple[Answer, Path]):
    text = (written[1] / "evaluation.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert "://" not in text
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert all(target.startswith("#") for target in page.targets)
    assert len(set(page.ids)) == len(page.ids)
    assert {target[1:] for target in page.targets} <= set(page.ids)
    charts = page.tags.count("svg")
    assert charts >= 3
    assert page.tags.count("desc") == charts  # a description for who cannot see it
    assert "var(--series)" in text
    assert "#0a0b0" not in text  # colours that stand for variables of the style


def test_the_page_escapes_what_it_is_told(written: tuple[Answer, Path]):
    scores = json.loads((written[1] / "evaluation.json").read_text(encoding="utf-8"))
    title = '<img src=x onerror="alert(1)"> & co'
    scores["name"] = title
    scores["relations"] = {title: {"learned": 1.0, "majority": 0.5}, "skipped": title}
    page = Page(evaluation_page(scores))
    assert "img" not in page.tags
    assert title in "".join(page.text)
    assert "".join(page.text).count(title) >= 4  # title, heading, row, and why it was skipped


def test_what_is_there_is_kept_unless_forced(seed_case: Path, tmp_path: Path, run: Run):
    page = tmp_path / "page.html"
    page.write_text("mine", encoding="utf-8")
    scenario = seed_case / "scenario.toml"
    assert f"{page}: the file is there already" in run(
        "evaluate", scenario, "--html", page
    ).refused(2)
    assert page.read_text(encoding="utf-8") == "mine"
    assert "is a file; expected a folder" in run("evaluate", scenario, "--out", page).refused(2)
    assert run("evaluate", scenario, "--html", page, "--force", "--quiet").out == ""
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(tmp_path.iterdir()) == [page]


def test_entries_with_the_same_figures_are_one_table():
    section: dict[str, object] = {
        "baskets": 1_234,
        "best_peer": "item_cosine",
        "methods": {
            "popularity": {"recall_at_10": 0.1, "settings": {}},
            "beliefs": {"recall_at_10": 0.25, "settings": {"ridge": 1.0}},
            "als": {"skipped": "not installed"},
        },
        "histogram": [0.1, 0.2],
    }
    facts, methods, skipped = tables_of(section)
    assert facts.rows == (("baskets", "1,234"), ("best peer", "cosine of products"))
    assert methods.headings == ("", "recall@10")
    assert methods.rows == (("popularity", "0.1000"), ("beliefs (this is used)", "0.2500"))
    assert methods.learned == (False, True)
    assert skipped.rows == (("skipped", "not installed"),)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.0000"), (-0.00063, "-0.00063"), (12_345, "12,345"), (True, "yes")],
)
def test_figures_read_well(value: float | None, text: str):
    assert cell(value) == text


Variant = Callable[..., Path]


def test_sets_are_scored_where_the_scenario_asks(variant: Variant, run: Run):
    scenario = variant("[candidates]\nmax_size = 3", "wide")
    scores = json.loads(run("evaluate", scenario, "--json").out)
    assert scores["sets"]["triples"]["learned"] > scores["sets"]["triples"]["independence"]
    assert "segments" not in scores


def test_shoppers_are_scored_where_the_scenario_asks(variant: Variant, run: Run):
    scenario = variant('[segments]\ncount = "auto"', "grouped")
    scores = json.loads(run("evaluate", scenario, "--json").out)
    assert {"interests", "segments"} <= set(scores)
    assert "sets" not in scores
