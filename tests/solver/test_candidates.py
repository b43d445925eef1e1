"""Which pairs become candidates, and what is counted of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.previous_plan import PreviousBundle, PreviousPlan
from bundlewise.instances.rules import Locked, MustInclude, Rule
from bundlewise.instances.scenario import Candidates
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.solver.candidates import CandidatePairs, candidate_pairs

from .factories import make_beliefs, make_catalogue, make_instance, make_scenario

IDS = ("a", "b", "c", "d")


def found(
    *,
    candidates: Candidates | None = None,
    rules: Sequence[Rule] = (),
    unavailable: Sequence[int] = (),
    category: Sequence[str] = ("x", "x", "y", ""),
    q: Sequence[float] = (0.1, 0.2, 0.05, 0.02),
    last_week: Sequence[tuple[str, ...]] = (),
) -> tuple[CandidatePairs, dict[str, int]]:
    """Counted pairs: a+b 9 orders, a+c 5, b+d 3."""
    catalogue = make_catalogue(IDS, category=category)
    catalogue.available[list(unavailable)] = False
    scenario = make_scenario(rules=rules).model_copy(
        update={"candidates": candidates or Candidates()}
    )
    instance = make_instance(catalogue, scenario)
    if last_week:
        plan = PreviousPlan(Path("plan.csv"), tuple(PreviousBundle(ids, 0) for ids in last_week))
        instance = replace(instance, previous_plan=plan)
    return candidate_pairs(instance, beliefs(catalogue, q))


def beliefs(catalogue: object, q: Sequence[float]) -> Beliefs:
    first, second = np.array([0, 0, 1]), np.array([1, 2, 3])
    psi = np.array([2.0, 3.0, 4.0])
    probability = np.array(q)
    return replace(
        make_beliefs(catalogue, purchase_probability=q),  # pyright: ignore[reportArgumentType]
        pair_a=first.astype(np.int32),
        pair_b=second.astype(np.int32),
        pair_orders=np.array([9, 5, 3]),
        pair_joint=joint_probability(probability[first], probability[second], psi),
        odds_ratio=psi,
        odds_spread=np.full(3, 0.1),
    )


def named(pairs: CandidatePairs) -> list[str]:
    return [IDS[a] + IDS[b] for a, b in zip(pairs.first, pairs.second, strict=True)]


def test_support() -> None:
    pairs, counts = found()
    assert named(pairs) == ["ab", "ac"]
    assert pairs.odds_ratio.tolist() == [2.0, 3.0]
    assert counts["support"] == 1
    pairs, counts = found(candidates=Candidates(min_support=3))
    assert named(pairs) == ["ab", "ac", "bd"]
    assert counts["support"] == 0


def test_unavailable_products() -> None:
    pairs, counts = found(unavailable=[2])
    assert named(pairs) == ["ab"]
    assert counts["unavailable"] == 1


def test_products_nobody_bought() -> None:
    pairs, counts = found(q=(0.1, 0.2, 0.0, 0.02))
    assert named(pairs) == ["ab"]
    assert counts["unavailable"] == 1


def test_same_category() -> None:
    pairs, counts = found(candidates=Candidates(allow_same_category=False))
    assert named(pairs) == ["ac"]
    assert counts["same category"] == 1


def test_no_category_is_not_the_same_category() -> None:
    pairs, _ = found(candidates=Candidates(allow_same_category=False), category=("", "", "", ""))
    assert named(pairs) == ["ab", "ac"]


@pytest.mark.parametrize(
    "rule",
    [
        MustInclude(kind="must-include", products=("d", "b")),
        Locked(kind="locked", products=("b", "d"), level=0.1),
    ],
)
def test_rules_force_pairs_below_the_support(rule: Rule) -> None:
    pairs, _ = found(rules=[rule])
    assert named(pairs) == ["ab", "ac", "bd"]
    assert pairs.forced.tolist() == [False, False, True]
    # counted, if too rarely to be a candidate: the learned odds ratio holds
    assert pairs.odds_ratio[2] == pytest.approx(4.0)
    assert pairs.joint_probability[2] == pytest.approx(joint_probability(0.2, 0.02, 4.0))


def test_a_forced_pair_that_was_never_counted_asks_the_beliefs() -> None:
    rule = MustInclude(kind="must-include", products=("c", "d"))
    pairs, _ = found(rules=[rule])
    assert named(pairs) == ["ab", "ac", "cd"]
    expected = joint_probability(0.05, 0.02, pairs.odds_ratio[2])
    assert pairs.joint_probability[2] == pytest.approx(expected)


def test_a_forced_pair_of_one_category_stays() -> None:
    rule = MustInclude(kind="must-include", products=("a", "b"))
    pairs, counts = found(rules=[rule], candidates=Candidates(allow_same_category=False))
    assert named(pairs) == ["ab", "ac"]
    assert counts["same category"] == 0


def test_last_weeks_bundles_stay_below_the_support() -> None:
    # "z" is no longer in the table, and three products are no pair
    pairs, _ = found(last_week=[("b", "d"), ("a", "z"), ("a", "b", "c")])
    assert named(pairs) == ["ab", "ac", "bd"]
    assert pairs.forced.tolist() == [False, False, True]


def test_last_weeks_bundles_keep_to_the_categories() -> None:
    # a and b are of one category: no rule of this week's scenario names the pair
    few = Candidates(allow_same_category=False)
    pairs, counts = found(last_week=[("a", "b"), ("b", "d")], candidates=few)
    assert named(pairs) == ["ac", "bd"]
    assert counts["same category"] == 1


def test_a_forced_pair_of_an_unavailable_product_is_reported() -> None:
    rule = MustInclude(kind="must-include", products=("a", "c"))
    pairs, counts = found(rules=[rule], unavailable=[2])
    assert named(pairs) == ["ab"]
    assert (counts["forced unavailable"], counts["unavailable"]) == (1, 0)
