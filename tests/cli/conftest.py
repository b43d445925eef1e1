from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from bundlewise.cli.main import main
from bundlewise.instances import write_seed_case
from click.testing import CliRunner


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    def refused(self, code: int) -> str:
        """The one line of an error, after checking that it is one and nothing was printed."""
        assert self.code == code, (self.code, self.out, self.err)
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("bundlewise: ")
        return lines[0]


Run = Callable[..., Answer]


@pytest.fixture(scope="session")
def run() -> Run:
    def call(*arguments: str | Path) -> Answer:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture(scope="session")
def seed_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped instance, written once; tests must not change it."""
    folder = tmp_path_factory.mktemp("seed")
    write_seed_case(folder / "seed100")
    return folder / "seed100"


@pytest.fixture(scope="session")
def seed_plan(seed_case: Path, run: Run) -> Path:
    """A plan of the shipped instance; tests must not change it."""
    answer = run("solve", seed_case / "scenario.toml", "--out", seed_case.parent / "plan")
    assert answer.code == 0, answer.err
    return seed_case.parent / "plan"


@pytest.fixture
def plan_copy(seed_plan: Path, tmp_path: Path) -> Path:
    """A plan to tamper with."""
    shutil.copytree(seed_plan, tmp_path / "plan")
    return tmp_path / "plan"


@pytest.fixture
def variant(seed_case: Path, tmp_path: Path) -> Callable[..., Path]:
    """A scenario that extends the shipped one by lines of TOML."""

    def write(lines: Sequence[str] | str, name: str = "variant") -> Path:
        text = lines if isinstance(lines, str) else "\n".join(lines)
        path = tmp_path / f"{name}.toml"
        head = f'[scenario]\nname = "{name}"\nextends = "{seed_case / "scenario.toml"}"\n'
        path.write_text(head + text, encoding="utf-8")
        return path

    return write


def heeds_interrupts() -> None:
    """For a new process: SIGINT as from a terminal, which what runs in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
