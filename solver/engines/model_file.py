"""The program as a file for other solvers: MPS or LP, through PuLP."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ...instances.errors import InputError
from ..program import Program
from .pulp_model import ModelNames, collector_paused, pulp_model

ENDINGS = (".mps", ".lp")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")
_LONGEST = 100  # characters of a name in an LP file: CPLEX takes 255, CBC 100
_LONGEST_STEM = 90  # leaves room for a number that makes a name unique


def check_model_target(path: Path, *, force: bool) -> None:
    """Whether a model may be written there; asked before any work is done.

    Raises
    ------
    InputError
        for an ending that names no format, a file that exists (without ``force``), or a place
        that cannot be written.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(path, None, f"ends in {path.suffix!r}", f"one of {', '.join(ENDINGS)}")
    staging = _staging(path)
    try:
        if path.is_dir():
            raise InputError(path, None, "is a folder", "a file to write the model to")
        if path.exists() and not force:
            raise InputError(path, None, "exists already", "--force to replace it")
        staging.touch()
        staging.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def write_model(
    program: Program,
    path: Path,
    *,
    column_names: Sequence[str],
    group_names: Sequence[str],
) -> None:
    """Write the program as it stands: all columns, rows and groups; whole or not at all.

    An LP file maximises value · x. An MPS file, which has no sense that every solver reads,
    minimises −value · x. PuLP writes 12 significant digits in LP, 13 in MPS. Columns are called
    ``x_`` and their name, rows ``r_`` and theirs, groups ``one_of_`` and theirs, with an
    underscore for what the formats do not take; the lower side of a row with two has ``_lower``
    behind its name.

    Parameters
    ----------
    column_names, group_names
        (columns,), (groups,) as shown to people.

    Raises
    ------
    InputError
        where the file cannot be written.
    """
    as_lp = path.suffix.lower() == ".lp"
    names = _model_names(program, column_names, group_names)
    built = pulp_model(program, maximize=as_lp, names=names)
    assert built is not None  # no clock runs
    problem, _ = built
    staging = _staging(path)
    try:
        with collector_paused():
            if as_lp:
                problem.writeLP(str(staging), max_length=_LONGEST)
            else:
                problem.writeMPS(str(staging))
        staging.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            staging.unlink(missing_ok=True)


def _staging(path: Path) -> Path:
    return path.with_name(f".{path.name}.part-{os.getpid()}")


def _unwritable(path: Path, error: OSError) -> InputError:
    reason = error.strerror or type(error).__name__
    return InputError(path, None, f"cannot be written ({reason})", "a place for the model")


def _model_names(
    program: Program, column_names: Sequence[str], group_names: Sequence[str]
) -> ModelNames:
    # a lower side's name is drawn from the same lot, so that it clashes with no other row's
    rows = [f"r_{name}" for name in program.row_name]
    lower_rows = [f"r_{name[: _LONGEST_STEM - 8]}_lower" for name in program.row_name]
    groups = [f"one_of_{name}" for name in group_names]
    unique = _safe_and_unique([*rows, *groups, *lower_rows])
    n, m = len(rows), len(rows) + len(groups)
    columns = _safe_and_unique(f"x_{name}" for name in column_names)
    return ModelNames(columns=columns, rows=unique[:n], groups=unique[n:m], lower_rows=unique[m:])


def _safe_and_unique(names: Iterable[str]) -> list[str]:
    """Names of letters, digits, ``_`` and ``.``; the second of two alike gets ``_2`` behind it."""
    used: set[str] = set()
    count: dict[str, int] = {}
    result = []
    for name in names:
        stem = _UNSAFE.sub("_", name).strip("_")[:_LONGEST_STEM]
        unique = stem
        while unique in used:
            count[stem] = count.get(stem, 1) + 1
            unique = f"{stem}_{count[stem]}"
        used.add(unique)
        result.append(unique)
    return result
