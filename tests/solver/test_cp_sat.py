"""What CP-SAT's scaled integers must not claim."""

from __future__ import annotations

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.cp_sat import _Scaled
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.program_builder import ProgramBuilder

from .enumeration import random_program


def test_a_search_that_never_began_has_no_bound() -> None:
    # CP-SAT then says 0, which is less than the program is worth
    program = random_program(3, columns=400)
    scaled = _Scaled(program, Clock(10), inner=False)
    raw = scaled.solve(EngineSettings(engine="cp-sat"), Clock(1e-4))
    assert raw.values is None
    assert raw.limit == "time"
    assert raw.bound is None


def test_columns_too_wide_for_its_sums_are_refused() -> None:
    builder = ProgramBuilder([1.0, 1.0], upper=[3e9, 3e9])
    builder.add_row("room", [0, 1], [0.7, 1.1], upper=1e9)
    with pytest.raises(InputError, match="too wide"):
        solve_program(builder.build(), EngineSettings(engine="cp-sat"))
