"""``bundlewise init``: something to start from."""

from __future__ import annotations

from pathlib import Path

import click

from .console import QUIET_OPTION, writing


@click.command("init", epilog="Example: bundlewise init shop")
@click.argument("folder", type=click.Path(path_type=Path))
@QUIET_OPTION
def command(folder: Path, quiet: bool) -> None:
    """Write a commented scenario and sample tables to FOLDER.

    Replace the tables by your own and keep scenario.toml; nothing that exists is overwritten.
    """
    from ..instances import write_sample

    with writing(folder):
        write_sample(folder)
    if not quiet:
        click.echo(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
        click.echo(f"next: bundlewise solve {folder / 'scenario.toml'} --out {folder / 'plan'}")
