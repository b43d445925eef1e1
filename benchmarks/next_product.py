"""What joins this basket: recall@10 and NDCG@10 of the beliefs beside the peers.

    python -m benchmarks.next_product --window validation
    python -m benchmarks.next_product --data online-retail FILE --window validation

Data and windows are those of benchmarks/held_out.py. The peers of ``implicit`` need the extra
``bench``. Settings are chosen by the command itself on the last of the weeks learned on, those of
ALS apart, which were chosen on the validation window of the Complete Journey.
"""

from __future__ import annotations

import argparse
import time

from bundlewise.models.held_out import hold_out
from bundlewise.models.next_product import score_next_product

from .held_out import read_arguments


def main() -> None:
    """Print a line a method."""
    given, data_of, windows = read_arguments(argparse.ArgumentParser(description=__doc__))
    window = windows[given.window]
    data = data_of(window)
    start = time.perf_counter()
    scores = score_next_product(hold_out(data.for_pairs, data.features, window))
    print(f"{given.data} {given.window}")
    print(f"{scores['baskets']:,} baskets, {scores['candidates']:,} candidates")
    for name, found in scores["methods"].items():
        if "skipped" in found:
            print(f"  {name:14s}{found['skipped']}")
            continue
        settings = ", ".join(f"{key} {value:g}" for key, value in found["settings"].items())
        print(
            f"  {name:14s}recall@10 {found['recall_at_10']:.4f}   NDCG@10 "
            f"{found['ndcg_at_10']:.4f}   {settings}"
        )
    print(
        f"ahead of {scores['best_peer']}: {scores['ahead']:+.4f} in recall@10, standard error "
        f"{scores['ahead_spread']:.4f}; {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
