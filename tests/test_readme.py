"""The README's own scenario and Python code run as they stand."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from bundlewise.cli.main import main
from bundlewise.instances import write_sample
from bundlewise.solver import read_plan_folder
from click.testing import CliRunner

README = Path(__file__).resolve().parent.parent / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="not run from a checkout")


def block(language: str, containing: str) -> str:
    """The first fenced block of a language that holds a text."""
    text = README.read_text(encoding="utf-8")
    for found in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL):
        if containing in found:
            return found
    raise AssertionError(f"no {language} block with {containing!r}")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_sample(tmp_path / "sample")
    for name in ("orders.csv", "products.csv"):
        (tmp_path / "sample" / name).rename(tmp_path / name)
    (tmp_path / "first.toml").write_text(block("toml", "[limits]"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_scenario_is_solved_and_checked_by_the_commands_given(shop: Path):
    commands = [
        line.split("#")[0].split()[1:]
        for line in block("sh", "validate").splitlines()
        if line.startswith("bundlewise ")
    ]
    assert [command[0] for command in commands] == ["validate", "solve", "check"]
    for command in commands:
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    assert len(read_plan_folder(shop / "plan").offers) > 0


def test_the_python_example_writes_the_plan_it_prints(shop: Path):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python", "read_scenario"), "README.md", "exec"), {})
    plan = read_plan_folder(shop / "plan")
    assert f"{plan.report['kpis']['bundles']} bundles, optimal" in printed.getvalue()
    assert str(plan.offers["name"].iloc[0])[:20] in printed.getvalue()


def test_every_command_is_in_the_readme_with_an_example_in_its_help():
    from bundlewise.cli.main import COMMANDS

    text = README.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`bundlewise {name} " in text
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert f"Example: bundlewise {name}" in result.output
