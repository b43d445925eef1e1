"""The linear relaxation by GLOP, from a basis where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import parameters_pb2, result_pb2, rpc_pb2, solution_pb2
from pybind11_abseil.status import StatusNotOk

from ..program import Program
from .mathopt_model import model_proto
from .mathopt_worker import answer, set_limit

_AT_LOWER = solution_pb2.BASIS_STATUS_AT_LOWER_BOUND
_AT_UPPER = solution_pb2.BASIS_STATUS_AT_UPPER_BOUND
_FREE = solution_pb2.BASIS_STATUS_FREE
_BASIC = solution_pb2.BASIS_STATUS_BASIC
_IN_DOUBT = (  # what a better basis may mend
    result_pb2.TERMINATION_REASON_IMPRECISE,
    result_pb2.TERMINATION_REASON_NUMERICAL_ERROR,
    result_pb2.TERMINATION_REASON_OTHER_ERROR,
)
WORK = 2e-9  # seconds of a nominal machine for one iteration and one entry or row of the program


@dataclass(frozen=True, slots=True)
class Basis:
    """Which columns and rows a basic solution rests on, in MathOpt's words for it.

    Attributes
    ----------
    column
        (columns,) status.
    row, group
        (rows,) and (groups,) status of the row's activity; basic where it does not bind.
    """

    column: NDArray[np.int8]
    row: NDArray[np.int8]
    group: NDArray[np.int8]

    def basic_columns(self) -> NDArray[np.bool_]:
        return self.column == _BASIC

    def at_upper(self) -> NDArray[np.bool_]:
        return self.column == _AT_UPPER

    def binding_rows(self) -> NDArray[np.bool_]:
        """(rows + groups,) whose activity is not basic."""
        return np.concatenate([self.row, self.group]) != _BASIC

    def with_rows(self, added: int) -> Basis:
        """The basis once rows that do not bind are added."""
        return Basis(
            self.column, np.concatenate([self.row, np.full(added, _BASIC, np.int8)]), self.group
        )

    def moved(self, program: Program, old: NDArray[np.int64], new: NDArray[np.int64]) -> Basis:
        """The basis over other columns of a program; those that come in rest at a bound.

        Parameters
        ----------
        old, new
            ascending columns of the program that the basis is over, and is to be over.
        """
        lower, upper = program.lower[new], program.upper[new]
        resting = np.where(np.isfinite(upper), _AT_UPPER, _FREE)
        column = np.where(np.isfinite(lower), _AT_LOWER, resting).astype(np.int8)
        _, where, source = np.intersect1d(new, old, assume_unique=True, return_indices=True)
        column[where] = self.column[source]
        return Basis(column, self.row, self.group)


@dataclass(frozen=True, slots=True)
class LinearAnswer:
    """An optimal basic solution of the linear relaxation.

    Attributes
    ----------
    objective
        its value.
    values
        (columns,) primal values.
    row_dual, group_dual
        (rows,) and (groups,) dual values: objective per unit of the side.
    basis
        what it rests on.
    work
        seconds it would take on a nominal machine.
    """

    objective: float
    values: NDArray[np.float64]
    row_dual: NDArray[np.float64]
    group_dual: NDArray[np.float64]
    basis: Basis
    work: float


def linear_answer(
    program: Program, seconds: float, basis: Basis | None = None, *, rows_added: bool = False
) -> LinearAnswer | None:
    """Solve the linear relaxation with GLOP; None where it is infeasible or time runs out.

    Parameters
    ----------
    basis
        where to start from; one that does not fit the program is passed over.
    rows_added
        whether ``basis`` was optimal until rows came in, so that the dual simplex goes on best.
    """
    request = rpc_pb2.SolveRequest(
        solver_type=parameters_pb2.SOLVER_TYPE_GLOP, model=model_proto(program, relax=True)
    )
    set_limit(request.parameters, seconds)
    if basis is not None and _starts_from(request, program, basis):
        request.parameters.presolve = parameters_pb2.EMPHASIS_OFF
        request.parameters.lp_algorithm = (
            parameters_pb2.LP_ALGORITHM_DUAL_SIMPLEX
            if rows_added
            else parameters_pb2.LP_ALGORITHM_PRIMAL_SIMPLEX
        )
    try:
        result = answer(request)
    except StatusNotOk:
        return None if basis is None else linear_answer(program, seconds)
    if result.termination.reason != result_pb2.TERMINATION_REASON_OPTIMAL:
        in_doubt = basis is not None and result.termination.reason in _IN_DOUBT
        return linear_answer(program, seconds) if in_doubt else None
    return _understood(program, result)


def _starts_from(request: rpc_pb2.SolveRequest, program: Program, basis: Basis) -> bool:
    """Put the basis into the request; False where it would not be one of the program."""
    sizes = len(basis.column), len(basis.row), len(basis.group)
    if sizes != (program.n_columns, program.n_rows, program.n_groups):
        return False
    present = np.array(request.model.linear_constraints.ids, dtype=np.int64)
    status = np.concatenate([basis.row, basis.group])[present]
    basic = int(np.count_nonzero(status == _BASIC) + np.count_nonzero(basis.column == _BASIC))
    if basic != len(present):
        return False
    initial = request.model_parameters.initial_basis
    initial.variable_status.ids.extend(range(program.n_columns))
    initial.variable_status.values.extend(basis.column.tolist())
    initial.constraint_status.ids.extend(present.tolist())
    initial.constraint_status.values.extend(status.tolist())
    return True


def _understood(program: Program, result: result_pb2.SolveResultProto) -> LinearAnswer | None:
    solution = result.solutions[0]
    n, m = program.n_columns, program.n_rows
    values = _dense(solution.primal_solution.variable_values, np.zeros(n))
    dual = _dense(solution.dual_solution.dual_values, np.zeros(m + program.n_groups))
    column = _dense(solution.basis.variable_status, np.full(n, _AT_LOWER, np.int8))
    row = _dense(solution.basis.constraint_status, np.full(m + program.n_groups, _BASIC, np.int8))
    iterations = max(int(result.solve_stats.simplex_iterations), 1)
    return LinearAnswer(
        objective=program.objective(values),
        values=values,
        row_dual=dual[:m],
        group_dual=dual[m:],
        basis=Basis(column, row[:m], row[m:]),
        work=WORK * iterations * (len(program.row) + m),
    )


def _dense(vector: Any, into: NDArray[Any]) -> NDArray[Any]:
    """A sparse vector of a protocol buffer, written into an array of what it leaves out."""
    into[np.array(vector.ids, dtype=np.int64)] = np.array(vector.values)
    return into
