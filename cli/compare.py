"""``bundlewise compare``: scenarios or finished plans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import JSON_OPTION, QUIET_OPTION, WEEK_OPTION, Progress, output, print_json


@click.command(
    "compare", epilog="Example: bundlewise compare base.toml tighter-margin.toml plans/2018-W01"
)
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@WEEK_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(scenarios: tuple[Path, ...], week: str | None, as_json: bool, quiet: bool) -> None:
    """Compare two or more SCENARIOS: scenario files, which are solved, or folders of plans.

    Shows the figures side by side, the offers that are not in all of them or at another level,
    and the keys of the scenario files that differ from the first. Nothing is written.
    """
    from ..instances import ConflictError, InputError, NoPlanError, read_scenario
    from ..solver.comparison import Contender, compare
    from ..solver.plan_folder import parse_plan, read_plan_folder
    from .pipeline import Shared, plan_scenario

    if len(scenarios) < 2:
        raise click.UsageError("compare takes at least two scenarios or plans")
    stated = [
        read_scenario(path / "scenario.toml") if path.is_dir() else read_scenario(path, week=week)
        for path in scenarios
    ]
    currencies = sorted({scenario.currency for scenario in stated})
    if len(currencies) > 1:
        found = f"money in {' and '.join(currencies)}"
        raise InputError(None, "compare", found, "scenarios in one currency")
    progress, shared = Progress(quiet), Shared()
    contenders = []
    for path, scenario in zip(scenarios, stated, strict=True):
        if path.is_dir():
            plan = read_plan_folder(path)
        else:
            try:
                solved = plan_scenario(path, week, progress, shared)
            except (ConflictError, NoPlanError) as error:
                error.args = (f"{path}: {error}",)  # which of the scenarios it is
                raise
            plan = parse_plan(solved.files(), path)
        contenders.append(Contender(scenario, plan))
    result: dict[str, Any] = compare(contenders)
    if as_json:
        print_json(result)
    elif not quiet:
        from .show_comparison import show_comparison

        show_comparison(output(), result)
