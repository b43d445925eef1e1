"""Wall time by stage and peak memory of the demo: `python -m benchmarks.demo`.

Runs the demo's two commands in fresh processes, as `make demo` does, in a temporary folder.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Print a line a command, then the seconds of each stage of the plan."""
    with tempfile.TemporaryDirectory() as folder:
        instance, plan = Path(folder, "instance"), Path(folder, "plan")
        commands = {
            "write the instance": ["instance", "complete-journey", "--out", str(instance)],
            "solve": ["solve", str(instance / "scenario.toml"), "--out", str(plan), "--quiet"],
            "check": ["check", str(plan)],
        }
        total = 0.0
        for label, arguments in commands.items():
            seconds, peak = _run([str(Path(sys.executable).with_name("bundlewise")), *arguments])
            total += seconds
            print(f"{label:20} {seconds:7.1f} s  peak {peak / 1024:6.2f} GB")
        print(f"{'all':20} {total:7.1f} s")
        report = json.loads((plan / "plan.json").read_text(encoding="utf-8"))
    for stage, seconds in report["seconds"].items():
        print(f"  {stage:18} {seconds:7.2f} s")
    print(
        f"{report['kpis']['bundles']} bundles, {report['candidates']:,} candidates, "
        f"{report['offers']:,} offers, gap {report['gap']:.6f}"
    )


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    assert isinstance(usage, resource.struct_rusage)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
