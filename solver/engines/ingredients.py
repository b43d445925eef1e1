"""What engine "auto" is made of, each part to be switched off by studies of its worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ingredients:
    """The parts of engine "auto" that can be left out; a plan is proven without any of them.

    Attributes
    ----------
    presolve
        columns that break a row alone, and sides that cannot bind, go.
    odd_sets, knapsack_cuts, rounding_cuts
        the three families of cuts.
    fixing
        columns whose ceiling is below the incumbent stay out of restricted integer programs.
    diving
        assignments made from the relaxation by choosing what it is surest of.
    branching
        a search tree over all columns.
    neighbourhoods
        integer programs around the incumbent.
    exchange
        exhaustive exchanges, where the program is a choice in each of many groups.
    """

    presolve: bool = True
    odd_sets: bool = True
    knapsack_cuts: bool = True
    rounding_cuts: bool = True
    fixing: bool = True
    diving: bool = True
    branching: bool = True
    neighbourhoods: bool = True
    exchange: bool = True
