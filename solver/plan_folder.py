"""The folder a plan is kept in: written whole or not at all, and read back."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..instances.bundle_ids import restore
from ..instances.errors import InputError

PLAN_FILE = "plan.csv"
_PENDING = "plan.csv.part"
_SHOWN = ("name", "week", "currency", "status", "objective", "bound", "gap", "kpis")


@dataclass(frozen=True, slots=True)
class PlanFolder:
    """A finished plan as it stands on disk.

    Attributes
    ----------
    folder
        where it is.
    report
        plan.json.
    offers
        plan.csv with text columns as text, numbers as numbers (money in currency units).
    """

    folder: Path
    report: dict[str, Any]
    offers: pd.DataFrame


def write_plan_folder(files: Mapping[str, bytes], folder: Path, *, force: bool = False) -> None:
    """Write the files of a plan to a new folder; nothing is left behind when that fails.

    The files are staged beside the folder under another name; plan.csv is put in place last,
    so that a folder with a plan.csv is always whole.

    Raises
    ------
    InputError
        the folder exists and is a plan (without ``force``), or is something else; or it cannot
        be written.
    """
    check_target(folder, force=force)
    folder = folder.resolve()  # through a link, which stays one
    staging = folder.parent / f".{folder.name}.staging-{os.getpid()}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        for name, content in files.items():
            _write(staging / (_PENDING if name == PLAN_FILE else name), content)
        _swap(staging, folder)
    except OSError as error:
        raise InputError(folder, None, f"cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_target(folder: Path, *, force: bool) -> None:
    """Whether a plan may be written there; asked before any work is done."""
    if Path.cwd().is_relative_to(folder.resolve()):
        raise InputError(
            folder, None, "is or holds the current folder", "a folder of the plan's own"
        )
    if not folder.exists() or _unfinished(folder):
        return
    if not folder.is_dir():
        raise InputError(folder, None, "is a file", "a folder to write the plan to")
    if not any(folder.iterdir()):
        return
    if not ((folder / PLAN_FILE).exists() and (folder / "plan.json").exists()):
        raise InputError(
            folder, None, "holds other files and no plan", "a new or empty folder for the plan"
        )
    if not force:
        raise InputError(folder, None, "holds a plan already", "--force to replace it")


def read_plan_folder(folder: Path) -> PlanFolder:
    """Read a plan back; InputError where it is not one."""
    if not (folder / PLAN_FILE).is_file() or not (folder / "plan.json").is_file():
        raise InputError(folder, None, "is not a plan", "a folder with plan.csv and plan.json")
    try:
        files = {name: (folder / name).read_bytes() for name in (PLAN_FILE, "plan.json")}
        return parse_plan(files, folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(folder, None, f"cannot be read as a plan ({error})") from error


def parse_plan(files: Mapping[str, bytes], folder: Path) -> PlanFolder:
    """A plan from the content of its plan.csv and plan.json."""
    report = json.loads(files["plan.json"])
    if not isinstance(report, dict):
        raise ValueError("plan.json is no table of keys")
    lacking = [key for key in _SHOWN if key not in report]
    if lacking:
        raise ValueError(f"plan.json lacks {', '.join(lacking)}")
    return PlanFolder(folder, report, _read_offers(files[PLAN_FILE]))


def _read_offers(content: bytes) -> pd.DataFrame:
    text = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    words = ("bundle_id", "name", "product_ids", "titles", "added_units", "capped", "segments")
    for column in text.columns:
        if column in words:
            text[column] = text[column].map(restore)
        else:
            text[column] = pd.to_numeric(text[column])
    return text


def _unfinished(folder: Path) -> bool:
    """A folder that a run left between its two renames: no plan, only the pending file."""
    return (folder / _PENDING).exists() and not (folder / PLAN_FILE).exists()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _swap(staging: Path, folder: Path) -> None:
    old = folder.parent / f".{folder.name}.replaced-{os.getpid()}"
    if folder.exists():
        folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    (folder / _PENDING).replace(folder / PLAN_FILE)
    shutil.rmtree(old, ignore_errors=True)


def csv_bytes(header: list[str], rows: list[list[str]]) -> bytes:
    """A CSV file: UTF-8, comma, one line feed a row, quotes where needed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8")
