"""Held-out scores of interest tags and segments, on the data and windows of benchmarks/held_out.py.

    python -m benchmarks.shoppers --window validation
    python -m benchmarks.shoppers --data online-retail FILE --window validation

Everything is chosen on the validation window; the test window is for the last look.
"""

from __future__ import annotations

import argparse
import time

from bundlewise.models.score_interests import score_interests
from bundlewise.models.score_segments import score_segments

from .held_out import read_arguments

_TITLES = {
    "log_loss": "tags: mean -log P(topic of a later purchase), lower is better",
    "accuracy": "tags: share of later purchases that are of the most probable topic",
    "main_tag": "tags: share of shoppers whose main topic is the most probable one",
    "purchases": "segments: log score of what later visits buy, higher is better",
    "prices": "segments: log-probability of who buys at changed prices, higher is better",
    "sizes": "scored",
}


def main() -> None:
    """Print every score, a method a line."""
    given, data_of, windows = read_arguments(argparse.ArgumentParser(description=__doc__))
    window = windows[given.window]
    data = data_of(window)
    print(f"{given.data} {given.window}")
    for score in (score_interests, score_segments):
        start = time.perf_counter()
        found = score(data.for_demand, None, data.features, *window)
        for name, methods in found.items():
            print(_TITLES[name])
            for method, value in methods.items():
                print(f"  {method.replace('_', ' '):28s}{value:12,.4f}")
        print(f"{time.perf_counter() - start:.1f} s\n")


if __name__ == "__main__":
    main()
