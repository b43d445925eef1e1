"""The engines that solve a program, behind one small interface."""

from .interface import EngineSettings, Progress, ProgressCallback
from .solve import solve_program

__all__ = ["EngineSettings", "Progress", "ProgressCallback", "solve_program"]
