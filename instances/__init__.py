"""What is the problem: tables, cleaning, scenario files, sample data and generators.

The public names load on first use, so that ``bundlewise --help`` imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .complete_journey import write_complete_journey
    from .errors import BundlewiseError, CheckError, ConflictError, InputError, NoPlanError
    from .instance import Instance
    from .load import load_instance
    from .orders import Baskets, Orders
    from .sample import write_sample
    from .scenario import Scenario, read_scenario
    from .scenario_text import changed_keys, scenario_toml
    from .seed_case import write_seed_case
    from .synthetic import SyntheticShop, make_shop
    from .synthetic_files import write_synthetic
    from .weeks import week_index, week_label

_HOMES = {
    "Baskets": "orders",
    "BundlewiseError": "errors",
    "Catalogue": "catalogue",
    "CheckError": "errors",
    "ConflictError": "errors",
    "InputError": "errors",
    "Instance": "instance",
    "NoPlanError": "errors",
    "Orders": "orders",
    "Scenario": "scenario",
    "SyntheticShop": "synthetic",
    "changed_keys": "scenario_text",
    "load_instance": "load",
    "make_shop": "synthetic",
    "read_scenario": "scenario",
    "scenario_toml": "scenario_text",
    "week_index": "weeks",
    "week_label": "weeks",
    "write_complete_journey": "complete_journey",
    "write_sample": "sample",
    "write_seed_case": "seed_case",
    "write_synthetic": "synthetic_files",
}

__all__ = [
    "Baskets",
    "BundlewiseError",
    "Catalogue",
    "CheckError",
    "ConflictError",
    "InputError",
    "Instance",
    "NoPlanError",
    "Orders",
    "Scenario",
    "SyntheticShop",
    "changed_keys",
    "load_instance",
    "make_shop",
    "read_scenario",
    "scenario_toml",
    "week_index",
    "week_label",
    "write_complete_journey",
    "write_sample",
    "write_seed_case",
    "write_synthetic",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
