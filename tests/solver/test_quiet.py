"""What C code prints meanwhile is gone, what comes before and after is not."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading

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


def test_threads_that_overlap_leave_the_output_as_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with quiet():
            first_in.set()
            assert second_in.wait(10)
        first_out.set()

    def second() -> None:
        assert first_in.wait(10)
        with quiet():
            second_in.set()
            assert first_out.wait(10)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("heard", flush=True)
    assert capfd.readouterr().out == "heard\n"


def test_a_closed_output_is_no_obstacle() -> None:
    code = (
        "import os, sys; os.close(1); sys.stdout = None\n"
        "from bundlewise.solver.engines.quiet import quiet\n"
        "with quiet(): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
