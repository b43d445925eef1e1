"""What every command shares: where output goes, progress, and text that is safe to show."""

from __future__ import annotations

import json
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from ..instances.errors import InputError

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
QUIET_OPTION = click.option("--quiet", "-q", is_flag=True, help="No progress, no result text.")
WEEK_OPTION = click.option(
    "--week", help='Planned ISO week, such as "2018-W01"; overrides the file.'
)
_JOINERS = "\u200c\u200d\u00ad"  # within Persian and Indic words, emoji; a soft hyphen

FORCE_OPTION = click.option("--force", is_flag=True, help="Replace what an earlier run left there.")


def output() -> Console:
    """The console for results: stdout, wide enough for tables when piped."""
    return _Output(file=sys.stdout, width=None if sys.stdout.isatty() else 120, highlight=False)


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave a reader that has gone to ``main``: rich alone would exit as for a bug."""
        raise BrokenPipeError


def print_json(value: Any) -> None:
    """Machine-readable results on stdout: UTF-8, absent numbers null, never NaN."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def safe(text: str, limit: int | None = None) -> Text:
    """Text from data, shown as it is: no markup, no control characters, shortened to ``limit``."""
    shown = "".join(_shown(character) for character in text)
    if limit is not None and len(shown) > limit:
        shown = shown[: limit - 1].rstrip() + "…"
    return Text(shown)


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else "�"  # spaces that do not break


def money(value: float, currency: str) -> str:
    """``1,234.50 USD``."""
    return f"{value:,.2f} {currency}"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one line that a folder cannot be written, and why."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        expected = "a folder that can be made and written"
        raise InputError(folder, None, f"cannot be written ({reason})", expected) from error


@dataclass
class Progress:
    """Says on stderr which stage is running, and keeps each stage's seconds."""

    quiet: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    _line: int = 0

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Time a stage under ``name`` and show ``text`` while it runs."""
        self.say(f"{text} …")
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)
            self.clear()

    def say(self, text: str) -> None:
        """Replace the progress line; nothing where stderr is not a terminal."""
        if self.quiet or not sys.stderr.isatty():
            return
        width = shutil.get_terminal_size().columns - 1  # a full line would wrap
        shown = text if len(text) <= width else text[: width - 1] + "…"
        sys.stderr.write(f"\r\x1b[K{shown}")
        sys.stderr.flush()
        self._line = len(shown)

    def clear(self) -> None:
        if self._line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._line = 0
