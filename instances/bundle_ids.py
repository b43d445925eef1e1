"""Names of bundles that keep from week to week, and text that a spreadsheet leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ESCAPES = {"+": "%2B", ";": "%3B", ",": "%2C"}
_AMBIGUOUS = re.compile(r"%(?=2B|3B|2C|25)")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def bundle_id(product_ids: Iterable[str]) -> str:
    """Sorted product ids joined by ``+``: ``bundle_id(["b", "a"]) == "a+b"``.

    A ``+``, ``;`` or ``,`` inside an id is percent-escaped, and so is a ``%`` that would
    otherwise read as such an escape.
    """
    return "+".join(escape_id(product_id) for product_id in sorted(product_ids))


def split_bundle_id(text: str) -> tuple[str, ...]:
    """The product ids of a bundle id."""
    return tuple(unescape_id(part) for part in text.split("+"))


def escape_id(product_id: str) -> str:
    """A product id with the separators of plan.csv percent-escaped."""
    text = _AMBIGUOUS.sub("%25", product_id)
    for character, code in _ESCAPES.items():
        text = text.replace(character, code)
    return text


def unescape_id(text: str) -> str:
    """The product id that ``escape_id`` wrote."""
    for character, code in _ESCAPES.items():
        text = text.replace(code, character)
    return text.replace("%25", "%")


def neutralise(text: str) -> str:
    """Text that no spreadsheet runs as a formula: a leading apostrophe where one would.

    Text that already has apostrophes before such a start gets one more, so that it can be
    restored.
    """
    return "'" + text if _FORMULA.match(text) else text


def restore(text: str) -> str:
    """Text as it was before ``neutralise``."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text
