"""A scenario file merged with the files it extends, and which file states which key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError

_PATH_KEYS = ("orders", "products", "prices", "events", "promotions", "beliefs", "previous_plan")


@dataclass(frozen=True, slots=True)
class Source:
    """What a scenario file says once the files it extends are merged in.

    Attributes
    ----------
    path
        the file that was asked for.
    content
        the merged tables; paths in ``data`` are absolute.
    origin
        dotted key -> the file that states it last; rules as ``rules.NAME`` or ``rules[2]``.
    """

    path: Path
    content: dict[str, Any]
    origin: dict[str, Path]

    def error(self, key: str, found: str, expected: str | None) -> InputError:
        """The error for a key, naming the file that states it, or its nearest table."""
        dotted = key
        while dotted not in self.origin and "." in dotted:
            dotted = dotted.rpartition(".")[0]
        return InputError(self.origin.get(dotted, self.path), key, found, expected)


def rule_place(rule: dict[str, Any], index: int) -> str:
    """How messages name a rule: by its name where it has one, else by its position."""
    name = rule.get("name")
    return f"rules.{name}" if isinstance(name, str) and name else f"rules[{index}]"


def merged_file(path: Path) -> Source:
    """Read a scenario file and, first, the file it extends, and so on.

    Errors
    ------
    InputError
        for a file that is missing or is no TOML, and for files that extend each other in a circle.
    """
    chain: list[tuple[Path, dict[str, Any]]] = []
    current: Path | None = path
    while current is not None:
        content = _read(current, chain[-1][0] if chain else None)
        chain.append((current, content))
        current = _extended(current, content)
        if current is not None and current.resolve() in [file.resolve() for file, _ in chain]:
            names = " -> ".join([file.name for file, _ in chain] + [current.name])
            raise InputError(
                chain[-1][0], "scenario.extends", f"files extend in a circle ({names})", "no circle"
            )
    merged: dict[str, Any] = {}
    origin: dict[str, Path] = {}
    for file, content in reversed(chain):
        _check_rules(file, content)
        merged = _merge(merged, _with_absolute_paths(file, content), file, origin, "")
    if isinstance(merged.get("scenario"), dict):
        merged["scenario"].pop("extends", None)
    return Source(path.resolve(), merged, origin)


def _read(path: Path, stated_in: Path | None) -> dict[str, Any]:
    place = "scenario.extends" if stated_in else None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        found = f"no such file: {path}" if stated_in else "no such file"
        raise InputError(stated_in or path, place, found, "a scenario file (TOML)") from error
    except UnicodeDecodeError as error:
        raise InputError(path, None, f"not UTF-8 ({error.reason})", "text in UTF-8") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(path, None, f"cannot be read ({reason})", "a scenario file") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, None, f"not valid TOML: {error}", None) from error


def _extended(path: Path, content: dict[str, Any]) -> Path | None:
    head = content.get("scenario", {})
    if not isinstance(head, dict) or "extends" not in head:
        return None
    base = head["extends"]
    if not isinstance(base, str) or not base:
        raise InputError(path, "scenario.extends", repr(base), "the path of a scenario file")
    return path.parent / base


def _with_absolute_paths(file: Path, content: dict[str, Any]) -> dict[str, Any]:
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    data = dict(data)
    for key in _PATH_KEYS:
        if isinstance(data.get(key), str):
            if not data[key]:
                raise InputError(file, f"data.{key}", "empty text", "a path")
            data[key] = str((file.parent / data[key]).resolve())
    return {**content, "data": data}


def _check_rules(file: Path, content: dict[str, Any]) -> None:
    """Rules of one file are tables, and none of their names is given twice."""
    rules = content.get("rules", [])
    if not isinstance(rules, list):
        return
    seen: set[str] = set()
    for index, rule in enumerate(rules, start=1):
        if not isinstance(rule, dict):
            raise InputError(file, f"rules[{index}]", repr(rule), "a table, [[rules]]")
        name = rule.get("name")
        if isinstance(name, str) and name:
            if name in seen:
                raise InputError(file, f"rules.{name}.name", "two rules of this name", "each once")
            seen.add(name)


def _merge(
    base: dict[str, Any], over: dict[str, Any], file: Path, origin: dict[str, Path], prefix: str
) -> dict[str, Any]:
    """Tables key by key, rules by name; what the later file states wins."""
    merged = dict(base)
    for key, value in over.items():
        dotted = f"{prefix}{key}"
        origin[dotted] = file
        if not prefix and key == "rules" and isinstance(value, list):
            merged[key] = _merge_rules(merged.get(key, []), value, file, origin)
        elif isinstance(value, dict):
            below = merged.get(key)
            below = below if isinstance(below, dict) else {}
            merged[key] = _merge(below, value, file, origin, f"{dotted}.")
        else:
            merged[key] = value
    return merged


def _merge_rules(
    base: list[dict[str, Any]], over: list[dict[str, Any]], file: Path, origin: dict[str, Path]
) -> list[dict[str, Any]]:
    merged = list(base)
    for rule in over:
        name = rule.get("name")
        same = [index for index, other in enumerate(merged) if name and other.get("name") == name]
        if same and rule.get("kind", merged[same[0]].get("kind")) == merged[same[0]].get("kind"):
            merged[same[0]] = {**merged[same[0]], **rule}
        elif same:
            merged[same[0]] = rule
        else:
            merged.append(rule)
        index = same[0] if same else len(merged) - 1
        place = rule_place(rule, index + 1)
        origin[place] = file
        for key in rule:
            origin[f"{place}.{key}"] = file
    return merged
