"""What a verified plan promises is delivered by the shoppers of a shop whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.instances.seed_case import seed_shop, write_seed_case
from bundlewise.instances.synthetic_shoppers import simulate_bundles
from bundlewise.models.learning import learn
from bundlewise.solver import solve, verify_files


@pytest.mark.parametrize("per_product", [1, 3])
def test_the_seed_case_delivers_what_its_plan_promises(tmp_path: Path, per_product: int) -> None:
    """At least the low end of the interval, less 2 standard errors of the simulation.

    Not the promised mean at most: the response is not credited past the deepest cut seen.
    """
    write_seed_case(tmp_path)
    path = tmp_path / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    limit = "max_bundles_per_product = 1"
    assert limit in text
    path.write_text(text.replace(limit, f"{limit[:-1]}{per_product}"), encoding="utf-8")
    instance = load_instance(read_scenario(path))
    plan = solve(instance, learn(instance))
    assert verify_files(plan.files(), instance=instance) == ()
    assert len(plan.offers) >= 8

    shop = seed_shop()
    row = {name: k for k, name in enumerate(shop.product_ids)}
    pairs = np.array([[row[name] for name in ids.split(";")] for ids in plan.offers["product_ids"]])
    discount = (plan.offers["list_price"] - plan.offers["bundle_price"]).to_numpy()
    found = simulate_bundles(shop, pairs, discount, 50_000, 7)
    delivered = instance.visits * found["gain"].sum() / 100
    error = instance.visits * np.sqrt((found["gain_se"] ** 2).sum()) / 100
    assert delivered > plan.report["kpis"]["incremental_margin_low"] - 2 * error
    assert error < 0.02 * delivered
