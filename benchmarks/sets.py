"""Bundles of three and four products: held-out scores, what learning takes, what they add.

    python -m benchmarks.sets            held-out scores on the Complete Journey: learned on
                                         weeks 1-27, scored on 28-40, the validation window
    python -m benchmarks.sets --shops    learning and candidates on the whole Complete Journey,
                                         and plans of the sample shop with and without triples

Scores are those of models/score_sets.py: over every triple, and every set of four, of the most
bought products.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from bundlewise.instances.complete_journey import write_complete_journey
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.sample import write_sample
from bundlewise.instances.scenario import read_scenario
from bundlewise.models import learning
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.learn_sets import LearnedSets, learn_sets
from bundlewise.models.score_sets import score_sets
from bundlewise.solver import candidate_sets
from bundlewise.solver.offers import ABSENT, Offers
from bundlewise.solver.planning import solve
from bundlewise.solver.scoring import score_offers

from .held_out import JOURNEY_WINDOWS, journey_data

WINDOW = "validation"


def main() -> None:
    """Print the scores, or what sets add to two shops."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shops", action="store_true")
    if parser.parse_args().shops:
        _journey()
        _sample()
    else:
        _scores()


def _scores() -> None:
    window = JOURNEY_WINDOWS[WINDOW]
    data = journey_data(window)
    start = time.perf_counter()
    for name, scores in score_sets(data.for_pairs, data.features, *window).items():
        products, sets = int(scores.pop("products")), int(scores.pop("sets"))
        print(f"{name.replace('_', ' ')}: all {sets:,} of the {products} most bought products")
        for method, score in scores.items():
            print(f"  {method.replace('_', ' '):16s}{score:8.4f}")
    print(f"{time.perf_counter() - start:.1f} s, learning pairs and compilation included")


def _journey() -> None:
    """Seconds and counts of triples, and the gaining triples that have no good pair."""
    with tempfile.TemporaryDirectory() as folder:
        write_complete_journey(Path(folder, "journey"))
        instance = load_instance(read_scenario(Path(folder, "journey", "scenario.toml")))
    instance, beliefs = _learned(instance, 3)
    facts = beliefs.manifest["sets"][0]
    print("Complete Journey: " + ", ".join(f"{name} {value:.6g}" for name, value in facts.items()))
    good = candidate_sets._hold_good_pair  # pyright: ignore[reportPrivateUsage]
    with patch.object(candidate_sets, "_hold_good_pair", lambda _i, _b, sets: _all(sets)):
        offers, counts = score_offers(instance, beliefs)
    gaining = np.unique(offers.products[_sizes(offers) == 3], axis=0)[:, :3]
    weak = ~good(instance, beliefs, gaining)
    _, fewer = candidate_sets.candidate_sets(instance, beliefs, 3)
    print(
        f"  of {counts['candidates of 3 products']:,} triples {fewer[candidate_sets.WEAK]:,} have "
        f"no good pair; {len(gaining):,} gain at some level, {int(weak.sum())} of these without"
    )


def _sample() -> None:
    """The sample shop with bundles of two, of up to three and of up to four products."""
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder))
        instance = load_instance(read_scenario(Path(folder, "scenario.toml")))
        for most in (2, 3, 4):
            sized, beliefs = _learned(instance, most)
            offers, counts = score_offers(sized, beliefs)
            best = [
                f"{offers.value[_sizes(offers) == size].max() / 100:.2f}"
                for size in range(2, most + 1)
            ]
            plan = solve(sized, beliefs)
            larger = sum(len(held) > 2 for held in plan.offers["products"])
            print(
                f"sample shop, up to {most}: {counts['candidates']:,} candidates, best offers of "
                f"2 to {most} products {', '.join(best)}; plan of {len(plan.offers)} bundles, "
                f"{larger} of them of more than two, earns "
                f"{plan.report['kpis']['incremental_margin']:.2f}"
            )


def _learned(instance: Instance, max_size: int) -> tuple[Instance, Beliefs]:
    """Beliefs with sets of up to so many products; held-out scores are not looked at here."""
    candidates = instance.scenario.candidates.model_copy(update={"max_size": max_size})
    scenario = instance.scenario.model_copy(update={"candidates": candidates})
    sized = replace(instance, scenario=scenario)
    with (
        patch.object(learning, "held_out_scores", lambda *_: {"skipped": "a benchmark"}),
        patch.object(learning, "learn_sets", _timed),
    ):
        return sized, learning.learn(sized)


def _timed(*given) -> LearnedSets:
    learn_sets(*given)  # compiles
    start, used = time.perf_counter(), time.process_time()
    learned = learn_sets(*given)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(f"learned {len(learned.sets):,} sets in {seconds:.1f} s ({used:.1f} s of processor)")
    return learned


def _all(sets: np.ndarray) -> np.ndarray:
    return np.ones(len(sets), dtype=np.bool_)


def _sizes(offers: Offers) -> np.ndarray:
    return (offers.products != ABSENT).sum(axis=1)


if __name__ == "__main__":
    main()
