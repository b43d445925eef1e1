"""What C code prints meanwhile is gone, what comes before and after is not."""

from __future__ import annotations

import ctypes

import pytest
from bundlewise.solver.engines.quiet import quiet


def test_prints_from_c_are_silenced(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    libc.printf(b"before\n")
    with quiet():
        libc.printf(b"chatter\n")
    libc.printf(b"after\n")
    libc.fflush(None)
    assert capfd.readouterr().out == "before\nafter\n"


def test_an_error_restores_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), quiet():
        raise RuntimeError
    print("heard")
    assert capfd.readouterr().out == "heard\n"
