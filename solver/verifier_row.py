"""What the verifier says of a rule over the whole plan, and how it says what is broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A rule over the whole plan: lower <= value <= upper.

    Attributes
    ----------
    name, kind
        as in plan.json.
    value, lower, upper
        money in currency units; -inf and inf where a side is open.
    scale
        size of the figures that were added up, for tolerances.
    fixed
        the part of ``value`` that no offer changes (stand-alone demand).
    enforced
        whether leaving the sides breaks the rule: not where the row only restates what
        ``broken_offers`` checks offer by offer, nor for a target that may be missed at a price.
    """

    name: str
    kind: str
    value: float
    lower: float
    upper: float
    scale: float
    fixed: float = 0.0
    enforced: bool = True

    @property
    def slack(self) -> float:
        """Distance to the nearer side, negative where the rule is broken."""
        return min(self.value - self.lower, self.upper - self.value)

    @property
    def limit(self) -> float:
        """The nearer side."""
        return self.lower if self.value - self.lower < self.upper - self.value else self.upper


def count_row(name: str, kind: str, value: int, lower: float, upper: float) -> Row:
    """A row of things counted, which allows no rounding."""
    return Row(name, kind, value, lower, upper, scale=0.0)


def broken(kind: str, name: str, found: str, expected: str) -> str:
    """The line that names a broken rule."""
    label = kind if name == kind else f"{kind} {name}"
    return f"plan.csv: rule {label}: {found}, expected {expected}"
