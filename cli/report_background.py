"""What a plan rests on: assumptions, data, held-out scores and proof."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from .evaluation_page import score_section
from .page.numbers import NOTHING, count, counted, money, percent, units
from .report_data import ReportedPlan

Row = tuple[str, str, str]


def assumptions(plan: ReportedPlan) -> list[Row]:
    """What the plan takes as given: what, how much, and how that is known."""
    taken = plan.report["assumptions"]
    stated = plan.scenario.get("assumptions", {})
    assumed = taken.get("assumed", [])
    learned = bool(taken.get("diversion_learned"))
    visits = "stated in the scenario" if "visits" in stated else "from the orders of the last weeks"
    if "diversion" in assumed:
        diversion = "assumed: no prices tell" if learned else "assumed: nobody stated or learned it"
    else:
        diversion = "learned, mean over the units added" if learned else "stated in the scenario"
    rows = [
        ("Visits a week", units(taken["visits"]), visits),
        ("Visits that see the offers", percent(taken["exposure"], 0), "stated in the scenario"),
        ("Redemption", *_redemption(taken["redemption"])),
        ("Tax within prices", percent(taken["tax_rate"]), "stated in the scenario"),
        (
            "Cost of making an offer",
            money(taken.get("offer_cost", 0.0), plan.currency),
            "a bundle and week, stated in the scenario",
        ),
        ("Unit costs", *_costs(plan)),
        ("Added units taken from similar products", percent(taken["diversion"]), diversion),
    ]
    if taken.get("pull_forward") is not None:
        share = percent(taken["pull_forward"])
        rows.append(("Added units brought forward from later weeks", share, "learned"))
    levels = plan.scenario.get("discounts", {}).get("levels")
    if levels:
        listed = ", ".join(percent(level, 0) for level in levels)
        ending = plan.scenario["discounts"].get("price_ending", "none")
        how = "" if ending == "none" else f", prices ending in {ending}"
        rows.append(("Discounts tried", listed, f"stated in the scenario{how}"))
    capped = sum(bundle.capped for bundle in plan.bundles)
    if capped:
        what = "Bundles deeper than any cut seen"
        rows.append((what, count(capped), "response is credited only as deep as was seen"))
    return rows


def _redemption(kind: str) -> tuple[str, str]:
    meaning = {
        "seen": "only shoppers who see an offer get its price",
        "automatic": "the till gives the price to everybody who buys all of it",
    }
    return kind, meaning.get(kind, "stated in the scenario")


def _costs(plan: ReportedPlan) -> tuple[str, str]:
    taken = plan.report["assumptions"]
    margin, many = taken.get("gross_margin"), taken.get("costs_assumed", 0)
    if not many:
        return "all stated", "in the products table"
    rate = "margins by category or department" if isinstance(margin, dict) else percent(margin)
    of_plan = sum(product.cost_assumed for product in plan.products.values())
    return (
        f"{counted(many, 'product')} without one",
        f"assumed from a gross margin of {rate}; {count(of_plan)} of them in this plan",
    )


def held_out(plan: ReportedPlan) -> dict[str, Any] | None:
    """Scores of the beliefs on weeks they were not learned from, where the plan has any."""
    scores = plan.report.get("held_out") or plan.report.get("beliefs", {}).get("held_out")
    if not scores:
        return None
    weeks = ""
    if "train_weeks" in scores and "test_weeks" in scores:
        weeks = (
            f"Learned on {scores['train_weeks']} weeks, scored on the {scores['test_weeks']} after."
        )
    return {
        "weeks": weeks,
        "sections": [
            score_section(key, part)
            for key, part in scores.items()
            if isinstance(part, dict) and key != "seconds"
        ],
    }


def data_quality(plan: ReportedPlan) -> dict[str, Any]:
    """Tables read, lines set aside by reason, other counts, and the weeks learned from."""
    report = plan.report
    training = report.get("beliefs", {}).get("training", {})
    learned = ""
    if training:
        learned = (
            f"Learned from {count(round(training['visits']))} visits and "
            f"{counted(training['lines'], 'order line')}, {training['first_week']} to "
            f"{training['last_week']}."
        )
    return {
        "learned": learned,
        "inputs": [
            (PurePath(entry["path"]).name, count(entry["rows"]), count(entry["rows_used"]))
            for entry in report["inputs"]
        ],
        "set_aside": [(reason, count(lines)) for reason, lines in plan.quarantine.items()],
        "counts": [(name, count(number)) for name, number in report.get("orders", {}).items()],
    }


def proof(plan: ReportedPlan) -> dict[str, Any]:
    """Status, bound and gap, what they cover, and what was checked."""
    report = plan.report
    unit = plan.objective
    held = report.get("proof", {})

    def shown(value: float | None) -> str:
        return NOTHING if value is None else f"{value:,.4f}".replace("-", "\u2212")

    limit = f", stopped by the {report['limit']} limit" if report.get("limit") else ""
    gap = "unknown" if report["gap"] is None else percent(report["gap"], 4)
    rows = [
        ("Status", f"{report['status']}{limit}"),
        ("Maximised", unit),
        ("Objective", shown(report["objective"])),
        ("Proven bound", shown(report["bound"])),
        ("Gap", gap),
        ("Proven by", f"{report['engine']}: {held.get('source') or NOTHING}"),
        (
            "Covers",
            f"{held.get('scope', 'all scored offers')}: {counted(report['offers'], 'offer')} of "
            f"{counted(report['candidates'], 'candidate')}",
        ),
        ("Candidates cut", count(report["candidates_cut"])),
        (
            "Checked",
            "every rule and every account, by a verifier that shares no code with what makes "
            "plans; bundlewise check repeats it",
        ),
        ("Made by", f"bundlewise {report['version']}"),
    ]
    files = [(PurePath(entry["path"]).name, entry["sha256"]) for entry in report["inputs"]]
    return {"rows": rows, "files": files}
