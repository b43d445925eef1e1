"""A program as MathOpt's protocol buffer."""

from __future__ import annotations

import numpy as np
from ortools.math_opt import model_pb2
from scipy import sparse

from ..program import Program


def model_proto(program: Program, *, relax: bool = False) -> model_pb2.ModelProto:
    """The program as MathOpt's model; groups that cannot bind and idle rows are left out.

    Row i keeps i as its id, group g has ``n_rows + g``.
    """
    n, m = program.n_columns, program.n_rows
    groups = _group_rows(program)
    matrix = sparse.vstack([program.matrix(), groups]).tocsr()
    exact = program.group_exact
    lower = np.concatenate([program.row_lower, np.where(exact, 1.0, -np.inf)])
    upper = np.concatenate([program.row_upper, np.ones(len(exact))])
    size = np.diff(matrix.indptr)
    used = (size > 0) | (lower > 0) | (upper < 0)
    used &= np.isfinite(lower) | np.isfinite(upper)
    used[m:] &= (size[m:] > 1) | exact

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
    rows = np.flatnonzero(used)
    proto.linear_constraints.ids.extend(rows.tolist())
    proto.linear_constraints.lower_bounds.extend(lower[rows].tolist())
    proto.linear_constraints.upper_bounds.extend(upper[rows].tolist())
    entry = np.repeat(used, size)
    row_ids = np.repeat(np.arange(len(used)), size)[entry]
    proto.linear_constraint_matrix.row_ids.extend(row_ids.tolist())
    proto.linear_constraint_matrix.column_ids.extend(matrix.indices[entry].tolist())
    proto.linear_constraint_matrix.coefficients.extend(matrix.data[entry].tolist())
    return proto


def _group_rows(program: Program) -> sparse.csc_array:
    """(groups, columns) matrix of ones: which column is in which group."""
    grouped = np.flatnonzero(program.group >= 0)
    entries = (np.ones(len(grouped)), (program.group[grouped], grouped))
    return sparse.coo_array(entries, shape=(program.n_groups, program.n_columns)).tocsc()
