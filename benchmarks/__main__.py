"""Runs every benchmark that fits in some minutes, one after the other: `python -m benchmarks`."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("pair_counting", "scoring", "frequent_itemsets", "held_out", "demo")


def main() -> None:
    """Print a heading and a benchmark's own output for each; each has its own process."""
    failed = []
    for name in BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        result = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
        if result.returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
