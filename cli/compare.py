"""``bundlewise compare``: scenarios or finished plans side by side, and each under the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from ..instances import Scenario
    from ..solver.comparison import Contender
    from ..solver.plan_folder import PlanFolder
    from .pipeline import Shared
    from .solve_many import Answer


@click.command(
    "compare", epilog="Example: bundlewise compare base.toml tighter-margin.toml plans/2018-W01"
)
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to keep the solved plans in, by name."
)
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Also write a page."
)
@WEEK_OPTION
@FORCE_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(
    scenarios: tuple[Path, ...],
    out: Path | None,
    page: Path | None,
    week: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare two or more SCENARIOS: scenario files, which are solved, or folders of plans.

    Shows the figures side by side, the offers that are not in all of them or at another level,
    the keys of the scenario files that differ from the first, and each plan under each scenario's
    assumptions, beliefs, prices and rules: what it would earn there, which rules it would break,
    and what it falls short of that scenario's own plan.

    A scenario whose rules conflict, or for which no plan is found in time, has an empty column;
    the exit code is then 3 or 4.
    """
    from ..instances import InputError, read_scenario
    from ..solver.comparison import compare, labels_of
    from ..solver.plan_folder import check_target, read_plan_folder
    from .interrupts import interruptible
    from .pipeline import Shared
    from .solve_many import solve_many

    if len(scenarios) < 2:
        raise click.UsageError("compare takes at least two scenarios or plans")
    if page is not None and page.exists() and not force:
        raise InputError(page, None, "exists already", "--force to replace it")
    stated = [
        read_scenario(path / "scenario.toml") if path.is_dir() else read_scenario(path, week=week)
        for path in scenarios
    ]
    currencies = sorted({scenario.currency for scenario in stated})
    if len(currencies) > 1:
        found = f"money in {' and '.join(currencies)}"
        raise InputError(None, "compare", found, "scenarios in one currency")
    labels = labels_of(stated)
    finished = {k: read_plan_folder(path) for k, path in enumerate(scenarios) if path.is_dir()}
    asked = [k for k in range(len(scenarios)) if k not in finished]
    if out is not None:
        for k in asked:
            check_target(out / labels[k], force=force)
    progress, shared = Progress(quiet), Shared()

    def work(_: object) -> tuple[dict[str, Any], dict[int, Answer]]:
        answers = dict(
            zip(asked, solve_many([stated[k] for k in asked], progress, shared), strict=True)
        )
        contenders = [
            _finished(stated[k], finished[k], progress, shared)
            if k in finished
            else solved(stated[k], answers[k], scenarios[k])
            for k in range(len(scenarios))
        ]
        with progress.stage("judge", "judging each plan under each scenario"):
            return compare(contenders), answers

    result, answers = interruptible(work, progress, keep_incumbent=False)
    if out is not None:
        _keep({out / labels[k]: answer for k, answer in answers.items()}, force=force)
    if page is not None:
        from .comparison_page import comparison_page

        with writing(page):
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(comparison_page(result), encoding="utf-8")
    if as_json:
        print_json(result)
    elif not quiet:
        from .show_comparison import show_comparison

        show_comparison(output(), result)
    failures = []
    for k, answer in answers.items():
        if answer.failure is not None:
            failures.append(answer.failure)
            click.echo(f"bundlewise: {scenarios[k]}: {answer.failure}", err=True)
    return max((failure.exit_code for failure in failures), default=0)


def solved(scenario: Scenario, answer: Answer, path: Path) -> Contender:
    """A scenario of a comparison that was solved for it."""
    from ..instances import ConflictError
    from ..solver.comparison import Contender
    from ..solver.plan_folder import parse_plan

    plan, failure = None, None
    if answer.plan is not None:
        plan = parse_plan(answer.plan.files(), path)
    else:
        status = "conflict" if isinstance(answer.failure, ConflictError) else "no plan"
        failure = {"status": status, "message": str(answer.failure)}
    return Contender(scenario, plan, failure, (answer.instance, answer.beliefs))


def _finished(
    scenario: Scenario, plan: PlanFolder, progress: Progress, shared: Shared
) -> Contender:
    """A plan that was made before, under its scenario where its data are as they were."""
    from ..instances import InputError
    from ..solver.comparison import Contender
    from .pipeline import get_beliefs, shared_instance

    try:
        instance = shared_instance(scenario, progress, shared)
        made_from = {file["path"]: file["sha256"] for file in plan.report["inputs"]}
        changed = [file.path for file in instance.inputs if made_from.get(file.path) != file.sha256]
        if changed:
            gone = f"{', '.join(changed)} changed since the plan was made"
            return Contender(scenario, plan, gone=gone)
        beliefs = get_beliefs(instance, progress, shared)
    except InputError as error:
        return Contender(scenario, plan, gone=str(error))
    return Contender(scenario, plan, world=(instance, beliefs))


def _keep(plans: dict[Path, Answer], *, force: bool) -> None:
    """Write the plans that were found to folders of their own."""
    from ..solver.plan_folder import write_plan_folder
    from .report_page import files_with_report

    for folder, answer in plans.items():
        if answer.plan is not None:
            write_plan_folder(files_with_report(answer.plan), folder, force=force)
