"""``bundlewise evaluate``: held-out scores of what would be learned."""

from __future__ import annotations

from pathlib import Path

import click

from .console import JSON_OPTION, QUIET_OPTION, WEEK_OPTION, Progress, output, print_json


@click.command("evaluate", epilog="Example: bundlewise evaluate shop/scenario.toml")
@click.argument("scenario", type=click.Path(path_type=Path))
@WEEK_OPTION
@JSON_OPTION
@QUIET_OPTION
def command(scenario: Path, week: str | None, as_json: bool, quiet: bool) -> None:
    """Hold out the last weeks of the orders of SCENARIO, learn on the others, and score.

    Each score stands beside plain baselines on the same weeks: of pairs, which products are
    bought together; of demand, how many baskets a product is in at the price paid.
    """
    from ..models import evaluate
    from .pipeline import read_instance

    progress = Progress(quiet)
    instance = read_instance(scenario, week, progress)
    with progress.stage("evaluate", "learning on the earlier weeks, scoring the later ones"):
        scores = evaluate(instance)
    if as_json:
        print_json(scores)
    elif not quiet:
        from .show_scores import show_scores

        show_scores(output(), scores)
