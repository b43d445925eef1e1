"""``bundlewise solve``: a scenario in, a verified plan folder out."""

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
)


@click.command(
    "solve",
    epilog="Example: bundlewise solve shop/scenario.toml --out plans/2018-W01",
)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the plan.")
@WEEK_OPTION
@click.option(
    "--write-model",
    "model_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write the program to FILE.mps or FILE.lp, before it is solved.",
)
@FORCE_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(
    scenario: Path,
    out: Path,
    week: str | None,
    model_file: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Choose the bundles and discounts of a week.

    Reads the tables that SCENARIO names, learns from the order lines before the planned week
    (or loads data.beliefs), scores every candidate at every level, solves the program, checks
    the plan independently and writes it to a folder. Ctrl-C during the search ends it: the best
    plan found so far is checked and written; a second Ctrl-C ends the command.
    """
    from ..instances import ConflictError
    from ..solver.plan_folder import check_target, read_plan_folder, write_plan_folder
    from .pipeline import check_compared_plan, plan_scenario
    from .report_page import files_with_report

    check_target(out, force=force)
    if force:
        check_compared_plan(scenario, week, out)
    if model_file is not None:
        from ..solver.engines.model_file import check_model_target

        if model_file.resolve().is_relative_to(out.resolve()):
            raise click.UsageError("--write-model: the model cannot be in the plan's own folder")
        check_model_target(model_file, force=force)
    progress = Progress(quiet)
    try:
        plan = plan_scenario(scenario, week, progress, model_file=model_file, keep_incumbent=True)
    except ConflictError as error:
        if as_json:
            print_json({"conflict": error.report})
        raise
    with progress.stage("write", "writing the plan"):
        write_plan_folder(files_with_report(plan), out, force=force)
    finished = read_plan_folder(out)
    if as_json:
        print_json(finished.report)
    elif not quiet:
        from .show_plan import show_plan

        show_plan(output(), finished)
