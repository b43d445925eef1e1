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
    from .instance import DataQuality, Instance
    from .load import load_instance
    from .mmkp import MmkpInstance, read_mmkp
    from .orders import Baskets, Orders
    from .prices import PriceTable
    from .sample import write_sample
    from .scenario import Scenario, read_scenario
    from .scenario_text import changed_keys, scenario_toml
    from .seed_case import write_seed_case
    from .synthetic import SyntheticShop, make_shop
    from .synthetic_files import write_shop, write_synthetic
    from .synthetic_shoppers import simulate_bundles, simulate_orders
    from .tables import read_table
    from .weeks import week_index, week_label

_HOMES = {
    "Baskets": "orders",
    "BundlewiseError": "errors",
    "Catalogue": "catalogue",
    "CheckError": "errors",
    "ConflictError": "errors",
    "DataQuality": "instance",
    "InputError": "errors",
    "Instance": "instance",
    "MmkpInstance": "mmkp",
    "NoPlanError": "errors",
    "Orders": "orders",
    "PriceTable": "prices",
    "Scenario": "scenario",
    "SyntheticShop": "synthetic",
    "changed_keys": "scenario_text",
    "load_instance": "load",
    "make_shop": "synthetic",
    "read_mmkp": "mmkp",
    "read_scenario": "scenario",
    "read_table": "tables",
    "scenario_toml": "scenario_text",
    "simulate_bundles": "synthetic_shoppers",
    "simulate_orders": "synthetic_shoppers",
    "week_index": "weeks",
    "week_label": "weeks",
    "write_complete_journey": "complete_journey",
    "write_sample": "sample",
    "write_seed_case": "seed_case",
    "write_shop": "synthetic_files",
    "write_synthetic": "synthetic_files",
}

__all__ = [
    "Baskets",
    "BundlewiseError",
    "Catalogue",
    "CheckError",
    "ConflictError",
    "DataQuality",
    "InputError",
    "Instance",
    "MmkpInstance",
    "NoPlanError",
    "Orders",
    "PriceTable",
    "Scenario",
    "SyntheticShop",
    "changed_keys",
    "load_instance",
    "make_shop",
    "read_mmkp",
    "read_scenario",
    "read_table",
    "scenario_toml",
    "simulate_bundles",
    "simulate_orders",
    "week_index",
    "week_label",
    "write_complete_journey",
    "write_sample",
    "write_seed_case",
    "write_shop",
    "write_synthetic",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
