"""The engines that solve a program, behind one small interface.

The public names load on first use: a process that serves one engine imports no other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .interface import EngineSettings, Interrupt, Progress, ProgressCallback
    from .solve import solve_program

_HOMES = {
    "EngineSettings": "interface",
    "Interrupt": "interface",
    "Progress": "interface",
    "ProgressCallback": "interface",
    "solve_program": "solve",
}

__all__ = ["EngineSettings", "Interrupt", "Progress", "ProgressCallback", "solve_program"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
