"""Calibration on held-out weeks: the probability integral transform of counts, by expectation.

    python -m benchmarks.calibration --window validation
    python -m benchmarks.calibration --data online-retail FILE --window validation

Data and windows are those of benchmarks/held_out.py. Of each group of counts: the largest
difference of the distribution of u from uniform; what a true model stays within 95 times in 100;
the share of u in the 90 % interval; all counts over all expected; and the shares of u in ten equal
bins, flat at 0.100.
"""

from __future__ import annotations

import argparse
import time

from bundlewise.models.calibration import score_calibration
from bundlewise.models.held_out import hold_out

from .held_out import read_arguments


def main() -> None:
    """Print a line a group."""
    given, data_of, windows = read_arguments(argparse.ArgumentParser(description=__doc__))
    window = windows[given.window]
    data = data_of(window)
    start = time.perf_counter()
    scores = score_calibration(hold_out(data.for_demand, data.features, window))
    print(f"{given.data} {given.window}")
    for name, found in scores.items():
        print(f"{name.replace('_', ' ')}: {found['verdict']} (limit {found['limit']})")
        if "level" in found:
            print(f"  all joint orders together over those expected: {found['level']:.3f}")
        for group in found["groups"]:
            ends = f"{group['expected_from']:g}-{group['expected_to'] or 'inf'}"
            bins = " ".join(f"{share:.3f}" for share in group["histogram"])
            print(
                f"  expected {ends:8s} {group['counts']:7,} counts  distance "
                f"{group['distance']:.3f} noise {group['noise']:.3f}  inside 90 % "
                f"{group['inside_90']:.3f}  seen/mean {group['seen_over_mean']:.3f}  {bins}  "
                f"{group['verdict']}"
            )
        for point in found.get("reliability", ()):
            print(
                f"  predicted {point['predicted']:.2e}  observed {point['observed']:.2e} "
                f"({point['low']:.2e} to {point['high']:.2e})  {point['counts']:,} counts"
            )
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
