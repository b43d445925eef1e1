"""What holds of a report's text, in no browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from bundlewise.cli.report_data import reported_plan
from bundlewise.cli.report_money import money_steps
from bundlewise.cli.report_page import report_page

from .plan_files import HOSTILE, empty_plan, hostile_plan, plan_files


class Tags(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.values: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.values += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_from_data_becomes_markup():
    page = Tags(report_page(hostile_plan()))
    assert not page.names & {"img", "b", "i", "iframe", "object", "form", "link"}
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    assert all(value.startswith("#") for value in page.values)
    for title in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[5], "<b>shop</b>", "<b>careful</b>"):
        assert title in page.text


def test_the_policy_lets_in_the_one_script_by_its_hash():
    page = report_page(hostile_plan())
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src &#39;sha256-{digest}&#39;" in policy.replace("'", "&#39;")
    assert policy.replace("&#39;", "'").startswith("default-src 'none'")
    assert "://" not in page.replace(HOSTILE[2].replace('"', "&#34;"), "")


def test_the_same_files_give_the_same_page_whatever_a_run_took():
    files = hostile_plan()
    report = json.loads(files["plan.json"])
    slower = {**report, "seconds": {"solve": 99.0}, "files": {"report.html": "0" * 64}}
    assert report_page({**files, "plan.json": json.dumps(slower).encode()}) == report_page(files)


def test_the_waterfall_by_hand():
    # One bundle of p0 (10.00) and p1 (11.00), both cost 5.00, at 10 % off: D = 2.10.
    # 20 units of p1 are added: 20·(11 − 5) = 120.00 at full price. Discounts: 20·2.10 = 42.00 to
    # those who add, 10·2.10 = 21.00 to those who buy both anyway. The offer costs 0.50 and earns
    # 5.00: 5.00 − 120.00 + 42.00 + 21.00 + 0.50 = −51.50 is displaced.
    steps = money_steps(reported_plan(plan_files(HOSTILE, [(0, 1)])))
    assert [value for _, value in steps] == [120.0, -51.5, -42.0, -21.0, -0.5]
    assert round(sum(value for _, value in steps), 2) == 5.0


def test_the_waterfall_adds_up_to_the_cent():
    plan = reported_plan(hostile_plan())
    cents = [round(100 * value) for _, value in money_steps(plan)]
    assert sum(cents) == round(100 * plan.report["kpis"]["incremental_margin"])


def test_a_plan_of_an_earlier_version_says_what_it_lacks():
    files = hostile_plan()
    report = json.loads(files["plan.json"])
    del report["evidence"], report["held_out"]
    kept = {"plan.csv", "products.csv", "quarantine.csv", "scenario.toml"}
    old = {name: files[name] for name in kept} | {"plan.json": json.dumps(report).encode()}
    text = Tags(report_page(old)).text
    assert "written without groups.csv" in text
    assert "written without levels.csv" in text
    assert text.count("without the evidence") == 4
    assert "Held-out scores" not in text


def test_an_empty_plan_says_why_and_has_no_empty_charts():
    page = report_page(empty_plan())
    text = Tags(page).text
    assert "No bundle is offered" in text
    assert "none of 12 candidates gains at any level" in text
    assert "<svg" not in page[: page.index("Rules</h2>")]


def test_files_that_changed_since_they_were_checked_are_named():
    files = hostile_plan()
    report = json.loads(files["plan.json"])
    report["files"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    } | {"report.html": "0" * 64}
    del report["files"]["plan.json"]
    files["plan.json"] = json.dumps(report).encode()
    assert "Changed since it was checked" not in report_page(files)
    files["groups.csv"] += b"\n"
    assert "Changed since it was checked:</strong> groups.csv." in report_page(files)


@pytest.mark.parametrize("name", ["products.csv", "plan.json"])
def test_files_that_are_no_plan_are_refused(name: str):
    with pytest.raises((ValueError, KeyError)):
        report_page({**hostile_plan(), name: b"{}"})


def test_assumed_figures_are_marked():
    text = " ".join(Tags(report_page(hostile_plan())).text.split())
    assert "assumed: nobody stated or learned it" in text
    assert "assumed from a gross margin of 35.0" in text
    assert "5.00 (assumed)" in text
