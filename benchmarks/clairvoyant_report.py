"""Tables of the clairvoyant study, in the form of docs/study.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from .clairvoyant_shops import MODEL_RIGHT, WORLDS

Result = dict[str, Any]

_PLANS = {
    "posterior": "from the true posterior",
    "q, η, ψ": "from the true posterior, nothing credited beyond the deepest cut",
    "learned": "**learned and solved**",
    "past prices": "learned with a table of past prices, and solved",
    "one level": "learned, one discount on all bundles, the best",
    "co-purchase": "most joint orders, at the best discount",
    "lift": "highest lift, at the best discount and support",
    "random": "random pairs, at the best discount",
    "any two": "any two products, at the best discount",
}
_CAUSES = ("q", "η", "ψ", "q, η, ψ", "uncapped", "q, η, ψ, no cap")
_BASES = ("clairvoyant", "posterior", "q, η, ψ")  # the last is capped at the deepest cut, as ours
_FEWEST = 3  # shops that an interval is shown for
_POLICIES = ("mean", "uncapped", "told", "quantile", "floor", "half")


def report(results: Sequence[Result]) -> str:
    """All tables of the results so far."""
    worlds = [world for world in WORLDS if any(one["world"] == world for one in results)]
    by_world = {world: [one for one in results if one["world"] == world] for world in worlds}
    parts = [_shops(by_world)]
    parts += [_plans(world, by_world[world]) for world in MODEL_RIGHT if world in by_world]
    right = {name: by_world[name] for name in MODEL_RIGHT if name in by_world}
    parts += [_causes(right)] if right else []
    parts += [_worlds(by_world), _policies(by_world)]
    return "\n\n".join(parts)


def interval(values: ArrayLike) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval over shops (Student); nan with one shop."""
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return float(array.mean()), float("nan")
    width = student.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), float(width)


def _shops(by_world: dict[str, list[Result]]) -> str:
    rows = []
    for world, results in by_world.items():
        means = [
            float(np.mean([one[key] for one in results]))
            for key in ("visits", "weeks", "baskets", "lines", "candidates", "reliability")
        ]
        numbers = [f"{value:,.0f}" for value in means[:-1]]
        rows.append([world, WORLDS[world], str(len(results)), *numbers, f"{means[-1]:.2f}"])
    head = ["world", "", "shops", "visits a week", "weeks", "baskets", "order lines", "pairs"]
    return _table([*head, "reliability of η"], rows)


def _plans(world: str, results: list[Result]) -> str:
    rows = [["clairvoyant", "100 %", "", ""]]
    for name, words in _PLANS.items():
        if name not in results[0]["plans"]:
            continue
        cells = [_share(results, _ratio(name, base)) for base in _BASES]
        known = _BASES.index(name) if name in _BASES else 0
        rows.append([words, *("" if at and at <= known else c for at, c in enumerate(cells))])
    head = [f"{world}: true margin of the plan", "of the clairvoyant's", "of the posterior's"]
    return _table([*head, "of the posterior's, capped"], rows)


def _causes(by_world: dict[str, list[Result]]) -> str:
    rows = [
        [world, *(_share(results, _ratio(name, "posterior")) for name in ("mean", *_CAUSES))]
        for world, results in by_world.items()
    ]
    head = ["of the posterior's, if these were the posterior's", "none"]
    return _table([*head, *("no cap" if name == "uncapped" else name for name in _CAUSES)], rows)


def _worlds(by_world: dict[str, list[Result]]) -> str:
    """What was promised and delivered; errors as parts of what is delivered on average.

    Shops count alike: their margins are taken as parts of the clairvoyant's.
    """
    rows = []
    for world, results in by_world.items():
        best = np.array([one["plans"]["clairvoyant"] for one in results])
        delivered = np.array([one["plans"]["learned"] for one in results]) / best
        promised = np.array([one["promised"] for one in results]) / best
        low, high = (
            np.array([one[f"promised_{end}"] for one in results]) / best for end in ("low", "high")
        )
        bias = (promised - delivered).mean() / delivered.mean()
        error = np.abs(promised - delivered).mean() / delivered.mean()
        sold = delivered.mean() > 0
        rows.append(
            [
                WORLDS[world],
                _mean(delivered),
                _mean(promised),
                f"{bias:+.1%}" if sold else "–",
                f"{error:.1%}" if sold else "–",
                _bias_of(results, "told"),
                _bias_of(results, "uncapped"),
                f"{np.mean((low <= delivered) & (delivered <= high)):.0%}",
                f"{np.mean([one['losing'] for one in results]):.1%}",
                _mean([_best_ranking(one) for one in results] / best),
            ]
        )
    head = ["world", "delivered, of the clairvoyant's", "promised, of the same"]
    head += ["promised over delivered", "mean absolute error"]
    head += ["promised over delivered, told of no substitutes", "the same without the cap"]
    return _table([*head, "inside the 90 % interval", "bundles that lose", "best ranking"], rows)


def _bias_of(results: list[Result], policy: str) -> str:
    """Promised over delivered of the plan under another policy."""
    best = np.array([one["plans"]["clairvoyant"] for one in results])
    delivered = (np.array([one["plans"][policy] for one in results]) / best).mean()
    promised = (np.array([one["others_promised"][policy] for one in results]) / best).mean()
    return f"{promised / delivered - 1:+.1%}" if delivered > 0 else "–"


def _policies(by_world: dict[str, list[Result]]) -> str:
    rows = [
        [WORLDS[world], *(_share(results, _ratio(name, "clairvoyant")) for name in _POLICIES)]
        for world, results in by_world.items()
    ]
    head = ["delivered, of the clairvoyant's", "expected value", "no cap at the deepest cut"]
    head += ["told of no substitutes"]
    return _table([*head, "25 % quantile", "chance of loss ≤ 10 %", "half the bundles"], rows)


def _best_ranking(one: Result) -> float:
    return max(one["plans"][name] for name in ("co-purchase", "lift", "random"))


def _ratio(name: str, base: str) -> Callable[[Result], float]:
    return lambda one: one["plans"][name] / one["plans"][base]


def _share(results: list[Result], value: Callable[[Result], float]) -> str:
    return _mean([value(one) for one in results])


def _mean(values: ArrayLike) -> str:
    mean, width = interval(values)
    return f"{mean:.1%}" + (f" ± {width:.1%}" if np.size(values) >= _FEWEST else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
