"""``bundlewise frontier``: what a limit, or any other number of a scenario, costs or brings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    from ..instances.errors import BundlewiseError
    from ..instances.sections import Scenario
    from ..instances.variation import Axis
    from ..solver.engines.interface import Interrupt
    from ..solver.frontier import Found, Point, Values
    from ..solver.warm_start import Start


@click.command(
    "frontier",
    epilog="Example: bundlewise frontier shop/scenario.toml "
    "--vary limits.min_plan_margin=0.15:0.35:9 --html margin.html",
)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="KEY=VALUES",
    help="A number of the scenario and its values: LOW:HIGH:COUNT or 1,2,5. Twice: a grid.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write: frontier.csv, frontier.json and frontier.html.",
)
@click.option("--csv", type=click.Path(path_type=Path), help="File to write: a row a point.")
@click.option("--html", type=click.Path(path_type=Path), help="File to write: the page.")
@WEEK_OPTION
@FORCE_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(
    scenario: Path,
    vary: tuple[str, ...],
    out: Path | None,
    csv: Path | None,
    html: Path | None,
    week: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Solve SCENARIO at several values of one or two of its numbers.

    Shows the trade-off curve: at each point the plan's figures, with a bound that no plan is
    proven to pass, and the knee, where loosening a rule further stops paying as it did. A point at
    which the rules conflict is marked and names them. Ctrl-C ends it with the points done so far.
    """
    from ..instances.variation import Variation
    from ..solver.frontier_report import frontier_report
    from .frontier_files import file_text, files_to_write

    files = files_to_write(out, csv, html, force=force)
    variation = Variation(scenario, week)
    axes = variation.axes(vary)
    scenarios = variation.scenarios(axes)
    progress = Progress(quiet)
    for axis in axes:
        if axis.merged is not None and not quiet:
            print(f"bundlewise: {axis.merged}", file=sys.stderr)
    directions, points = _trace(variation.base, axes, scenarios, progress)
    result = frontier_report(variation.base, axes, directions, points)
    for path, kind in files.items():
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_text(kind, result))
    if as_json:
        print_json(result)
    elif not quiet:
        from .show_frontier import show_frontier

        show_frontier(output(), result)
        for path in files:
            click.echo(f"written: {path}")
    if points and not any(point.has_plan for point in points):
        raise _no_plan(points)


def _trace(
    base: Scenario,
    axes: tuple[Axis, ...],
    scenarios: dict[Values, Scenario],
    progress: Progress,
) -> tuple[tuple[int, ...], list[Point]]:
    """The direction of each key, and the points that were done."""
    from ..instances.variation import point_label
    from ..solver import require_engine, solve
    from ..solver.engines.interface import Interrupt
    from ..solver.frontier import found_in, trace_frontier
    from ..solver.monotone import looser_when
    from .frontier_problems import Problems
    from .interrupts import interruptible

    settings = base.solver
    require_engine(settings.engine, base.path, deterministic=settings.deterministic)
    directions = tuple(looser_when(base, axis.key) for axis in axes)
    problems = Problems(progress)
    count = len(scenarios)

    def work(outer: Interrupt) -> list[Point]:
        done = 0

        def solve_at(values: Values, start: Start) -> Found:
            label = f"{done + 1} of {count}, {point_label(axes, values)}"
            instance, beliefs, prepared = problems.at(scenarios[values])
            inner = Interrupt()
            with outer.calling(inner.request):
                plan = solve(
                    instance,
                    beliefs,
                    progress=lambda text: progress.say(f"{label}: {text}"),
                    interrupt=inner,
                    prepared=prepared,
                    start=start,
                    with_prices=False,
                )
            return found_in(plan)

        def tell(point: Point, number: int) -> None:
            nonlocal done
            done = number
            outer.heeded = True  # from now on there is something to keep
            _say_done(progress, f"{number} of {count}, {point_label(axes, point.values)}", point)

        return trace_frontier(
            tuple(axis.values for axis in axes),
            directions,
            solve_at,
            gap=settings.gap,
            tell=tell,
            stopped=lambda: outer.requested,
        )

    return directions, interruptible(work, progress, keep_incumbent=True)


def _no_plan(points: list[Point]) -> BundlewiseError:
    """The error of a frontier without a plan: of time where it ran out anywhere."""
    from ..instances.errors import ConflictError, NoPlanError

    late = next((point for point in points if not point.conflict), None)
    if late is not None:
        return NoPlanError(f"no point has a plan: {late.message}")
    return ConflictError(points[0].conflict, f"at every point, {points[0].message}")


def _say_done(progress: Progress, label: str, point: Point) -> None:
    """A line that stays, where stderr is a terminal."""
    if progress.quiet or not sys.stderr.isatty():
        return
    progress.clear()
    found = "no plan" if point.objective is None else f"{point.objective:,.2f}"
    searched = "" if point.searched else ", without a search"
    print(f"{label}: {found}, {point.status}{searched}, {point.seconds:.1f} s", file=sys.stderr)
