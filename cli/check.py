"""``bundlewise check``: the verifier, by command."""

from __future__ import annotations

from pathlib import Path

import click

from .console import JSON_OPTION, QUIET_OPTION, Progress, print_json


@click.command("check", epilog="Example: bundlewise check plans/2018-W01")
@click.argument("plan", type=click.Path(path_type=Path))
@JSON_OPTION
@QUIET_OPTION
@click.pass_context
def command(ctx: click.Context, plan: Path, as_json: bool, quiet: bool) -> None:
    """Re-check a finished plan with code that the solver does not use.

    Recomputes every rule and the accounts of PLAN (a folder) from the tables, the scenario and
    the beliefs it was made from. Exit code 5 where anything does not hold; each problem is a line.
    """
    from ..solver import verify_plan

    progress = Progress(quiet)
    with progress.stage("check", "checking the plan"):
        problems = verify_plan(plan)
    if as_json:
        print_json({"plan": str(plan), "ok": not problems, "problems": list(problems)})
    elif not quiet:
        for problem in problems:
            click.echo(problem)
        if not problems:
            click.echo(f"{plan}: every rule and every account holds")
    if problems:
        ctx.exit(5)
