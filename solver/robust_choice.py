"""Of several plans, the one that loses least where it loses most (minimax regret, Savage 1951)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any


def robust_choice(
    labels: Sequence[str],
    cross: Sequence[dict[str, Any]],
    *,
    one_objective: bool,
    conflicts: Collection[str] = (),
) -> dict[str, Any]:
    """The plan whose largest regret is smallest, of those that break no rule under any scenario.

    A scenario for which no plan was found in time has no regret and counts for its rules alone; one
    whose data are gone, or whose rules no plan satisfies, does not count. Ties go to the plan that
    comes first.

    Parameters
    ----------
    cross
        entries of ``comparison.compare``.
    one_objective
        whether all scenarios maximise the same, so that their regrets can be compared.
    conflicts
        labels of the scenarios whose rules conflict: every plan breaks some of them.

    Returns
    -------
    dict
        ``plan`` (None where there is none), ``largest_regret``, ``under`` which scenario, and
        ``why`` in a sentence.
    """
    none = {"plan": None, "largest_regret": None, "under": None}
    counted = [entry for entry in cross if entry["under"] not in conflicts]
    aside = _aside(cross, conflicts)
    judged = {label: _judged(label, counted) for label in labels}
    judged = {label: entries for label, entries in judged.items() if entries}
    if not one_objective:
        why = "the scenarios maximise different things, so that their regrets cannot be compared"
        return {**none, "why": why}
    if not any(entry["regret"] is not None for entries in judged.values() for entry in entries):
        return {**none, "why": "no plan could be judged beside a scenario's own plan"}
    sound = {
        label: entries
        for label, entries in judged.items()
        if not any(entry["broken_rules"] for entry in entries)
        and any(entry["regret"] is not None for entry in entries)
    }
    if not sound:
        return {**none, "why": f"each plan breaks a rule under some scenario{aside}"}
    worst = {
        label: max(
            (entry for entry in entries if entry["regret"] is not None),
            key=lambda entry: entry["regret"],
        )
        for label, entries in sound.items()
    }
    best = min(worst, key=lambda label: worst[label]["regret"])
    return {
        "plan": best,
        "largest_regret": worst[best]["regret"],
        "under": worst[best]["under"],
        "why": f"of the plans that break no rule under any scenario{aside} ("
        f"{len(sound)} of {len(judged)}) it has the smallest largest regret",
    }


def _aside(cross: Sequence[dict[str, Any]], conflicts: Collection[str]) -> str:
    """The scenarios that do not count, and why: what follows "any scenario"."""
    gone = [entry["under"] for entry in cross if entry["broken_rules"] is None]
    why = {"whose rules conflict": conflicts, "whose data are gone or changed": dict.fromkeys(gone)}
    parts = [f"{', '.join(labels)}, {reason}" for reason, labels in why.items() if labels]
    return f" but {' and '.join(parts)}" if parts else ""


def _judged(label: str, cross: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a plan that could be judged."""
    return [
        entry for entry in cross if entry["plan"] == label and entry["broken_rules"] is not None
    ]
