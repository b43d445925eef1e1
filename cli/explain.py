"""``bundlewise explain``: why a bundle is in a plan, or a set of products is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import JSON_OPTION, QUIET_OPTION, Progress, output, print_json
from .pipeline import get_beliefs

if TYPE_CHECKING:
    from ..solver.plan_tables import PlanTables
    from ..solver.what_if import Situation


@click.command("explain", epilog="Example: bundlewise explain plans/2018-W01 012+407")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("bundle", required=False)
@click.option(
    "--why-not",
    metavar="A,B",
    help="Two to four product ids (a comma in one is %2C), or a bundle id: why they are no bundle.",
)
@JSON_OPTION
@QUIET_OPTION
def command(
    plan: Path, bundle: str | None, why_not: str | None, as_json: bool, quiet: bool
) -> None:
    """Explain a BUNDLE of a PLAN, a folder that solve wrote: its id, its products or its titles.

    Tells who buys it and what the shop gains by them, whether a discount can pay, why it stands
    at its level, which rules bind it, what speaks for it, and what dropping it would cost. With
    --why-not, tells whether products were a candidate, their best level, and what forcing them in
    would cost and push out. Costs are those of a plan made anew from the data that the plan's
    scenario names; without the data the rest is told. Nothing is written.
    """
    from ..instances.bundle_ids import unescape_id
    from ..solver.explanation import explain_bundle, find_bundle
    from ..solver.plan_tables import read_plan_tables
    from ..solver.why_not import why_not as explain_absence

    if (bundle is None) == (why_not is None):
        raise click.UsageError("explain takes a BUNDLE of the plan, or --why-not A,B")
    tables = read_plan_tables(plan)
    if bundle is not None:
        find_bundle(tables, bundle)  # before anything takes long
    progress = Progress(quiet)
    now, missing = _situation(tables, progress)
    with progress.stage("solve", "solving again"):
        if bundle is not None:
            answer = explain_bundle(tables, bundle, now, missing, progress.say)
        else:
            asked = why_not or ""
            separator = "," if "," in asked else "+"  # a bundle id is joined by the latter
            products = [unescape_id(part.strip()) for part in asked.split(separator)]
            answer = explain_absence(tables, products, now, missing, progress.say)
    if as_json:
        print_json(answer)
    elif not quiet:
        from .show_explanation import show_absence, show_bundle

        (show_bundle if bundle is not None else show_absence)(output(), answer)


def _situation(tables: PlanTables, progress: Progress) -> tuple[Situation | None, str | None]:
    """The plan beside its data, or why those cannot be asked."""
    from ..instances import InputError, load_instance
    from ..solver.what_if import changed_since, situation

    try:
        with progress.stage("read", "reading the tables"):
            instance = load_instance(tables.scenario)
        beliefs = get_beliefs(instance, progress)
    except InputError as error:
        return None, f"the data cannot be read ({error})"
    changed = changed_since(tables, instance, beliefs)
    if changed is not None:
        return None, changed
    with progress.stage("score", "scoring the candidates"):
        return situation(tables, instance, beliefs), None
