"""HiGHS, SCIP and GLOP through MathOpt, which takes whole arrays as a protocol buffer."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from scipy import sparse

from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, cannot_be_unbounded, conclude, settled
from .interface import Clock, EngineSettings, Progress, ProgressCallback

_SOLVERS = {"highs": mathopt.SolverType.HIGHS, "scip": mathopt.SolverType.GSCIP}
_REASON = mathopt.TerminationReason


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
    """

    objective: float
    values: NDArray[np.float64]
    row_dual: NDArray[np.float64]
    group_dual: NDArray[np.float64]


def solve_mathopt(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
) -> Solution:
    """Solve the whole program with the HiGHS or SCIP that comes with OR-Tools."""
    name = settings.engine
    raw = integer_answer(program, name, settings, clock)
    raw = _repaired(program, name, settings, clock, raw)
    solution = conclude(program, settings, raw, engine=name)
    if progress is not None:
        progress(Progress(clock.spent(), solution.objective, solution.bound, name))
    return solution


def integer_answer(
    program: Program,
    name: str,
    settings: EngineSettings,
    clock: Clock,
    *,
    hint: NDArray[np.float64] | None = None,
    node_limit: int | None = None,
) -> RawAnswer:
    """Solve the integer program; the answer is as the solver gives it, not yet re-verified.

    MathOpt cannot set HiGHS's threads (they are global to the process); HiGHS takes its
    default. SCIP's branch and bound runs on one thread.
    """
    model = mathopt.Model.from_model_proto(_proto(program, relax=False))
    if clock.over():
        return RawAnswer(None, None, limit="time")
    parameters = mathopt.SolveParameters(
        time_limit=datetime.timedelta(seconds=clock.left()),
        relative_gap_tolerance=settings.gap,
        random_seed=settings.seed,
        node_limit=node_limit,
    )
    variables = list(model.variables())
    model_parameters = None
    if hint is not None and name == "scip":
        start = mathopt.SolutionHint(variable_values=dict(zip(variables, hint, strict=True)))
        model_parameters = mathopt.ModelSolveParameters(solution_hints=[start])
    result = mathopt.solve(model, _SOLVERS[name], params=parameters, model_params=model_parameters)
    termination = result.termination
    values = None
    if result.has_primal_feasible_solution():
        values = np.array(result.variable_values(variables), dtype=np.float64)
    return RawAnswer(
        values=values,
        bound=termination.objective_bounds.dual_bound,
        infeasible=termination.reason in (_REASON.INFEASIBLE, _REASON.INFEASIBLE_OR_UNBOUNDED)
        and cannot_be_unbounded(program),
        limit=_limit(termination.limit),
    )


def linear_answer(program: Program, seconds: float) -> LinearAnswer | None:
    """Solve the linear relaxation with GLOP; None where it is infeasible or time runs out."""
    model = mathopt.Model.from_model_proto(_proto(program, relax=True))
    parameters = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=max(seconds, 1e-3)))
    result = mathopt.solve(model, mathopt.SolverType.GLOP, params=parameters)
    if result.termination.reason != _REASON.OPTIMAL:
        return None
    values = np.array(result.variable_values(list(model.variables())), dtype=np.float64)
    duals = np.zeros(program.n_rows + program.n_groups)
    for constraint, dual in result.dual_values().items():
        duals[constraint.id] = dual
    return LinearAnswer(
        objective=program.objective(values),
        values=values,
        row_dual=duals[: program.n_rows],
        group_dual=duals[program.n_rows :],
    )


def _repaired(
    program: Program, name: str, settings: EngineSettings, clock: Clock, raw: RawAnswer
) -> RawAnswer:
    """Try once more with tighter sides where rounding the incumbent broke a row.

    Solvers accept rows within their own tolerance; the bound of the first try stays.
    """
    if raw.values is None or settled(program, raw.values) is not None or clock.over():
        return raw
    whole = np.where(program.integral, np.round(raw.values), raw.values)
    over = program.activity(whole) - program.row_upper
    under = program.row_lower - program.activity(whole)
    tighter = program.with_sides(
        program.row_lower + np.where(under > 0, 2 * under, 0.0),
        program.row_upper - np.where(over > 0, 2 * over, 0.0),
    )
    if np.any(tighter.row_lower > tighter.row_upper):
        return raw
    again = integer_answer(tighter, name, settings, clock)
    return RawAnswer(again.values, raw.bound, limit=again.limit or raw.limit)


def _proto(program: Program, *, relax: bool) -> model_pb2.ModelProto:
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


def _limit(limit: mathopt.Limit | None) -> str | None:
    if limit is None:
        return None
    named = {mathopt.Limit.TIME: "time", mathopt.Limit.INTERRUPTED: "interrupt"}
    return named.get(limit, limit.name.lower())
