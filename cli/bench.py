"""``bundlewise bench``: published benchmark problems, solved and checked."""

from __future__ import annotations

import fnmatch
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import JSON_OPTION, QUIET_OPTION, Progress, print_json, safe

if TYPE_CHECKING:
    from ..instances.mmkp import MmkpInstance
    from ..solver.engines.interface import Interrupt
    from ..solver.engines.interface import Progress as EngineProgress
    from ..solver.mmkp_benchmark import MmkpResult

EXAMPLE = "Example: bundlewise bench mmkp instances --time-limit 20 --only 'hh_*'"
_COLUMNS = ("value", "bound", "gap", "seconds", "status", "reference", "difference")


@click.group("bench", epilog=EXAMPLE)
def command() -> None:
    """Solve published benchmark problems and put the answers beside what is known of them."""


def _finite(_: click.Context, parameter: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number", param=parameter)
    return value


@command.command("mmkp", short_help="Solve multiple-choice knapsacks.", epilog=EXAMPLE)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    callback=_finite,
    default=60.0,
    show_default=True,
    help="Seconds for each instance.",
)
@click.option("--engine", default="auto", show_default=True, help="As solver.engine.")
@click.option("--only", metavar="GLOB", help="Only the files whose name matches.")
@click.option(
    "--gap",
    type=click.FloatRange(min=0, max=1, max_open=True),
    callback=_finite,
    default=0.0,
    show_default=True,
    help="Relative gap that is enough.",
)
@JSON_OPTION
@QUIET_OPTION
def mmkp(
    folder: Path,
    time_limit: float,
    engine: str,
    only: str | None,
    gap: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Solve the multiple-choice multidimensional knapsacks in DIR (its *.txt files).

    All files are read before the first is solved. Every solution is checked against its file in
    exact arithmetic. Where DIR holds a reference.csv (instance, best_value, upper_bound, kind),
    the difference to best_value is shown, below 0 where the solution is worse, and figures that
    contradict it are a failed check (exit 5).
    """
    from ..instances.errors import CheckError
    from ..instances.mmkp import REFERENCE_FILE, read_mmkp, read_references
    from ..solver.engines.interface import EngineSettings
    from ..solver.engines.solve import require_engine
    from ..solver.mmkp_benchmark import solve_mmkp, summary
    from .interrupts import interruptible

    require_engine(engine)
    instances = [read_mmkp(path) for path in _files(folder, only)]
    table = folder / REFERENCE_FILE
    references = read_references(table) if table.exists() else {}
    settings = EngineSettings(engine=engine, gap=gap, time_limit=time_limit)
    shown = _Lines(instances, silent=as_json or quiet)
    progress = Progress(quiet)

    def work(_: Interrupt) -> list[MmkpResult]:
        results = []
        for instance in instances:
            name, reference = instance.name, references.get(instance.name)
            results.append(solve_mmkp(instance, settings, reference, _teller(progress, name)))
            progress.clear()
            shown.line(results[-1])
        return results

    results = interruptible(work, progress, keep_incumbent=False)
    summed = summary(results)
    if as_json:
        print_json({"instances": [result.figures() for result in results], "summary": summed})
    shown.summary(summed)
    if summed["problems"]:
        raise CheckError(tuple(summed["problems"]), "the benchmark")


def _files(folder: Path, only: str | None) -> list[Path]:
    """The instance files of a folder by name, those that match the pattern."""
    from ..instances.errors import InputError

    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".txt")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        expected = "a folder of MMKP files (*.txt)"
        raise InputError(folder, None, f"cannot be read ({reason})", expected) from error
    if not files:
        raise InputError(folder, None, "no *.txt file in it", "MMKP files (*.txt)")
    matching = [path for path in files if only is None or fnmatch.fnmatch(path.name, only)]
    if not matching:
        found = f"none of {len(files)} *.txt files matches --only {only!r}"
        raise InputError(folder, None, found, f"a pattern such as {files[0].name!r}")
    return matching


def _teller(progress: Progress, name: str) -> Any:
    def tell(state: EngineProgress) -> None:
        best, bound = _number(state.objective), _number(state.bound)
        progress.say(f"{safe(name)}: best {best}, bound {bound}, {state.seconds:.0f} s")

    return tell


class _Lines:
    """A line an instance as it is solved, and the summary."""

    def __init__(self, instances: list[MmkpInstance], *, silent: bool) -> None:
        self._silent = silent
        self._width = max(len(safe(instance.name)) for instance in instances)
        self._print("instance", _COLUMNS)

    def line(self, result: MmkpResult) -> None:
        cells = (
            _number(result.value),
            _number(result.bound),
            _percent(result.gap),
            f"{result.seconds:.2f}",
            str(result.status),
            _number(result.reference) + ("*" if result.reference_kind == "optimal" else " "),
            _percent(result.difference),
        )
        self._print(safe(result.instance).plain, cells)

    def summary(self, summed: dict[str, Any]) -> None:
        if self._silent:
            return
        click.echo(
            f"{summed['instances']} instances in {summed['seconds']:.1f} s: "
            f"{summed['optimal']} proven optimal, {summed['solved']} with a solution, "
            f"mean gap {_percent(summed['mean_gap'])}"
        )
        if summed["referenced"]:
            click.echo(
                f"difference to the reference (* proven optimal) over {summed['referenced']}: "
                f"mean {_percent(summed['mean_difference'])}, "
                f"worst {_percent(summed['worst_difference'])}"
            )

    def _print(self, name: str, cells: tuple[str, ...]) -> None:
        if not self._silent:
            widths = (10, 10, 8, 8, 10, 10, 10)
            padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            click.echo(f"{name:<{self._width}} {' '.join(padded)}")


def _number(value: float | None) -> str:
    """Up to ten digits, without an exponent where it is short enough."""
    return "–" if value is None else f"{value:.10g}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share + 0.0:.3%}"
