"""The report of a plan in a real browser: what its scripts add, and what holds without them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Open
from .plan_files import HOSTILE, empty_plan, written


def names(page: Any) -> list[str]:
    """Names in the table, as shown and in the order shown."""
    return page.locator(".bundles tbody tr:visible th").all_inner_texts()


def heading(page: Any, name: str) -> Any:
    return page.locator(".bundles thead").get_by_role("button", name=name, exact=True)


def test_a_heading_sorts_both_ways_and_says_so(hostile: Path, visit: Open):
    with visit(hostile) as open_page:
        page = open_page.page
        first = names(page)
        earns = heading(page, "earns")
        assert earns.locator("..").get_attribute("aria-sort") == "descending"
        earns.click()
        assert names(page) == first[::-1]
        assert earns.locator("..").get_attribute("aria-sort") == "ascending"
        price = heading(page, "price")
        price.focus()
        page.keyboard.press("Enter")
        assert names(page) == first[::-1]  # later products cost more
        assert earns.locator("..").get_attribute("aria-sort") is None
        assert page.get_by_role("status").inner_text() == "Sorted by price, descending."
        heading(page, "bundle").click()
        shown = names(page)
        assert shown == page.evaluate(
            "list => list.sort((a, b) => a.localeCompare(b, 'en'))", shown
        )


def test_search_and_filter_hide_rows_and_accounts_and_count_them(hostile: Path, visit: Open):
    with visit(hostile) as open_page:
        page = open_page.page
        page.get_by_label("Search").fill("CAFÉ 250")
        assert len(names(page)) == 1
        assert page.get_by_role("status").inner_text() == "1 of 4 bundles shown."
        assert page.locator("details.account:visible").count() == 1
        page.get_by_label("Search").fill("")
        page.locator("select[data-filter=level]").select_option("10 %")
        assert len(names(page)) == 2
        page.get_by_label("Search").fill("p1")
        assert page.get_by_role("status").inner_text() == "1 of 4 bundles shown."
        page.get_by_label("Search").fill("no such thing")
        assert names(page) == []


def test_what_is_shown_is_copied_as_a_table_that_runs_no_formula(hostile: Path, visit: Open):
    with visit(hostile) as open_page:
        page = open_page.page
        page.get_by_label("Search").fill("HYPERLINK")
        page.get_by_role("button", name="Copy table").click()
        page.evaluate("document.body.append(document.createElement('textarea'))")
        page.locator("textarea").press("Control+v")
        text = page.locator("textarea").input_value()
        lines = text.strip().split("\n")
        head, row = (line.split("\t") for line in lines)
        assert head[0] == "bundle"
        assert len(head) == len(row)
        assert row[0].startswith("'=HYPERLINK(")
        assert row[1] == "25.00"
        assert row[-1] == "p2+p3"
        assert "Copied" in page.get_by_role("status").inner_text()


def test_an_account_opens_by_keyboard_and_by_the_link_in_the_table(hostile: Path, visit: Open):
    with visit(hostile) as open_page:
        page = open_page.page
        second = page.locator("details.account").nth(1)
        assert not second.locator("h3").is_visible()
        second.locator("summary").focus()
        page.keyboard.press("Enter")
        assert second.get_by_role("table", name="Shoppers of bundle 2").is_visible()
        page.locator(".bundles tbody a").nth(2).click()
        third = page.locator("details.account").nth(2)
        assert third.get_by_role("table", name="Shoppers of bundle 3").is_visible()
        page.get_by_role("button", name="Close all").click()
        assert page.locator("details.account[open]").count() == 0
        page.get_by_role("button", name="Open all").click()
        assert page.locator("details.account[open]").count() == 4


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_shows_every_account_whole(hostile: Path, visit: Open, scripts: bool):
    with visit(hostile, scripts=scripts) as open_page:
        page = open_page.page
        page.emulate_media(media="print")
        for number in range(1, 5):
            table = page.locator(f'table[aria-label="Shoppers of bundle {number}"]')
            assert table.bounding_box()["height"] > 0
        assert not page.locator(".tools").is_visible()
        assert not page.locator("nav").is_visible()


def test_titles_are_text_and_nothing_else(hostile: Path, visit: Open):
    with visit(hostile) as open_page:
        page = open_page.page
        page.get_by_role("button", name="Open all").click()
        assert page.locator("img, iframe, object, embed, b, i").count() == 0
        assert page.locator("script").count() == 1
        assert page.locator("[onerror], [onload], [onmouseover]").count() == 0
        text = page.locator("body").inner_text()
        for title in (*HOSTILE[:3], *HOSTILE[4:6]):
            assert title in text
        assert "49" not in page.locator(".bundles tbody th").first.inner_text()
        row = page.locator(".bundles tbody tr").nth(1)
        assert re.match(r"[^\u2068]*\u2068.*\u2069", row.locator("th").inner_text())


def test_with_scripts_off_nothing_is_missing(hostile: Path, visit: Open):
    with visit(hostile, scripts=False) as open_page:
        page = open_page.page
        assert len(names(page)) == 4
        assert page.locator("section > .charts svg:visible").count() >= 6
        assert not page.get_by_role("button").first.is_visible()
        page.locator("summary").first.click()
        assert page.get_by_role("table", name="Shoppers of bundle 1").is_visible()
        page.locator(".bundles tbody a").nth(1).click()
        assert page.get_by_role("table", name="Shoppers of bundle 2").is_visible()
        for title in ("Rules", "Assumptions", "Data quality", "Proof", "Held-out scores"):
            assert page.get_by_role("heading", name=title, exact=True).is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    hostile: Path, visit: Open, scheme: str, width: int
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    with visit(hostile, width=width, scheme=scheme) as open_page:
        page = open_page.page
        page.get_by_role("button", name="Open all").click()
        results = axe.Axe().run(page)
        assert results.response["violations"] == [], results.generate_report()
        sizes = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1]


def test_text_in_charts_is_large_enough_to_read_on_a_phone(hostile: Path, visit: Open):
    with visit(hostile, width=390) as open_page:
        sizes = open_page.page.evaluate("""
            [...document.querySelectorAll("svg text")]
                .filter((text) => text.getBoundingClientRect().height > 0)
                .map((text) => parseFloat(getComputedStyle(text).fontSize) *
                    text.ownerSVGElement.getScreenCTM().a)
        """)
        assert min(sizes) >= 11


def test_an_empty_plan_says_why(tmp_path: Path, visit: Open):
    with visit(written(empty_plan(), tmp_path / "report.html")) as open_page:
        page = open_page.page
        assert "none of 12 candidates gains" in page.get_by_role("note").inner_text()
        assert page.get_by_role("heading", name="Proof").is_visible()
        assert page.locator(".bundles").count() == 0
