"""Beliefs and their held-out scores for a person at a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe

if TYPE_CHECKING:
    from ..models import Beliefs


def show_manifest(console: Console, beliefs: Beliefs, folder: Path) -> None:
    """Print what was learned, from which weeks, and how well it holds on later ones."""
    training = beliefs.manifest["training"]
    bought = beliefs.purchase_probability > 0
    console.print(
        f"learned from {training['first_week']} to {training['last_week']}: "
        f"{int(bought.sum()):,} products bought, {len(beliefs.pair_a):,} pairs"
    )
    if bought.any():
        low, middle, high = np.quantile(beliefs.price_sensitivity[bought], [0.1, 0.5, 0.9])
        console.print(
            f"price sensitivity of products: median {middle:.2f}, "
            f"8 in 10 between {low:.2f} and {high:.2f}"
        )
    if len(beliefs.odds_ratio):
        console.print(
            f"odds ratio of pairs: median {np.median(beliefs.odds_ratio):.2f} "
            "(trip size lifts them all: judge a pair against this, not against 1)"
        )
    held_out = beliefs.manifest["held_out"]
    if "skipped" in held_out:
        console.print(Text("held-out scores: ").append_text(safe(str(held_out["skipped"]))))
    else:
        show_scores(console, held_out)
    console.print(Text("beliefs: ").append_text(safe(str(folder))))


def show_scores(console: Console, scores: dict[str, Any]) -> None:
    """Print the scores of ``models.evaluate`` beside their baselines."""
    console.print(
        f"learned on {scores['train_weeks']} weeks, scored on the {scores['test_weeks']} after, "
        f"{scores['products']:,} products"
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("held-out score")
    table.add_column("method")
    table.add_column("", justify="right")
    for key, title in (
        ("pairs", "pairs, log score (higher is better)"),
        ("demand", "demand, deviance (lower is better)"),
    ):
        for method, score in scores[key].items():
            table.add_row(title, method.replace("_", " "), f"{score:.4f}")
            title = ""
    console.print(table)
