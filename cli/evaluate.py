"""``bundlewise evaluate``: held-out scores of what would be learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..instances.errors import InputError
from .console import (
    FORCE_OPTION,
    JSON_OPTION,
    QUIET_OPTION,
    WEEK_OPTION,
    Progress,
    output,
    print_json,
    writing,
)


@click.command("evaluate", epilog="Example: bundlewise evaluate shop/scenario.toml --out scores")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write: evaluation.json and evaluation.html.",
)
@click.option("--html", type=click.Path(path_type=Path), help="File to write: the page alone.")
@WEEK_OPTION
@FORCE_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(
    scenario: Path,
    out: Path | None,
    html: Path | None,
    week: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Hold out the last weeks of the orders of SCENARIO, learn on the others, and score.

    Each score stands beside plain baselines on the same weeks: of pairs, which products are
    bought together; of demand, how many baskets a product is in at the price paid; of baskets,
    which product joins them, beside other methods; and whether later counts lie where the beliefs'
    own uncertainty puts them. The page shows that as charts and opens without a network.
    """
    from ..models import evaluate
    from .pipeline import read_instance

    files = _files(out, html)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(out, None, "is a file", "a folder to write the scores to")
    for path in files.values():
        if path.exists() and not force:
            raise InputError(path, None, "the file is there already", "a new name, or --force")
    progress = Progress(quiet)
    instance = read_instance(scenario, week, progress)
    with progress.stage("evaluate", "learning on the earlier weeks, scoring the later ones"):
        scores = evaluate(instance, progress=progress.say)
    _write(files, scores)
    if as_json:
        print_json(scores)
    elif not quiet:
        from .show_scores import show_scores

        show_scores(output(), scores)
        for path in files.values():
            click.echo(f"written: {path}")


def _files(out: Path | None, html: Path | None) -> dict[str, Path]:
    """What is to be written: kind -> path."""
    files = {}
    if out is not None:
        files |= {"json": out / "evaluation.json", "page": out / "evaluation.html"}
    if html is not None:
        files["page alone"] = html
    return files


def _write(files: dict[str, Path], scores: dict[str, Any]) -> None:
    if not files:
        return
    from .evaluation_page import evaluation_page

    page = evaluation_page(scores)
    for kind, path in files.items():
        text = json.dumps(scores, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if kind == "json" else page, encoding="utf-8")
