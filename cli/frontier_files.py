"""The files of a frontier: a table, JSON, and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..instances.bundle_ids import neutralise
from ..instances.errors import InputError
from ..solver.frontier import FIGURES
from ..solver.plan_folder import csv_bytes

_KINDS = {"frontier.csv": "csv", "frontier.json": "json", "frontier.html": "html"}
_ORIGINS = ("plan_from", "bound_from", "conflict_from")
COLUMNS = (
    "status",
    "objective",
    "bound",
    "gap",
    *FIGURES,
    "knee",
    "plan_from",
    "bound_from",
    "conflict",
    "conflict_from",
    "candidates_cut",
    "searched",
    "seconds",
    "message",
)
"""Columns of frontier.csv after those of the varied keys."""


def files_to_write(
    out: Path | None, csv: Path | None, html: Path | None, *, force: bool
) -> dict[Path, str]:
    """Path -> "csv", "json" or "html"; InputError where one cannot be written."""
    files: dict[Path, str] = {}
    if out is not None:
        if out.exists() and not out.is_dir():
            raise InputError(out, None, "is a file", "a folder to write the frontier to")
        files |= {out / name: kind for name, kind in _KINDS.items()}
    for path, kind in ((csv, "csv"), (html, "html")):
        if path is not None:
            files[path] = kind
    for path in files:
        if path.is_dir():
            raise InputError(path, None, "is a folder", "a file to write")
        if path.exists() and not force:
            raise InputError(path, None, "the file is there already", "a new name, or --force")
    return files


def file_text(kind: str, result: dict[str, Any]) -> bytes:
    """The content of one of the files."""
    if kind == "csv":
        return frontier_csv(result)
    if kind == "json":
        text = json.dumps(result, ensure_ascii=False, indent=2, allow_nan=False)
        return f"{text}\n".encode()
    from .frontier_page import frontier_page

    return frontier_page(result).encode()


def frontier_csv(result: dict[str, Any]) -> bytes:
    """A row a point: the values of the varied keys, then ``COLUMNS``; nothing is an empty cell."""
    keys = [str(key["key"]) for key in result["keys"]]
    rows = [
        [repr(point["values"][key]) for key in keys]
        + [_cell(name, point[name]) for name in COLUMNS]
        for point in result["points"]
    ]
    return csv_bytes([*(neutralise(key) for key in keys), *COLUMNS], rows)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _ORIGINS:
        return ";".join(repr(part) for part in value.values())
    if name == "conflict":
        return neutralise("; ".join(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return neutralise(value)
    return (
        f"{value:.2f}"
        if name in FIGURES and isinstance(value, float) and name != "margin_rate"
        else repr(value)
    )
