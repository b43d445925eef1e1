"""Beliefs and their held-out scores for a person at a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import safe
from .score_tables import ScoreTable, tables_of
from .score_words import CALIBRATION, SECTIONS, Words, expected_range, level_text, plain

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
    for key, section in scores.items():
        if not isinstance(section, dict) or key == "seconds":  # those are for JSON
            continue
        words = SECTIONS.get(key, Words(plain(key), ""))
        end = f" ({words.better})" if words.better else ""
        console.print(Text(f"\n{words.title}{end}", style="bold"))
        if key == "calibration":
            _show_calibration(console, section)
            continue
        for table in tables_of(section):
            _show_table(console, table)


def _show_table(console: Console, scores: ScoreTable) -> None:
    named = bool(scores.title) or any(scores.headings)
    table = Table(box=None, pad_edge=False, header_style="", show_header=named)
    table.add_column(Text(scores.title), min_width=24)
    for heading in scores.headings[1:]:
        table.add_column(Text(heading), justify="right")
    for row, learned in zip(scores.rows, scores.learned, strict=True):
        table.add_row(*map(safe, row), style="bold" if learned else "")
    console.print(table)


def _show_calibration(console: Console, parts: dict[str, Any]) -> None:
    """A line a group: how far from flat, what chance alone does, what the 90 % interval held."""
    for key, part in parts.items():
        words = CALIBRATION.get(key, Words(plain(key), ""))
        verdict = part["verdict"] or "too few counts to say"
        console.print(f"{words.title}: {verdict}")
        if level := level_text(part):
            console.print(f"  {level}")
        table = Table(box=None, pad_edge=False, header_style="")
        table.add_column("  expected", min_width=14)
        for heading in ("counts", "off flat by", "chance", "inside 90 %"):
            table.add_column(heading, justify="right")
        table.add_column("")
        for group in part["groups"]:
            table.add_row(
                f"  {expected_range(group)}",
                f"{group['counts']:,}",
                f"{group['distance']:.3f}",
                f"{group['noise']:.3f}",
                f"{group['inside_90']:.1%}",
                group["verdict"],
            )
        console.print(table)
