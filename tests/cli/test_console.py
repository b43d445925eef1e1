"""Text from data on a terminal: what the shop wrote, and nothing that a terminal would obey."""

from __future__ import annotations

import pytest
from bundlewise.cli.console import safe


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
