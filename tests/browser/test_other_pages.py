"""Pages that share the report's dress, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.cli.evaluation_page import evaluation_page

from .conftest import Open

SCORES = {
    "name": "<b>shop</b>",
    "train_weeks": 40,
    "test_weeks": 13,
    "first_scored_week": "2026-W01",
    "last_scored_week": "2026-W13",
    "products": 1234,
    "pairs": {"independence": -1.9, "learned": -1.5},
    "next_product": {
        "baskets": 100,
        "methods": {
            "popularity": {"recall_at_10": 0.2, "ndcg_at_10": 0.1},
            "beliefs": {"recall_at_10": 0.3, "ndcg_at_10": 0.2},
        },
    },
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_evaluation_page_has_no_finding(tmp_path: Path, visit: Open, scheme: str, width: int):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    path = tmp_path / "evaluation.html"
    path.write_text(evaluation_page(SCORES), encoding="utf-8")
    with visit(path, width=width, scheme=scheme) as open_page:
        page = open_page.page
        assert page.get_by_role("heading", level=1).inner_text().startswith("How well <b>shop</b>")
        results = axe.Axe().run(page)
        assert results.response["violations"] == [], results.generate_report()
        sizes = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1]
