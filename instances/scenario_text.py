"""Scenarios as TOML text, and the keys in which two of them differ."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .sections import GrossMargins, Scenario
from .weeks import week_label

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SECTIONS = (
    "data",
    "assumptions",
    "candidates",
    "discounts",
    "objective",
    "limits",
    "segments",
    "solver",
)


def scenario_toml(scenario: Scenario) -> str:
    """A scenario as TOML that ``read_scenario`` reads back: defaults filled in, paths absolute."""
    head = {
        "name": scenario.name,
        "week": week_label(scenario.week),
        "currency": scenario.currency,
    }
    parts = [_table("[scenario]", head)]
    for name in _SECTIONS:
        values = dict(getattr(scenario, name))
        margin = values.get("gross_margin")
        if isinstance(margin, GrossMargins):
            del values["gross_margin"]
        parts.append(_table(f"[{name}]", values))
        if isinstance(margin, GrossMargins):
            stated = {"by": margin.by, "default": margin.default, **margin.values}
            parts.append(_table("[assumptions.gross_margin]", stated))
    parts += [_table("[[rules]]", dict(rule)) for rule in scenario.rules]
    return "\n".join(parts)


def changed_keys(first: Scenario, second: Scenario) -> list[str]:
    """Dotted keys in which two scenarios differ, sorted; name and path of the file left out.

    A rule that only one of them has is ``rules.NAME``; one that differs, ``rules.NAME.field``.
    """
    before, after = _flat(first), _flat(second)
    rules = {f"rules.{rule.name}" for rule in first.rules}
    others = {f"rules.{rule.name}" for rule in second.rules}
    changed = rules ^ others
    single = tuple(f"{name}." for name in changed)
    for key in before.keys() | after.keys():
        if not key.startswith(single) and before.get(key) != after.get(key):
            changed.add(key)
    return sorted(changed)


def _flat(scenario: Scenario) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "scenario.week": scenario.week,
        "scenario.currency": scenario.currency,
    }
    for name in _SECTIONS:
        for key, value in getattr(scenario, name):
            if isinstance(value, GrossMargins):
                stated = {"by": value.by, "default": value.default, **value.values}
                flat |= {f"{name}.{key}.{part}": share for part, share in stated.items()}
            else:
                flat[f"{name}.{key}"] = value
    for rule in scenario.rules:
        flat |= {f"rules.{rule.name}.{key}": value for key, value in rule if key != "name"}
    return flat


def _table(head: str, values: dict[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(item)}" for key, item in values.items() if item is not None]
    return "\n".join([head, *lines, ""])


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        return _text(str(value))
    return f"[{', '.join(_value(item) for item in value)}]"


def _text(text: str) -> str:
    # JSON escapes what TOML wants escaped, but for the delete sign
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
