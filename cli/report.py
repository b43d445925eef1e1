"""``bundlewise report``: a finished plan as a page to forward."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import click

from ..instances.errors import InputError
from .console import JSON_OPTION, QUIET_OPTION, Progress, print_json


@click.command("report", epilog="Example: bundlewise report plans/2018-W01 --out plan.html")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write; report.html in the plan's folder where it is not given.",
)
@JSON_OPTION
@QUIET_OPTION
def command(plan: Path, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Write the report of a finished plan: one page that opens offline.

    Made from PLAN (a folder) alone. The page shows the bundles, what each earns and why, who pays
    for the discounts, rules, stock, assumptions, data quality and the proof.
    """
    from .report_data import REPORT_FILE, read_report_files
    from .report_page import report_page

    if not (plan / "plan.csv").is_file() or not (plan / "plan.json").is_file():
        raise InputError(plan, None, "is not a plan", "a folder with plan.csv and plan.json")
    progress = Progress(quiet)
    with progress.stage("report", "writing the report"):
        try:
            page = report_page(read_report_files(plan)).encode("utf-8")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = f"cannot be read as a plan ({type(error).__name__}: {error})"
            raise InputError(plan, None, found, "a folder that bundlewise solve wrote") from error
        own = plan / REPORT_FILE
        target = own if out is None else out
        _replace(target, page)
        if target.resolve() == own.resolve():
            _list(plan, REPORT_FILE, page)
    if as_json:
        print_json({"plan": str(plan), "report": str(target), "bytes": len(page)})
    elif not quiet:
        click.echo(str(target))


def _list(plan: Path, name: str, content: bytes) -> None:
    """Enter the file's hash in plan.json, which ``check`` compares it with."""
    path = plan / "plan.json"
    report = json.loads(path.read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    if report.setdefault("files", {}).get(name) != digest:
        report["files"][name] = digest
        text = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
        _replace(path, (text + "\n").encode("utf-8"))


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.write_bytes(content)
        staged.replace(path)
    except OSError as error:
        found = f"cannot be written ({error.strerror})"
        raise InputError(path, None, found, "a file in a folder that is there") from error
    finally:
        staged.unlink(missing_ok=True)
