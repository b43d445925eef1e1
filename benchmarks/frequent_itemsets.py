"""mlxtend's fpgrowth on the Complete Journey beside ours, pairs only.

    python -m benchmarks.frequent_itemsets

fpgrowth runs in a process with limited memory and time, at lower and lower support, until it
fails; the last support that worked is compared with ours at the same support. Then ours alone at
the support that plans use.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
from bundlewise.models.pair_counts import count_pairs

from .journey import journey_baskets

MEMORY_GB = 4
SECONDS = 60
SUPPORTS = (1000, 100, 25, 10, 5)  # orders that hold both products
PLANS_USE = 5  # candidates.min_support of a scenario


def main() -> None:
    """Print a line a support: pairs, seconds of fpgrowth and of ours."""
    baskets = journey_baskets()
    count_pairs(baskets, SUPPORTS[0])  # compile
    print(f"{baskets.n_visits:,} baskets; fpgrowth may use {MEMORY_GB} GB and {SECONDS} s")
    for support in SUPPORTS:
        start = time.perf_counter()
        ours = len(count_pairs(baskets, support))
        seconds = time.perf_counter() - start
        outcome = _fpgrowth_apart(support)
        if isinstance(outcome, str):
            print(f"support {support:5}: {outcome}; ours {ours:,} pairs in {seconds:.3f} s")
            break
        theirs, their_seconds = outcome
        assert theirs == ours, f"fpgrowth finds {theirs} pairs, ours {ours}"
        print(
            f"support {support:5}: {ours:9,} pairs, fpgrowth {their_seconds:6.2f} s, "
            f"ours {seconds:.3f} s, {their_seconds / seconds:.0f} times"
        )
    start = time.perf_counter()
    ours = len(count_pairs(baskets, PLANS_USE))
    print(f"support {PLANS_USE:5}: {ours:9,} pairs, ours {time.perf_counter() - start:.3f} s")


def _fpgrowth_apart(support: int) -> tuple[int, float] | str:
    """Pairs and seconds of fpgrowth in a process of its own, or what stopped it."""
    command = [sys.executable, "-m", "benchmarks.frequent_itemsets", str(support)]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"fpgrowth not done in {SECONDS} s"
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1:] or [f"exit {result.returncode}"]
        return f"fpgrowth failed in {MEMORY_GB} GB ({reason[0][:100]})"
    pairs, seconds = result.stdout.split()
    return int(pairs), float(seconds)


def _fpgrowth(support: int) -> None:
    """Print pairs and seconds of fpgrowth at one support."""
    import pandas as pd
    import scipy.sparse as sp
    from mlxtend.frequent_patterns import fpgrowth

    baskets = journey_baskets()
    limit = MEMORY_GB * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = time.perf_counter()
    # products below the support cannot be in a pair; without them the table is as small as it gets
    frequent = np.bincount(baskets.product, minlength=baskets.n_products) >= support
    ones = np.ones(len(baskets.product), dtype=bool)
    visits = sp.csr_matrix(
        (ones, baskets.product, baskets.start), shape=(baskets.n_visits, baskets.n_products)
    )[:, np.flatnonzero(frequent)]
    table = pd.DataFrame.sparse.from_spmatrix(visits)
    found = fpgrowth(table, min_support=(support - 0.5) / baskets.n_visits, max_len=2)
    pairs = int((found["itemsets"].map(len) == 2).sum())
    print(pairs, time.perf_counter() - start)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _fpgrowth(int(sys.argv[1]))
    else:
        main()
