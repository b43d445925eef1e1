"""Published knapsacks as programs, their exact check, and figures that contradict what is known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.mmkp import MmkpInstance, MmkpReference, read_mmkp, read_references
from bundlewise.solver import mmkp_benchmark
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.mmkp import check_mmkp, mmkp_program
from bundlewise.solver.mmkp_benchmark import solve_mmkp, summary
from bundlewise.solver.solution import Solution, Status

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "mmkp"
ENGINES = ("auto", "highs", "cp-sat", "pulp:CBC")


def small(**changes: object) -> MmkpInstance:
    """Classes {7, 9}, {2, 6, 5}: values 0.7, 0.9, 0.2, 0.6, 0.5; weights in tenths.

    Items 1 and 3 weigh 0.5 + 0.6 = 1.1 of 1.0, items 1 and 4 exactly 1.0: worth 1.4.
    Items 0 and 3 weigh 0.9 and are worth 1.3.
    """
    instance = MmkpInstance(
        name="small.txt",
        item_class=np.array([0, 0, 1, 1, 1], dtype=np.int32),
        values=np.array([7, 9, 2, 6, 5]),
        weights=np.array([[3, 0], [5, 1], [0, 0], [6, 2], [5, 1]]),
        capacities=np.array([10, 2]),
        value_places=1,
        weight_places=1,
    )
    return replace(instance, **changes)  # pyright: ignore[reportArgumentType]


def chosen(*items: int) -> np.ndarray:
    values = np.zeros(5)
    values[list(items)] = 1.0
    return values


def random_instance(seed: int) -> MmkpInstance:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, size=5)
    item_class = np.repeat(np.arange(5), sizes).astype(np.int32)
    weights = rng.integers(0, 100, size=(len(item_class), 3))
    capacities = rng.integers(100, 300, size=3)
    values = rng.integers(-20, 1000, size=len(item_class))
    return MmkpInstance("random.txt", item_class, values, weights, capacities, 2, 1)


def enumerated(instance: MmkpInstance) -> Decimal | None:
    """The best value over all choices, in whole numbers."""
    members = [np.flatnonzero(instance.item_class == c) for c in range(instance.n_classes)]
    best: int | None = None
    for items in product(*members):
        if np.all(instance.weights[list(items)].sum(axis=0) <= instance.capacities):
            value = int(instance.values[list(items)].sum())
            best = value if best is None else max(best, value)
    return None if best is None else Decimal(best).scaleb(-instance.value_places)


def test_the_program_says_what_the_instance_says():
    program = mmkp_program(small())
    assert program.value.tolist() == [0.7, 0.9, 0.2, 0.6, 0.5]
    assert program.group.tolist() == [0, 0, 1, 1, 1]
    assert program.group_exact.tolist() == [True, True]
    assert program.row_name == ("resource[1]", "resource[2]")
    assert program.row_upper.tolist() == [10, 2]
    assert np.all(np.isneginf(program.row_lower))
    assert program.matrix().toarray().T.tolist() == small().weights.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_capacity_may_be_used(engine: str):
    solution = solve_program(mmkp_program(small()), EngineSettings(engine=engine, gap=0.0))
    assert solution.values is not None
    assert np.flatnonzero(solution.values).tolist() == [1, 4]
    assert check_mmkp(small(), solution.values).value == Decimal("1.4")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(6))
def test_engines_find_what_enumeration_finds(engine: str, seed: int):
    instance = random_instance(seed)
    best = enumerated(instance)
    result = solve_mmkp(instance, EngineSettings(engine=engine, gap=0.0, time_limit=20))
    assert result.problems == ()
    if best is None:
        assert (result.status, result.value) == (Status.INFEASIBLE, None)
    else:
        assert (result.status, result.value) == (Status.OPTIMAL, float(best))
        assert result.bound == float(best)


@pytest.mark.parametrize(
    ("items", "problems"),
    [
        ((0, 2), ()),
        ((1, 4), ()),
        ((1, 3), ("resource 1: 1.1 used of 1.0", "resource 2: 0.3 used of 0.2")),
        ((0,), ("class 2: 0 items chosen, not exactly one",)),
        ((0, 1, 2), ("class 1: 2 items chosen, not exactly one",)),
    ],
)
def test_the_check_names_each_class_and_resource(items: tuple[int, ...], problems: tuple[str, ...]):
    assert check_mmkp(small(), chosen(*items)).problems == problems


def test_the_check_has_no_tolerance():
    # One part in 10^13 over the capacity: kept by every solver's tolerance, not by the instance.
    weights = np.array([[3, 0], [5 * 10**12, 1], [0, 0], [6, 2], [5 * 10**12 + 1, 1]])
    instance = small(weights=weights, capacities=np.array([10**13, 2]))
    values = chosen(1, 4)
    assert mmkp_program(instance).is_feasible(values)
    assert check_mmkp(instance, values).problems == (
        "resource 1: 1000000000000.1 used of 1000000000000.0",
    )


def test_the_check_counts_what_is_chosen_in_part():
    values = chosen(0, 2)
    values[1] = 1e-9
    assert check_mmkp(small(), values).problems == ("an item is chosen in part",)


def test_sums_do_not_wrap_round():
    largest = 2**53
    n = 1100  # 1100 × 2^53 is above 2^63
    instance = MmkpInstance(
        name="large.txt",
        item_class=np.arange(n, dtype=np.int32),
        values=np.full(n, largest),
        weights=np.full((n, 1), largest),
        capacities=np.array([largest]),
    )
    check = check_mmkp(instance, np.ones(n))
    assert check.value == n * largest
    assert check.problems == (f"resource 1: {n * largest} used of {largest}",)


def answer(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Make every engine answer items 1 and 4, optimal at 1.4, but for the changes."""
    solution = Solution(
        status=Status.OPTIMAL,
        limit=None,
        values=chosen(1, 4),
        objective=1.4,
        bound=1.4,
        bound_source="test",
        engine="test",
    )
    changed = replace(solution, **changes)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(mmkp_benchmark, "solve_program", lambda *_: changed)


