"""Seconds and peak memory of learning the Complete Journey whole, beside a simpler job.

    python -m benchmarks.learning

Everything that is learned by default, held-out scores included, as ``bundlewise learn`` does it.
Each job has a fresh process that reads the instance and learns; kernels were compiled before, by a
run that is not counted. The simpler job is what one would write with scipy and scikit-learn: pairs
in at least 5 orders by a sparse XᵀX, and for each of the 400 most bought products a Poisson
regression of its weekly baskets on its price. It gives point estimates, without seasons, shrinkage,
uncertainty or a check on later weeks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bundlewise.instances.complete_journey import write_complete_journey
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.models.learning import learn

TARGET_SECONDS, TARGET_PEAK = 30.0, 3.0  # of learning on 2 quiet cores; GB, reading included
MIN_ORDERS = 5
REGRESSIONS = 400


def main() -> None:
    """Print the seconds of each stage, the peaks, and the ratio of the two jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=2, metavar=("JOB", "SCENARIO"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        job, scenario = arguments.one
        print(json.dumps(_measured(job, Path(scenario))))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_complete_journey(Path(folder, "instance"))
        scenario = Path(folder, "instance", "scenario.toml")
        _in_a_process("ours", scenario)
        ours, simpler = (_in_a_process(job, scenario) for job in ("ours", "simpler"))
    print(f"the Complete Journey: {ours['lines']:,} lines, {ours['products']:,} products")
    for name, found in (("bundlewise", ours), ("scipy and scikit-learn", simpler)):
        print(
            f"{name}: {found['seconds']:.1f} s; peak {found['peak']:.2f} GB with reading the tables"
        )
        for stage, seconds in found["stages"].items():
            print(f"  {stage:44}{seconds:7.2f} s")
    print(
        f"ours takes {ours['seconds'] / simpler['seconds']:.2f} of the simpler job's seconds; "
        f"target: {TARGET_SECONDS:.0f} s and {TARGET_PEAK:.0f} GB; {os.cpu_count()} cores"
    )


def _in_a_process(job: str, scenario: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.learning", "--one", job, str(scenario)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _measured(job: str, scenario: Path) -> dict[str, Any]:
    """Seconds of the job and of its stages, and the peak memory of the process in GB."""
    instance = load_instance(read_scenario(scenario))
    stages: list[tuple[str, float]] = []

    def begin(stage: str) -> None:
        stages.append((stage, time.perf_counter()))

    if job == "ours":
        learn(instance, progress=begin)
    else:
        _simpler(instance, begin)
    ends = [start for _, start in stages[1:]] + [time.perf_counter()]
    return {
        "lines": instance.orders.n_lines,
        "products": len(instance.catalogue.product_ids),
        "seconds": ends[-1] - stages[0][1],
        "stages": {name: end - at for (name, at), end in zip(stages, ends, strict=True)},
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


def _simpler(instance: Instance, begin: Any) -> None:
    import scipy.sparse as sp
    from sklearn.linear_model import PoissonRegressor

    begin("pairs by scipy's sparse XᵀX")
    baskets = instance.orders.baskets()
    ones = np.ones(len(baskets.product), dtype=np.int32)
    visits = sp.csr_matrix(
        (ones, baskets.product, baskets.start), shape=(baskets.n_visits, baskets.n_products)
    )
    together = sp.triu(visits.T @ visits, k=1, format="coo")
    pairs = int((together.data >= MIN_ORDERS).sum())

    begin(f"{REGRESSIONS:,} Poisson regressions by scikit-learn")
    orders = instance.orders
    first, weeks = int(orders.week.min()), int(np.ptp(orders.week)) + 1
    in_week = np.bincount(orders.week - first, minlength=weeks)
    key = orders.product.astype(np.int64) * weeks + (orders.week[orders.visit] - first)
    shape = (orders.n_products, weeks)
    bought, amount, quantity = (
        np.bincount(key, figure, orders.n_products * weeks).reshape(shape)
        for figure in (None, orders.amount, orders.quantity)
    )
    top = np.argsort(-bought.sum(axis=1))[:REGRESSIONS]
    slopes = []
    for product in top:
        seen = quantity[product] > 0
        price = amount[product, seen] / quantity[product, seen]
        rate = bought[product, seen] / in_week[seen]
        regression = PoissonRegressor(alpha=1e-6)
        regression.fit(
            np.log(price)[:, None], rate / rate.mean(), sample_weight=in_week[seen] * rate.mean()
        )
        slopes.append(regression.coef_[0])
    print(f"{pairs:,} pairs, median price elasticity {np.median(slopes):.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
