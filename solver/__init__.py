"""What should we do: candidates, scoring, the program, search and proof, the verifier.

The public names load on first use, so that ``bundlewise --help`` imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import build_program
    from .conflicts import explain_conflict
    from .economics import pair_economics
    from .engines.interface import EngineSettings
    from .engines.solve import require_engine, solve_program
    from .filters import offer_mask
    from .mmkp import check_mmkp, mmkp_program
    from .offers import Offers
    from .overlap import Overlap, reevaluate
    from .plan import Plan
    from .plan_folder import PlanFolder, read_plan_folder, write_plan_folder
    from .planning import solve
    from .program import Program
    from .program_builder import ProgramBuilder
    from .scoring import score_offers
    from .shares import offer_shares
    from .solution import Solution, Status
    from .verifier import verify_files, verify_plan

_HOMES = {
    "EngineSettings": "engines.interface",
    "Offers": "offers",
    "Overlap": "overlap",
    "Plan": "plan",
    "PlanFolder": "plan_folder",
    "Program": "program",
    "ProgramBuilder": "program_builder",
    "Solution": "solution",
    "Status": "solution",
    "build_program": "build",
    "check_mmkp": "mmkp",
    "explain_conflict": "conflicts",
    "mmkp_program": "mmkp",
    "offer_mask": "filters",
    "offer_shares": "shares",
    "pair_economics": "economics",
    "read_plan_folder": "plan_folder",
    "reevaluate": "overlap",
    "require_engine": "engines.solve",
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
    "Overlap",
    "Plan",
    "PlanFolder",
    "Program",
    "ProgramBuilder",
    "Solution",
    "Status",
    "build_program",
    "check_mmkp",
    "explain_conflict",
    "mmkp_program",
    "offer_mask",
    "offer_shares",
    "pair_economics",
    "read_plan_folder",
    "reevaluate",
    "require_engine",
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
