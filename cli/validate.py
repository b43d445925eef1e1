"""``bundlewise validate``: the data's quality, before anything is solved."""

from __future__ import annotations

from pathlib import Path

import click

from .console import JSON_OPTION, QUIET_OPTION, WEEK_OPTION, Progress, output, print_json


@click.command("validate", epilog="Example: bundlewise validate shop/scenario.toml")
@click.argument("scenario", type=click.Path(path_type=Path))
@WEEK_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(scenario: Path, week: str | None, as_json: bool, quiet: bool) -> None:
    """Read everything that SCENARIO names, solve nothing, and report the quality of the data.

    Shows what was read and used, the order lines set aside by reason, where prices and costs
    come from and what is assumed.
    """
    from ..solver import require_engine
    from .pipeline import read_instance, stated_beliefs
    from .show_quality import quality_report, show_quality

    instance = read_instance(scenario, week, Progress(quiet))
    settings, file = instance.scenario.solver, instance.scenario.path
    require_engine(settings.engine, file, deterministic=settings.deterministic)
    stated_beliefs(instance)
    report = quality_report(instance)
    if as_json:
        print_json(report)
    elif not quiet:
        show_quality(output(), report)
