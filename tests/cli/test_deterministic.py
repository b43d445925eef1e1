"""``solver.deterministic``: the same scenario gives the same plan, however busy the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

BUSY = [sys.executable, "-c", "while True: pass"]


@pytest.mark.parametrize("engine", ["auto", "highs", "scip", "cp-sat"])
def test_counted_work_gives_the_same_plan_beside_busy_processes(
    engine: str, variant: Callable[..., Path], tmp_path: Path, run: Run
) -> None:
    scenario = variant(
        f"[candidates]\nmax_candidates = 300\n[limits]\nmax_bundles_per_product = 2\n"
        f'discount_budget = 97.0\n[solver]\nengine = "{engine}"\ngap = 0.0\n'
        f"time_limit = {2.0 if engine == 'cp-sat' else 0.3}\n"
        "threads = 2\ndeterministic = true\n"
    )
    assert run("solve", scenario, "--out", tmp_path / "quiet").code == 0
    busy = [subprocess.Popen(BUSY) for _ in range(2)]
    try:
        assert run("solve", scenario, "--out", tmp_path / "busy").code == 0
    finally:
        for process in busy:
            process.kill()
            process.wait()
    for name in ("plan.csv", "products.csv"):
        assert (tmp_path / "quiet" / name).read_bytes() == (tmp_path / "busy" / name).read_bytes()
    first, second = (
        json.loads((tmp_path / folder / "plan.json").read_text()) for folder in ("quiet", "busy")
    )
    for key in ("status", "limit", "objective", "bound"):
        assert first[key] == second[key]


def test_an_engine_that_counts_no_work_is_refused_before_learning(
    variant: Callable[..., Path], tmp_path: Path, run: Run
) -> None:
    scenario = variant('[solver]\nengine = "pulp:CBC"\ndeterministic = true\n')
    for command in (("validate", scenario), ("solve", scenario, "--out", tmp_path / "plan")):
        line = run(*command).refused(2)
        assert "solver.deterministic: true, but pulp:CBC cannot count work" in line
        assert "auto, highs, scip or cp-sat" in line
