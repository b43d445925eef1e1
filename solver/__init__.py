"""What should we do: candidates, scoring, the program, search and proof, the verifier.

The public names load on first use, so that ``bundlewise --help`` imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import build_program
    from .engines.interface import EngineSettings
    from .engines.solve import solve_program
    from .offers import Offers
    from .plan import Plan
    from .plan_folder import PlanFolder, read_plan_folder, write_plan_folder
    from .program import Program
    from .scoring import score_offers
    from .solution import Solution, Status
    from .planning import solve
    from .verifier import verify_files, verify_plan

_HOMES = {
    "EngineSettings": "engines.interface",
    "Offers": "offers",
    "Plan": "plan",
    "PlanFolder": "plan_folder",
    "Program": "program",
    "Solution": "solution",
    "Status": "solution",
    "build_program": "build",
    "read_plan_folder": "plan_folder",
    "score_offers": "scoring",
    "solve": "planning",
    "solve_program": "engines.solve",
    "verify_files": "verifier",
    "verify_plan": "verifier",
    "write_plan_folder": "plan_folder",
}

__all__ = [
    "EngineSettings",
    "Offers",
    "Plan",
    "PlanFolder",
    "Program",
    "Solution",
    "Status",
    "build_program",
    "read_plan_folder",
    "score_offers",
    "solve",
    "solve_program",
    "verify_files",
    "verify_plan",
    "write_plan_folder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
