"""Ctrl-C while a plan is made: the search ends and its best plan is kept; again, all ends.

Solvers run for minutes outside Python, where no signal handler of Python's runs in their thread.
So the work is done in a thread of its own, and the main thread waits for signals.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

from ..solver.engines.interface import Interrupt
from .console import Progress

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def interruptible(
    work: Callable[[Interrupt], Result], progress: Progress, *, keep_incumbent: bool
) -> Result:
    """What ``work`` gives; SIGINT and SIGTERM end it at once, or become a request to it.

    Parameters
    ----------
    work
        called with what asks it to end; it says whether it heeds that now.
    keep_incumbent
        whether the first signal is such a request. A second one, and one that nobody heeds,
        ends the process with 128 plus the signal's number.
    """
    if threading.current_thread() is not threading.main_thread():
        return work(Interrupt())
    interrupt = Interrupt()
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(interrupt))
        except BaseException as error:
            failure.append(error)

    signals: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        if not keep_incumbent or not interrupt.heeded or len(signals) > 1:
            _leave(number, progress)
        _tell("bundlewise: interrupted: ending the search", progress)
        # not from here: the lock it takes may be held by what the signal interrupted
        threading.Thread(target=interrupt.request, daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    with _handling(on_signal):
        thread.start()
        thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Meanwhile, handle the signals that ask a process to end, unless they are ignored."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number in _SIGNALS if before[number] is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


def _leave(number: int, progress: Progress) -> None:
    """End now: a solver's thread neither ends nor survives an orderly end of Python.

    Processes that solvers run in end by themselves, since their input is closed.
    """
    _tell("bundlewise: interrupted", progress)
    os._exit(128 + number)


def _tell(text: str, progress: Progress) -> None:
    """Write a line to stderr, past Python's buffer where the signal interrupted a write to it: a
    second signal comes while the first is told of, and the buffer refuses to be entered twice.
    """
    try:
        progress.clear()
        print(text, file=sys.stderr, flush=True)
    except RuntimeError:
        with suppress(OSError):  # closed
            os.write(2, f"{text}\n".encode())
