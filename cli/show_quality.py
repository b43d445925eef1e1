"""The quality of an instance's data, for people and machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..instances import Instance, week_label
from .console import safe


def quality_report(instance: Instance) -> dict[str, Any]:
    """What ``validate --json`` prints."""
    scenario = instance.scenario
    quality = {} if instance.quality is None else asdict(instance.quality)
    for key in ("first_day", "last_day"):
        if key in quality:
            quality[key] = quality[key].isoformat()
    reasons = (
        instance.quarantine["reason"].value_counts().sort_index().to_dict()
        if len(instance.quarantine)
        else {}
    )
    return {
        "name": scenario.name,
        "week": week_label(scenario.week),
        "visits": instance.visits,
        "quality": quality,
        "quarantined": {str(reason): int(lines) for reason, lines in reasons.items()},
        "left_out": {
            name: int(number) for name, number in instance.counts.items() if name not in reasons
        },
        "inputs": [asdict(file) for file in instance.inputs],
        "warnings": list(instance.warnings),
    }


def show_quality(console: Console, report: dict[str, Any]) -> None:
    """Print the report as a table of facts."""
    quality = report["quality"]
    console.print(Text("ready to plan: ").append_text(safe(f"{report['name']} {report['week']}")))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=1)
    for file in report["inputs"]:
        used = f"{file['rows_used']:,} of {file['rows']:,} rows used"
        table.add_row("file", safe(f"{file['path']}: {used}"))
    table.add_row(
        "orders",
        f"{quality['first_day']} to {quality['last_day']}, {quality['weeks']} weeks to learn from",
    )
    table.add_row(
        "order lines",
        f"{quality['lines_read']:,} read, {quality['lines_used']:,} used, "
        f"{quality['lines_quarantined']:,} set aside, "
        f"{quality['lines_later']:,} in or after the planned week",
    )
    for reason, lines in report["quarantined"].items():
        table.add_row("  set aside", safe(f"{lines:,} {reason}"))
    table.add_row(
        "products",
        f"{quality['products']:,} listed, {quality['products_sold']:,} sold, "
        f"{quality['products_available']:,} may be in a bundle",
    )
    for reason, number in report["left_out"].items():
        table.add_row("  left out", safe(f"{number:,} {reason}"))
    for source, number in quality["price_sources"].items():
        table.add_row("  price from", safe(f"{source}: {number:,}"))
    table.add_row(
        "unit costs", f"{quality['costs_stated']:,} stated, {quality['costs_assumed']:,} assumed"
    )
    table.add_row("stocks", f"{quality['stocks_stated']:,} stated, the others unlimited")
    source = "stated in the scenario" if quality["visits_assumed"] else "from the orders"
    table.add_row("visits", f"{report['visits']:,.6g} in the planned week, {source}")
    console.print(table)
    for warning in report["warnings"]:
        console.print(Text("warning: ").append_text(safe(str(warning))))
