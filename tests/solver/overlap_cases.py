"""Offers with known values for the tests of overlap, valued by the verifier's quadrature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.instances.scenario import Assumptions
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.solver.offers import Offers
from bundlewise.solver.verifier_economics import Side, sensitivity_nodes, shares

from .factories import make_beliefs, make_catalogue, make_instance, make_scenario

_VISITS = 10_000.0


@dataclass(frozen=True)
class Case:
    """Products of 10.00 that cost 5.00, and offers of them (money off in cents)."""

    pairs: tuple[tuple[int, int], ...]
    odds_ratio: tuple[float, ...]
    money_off: tuple[int, ...]
    probability: tuple[float, ...] = (0.05, 0.04, 0.03, 0.06)
    sensitivity: tuple[float, ...] = (3.0, 4.0, 2.5, 3.5)
    scale: tuple[float, ...] = (0.0,) * 9
    capped: tuple[bool, ...] = (False,) * 9
    deepest_cut: float = 1.0


def make_offers(case: Case, assumptions: Assumptions | None) -> tuple[Instance, Beliefs, Offers]:
    """The case as an instance, beliefs and offers with their expected incremental margins."""
    count = len(case.probability)
    catalogue = make_catalogue([f"{k:02d}" for k in range(count)])
    assumptions = assumptions or Assumptions()
    instance = make_instance(catalogue, make_scenario(assumptions=assumptions), visits=_VISITS)
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=case.probability),
        price_sensitivity=np.array(case.sensitivity),
        sensitivity_location=np.array(case.sensitivity),
        sensitivity_scale=np.array(case.scale[:count]),
        deepest_cut=np.full(count, case.deepest_cut),
        **_pairs(case),
    )
    n = len(case.pairs)
    values = np.array([_value(case, beliefs, assumptions, k) for k in range(n)])
    zero = np.zeros(n)
    money_off = np.array(case.money_off, dtype=np.int64)
    offers = Offers(
        products=np.array(case.pairs, dtype=np.int32),
        candidate=np.arange(n, dtype=np.int32),
        level=np.zeros(n, dtype=np.int16),
        level_mask=np.ones(n, dtype=np.uint64),
        list_price=np.full(n, 2000, dtype=np.int64),
        bundle_price=2000 - money_off,
        value=values,
        incremental_margin=values,
        bundle_units=zero,
        subsidised_units=zero,
        added_units=np.zeros((n, 2)),
        margin_rate=zero,
        capped=np.array(case.capped[:n]),
        n_candidates=n,
        n_scored=n,
    )
    return instance, beliefs, offers


def _pairs(case: Case) -> dict[str, np.ndarray]:
    """The pairs of the case as beliefs hold them."""
    pair = np.array(case.pairs, dtype=np.int32)
    order = np.lexsort((pair[:, 1], pair[:, 0]))
    first, second = pair[order].T
    psi, q = np.array(case.odds_ratio)[order], np.array(case.probability)
    return {
        "pair_a": first,
        "pair_b": second,
        "pair_orders": np.full(len(pair), 5),
        "pair_joint": joint_probability(q[first], q[second], psi),
        "odds_ratio": psi,
        "odds_spread": np.zeros(len(pair)),
    }


def _value(case: Case, beliefs: Beliefs, assumptions: Assumptions, k: int) -> float:
    """Expected incremental margin of an offer alone, cents a week."""
    nodes = [
        sensitivity_nodes(
            {
                "sensitivity_location": beliefs.sensitivity_location[x],
                "sensitivity_scale": beliefs.sensitivity_scale[x],
                "sensitivity_cap": beliefs.sensitivity_cap[x],
            }
        )
        for x in case.pairs[k]
    ]
    eta = np.meshgrid(nodes[0][0], nodes[1][0], indexing="ij")
    weight = np.outer(nodes[0][1], nodes[1][1])
    off = float(case.money_off[k])
    reach = min(off, case.deepest_cut * 1000.0) if case.capped[k] else off
    sides = [
        Side(case.probability[x], values.ravel(), 1000.0, reach)
        for x, values in zip(case.pairs[k], eta, strict=True)
    ]
    found = shares(sides[0], sides[1], case.odds_ratio[k], off)
    net = 1 + assumptions.tax_rate
    margin, given = 1000.0 / net - 500.0, off / net
    subsidised = found.subsidised
    if assumptions.redemption == "automatic":
        subsidised = subsidised / assumptions.exposure
    gain = (found.adds_first + found.adds_second) * (margin - given)
    gain = gain + found.both * (2 * margin - given) - subsidised * given
    expected = float(np.average(gain, weights=weight.ravel()))
    return _VISITS * assumptions.exposure * expected - 100 * assumptions.offer_cost
