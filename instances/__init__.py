"""What is the problem: tables, cleaning, scenario files, sample data and generators."""

from .catalogue import Catalogue
from .complete_journey import write_complete_journey
from .errors import BundlewiseError, CheckError, ConflictError, InputError, NoPlanError
from .instance import Instance
from .load import load_instance
from .orders import Baskets, Orders
from .sample import write_sample
from .scenario import Scenario, changed_keys, read_scenario, scenario_toml
from .seed_case import write_seed_case
from .synthetic import SyntheticShop, make_shop
from .synthetic_files import write_synthetic
from .weeks import week_index, week_label

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
