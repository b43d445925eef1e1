"""The closed forms of explanations against the kernel they explain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.instance import Instance
from bundlewise.instances.scenario import Assumptions
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.solver.candidates import candidate_pairs
from bundlewise.solver.economics import category_mean_margin, pair_economics, unit_gain
from bundlewise.solver.scoring_kernel import product_table, score_pairs, terms_of

from .factories import make_beliefs, make_catalogue, make_instance, make_scenario


def pairs_of_shops(n_pairs: int, seed: int, tax_rate: float = 0.0) -> tuple[Instance, Beliefs]:
    """Pair k is made of products 2k and 2k + 1; prices of about 1,000.00, so a cent is little."""
    random = np.random.default_rng(seed)
    n = 2 * n_pairs
    price = random.integers(50_000, 200_000, n)
    catalogue = replace(
        make_catalogue([f"{k:04d}" for k in range(n)], price=price.tolist()),
        unit_cost=(price / (1 + tax_rate) * random.uniform(0.5, 0.9, n)).astype(np.int64),
    )
    q = np.exp(random.uniform(np.log(1e-4), np.log(0.3), n))
    psi = np.exp(random.uniform(np.log(0.2), np.log(50.0), n_pairs))
    eta = random.uniform(0.5, 5.0, n)
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=q.tolist()),
        price_sensitivity=eta,
        sensitivity_location=eta,
        sensitivity_scale=np.zeros(n),
        deepest_cut=np.ones(n),
        pair_a=np.arange(0, n, 2, dtype=np.int32),
        pair_b=np.arange(1, n, 2, dtype=np.int32),
        pair_orders=np.full(n_pairs, 9),
        pair_joint=joint_probability(q[::2], q[1::2], psi),
        odds_ratio=psi,
        odds_spread=np.full(n_pairs, 0.1),
    )
    scenario = make_scenario(assumptions=Assumptions(tax_rate=tax_rate))
    return make_instance(catalogue, scenario, visits=1e6), beliefs


@pytest.mark.parametrize("tax_rate", [0.0, 0.19])
def test_gain_condition_for_the_first_cents(tax_rate: float) -> None:
    """Σ e_x η_x (1−q_x) m_x/r_x > 1 says whether the first cents off earn or cost."""
    instance, beliefs = pairs_of_shops(300, seed=4, tax_rate=tax_rate)
    found = pair_economics(
        instance, beliefs, beliefs.pair_a, beliefs.pair_b,
        beliefs.odds_ratio, beliefs.pair_joint,
    )  # fmt: skip
    pairs, _ = candidate_pairs(instance, beliefs)
    cents = np.full((300, 1), 10)
    scores = score_pairs(pairs, cents, product_table(instance, beliefs, 1), terms_of(instance))
    spend = scores.subsidised_units * 10 / (1.0 + tax_rate)
    # per cent given to those who buy both anyway, the margin is Σ response − 1
    assert (scores.incremental_margin / spend)[:, 0] == pytest.approx(
        found.response.sum(axis=1) - 1.0, abs=0.02
    )
    assert 30 < found.gains.sum() < 270
    clear = np.abs(found.response.sum(axis=1) - 1.0) > 0.02
    assert (found.gains == (scores.incremental_margin[:, 0] > 0))[clear].all()


def test_edge_is_near_one_for_rare_products() -> None:
    instance, beliefs = pairs_of_shops(50, seed=5)
    rare = beliefs.purchase_probability * 1e-4
    psi = beliefs.odds_ratio
    joint = joint_probability(rare[::2], rare[1::2], psi)
    found = pair_economics(
        instance, replace(beliefs, purchase_probability=rare),
        beliefs.pair_a, beliefs.pair_b, psi, joint,
    )  # fmt: skip
    assert found.reach == pytest.approx(1.0, abs=0.01)
    assert found.lift_over_independence == pytest.approx(psi, rel=0.01)


@pytest.mark.parametrize(("margin", "eta"), [(0.5, 2.0), (0.3, 3.0), (0.6, 1.5), (0.3, 1.5)])
def test_break_even_discount_of_equal_products(margin: float, eta: float) -> None:
    """Two equal rare products: the last discount that gains is about m/r − 1/(2η)."""
    price = 100_000
    catalogue = replace(
        make_catalogue(["a", "b"], price=[price, price]),
        unit_cost=np.full(2, round(price * (1 - margin))),
    )
    joint = joint_probability(np.array([0.001]), np.array([0.001]), np.array([4.0]))
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=0.001),
        price_sensitivity=np.full(2, eta),
        sensitivity_location=np.full(2, eta),
        sensitivity_scale=np.zeros(2),
        deepest_cut=np.ones(2),
        pair_a=np.array([0], dtype=np.int32),
        pair_b=np.array([1], dtype=np.int32),
        pair_orders=np.array([9]),
        pair_joint=joint,
        odds_ratio=np.array([4.0]),
        odds_spread=np.array([0.1]),
    )
    instance = make_instance(catalogue, make_scenario())
    found = pair_economics(
        instance, beliefs, beliefs.pair_a, beliefs.pair_b, beliefs.odds_ratio, joint
    )
    pairs, _ = candidate_pairs(instance, beliefs)
    discount = np.arange(0, price, 100)[None]
    scores = score_pairs(pairs, discount, product_table(instance, beliefs, 1), terms_of(instance))
    gaining = np.flatnonzero(scores.incremental_margin[0] > 0)
    last = discount[0, gaining[-1]] / (2 * price) if len(gaining) else 0.0
    assert last == pytest.approx(max(found.break_even_discount[0], 0.0), abs=0.06)
    assert bool(found.gains[0]) == (len(gaining) > 0)


def test_category_mean_margin_and_diversion() -> None:
    catalogue = replace(
        make_catalogue(
            ["a", "b", "c", "d"], category=["x", "x", "y", "x"], price=[1000, 600, 500, -1]
        ),
        unit_cost=np.array([400, 300, 100, -1]),
    )
    instance = make_instance(catalogue, make_scenario(assumptions=Assumptions(diversion=0.5)))
    # x: margins 600 and 300 (d has no price); y: 400
    assert category_mean_margin(instance).tolist() == [450.0, 450.0, 400.0, 450.0]
    assert unit_gain(instance)[:3].tolist() == [375.0, 75.0, 200.0]
