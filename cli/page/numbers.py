"""Numbers as pages show them: one fixed English form on every machine, the currency named.

A space that does not break holds a number and its unit together; a minus is a minus sign.
"""

from __future__ import annotations

NOTHING = "–"  # an absent figure
_SPACE = "\u00a0"
_MINUS = "\u2212"


def money(value: float | None, currency: str) -> str:
    """``1,234.50 EUR``."""
    return NOTHING if value is None else f"{amount(value)}{_SPACE}{currency}"


def amount(value: float | None) -> str:
    """Money where the currency is named nearby: ``1,234.50``."""
    return NOTHING if value is None else _signed(f"{value:,.2f}")


def change(value: float) -> str:
    """Money with its sign: ``+12.00``, ``−3.50``, ``0.00``."""
    text = amount(value)
    return f"+{text}" if text[0] != _MINUS and text.strip("0.,") else text


def percent(share: float | None, digits: int = 1) -> str:
    """``15.3 %`` of a share of 0.153."""
    return NOTHING if share is None else _signed(f"{100 * share:,.{digits}f}") + f"{_SPACE}%"


def units(value: float | None) -> str:
    """Pieces, orders or shoppers: whole from 100 on, one decimal from 1 on, else two digits."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size >= 99.95:
        return _signed(f"{value:,.0f}")
    if size >= 0.95:
        return _signed(f"{value:,.1f}")
    return _signed(f"{value:.2g}") if size >= 1e-4 or size == 0.0 else _signed(f"{value:.0e}")


def count(value: int) -> str:
    """``12,345``."""
    return _signed(f"{value:,}")


def counted(number: int, one: str, many: str = "") -> str:
    """``1 bundle``, ``12 bundles``; ``many`` where the plural is no added s."""
    return f"{count(number)}{_SPACE}{one if number == 1 else many or one + 's'}"


def factor(value: float | None) -> str:
    """Odds ratios and sensitivities: three digits, ``4.21``, ``12.3``, ``1,240``."""
    if value is None:
        return NOTHING
    size = abs(value)
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return _signed(f"{value:,.{digits}f}")


def _signed(text: str) -> str:
    """With a minus sign, and none before a zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else _MINUS + text[1:]
    return text
