"""Plans side by side: figures, offers that differ, and the scenario keys that made them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..instances.scenario import Scenario, changed_keys
from .plan_folder import PlanFolder

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


@dataclass(frozen=True, slots=True)
class Contender:
    """One plan of a comparison and the scenario it was made for."""

    scenario: Scenario
    plan: PlanFolder


def compare(contenders: Sequence[Contender]) -> dict[str, Any]:
    """The comparison as ``compare --json`` prints it.

    Returns
    -------
    dict
        ``currency``; ``scenarios``: figures of each, ``label`` being its name, or name and number
        where names repeat; ``changed_keys``: label -> dotted keys that differ from the first;
        ``offers``: each bundle of any plan, with ``levels``: label -> level or None, and ``same``.
    """
    labels = _labels(contenders)
    first = contenders[0].scenario
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
    }


def _labels(contenders: Sequence[Contender]) -> list[str]:
    names = [contender.scenario.name for contender in contenders]
    return [
        name if names.count(name) == 1 else f"{name}#{names[: k + 1].count(name)}"
        for k, name in enumerate(names)
    ]


def _figures(label: str, contender: Contender) -> dict[str, Any]:
    report = contender.plan.report
    keys = ("status", "objective", "bound", "gap")
    return {
        "label": label,
        "name": contender.scenario.name,
        "week": report["week"],
        **{key: report[key] for key in keys},
        **{key: report["kpis"][key] for key in FIGURES},
    }


def _offers(labels: list[str], contenders: Sequence[Contender]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}
    levels: dict[str, dict[str, float]] = {}
    for label, contender in zip(labels, contenders, strict=True):
        for row in contender.plan.offers.to_dict("records"):
            bundle = str(row["bundle_id"])
            names.setdefault(bundle, str(row["name"]))
            levels.setdefault(bundle, {})[label] = float(row["level"])
    rows = [
        {
            "bundle_id": bundle,
            "name": names[bundle],
            "levels": {label: levels[bundle].get(label) for label in labels},
            "same": len(levels[bundle]) == len(labels) and len(set(levels[bundle].values())) == 1,
        }
        for bundle in names
    ]
    return sorted(rows, key=lambda row: (row["same"], row["bundle_id"]))
