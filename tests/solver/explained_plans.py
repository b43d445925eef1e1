"""Small plans whose accounts are known by arithmetic: independent products, η known.

With ψ = 1 the copula is a product, so with g(s) = σ(logit q + η·s/r) and b = min(D, cut·r) the
groups of a pair are q_i·q_j, q_i·(g_j(b_j) − q_j), (g_i(b_i) − q_i)·q_j and
∫_0^{b_i} g_i'(s)·(g_j(min(b_j, D − s)) − q_j) ds.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from bundlewise.instances.instance import Instance
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.plan import Plan
from bundlewise.solver.plan_folder import write_plan_folder
from bundlewise.solver.plan_tables import PlanTables, read_plan_tables
from bundlewise.solver.planning import solve
from scipy.integrate import quad
from scipy.special import expit, logit

PRICE, COST = 10.0, 5.0


def reach(q: float, eta: float, money: float) -> float:
    """Who buys a product whose price is so much lower."""
    return float(expit(logit(q) + eta * money / PRICE))


def both(q: tuple[float, float], eta: float, off: float, cut: float = 1.0) -> float:
    """Who buys neither at the shelf price and takes both."""
    bound = min(off, cut * PRICE)

    def slice_of(short: float) -> float:
        mass = reach(q[0], eta, short)
        density = eta / PRICE * mass * (1 - mass)
        return density * (reach(q[1], eta, min(bound, off - short)) - q[1])

    kink = max(off - bound, 0.0)
    return quad(slice_of, 0.0, kink)[0] + quad(slice_of, kink, bound)[0]


def pair_groups(
    q: tuple[float, float], eta: float, off: float, cut: float = 1.0
) -> list[tuple[float, float]]:
    """Share and gain a unit of the groups: buys both, adds the first, the second, takes both."""
    bound = min(off, cut * PRICE)
    up = [reach(value, eta, bound) - value for value in q]
    margin = PRICE - COST
    return [
        (q[0] * q[1], -off),
        (up[0] * q[1], margin - off),
        (q[0] * up[1], margin - off),
        (both(q, eta, off, cut), 2 * margin - off),
    ]


def pair_margin(
    q: tuple[float, float], eta: float, off: float, visits: float, cut: float = 1.0
) -> float:
    """Incremental margin of a week: the smaller of the capped and the uncapped one."""
    return visits * min(
        sum(share * gain for share, gain in pair_groups(q, eta, off, limit)) for limit in (1.0, cut)
    )


def best_margins(
    q: list[float], eta: float, levels: tuple[float, ...], visits: float
) -> dict[str, float]:
    """By bundle id the margin of each pair at its best level."""
    return {
        f"{i}+{j}": max(
            pair_margin((q[i], q[j]), eta, 2 * PRICE * level, visits) for level in levels
        )
        for i, j in combinations(range(len(q)), 2)
    }


def planned(instance: Instance, beliefs: Beliefs, folder: Path) -> tuple[Plan, PlanTables]:
    """The plan, written and read back."""
    plan = solve(instance, beliefs)
    write_plan_folder(plan.files(), folder / "plan")
    return plan, read_plan_tables(folder / "plan")
