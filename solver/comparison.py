"""Plans side by side: figures, offers that differ, the keys that made them differ, robustness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..instances.instance import Instance
from ..instances.scenario import Scenario, changed_keys
from ..instances.weeks import week_label
from ..models.beliefs import Beliefs
from .cross_evaluation import Judge, Judgement, largest_bundle
from .plan_folder import PlanFolder
from .planned_offers import planned_offers
from .robust_choice import robust_choice

FIGURES = (
    "bundles",
    "incremental_margin",
    "incremental_margin_low",
    "incremental_margin_high",
    "revenue",
    "margin",
    "margin_rate",
    "discount_spend",
    "sales_loss",
)
_PROOF = ("objective", "bound", "gap")
_CENT = 0.0101  # what rounding may move an offer by where it is judged once more


@dataclass(frozen=True, slots=True)
class Contender:
    """A scenario of a comparison, and its plan.

    Attributes
    ----------
    plan
        None where there is none; ``failure`` says why.
    failure
        ``status`` ("conflict" or "no plan") and ``message``.
    world
        the scenario's instance and beliefs, under which plans are judged; None where its data are
        gone, as ``gone`` says.
    gone
        why nothing can be judged under it.
    """

    scenario: Scenario
    plan: PlanFolder | None
    failure: dict[str, str] | None = None
    world: tuple[Instance, Beliefs] | None = None
    gone: str | None = None


def compare(contenders: Sequence[Contender]) -> dict[str, Any]:
    """The comparison as ``compare --json`` prints it.

    Returns
    -------
    dict
        ``currency``; ``scenarios``: figures of each, ``label`` being its name, or name and number
        where names repeat, with a ``message`` where there is no plan; ``changed_keys``: label ->
        dotted keys that differ from the first; ``offers``: each bundle of any plan, with
        ``levels``: label -> level or None, and ``same``; ``cross``: each plan under each scenario;
        ``robust``: the plan that loses least where it loses most; ``notes``: sentences.
    """
    labels = labels_of([contender.scenario for contender in contenders])
    first = contenders[0].scenario
    cross, notes = _cross(labels, contenders)
    conflicts = [
        label
        for label, contender in zip(labels, contenders, strict=True)
        if contender.failure is not None and contender.failure["status"] == "conflict"
    ]
    objectives = {contender.scenario.objective.maximize for contender in contenders}
    return {
        "currency": first.currency,
        "scenarios": [
            _figures(label, contender) for label, contender in zip(labels, contenders, strict=True)
        ],
        "changed_keys": {
            label: changed_keys(first, contender.scenario)
            for label, contender in list(zip(labels, contenders, strict=True))[1:]
        },
        "offers": _offers(labels, contenders),
        "cross": cross,
        "robust": robust_choice(
            labels, cross, one_objective=len(objectives) == 1, conflicts=conflicts
        ),
        "notes": notes,
    }


def labels_of(scenarios: Sequence[Scenario]) -> list[str]:
    """The names of the scenarios, numbered where they repeat: ``base#1``, ``base#2``."""
    names = [scenario.name for scenario in scenarios]
    return [
        name if names.count(name) == 1 else f"{name}#{names[: k + 1].count(name)}"
        for k, name in enumerate(names)
    ]


def _figures(label: str, contender: Contender) -> dict[str, Any]:
    head = {"label": label, "name": contender.scenario.name}
    maximize = {"maximize": contender.scenario.objective.maximize}
    if contender.plan is None:
        return {
            **head,
            "week": week_label(contender.scenario.week),
            **maximize,
            **(contender.failure or {}),
            **dict.fromkeys((*_PROOF, *FIGURES)),
        }
    report = contender.plan.report
    return {
        **head,
        "week": report["week"],
        **maximize,
        "status": report["status"],
        **{key: report[key] for key in _PROOF},
        **{key: report["kpis"][key] for key in FIGURES},
    }


def _offers(labels: list[str], contenders: Sequence[Contender]) -> list[dict[str, Any]]:
    """Each bundle of any plan, with its level in each; those that differ first, by id."""
    planned = [label for label, one in zip(labels, contenders, strict=True) if one.plan is not None]
    names: dict[str, str] = {}
    levels: dict[str, dict[str, float]] = {}
    for label, contender in zip(labels, contenders, strict=True):
        rows = [] if contender.plan is None else contender.plan.offers.to_dict("records")
        for row in rows:
            bundle = str(row["bundle_id"])
            names.setdefault(bundle, str(row["name"]))
            levels.setdefault(bundle, {})[label] = float(row["level"])
    rows = [
        {
            "bundle_id": bundle,
            "name": names[bundle],
            "levels": {label: levels[bundle].get(label) for label in labels},
            "same": len(levels[bundle]) == len(planned) and len(set(levels[bundle].values())) == 1,
        }
        for bundle in names
    ]
    return sorted(rows, key=lambda row: (row["same"], row["bundle_id"]))


def _cross(
    labels: list[str], contenders: Sequence[Contender]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Each plan under each scenario, its own included; plan by plan."""
    plans = {
        label: planned_offers(contender.plan.offers)
        for label, contender in zip(labels, contenders, strict=True)
        if contender.plan is not None
    }
    width = largest_bundle(list(plans.values()))
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    notes = []
    for under, contender in zip(labels, contenders, strict=True):
        if contender.world is None:
            notes.append(f"no plan can be judged under {under}: {contender.gone}")
            entries |= {(plan, under): _unjudged(plan, under) for plan in plans}
            continue
        judge = Judge(*contender.world, width)
        found = {plan: judge.judge(offers) for plan, offers in plans.items()}
        entries |= {(plan, under): _entry(plan, under, found) for plan in plans}
        notes += _changed(under, contender, found.get(under))
    return [entries[plan, under] for plan in plans for under in labels], notes


def _entry(plan: str, under: str, found: dict[str, Judgement]) -> dict[str, Any]:
    """Regret = objective of the scenario's own plan − that of this plan, in its objective."""
    judgement, own = found[plan], found.get(under)
    return {
        "plan": plan,
        "under": under,
        "incremental_margin": judgement.incremental_margin,
        "objective": judgement.objective,
        "regret": None if own is None else own.objective - judgement.objective,
        "broken_rules": judgement.broken_rules,
        "breaches": list(judgement.breaches),
        "offers_made": judgement.made,
    }


def _unjudged(plan: str, under: str) -> dict[str, Any]:
    keys = ("incremental_margin", "objective", "regret", "broken_rules", "breaches", "offers_made")
    return {"plan": plan, "under": under, **dict.fromkeys(keys)}


def _changed(label: str, contender: Contender, own: Judgement | None) -> list[str]:
    """A note where a plan is judged otherwise under its own scenario than its files say."""
    if contender.plan is None or own is None:
        return []
    stated, rows = float(contender.plan.report["kpis"]["incremental_margin"]), contender.plan.offers
    if abs(stated - own.incremental_margin) <= _CENT * len(rows):
        return []
    return [
        f"{label}: the plan's files state an incremental margin of {stated:,.2f}; under its own "
        f"scenario it is judged at {own.incremental_margin:,.2f}, as beliefs are learned now"
    ]
