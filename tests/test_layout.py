"""What pyproject.toml, the folders and the imports say of each other."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("instances", "models", "solver", "cli")
MAY_IMPORT = {
    "instances": (),
    "models": ("instances",),
    "solver": ("instances", "models"),
    "cli": ("instances", "models", "solver"),
}
needs_repository = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="not run from a checkout"
)


def relative_imports(path: Path) -> set[tuple[int, str]]:
    """(level, module) of every relative import of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {(node.level, str(name)) for name in names}
    return found


@needs_repository
def test_every_subpackage_and_every_data_file_is_in_the_distribution():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["setuptools"]["packages"])
    modules = {
        ".".join(("bundlewise", *path.parent.relative_to(ROOT).parts))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert modules == listed
    assert set(settings["tool"]["setuptools"]["package-dir"]) == listed
    patterns = settings["tool"]["setuptools"]["package-data"]
    for folder in FOLDERS:
        data = [
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc")
        ]
        matched = {
            path
            for pattern in patterns[f"bundlewise.{folder}"]
            for path in (ROOT / folder).glob(pattern)
            if path.is_file()
        }
        assert set(data) == matched, folder


@needs_repository
@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_only_what_stands_before_them(folder: str):
    for path in sorted((ROOT / folder).rglob("*.py")):
        depth = len(path.relative_to(ROOT / folder).parts)  # dots that lead out of the folder
        for level, module in relative_imports(path):
            if level == depth + 1:
                assert module.split(".")[0] in MAY_IMPORT[folder], f"{path}: {module}"
            else:
                assert level <= depth, f"{path}: {module}"


@needs_repository
def test_the_verifier_shares_no_code_with_what_makes_plans():
    verifier = sorted((ROOT / "solver").glob("verifier*.py"))
    assert verifier
    for path in verifier:
        for level, module in relative_imports(path):
            if level == 1:
                assert module.startswith("verifier"), f"{path.name}: {module}"
            else:
                assert module.split(".")[0] == "instances", f"{path.name}: {module}"


@pytest.mark.parametrize("folder", ["instances", "models", "solver"])
def test_no_public_name_is_hidden_by_a_module_of_the_same_name(folder: str):
    package = import_module(f"bundlewise.{folder}")
    for name in package.__all__:
        assert find_spec(f"bundlewise.{folder}.{name}") is None, name
        assert not isinstance(getattr(package, name), ModuleType), name


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from bundlewise.cli.main import main; main(['--help'], standalone_mode=False);"
        "print(sorted({'numpy', 'pandas', 'numba', 'ortools', 'rich'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_installed_package_claims_no_bare_name(tmp_path: Path):
    code = f"from importlib.util import find_spec; print([n for n in {FOLDERS!r} if find_spec(n)])"
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
