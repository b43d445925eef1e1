"""What the learned plan lacks: the same planning with one learned thing at a time made better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.solver.scoring import score_offers

from .clairvoyant_choice import Chosen, best_plan
from .clairvoyant_policies import by_pair
from .clairvoyant_posterior import TruePosterior
from .clairvoyant_shops import BUNDLES


def better_informed_plans(
    instance: Instance, beliefs: Beliefs, posterior: TruePosterior
) -> dict[str, Chosen]:
    """Plans by expected value, some of the beliefs being those of the true posterior.

    ``q``, ``η`` (mean and spread) and ``ψ`` (mean) are replaced one by one, then all of them, and
    last all of them without the cap at the deepest cuts.
    """
    eta, tied = posterior.sensitivity, posterior.tied
    a, b = beliefs.pair_a, beliefs.pair_b
    changes = {
        "q": {"purchase_probability": posterior.probability.mean(axis=1)},
        "η": {
            "price_sensitivity": eta.mean(axis=1),
            "sensitivity_location": eta.mean(axis=1),
            "sensitivity_scale": eta.std(axis=1),
        },
        "ψ": {"odds_ratio": (1 + tied * (posterior.odds_ratio.mean(axis=2) - 1))[a, b]},
    }
    changes["q, η, ψ"] = changes["q"] | changes["η"] | changes["ψ"]
    uncapped = {"deepest_cut": np.ones_like(beliefs.deepest_cut)}
    changes["q, η, ψ, no cap"] = changes["q, η, ψ"] | uncapped
    plans = {}
    for name, change in changes.items():
        other = replace(beliefs, **change)
        q = other.purchase_probability
        with np.errstate(invalid="ignore"):  # in the branch that is not taken
            joint = joint_probability(q[a], q[b], other.odds_ratio)
        offers, _ = score_offers(instance, replace(other, pair_joint=joint))
        plans[name] = best_plan(*by_pair(offers)[:3], BUNDLES)
    return plans
