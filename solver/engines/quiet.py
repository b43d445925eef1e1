"""Keeps what solvers print from C away from standard output, where results stand alone."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Send file descriptor 1 to nowhere meanwhile; C's own buffers are emptied on both sides.

    HiGHS prints a line for each solution it repairs, whatever its output options say. Several
    threads may be in here at once: the first silences, the last restores.
    """
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()


class _Silence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._kept: int | None = None

    def begin(self) -> None:
        with self._lock:
            if self._users == 0:
                self._kept = _redirected()
            self._users += 1

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._kept is not None:
                _flush()
                os.dup2(self._kept, 1)
                os.close(self._kept)


def _redirected() -> int | None:
    """A copy of file descriptor 1, which now leads nowhere; None where it is closed anyway."""
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
    _flush()
    try:
        kept = os.dup(1)
    except OSError:
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return kept


def _flush() -> None:
    ctypes.CDLL(None).fflush(None)


_silence = _Silence()
