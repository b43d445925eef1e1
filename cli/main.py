"""The ``bundlewise`` command: loads a command's code only when it is called."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ..instances.errors import BundlewiseError, CheckError

# name -> (module, what it does); kept here so that --help imports nothing heavy.
COMMANDS = {
    "init": ("init", "Write a commented scenario and sample tables to start from."),
    "instance": ("instance", "Write a ready planning problem: real, synthetic or small."),
    "validate": ("validate", "Read everything, solve nothing, report data quality."),
    "learn": ("learn", "Learn purchase, price and affinity probabilities."),
    "evaluate": ("evaluate", "Score the beliefs on held-out weeks, beside baselines."),
    "solve": ("solve", "Choose next week's bundles and discounts."),
    "check": ("check", "Re-check a finished plan, independently of the solver."),
    "compare": ("compare", "Put scenarios or finished plans side by side."),
    "explain": ("explain", "Why a bundle is in a plan, or a set of products is not."),
    "report": ("report", "Write a finished plan as a page that opens offline."),
    "frontier": ("frontier", "Trade-off curves: what a limit costs, with proven bounds."),
    "recommend": ("recommend", "Rank a plan's bundles for segments, or for single shoppers."),
    "bench": ("bench", "Solve published benchmark problems, beside what is known of them."),
}


# Loading makes a million objects that stay; Python's own thresholds go through them many times.
_RARE_COLLECTIONS = (50_000, 20, 100)

# A path that the system refuses to look at: named by the person, so their mistake and no bug.
_BAD_PATH = (errno.ENAMETOOLONG, errno.EACCES)

# raised where no command is given; before 8.2 click prints the help itself
_HELP_ASKED: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class LazyGroup(click.Group):
    """A click group that imports a command's module on first use.

    Every error is one line on stderr and the exit code that says which kind it was.
    """

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        if isinstance(sys.stdout, io.TextIOWrapper):  # a letter it lacks must not stop a run
            sys.stdout.reconfigure(errors="replace")
        _open_closed_streams()
        gc.set_threshold(*_RARE_COLLECTIONS)
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except click.ClickException as error:
            if isinstance(error, _HELP_ASKED):
                error.show()
                sys.exit(2)
            context = getattr(error, "ctx", None)
            hint = f" (see '{context.command_path} --help')" if context else ""
            _fail(error.format_message() + hint, 2)
        except (click.Abort, KeyboardInterrupt):
            _fail("interrupted", 130)
        except CheckError as error:
            lines = (f"{error.subject} failed its check:", *error.problems)
            _fail("\n".join(lines), error.exit_code)
        except BundlewiseError as error:
            _fail(str(error), error.exit_code)
        except OSError as error:
            if error.errno not in _BAD_PATH or error.filename is None:
                raise
            _fail(f"{error.filename}: {error.strerror}; expected a path that can be used", 2)
        except MemoryError:
            _fail("out of memory: give the run more, or lower candidates.max_candidates", 1)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of a pipe (head, less) has gone: nothing more to say or to report.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return value

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"..{COMMANDS[cmd_name][0]}", __name__).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: bundlewise init shop && bundlewise solve shop/scenario.toml --out plan",
)
@click.version_option(package_name="bundlewise", prog_name="bundlewise")
def main() -> None:
    """Decide which product bundles to offer next week, and at what discount.

    Exit codes: 0 done, 1 internal error, 2 bad usage or bad input, 3 the rules conflict,
    4 no plan found in the time limit, 5 a check failed.
    """


def _open_closed_streams() -> None:
    """Where the shell closed stdout or stderr (``>&-``), write to nowhere instead."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _fail(message: str, code: int) -> NoReturn:
    print(f"bundlewise: {message}", file=sys.stderr)
    sys.exit(code)
