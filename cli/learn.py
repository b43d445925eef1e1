"""``bundlewise learn``: beliefs from order lines, saved as a folder."""

from __future__ import annotations

from pathlib import Path

import click

from .console import (
    FORCE_OPTION,
    JSON_OPTION,
    QUIET_OPTION,
    WEEK_OPTION,
    Progress,
    output,
    print_json,
    writing,
)


@click.command("learn", epilog="Example: bundlewise learn shop/scenario.toml --out shop/beliefs")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@WEEK_OPTION
@FORCE_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(
    scenario: Path, out: Path, week: str | None, force: bool, as_json: bool, quiet: bool
) -> None:
    """Learn purchase, price and affinity probabilities from the orders before the planned week.

    The folder it writes (Parquet and JSON) can be named in a scenario as data.beliefs.
    """
    from ..models import check_beliefs_target, learn, save_beliefs
    from .pipeline import read_instance

    check_beliefs_target(out, force=force)
    progress = Progress(quiet)
    instance = read_instance(scenario, week, progress)
    with progress.stage("learn", "learning from the orders"):
        beliefs = learn(instance, progress=progress.say)
    with writing(out):
        save_beliefs(beliefs, out, force=force)
    if as_json:
        print_json(beliefs.manifest)
    elif not quiet:
        from .show_scores import show_manifest

        show_manifest(output(), beliefs, out)
