"""What can go wrong, as a small tree of exceptions; the command line maps each to its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class BundlewiseError(Exception):
    """Root of everything this package raises on purpose."""

    exit_code = 1


class InputError(BundlewiseError, ValueError):
    """A file, a cell or a setting that cannot be used (exit code 2).

    The message is one line: file, place in the file, what was found, what was expected.
    """

    exit_code = 2

    def __init__(
        self,
        file: str | Path | None,
        place: str | None,
        found: str,
        expected: str | None = None,
    ) -> None:
        where = ": ".join(str(part) for part in (file, place) if part is not None and str(part))
        message = f"{where}: {found}" if where else found
        if expected:
            message += f"; expected {expected}"
        super().__init__(" ".join(message.split()))


class ConflictError(BundlewiseError, ValueError):
    """Rules that no plan can satisfy together (exit code 3).

    ``rules`` holds the names of a set that conflicts, ``report`` the whole explanation, ready
    for JSON.
    """

    exit_code = 3

    def __init__(
        self, rules: tuple[str, ...], message: str, report: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.rules = rules
        self.report: dict[str, Any] = report or {"rules": list(rules)}


class NoPlanError(BundlewiseError, TimeoutError):
    """The limit was reached before any plan was found (exit code 4)."""

    exit_code = 4


class InterruptedSearchError(BundlewiseError):
    """The search was interrupted before any plan was found (exit code 130, as for Ctrl-C)."""

    exit_code = 130


class CheckError(BundlewiseError, ValueError):
    """What its verifier refuses (exit code 5); ``problems`` has one line each.

    ``subject`` says what was checked, as a sentence begins.
    """

    exit_code = 5

    def __init__(self, problems: tuple[str, ...], subject: str = "the plan") -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.subject = subject
