from __future__ import annotations

import pandas as pd
from bundlewise.solver.plan import Plan


def test_a_summary_says_where_no_bound_was_proven() -> None:
    kpis = dict.fromkeys(
        ("incremental_margin", "incremental_margin_low", "incremental_margin_high"), 1234.5
    )
    report = {
        "name": "x",
        "week": "2018-W01",
        "currency": "EUR",
        "status": "feasible",
        "bound": None,
        "gap": None,
        "kpis": {"bundles": 2, **kpis},
    }
    none = pd.DataFrame()
    plan = Plan(report, none, none, none, none, "")
    assert plan.summary().splitlines() == [
        "x 2018-W01: 2 bundles, feasible",
        "incremental margin 1,234.50 EUR (1,234.50 to 1,234.50)",
        "bound unknown, gap unknown",
    ]
