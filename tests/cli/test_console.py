"""A terminal shows what the shop wrote, nothing that it would obey, and progress on one line."""

from __future__ import annotations

import io
import sys

import pytest
from bundlewise.cli.console import Progress, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müsli [bold]<b>", "Müsli [bold]<b>"),
        ("500\u00a0g, 3\u202fkg", "500 g, 3 kg"),
        ("می\u200cخواهم 👩\u200d🍳", "می\u200cخواهم 👩\u200d🍳"),
        ("red\x1b[31m\r\nnew\u202eline", "red�[31m��new�line"),
    ],
)
def test_text_is_shown_as_it_is_and_control_characters_are_not(text: str, shown: str) -> None:
    assert safe(text).plain == shown


def test_long_text_is_cut_to_the_limit() -> None:
    assert safe("abcdef", 4).plain == "abc…"


def test_progress_is_one_line_within_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    Progress().say("  12 s  best 10,320.15  bound 10,481.20  gap 1.56%  " + "cuts " * 20)
    line = terminal.getvalue().removeprefix("\r\x1b[K")
    assert len(line) == 79
    assert line.startswith("  12 s  best 10,320.15  bound 10,481.20  gap 1.56%")
