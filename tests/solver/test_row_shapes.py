"""Shapes of rows, on one small program."""

from __future__ import annotations

from bundlewise.solver.engines.row_shapes import row_shapes
from bundlewise.solver.program_builder import ProgramBuilder


def test_what_holds_for_every_entry() -> None:
    builder = ProgramBuilder([1.0] * 4, upper=[1, 1, 5, 1], integral=[True, True, True, False])
    builder.add_row("ones", [0, 1], 1.0, upper=1.0)
    builder.add_row("weights", [0, 1], [2.0, 0.5], upper=1.0)
    builder.add_row("negative", [0, 1], [2.0, -1.0], upper=1.0)
    builder.add_row("not binary", [0, 2], 1.0, upper=1.0)
    builder.add_row("continuous", [0, 3], 1.0, upper=1.0)
    builder.add_row("empty", [], [], upper=1.0)
    shapes = row_shapes(builder.build())
    assert shapes.size.tolist() == [2, 2, 2, 2, 2, 0]
    assert shapes.positive.tolist() == [True, True, False, False, False, True]
    assert shapes.ones.tolist() == [True, False, False, False, False, True]
    assert shapes.whole.tolist() == [True, False, True, True, False, True]
