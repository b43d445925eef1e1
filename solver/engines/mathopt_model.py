"""A program as MathOpt's protocol buffer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2

from ..program import Program


def model_proto(program: Program, *, relax: bool = False) -> model_pb2.ModelProto:
    """The program as MathOpt's model; groups that cannot bind and idle rows are left out.

    Row i keeps i as its id, group g has ``n_rows + g``.
    """
    n, m = program.n_columns, program.n_rows
    matrix = program.matrix().tocsr()
    size = np.diff(matrix.indptr)
    used = (size > 0) | (program.row_lower > 0) | (program.row_upper < 0)
    used &= np.isfinite(program.row_lower) | np.isfinite(program.row_upper)
    rows = np.flatnonzero(used)
    entry = np.repeat(used, size)
    groups, group_rows, group_columns = _binding_groups(program)
    group_lower = np.where(program.group_exact[groups], 1.0, -np.inf)

    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(n))
    proto.variables.lower_bounds.extend(program.lower.tolist())
    proto.variables.upper_bounds.extend(program.upper.tolist())
    whole = np.zeros(n, dtype=bool) if relax else program.integral
    proto.variables.integers.extend(whole.tolist())
    proto.objective.maximize = True
    paying = np.flatnonzero(program.value)
    proto.objective.linear_coefficients.ids.extend(paying.tolist())
    proto.objective.linear_coefficients.values.extend(program.value[paying].tolist())
    proto.linear_constraints.ids.extend(np.concatenate([rows, m + groups]).tolist())
    lower = np.concatenate([program.row_lower[rows], group_lower])
    upper = np.concatenate([program.row_upper[rows], np.ones(len(groups))])
    proto.linear_constraints.lower_bounds.extend(lower.tolist())
    proto.linear_constraints.upper_bounds.extend(upper.tolist())
    row_ids = np.concatenate([np.repeat(np.arange(m), size)[entry], m + group_rows])
    column_ids = np.concatenate([matrix.indices[entry], group_columns])
    coefficients = np.concatenate([matrix.data[entry], np.ones(len(group_rows))])
    proto.linear_constraint_matrix.row_ids.extend(row_ids.tolist())
    proto.linear_constraint_matrix.column_ids.extend(column_ids.tolist())
    proto.linear_constraint_matrix.coefficients.extend(coefficients.tolist())
    return proto


def _binding_groups(
    program: Program,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Groups of several columns and exact ones, ascending; group and column of each entry.

    A part of a large program holds few of its groups, so that nothing here is as long as those.
    """
    grouped = np.flatnonzero(program.group >= 0)
    columns = grouped[np.argsort(program.group[grouped], kind="stable")]
    group = program.group[columns].astype(np.int64)
    present, count = np.unique(group, return_counts=True)
    groups = np.union1d(present[count > 1], np.flatnonzero(program.group_exact))
    inside = np.isin(group, groups)
    return groups, group[inside], columns[inside]
