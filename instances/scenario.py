"""Scenario files: what to plan, under which rules; read, merged, checked, written, compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
    SameLevel,
    Stability,
)
from .scenario_checks import check_scenario, name_rules
from .scenario_merge import Source, merged_file, rule_place
from .scenario_text import changed_keys, scenario_toml
from .scenario_words import expected_words, found_words, nearest_key, validated
from .sections import (
    Assumptions,
    Candidates,
    Data,
    Discounts,
    GrossMargins,
    Limits,
    Objective,
    Scenario,
    SegmentSettings,
    Solver,
)
from .weeks import week_index

__all__ = [
    "KNOWN_KEYS",
    "Assumptions",
    "Candidates",
    "Data",
    "Discounts",
    "GrossMargins",
    "Limits",
    "Objective",
    "Scenario",
    "SegmentSettings",
    "Solver",
    "changed_keys",
    "read_scenario",
    "scenario_toml",
]

SECTIONS = {
    "data": Data,
    "assumptions": Assumptions,
    "candidates": Candidates,
    "discounts": Discounts,
    "objective": Objective,
    "limits": Limits,
    "solver": Solver,
    "segments": SegmentSettings,
}
_HEAD_KEYS = ("name", "week", "extends", "currency")
KNOWN_KEYS = tuple(
    [f"scenario.{key}" for key in _HEAD_KEYS]
    + [f"{name}.{key}" for name, model in SECTIONS.items() for key in model.model_fields]
    + ["rules", "compliance.omnibus"]
)
"""Every key of a scenario file, dotted."""

_RULES: dict[str, type[Rule]] = {
    "category-limit": CategoryLimit,
    "brand-limit": BrandLimit,
    "must-include": MustInclude,
    "excluded": Excluded,
    "never-together": NeverTogether,
    "at-most-one-of": AtMostOneOf,
    "locked": Locked,
    "same-level": SameLevel,
    "stability": Stability,
    "clearance": Clearance,
}


def read_scenario(path: str | Path, *, week: str | None = None) -> Scenario:
    """Read a scenario file, with the files it extends.

    Parameters
    ----------
    path
        a TOML file.
    week
        ISO week such as "2018-W01" that takes the place of ``scenario.week``.

    Errors
    ------
    InputError
        naming file, key, what was found and what was expected, for anything that is not right.
    """
    return scenario_of(merged_file(Path(path)), week)


def scenario_of(source: Source, week: str | None = None) -> Scenario:
    """The scenario that merged files state; errors as ``read_scenario`` has them."""
    _check_names(source)
    head = _head(source, week)
    sections = {
        name: validated(model, _section(source, name), source, name)
        for name, model in SECTIONS.items()
    }
    scenario = Scenario(**head, **sections, rules=name_rules(_rules(source)), path=source.path)
    check_scenario(scenario, source)
    return scenario


def _check_names(source: Source) -> None:
    """Every table and key is known, and what belongs to later versions is off."""
    for name, section in source.content.items():
        if name not in (*SECTIONS, "scenario", "rules", "compliance"):
            raise source.error(name, f"unknown table{nearest_key(name, _tables())}", None)
        if name == "rules":
            if not isinstance(section, list):
                raise source.error(name, found_words(section), "a list of tables, [[rules]]")
            continue
        if not isinstance(section, dict):
            raise source.error(name, found_words(section), f"a table, [{name}]")
        for key, value in section.items():
            dotted = f"{name}.{key}"
            if dotted not in KNOWN_KEYS:
                raise source.error(dotted, f"unknown key{nearest_key(dotted, KNOWN_KEYS)}", None)
            if dotted == "compliance.omnibus" and value is not False:
                found = "omnibus compliance is not available in this version"
                raise source.error(dotted, found, "false, or no such key")


def _tables() -> tuple[str, ...]:
    return ("scenario", *SECTIONS, "rules", "compliance")


def _head(source: Source, week: str | None) -> dict[str, Any]:
    head = source.content.get("scenario", {})
    for key in ("name", "week", "currency"):
        if key in head and not isinstance(head[key], str):
            raise source.error(f"scenario.{key}", found_words(head[key]), "text")
    name, currency = head.get("name"), head.get("currency", "USD")
    slug = "letters, digits, - and _ only"
    if name is None:
        raise source.error("scenario.name", "missing", f"a name of {slug}")
    if not name or not all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name):
        raise source.error("scenario.name", found_words(name), slug)
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise source.error("scenario.currency", found_words(currency), "a code such as USD")
    form = "an ISO week such as 2018-W01"
    stated = head.get("week")
    number = None
    for label, place in ((stated, "scenario.week"), (week, "--week")):
        if label is not None:
            try:
                number = week_index(label)
            except ValueError as error:
                raise source.error(place, found_words(label), form) from error
    if number is None:
        raise source.error("scenario.week", "missing", f"{form}, here or with --week")
    return {"name": name, "week": number, "currency": currency}


def _section(source: Source, name: str) -> dict[str, Any]:
    """The values of a section, in the types that its model takes."""
    section = dict(source.content.get(name, {}))
    if name == "data":
        for key, value in section.items():
            if isinstance(value, str):
                section[key] = Path(value)
    margin = section.get("gross_margin")
    if name == "assumptions" and isinstance(margin, dict):
        known = {key: margin[key] for key in ("by", "default") if key in margin}
        values = {key: value for key, value in margin.items() if key not in known}
        section["gross_margin"] = validated(
            GrossMargins, {**known, "values": values}, source, "assumptions.gross_margin"
        )
    elif name == "assumptions" and "gross_margin" in section:
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 <= margin < 1:
            expected = "a number of at least 0 and below 1, or a table with by and default"
            raise source.error("assumptions.gross_margin", found_words(margin), expected)
        section["gross_margin"] = float(margin)
    return section


def _rules(source: Source) -> list[Rule]:
    rules: list[Rule] = []
    for index, rule in enumerate(source.content.get("rules", []), start=1):
        place = rule_place(rule, index)
        kind = rule.get("kind")
        if kind is None:
            raise source.error(f"{place}.kind", "missing", _one_of(tuple(_RULES)))
        if not isinstance(kind, str) or kind not in _RULES:
            near = nearest_key(kind, tuple(_RULES)) if isinstance(kind, str) else ""
            found = found_words(kind) + near
            raise source.error(f"{place}.kind", found, _one_of(tuple(_RULES)))
        model = _RULES[kind]
        for key in rule:
            if key not in model.model_fields:
                near = nearest_key(key, tuple(model.model_fields))
                found = f"unknown key{near}"
                raise source.error(f"{place}.{key}", found, expected_words(model))
        rules.append(validated(model, rule, source, place))
    return rules


def _one_of(words: tuple[str, ...]) -> str:
    return f"one of {', '.join(words)}"
