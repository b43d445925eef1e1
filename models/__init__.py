"""What do we believe: purchase, price response and affinity, learned and scored.

The public names load on first use, so that ``bundlewise --help`` imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .beliefs import Beliefs
    from .beliefs_folder import check_beliefs_target, load_beliefs, save_beliefs
    from .copula import joint_probability, odds_ratio_of
    from .evaluation import evaluate
    from .learning import learn
    from .pair_counts import PairCounts, count_pairs
    from .product_graph import graph_of
    from .relation_model import RelationModel

_HOMES = {
    "Beliefs": "beliefs",
    "PairCounts": "pair_counts",
    "RelationModel": "relation_model",
    "check_beliefs_target": "beliefs_folder",
    "count_pairs": "pair_counts",
    "evaluate": "evaluation",
    "graph_of": "product_graph",
    "joint_probability": "copula",
    "learn": "learning",
    "load_beliefs": "beliefs_folder",
    "odds_ratio_of": "copula",
    "save_beliefs": "beliefs_folder",
}

__all__ = [
    "Beliefs",
    "PairCounts",
    "RelationModel",
    "check_beliefs_target",
    "count_pairs",
    "evaluate",
    "graph_of",
    "joint_probability",
    "learn",
    "load_beliefs",
    "odds_ratio_of",
    "save_beliefs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
