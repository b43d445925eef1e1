"""Solvers in processes of their own, which end in time and at an interrupt whatever they do.

The process has a session of its own, so that a terminal's Ctrl-C reaches it through us alone.
Its input is closed to tell it to end and hand over what it has; as it is closed when we end too,
however that comes about, no process is left behind. On its output it tells of its incumbent and
bound, a line of two numbers each time.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import numpy as np

from ..program import Program
from .answer import RawAnswer
from .interface import Clock, EngineSettings, Progress, ProgressCallback

_GRACE = 0.03  # share of its time after which a process that goes on is told to end
_HAND_OVER = 0.04  # share of its time that it then has …
_PATIENCE = 2.0  # … and seconds where an interrupt told it
_POLL = 0.01  # seconds

_ARRAYS = [
    "value",
    "lower",
    "upper",
    "integral",
    "group",
    "group_exact",
    "start",
    "row",
    "coefficient",
    "row_lower",
    "row_upper",
]


def solve_apart(
    program: Program, settings: EngineSettings, clock: Clock, progress: ProgressCallback | None
) -> RawAnswer:
    """What ``apart_worker`` answers for the program and engine, building the model included."""
    with tempfile.TemporaryDirectory(prefix="bundlewise-") as name:
        folder = Path(name)
        deadline = time.time() + (math.inf if clock.deterministic else clock.left())
        write_request(folder, program, settings, deadline, clock.left())
        command = [sys.executable, "-P", "-m", f"{__package__}.apart_worker", name]
        try:
            if not run_apart(command, clock, deadline, progress, settings.engine):
                return RawAnswer(None, None, limit=clock.reason or "time")
        except subprocess.CalledProcessError:
            return RawAnswer(None, None, limit="error")
        raw, spent = read_answer(folder)
        clock.charge(spent)
        if raw.limit == "interrupt":  # which is how the process was told that its time is up
            raw = replace(raw, limit=clock.reason or "time")
        return raw


def run_apart(
    command: Sequence[str],
    clock: Clock,
    deadline: float,
    progress: ProgressCallback | None,
    message: str,
) -> bool:
    """Run a process; whether it ended, rather than had to be ended.

    Its last argument is our process id: where that is no longer its parent's, nobody is left to
    read its answer, and it clears its folder away.

    Parameters
    ----------
    deadline
        seconds since the epoch, infinite for none: when the process means to end by itself.
    progress, message
        told of every line of its output, under this message.

    Raises
    ------
    CalledProcessError
        for a process that failed.
    """
    process = subprocess.Popen(
        [*command, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reader = threading.Thread(target=_hear, args=(process.stdout, clock, progress, message))
    reader.start()
    seconds = deadline - time.time()
    try:
        late = time.monotonic() + (1 + _GRACE) * seconds
        while process.poll() is None and time.monotonic() < late:
            if clock.interrupt.requested:
                break
            time.sleep(_POLL)
        process.stdin.close()
        patience = _PATIENCE if clock.interrupt.requested else _HAND_OVER * seconds
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience if math.isfinite(patience) else None)
        ended = process.returncode is not None
    finally:
        # whatever it has started is of its session
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join()
        process.stdout.close()
    if ended and process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return ended


def _hear(lines: IO[bytes], clock: Clock, progress: ProgressCallback | None, message: str) -> None:
    for line in lines:
        numbers = [float(number) for number in line.split()]
        if progress is not None and len(numbers) == 2:
            objective, bound = (n if math.isfinite(n) else None for n in numbers)
            progress(Progress(clock.spent(), objective, bound, message))


def telling() -> Callable[[float | None, float | None], None]:
    """For the process: tells of incumbent and bound; all other output leads nowhere from now on."""
    line = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def tell(objective: float | None, bound: float | None) -> None:
        numbers = (math.nan if number is None else number for number in (objective, bound))
        with contextlib.suppress(BrokenPipeError):
            print(*numbers, file=line, flush=True)

    return tell


def write_request(
    folder: Path, program: Program, settings: EngineSettings, deadline: float, limit: float
) -> None:
    """The program without names, the settings, when to end and the limit of a clock."""
    arrays = {name: getattr(program, name) for name in _ARRAYS}
    np.savez(folder / "program.npz", **arrays)
    request = {"settings": asdict(settings), "deadline": deadline, "limit": limit}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")


def read_request(folder: Path) -> tuple[Program, EngineSettings, float, float]:
    """What ``write_request`` wrote."""
    with np.load(folder / "program.npz") as stored:
        arrays = {name: stored[name] for name in _ARRAYS}
    nameless = ("",) * len(arrays["row_lower"])
    program = Program(**arrays, row_name=nameless, row_rule=nameless, row_kind=nameless)
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    settings = EngineSettings(**request["settings"])
    return program, settings, request["deadline"], request["limit"]


def write_answer(folder: Path, raw: RawAnswer, spent: float) -> None:
    """What the engine said, and the work it took."""
    answer = {"bound": raw.bound, "infeasible": raw.infeasible, "limit": raw.limit, "spent": spent}
    if raw.values is not None:
        np.save(folder / "values.npy", raw.values)
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def read_answer(folder: Path) -> tuple[RawAnswer, float]:
    """What ``write_answer`` wrote."""
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    values = folder / "values.npy"
    spent = float(answer.pop("spent"))
    return RawAnswer(np.load(values) if values.exists() else None, **answer), spent
