"""The process that ``apart.solve_apart`` starts: one engine, one program, one answer."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..program import Program
from .answer import RawAnswer
from .apart import read_request, telling, write_answer
from .interface import Clock, EngineSettings, Interrupt, Progress, ProgressCallback

_Answer = Callable[[Program, EngineSettings, Clock, ProgressCallback | None], RawAnswer]


def main(folder: Path, parent: int) -> None:
    """Answer the request in a folder; at the end of the input, with what there is."""
    tell = telling()
    program, settings, deadline, limit = read_request(folder)
    interrupt = Interrupt()
    # solvers that PuLP starts hear the signal too, and end as at a time limit
    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=_stop_when_told, args=(interrupt,), daemon=True).start()
    left = limit if settings.deterministic else max(deadline - time.time(), 0.0)
    clock = Clock(left, deterministic=settings.deterministic, interrupt=interrupt)

    def hear(state: Progress) -> None:
        tell(state.objective, state.bound)

    raw = _engine(settings.engine)(program, settings, clock, hear)
    write_answer(folder, raw, clock.spent() if settings.deterministic else 0.0)
    if os.getppid() != parent:  # nobody is left to read it
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # nothing is left to do, and threads of solvers may be slow to end


def _engine(name: str) -> _Answer:
    if name == "cp-sat":
        from .cp_sat import answer_here
    else:
        from .pulp_engine import answer_here
    return answer_here


def _stop_when_told(interrupt: Interrupt) -> None:
    sys.stdin.buffer.read()
    interrupt.request()
    os.killpg(0, signal.SIGINT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
