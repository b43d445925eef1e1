"""Held-out weeks: do odds ratios hold as prices move, or lifts? (docs/mechanism.md)

    python -m benchmarks.mechanism [--window validation]       Complete Journey
    python -m benchmarks.mechanism --data online-retail FILE [--window validation]
    python -m benchmarks.mechanism --folds [--data …]          four folds before the test window

Data and windows are those of benchmarks/held_out.py, with the lines that count for demand. Folds
learn on all weeks before six or seven weeks and score these; the four together are the 27 weeks
before the test window.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

from bundlewise.models.score_mechanism import score_mechanism

from .held_out import HeldOutData, read_arguments

FOLDS = (27, 20, 13, 7, 0)  # weeks before the test window at which folds begin and end
PARTS = ("all", "price_cut", "frequent", "frequent_price_cut")


def main() -> None:
    """Print the comparison of one window, or of each fold and of all four."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", action="store_true")
    given, data_of, windows = read_arguments(parser)
    if not given.folds:
        window = windows[given.window]
        show(f"{given.data} {given.window}", data_of(window), window)
        return
    first, _, end = windows["validation"]
    edges = [end - weeks for weeks in FOLDS]
    found = []
    for split, fold_end in pairwise(edges):
        window = (first, split, fold_end)
        label = f"{given.data}, scored on weeks {split - first + 1}-{fold_end - first}"
        found.append(show(label, data_of(window), window))
    print("the folds together, errors clustered by week:")
    for part in PARTS:
        print(together(part, [fold[part] for fold in found]))


def together(part: str, folds: list[dict[str, Any]]) -> str:
    """The mean difference of all folds, by pair-weeks, and its error: weeks are of one fold."""
    some = [fold for fold in folds if fold["pair_weeks"]]
    pair_weeks = sum(fold["pair_weeks"] for fold in some)
    if not pair_weeks:
        return f"  {part:19}{0:11,}"
    total = sum(fold["pair_weeks"] * fold["difference"] for fold in some)
    variance = sum((fold["pair_weeks"] * fold["standard_error"]) ** 2 for fold in some)
    return (
        f"  {part:19}{pair_weeks:11,}   difference {total / pair_weeks:+.5f} ± "
        f"{variance**0.5 / pair_weeks:.5f}"
    )


def show(label: str, data: HeldOutData, window: tuple[int, int, int]) -> dict[str, Any]:
    """A line for each part of the pair-weeks; returns what it says."""
    found = score_mechanism(data.for_demand, data.features, *window)
    if "skipped" in found:
        print(f"{label}: {found['skipped']}")
        return {part: {"pair_weeks": 0} for part in PARTS}
    print(
        f"{label}: {found['pairs']:,} pairs, {found['weeks']} weeks; "
        f"{found['lifts_bounded']:,} lifts bounded"
    )
    print(
        f"  {'':19}{'pair-weeks':>11}{'lift':>9}{'copula':>9}{'difference':>12}"
        f"{'by week':>9}{'two-way':>9}  {'better':13}  movement"
    )
    for part in PARTS:
        print(line_of(part, found[part]))
    return found


def line_of(part: str, row: dict[str, Any]) -> str:
    """What is known of some of the pair-weeks; there may be none, or none that tells a movement."""
    line = f"  {part:19}{row['pair_weeks']:11,}"
    if not row["pair_weeks"]:
        return line
    movement = "the models say the same"
    if row["movement"] is not None:
        movement = f"{row['movement']:.2f} ± {row['movement_error']:.2f}"
    return (
        f"{line}{row['constant_lift']:9.5f}{row['copula']:9.5f}"
        f"{row['difference']:+12.5f}{row['standard_error']:9.5f}"
        f"{row['standard_error_two_way']:9.5f}  {row['better']:13}  {movement}"
    )


if __name__ == "__main__":
    main()
