"""Text from data as pages show it."""

from __future__ import annotations

import unicodedata

_START, _END = "\u2068", "\u2069"  # first strong isolate, pop directional isolate
_LEFT_TO_RIGHT = frozenset(("L", "EN", "ES", "ET", "CS", "AN", "NSM", "WS", "ON", "BN", "B", "S"))


def shown(text: str) -> str:
    """Text that leaves what stands around it alone, in HTML and in SVG; markup is escaped later.

    Control characters show as �. Text with letters or marks that run from right to left is
    isolated, so that prices beside it keep their place.
    """
    clean = "".join(
        "�" if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text
    )
    if all(unicodedata.bidirectional(letter) in _LEFT_TO_RIGHT for letter in clean):
        return clean
    opened = sum(letter in "\u2066\u2067\u2068" for letter in clean)
    return f"{_START}{clean.replace(_END, '')}{_END * (1 + opened)}"