def reference(best: str, bound: str, kind: str = "optimal") -> MmkpReference:
    return MmkpReference(Decimal(best), Decimal(bound), kind)


def test_figures_beside_a_reference(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, status=Status.FEASIBLE, bound=1.57)
    result = solve_mmkp(small(), EngineSettings(), reference("1.5", "1.6", "best known"))
    # Values have one decimal, so none is above 1.5 where none is above 1.57.
    assert (result.value, result.bound) == (1.4, 1.5)
    assert result.gap == pytest.approx(0.1 / 1.4)
    assert result.difference == pytest.approx(-0.1 / 1.5)
    assert (result.reference, result.reference_kind) == (1.5, "best known")
    assert (result.status, result.problems) == (Status.FEASIBLE, ())


def test_a_bound_that_rounds_down_to_the_value_is_a_proof(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, status=Status.FEASIBLE, limit="time", bound=1.4999)
    result = solve_mmkp(small(), EngineSettings(gap=0.0))
    assert (result.status, result.bound, result.gap) == (Status.OPTIMAL, 1.4, 0.0)
    answer(monkeypatch, status=Status.FEASIBLE, limit="time", bound=1.5 - 1e-12)
    result = solve_mmkp(small(), EngineSettings(gap=0.0))
    assert (result.status, result.bound) == (Status.FEASIBLE, 1.5)


@pytest.mark.parametrize(
    ("changes", "known", "problem"),
    [
        ({"values": chosen(1, 3)}, None, "small.txt: resource 1: 1.1 used of 1.0"),
        ({}, ("1.5", "1.5"), "a bound of 1.4 was claimed below the reference's value 1.5"),
        ({}, ("1.2", "1.3"), "worth 1.4, above the reference's proven bound 1.3"),
        ({"bound": 1.2}, None, "a bound of 1.2 was claimed below the value 1.4"),
        (
            {"status": Status.INFEASIBLE, "values": None, "objective": None, "bound": None},
            ("1.4", "1.4"),
            "called infeasible, but the references hold a solution worth 1.4",
        ),
    ],
)
def test_what_cannot_be_true_is_a_problem(
    changes: dict[str, object],
    known: tuple[str, str] | None,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
):
    answer(monkeypatch, **changes)
    stated = None if known is None else reference(*known)
    assert any(problem in line for line in solve_mmkp(small(), EngineSettings(), stated).problems)


def test_the_summary_counts_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch)
    known = solve_mmkp(small(), EngineSettings(), reference("1.4", "1.4"))
    answer(monkeypatch, status=Status.UNKNOWN, limit="time", values=None, objective=None)
    late = solve_mmkp(small(), EngineSettings(), reference("1.4", "1.4"))
    summed = summary([known, late])
    assert (summed["instances"], summed["solved"], summed["optimal"]) == (2, 1, 1)
    assert (summed["referenced"], summed["mean_difference"], summed["mean_gap"]) == (1, 0.0, 0.0)
    nothing = summary([late])
    assert nothing["mean_difference"] is None
    assert nothing["worst_difference"] is None
    assert nothing["mean_gap"] is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published instances are not here")
@pytest.mark.parametrize("name", ["khan_I01.txt", "khan_I05.txt", "hh_5x10x25_26.txt"])
def test_published_optima_are_met(name: str):
    instance = read_mmkp(SHARED / name)
    known = read_references(SHARED / "reference.csv")[name]
    result = solve_mmkp(instance, EngineSettings(gap=0.0, time_limit=20), known)
    assert (result.status, result.problems, result.difference) == (Status.OPTIMAL, (), 0.0)
