"""What pydantic finds wrong with a scenario, in words for the person who wrote the file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .scenario_merge import Source

_Model = TypeVar("_Model", bound=BaseModel)


def validated(model: type[_Model], values: dict[str, Any], source: Source, prefix: str) -> _Model:
    """Build a model from the values of a TOML table; the first thing wrong is an InputError."""
    try:
        return model.model_validate(_tuples(values))
    except ValidationError as errors:
        error = errors.errors(include_url=False)[0]
        field = str(error["loc"][0])
        below = [str(part) for part in error["loc"][1:] if isinstance(part, str)]
        nested = field == "values"  # names of categories or departments
        key = ".".join([prefix, *([below[0]] if nested and below else [field])])
        if error["type"] == "missing":
            raise source.error(key, "missing", _expected(model, field, nested)) from errors
        value = values[field][below[0]] if nested and below else values[field]
        raise source.error(key, found_words(value), _expected(model, field, nested)) from errors


def found_words(value: Any) -> str:
    """A value as it stands in the file, with its kind where that is what is wrong."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        text = str(value)
        return f"text {text!r}" if len(text) <= 60 else f"text {text[:57] + '...'!r}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        items = ", ".join(found_words(item).removeprefix("text ") for item in value[:12])
        return f"[{items}{', ...' if len(value) > 12 else ''}]"
    if isinstance(value, date | datetime | time):
        return f"the date or time {value}"
    return str(value)


def nearest_key(key: str, known: Sequence[str]) -> str:
    """ " (did you mean X?)" with the nearest of the known keys; "" where none is near."""
    near = difflib.get_close_matches(key, known, 1, 0.75)
    if not near:  # perhaps the right key in the wrong table
        last = key.rpartition(".")[2]
        tails = {other.rpartition(".")[2]: other for other in known}
        near = [tails[tail] for tail in difflib.get_close_matches(last, tails, 1, 0.75)]
    if not near:
        near = difflib.get_close_matches(key, known, 1, 0.0)
    return f" (the nearest known is {near[0]})" if near else ""


def expected_words(model: type[BaseModel]) -> str:
    """The keys that a model knows."""
    return f"one of {', '.join(model.model_fields)}"


def _tuples(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _expected(model: type[BaseModel], field: str, nested: bool) -> str:
    schema = model.model_json_schema()
    node = schema["properties"][field]
    if nested:
        node = node["additionalProperties"]
    return _words(node, schema.get("$defs", {}))


def _words(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A JSON schema node in words: "a number above 0 and below 1"."""
    if "anyOf" in node:
        kinds = [part for part in node["anyOf"] if part.get("type") != "null"]
        return " or ".join(_words(part, definitions) for part in kinds)
    if "$ref" in node:
        return "a table"
    if "const" in node:
        return repr(node["const"])
    if "enum" in node:
        return f"one of {', '.join(repr(value) for value in node['enum'])}"
    kind = node.get("type")
    if kind in ("number", "integer"):
        return ("a number" if kind == "number" else "a whole number") + _range(node)
    if kind == "array":
        items = _words(node.get("items", {}), definitions)
        return f"a list{_length(node)}, each {items}"
    if node.get("format") == "path":
        return "a path"
    words = {"string": "text", "boolean": "true or false", "object": "a table"}
    return words.get(str(kind), "a value")


def _range(node: dict[str, Any]) -> str:
    sides = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "of at most",
        "exclusiveMaximum": "below",
    }
    parts = [f"{words} {node[key]:g}" for key, words in sides.items() if key in node]
    return "".join([" ", " and ".join(parts)]) if parts else ""


def _length(node: dict[str, Any]) -> str:
    low, high = node.get("minItems", 0), node.get("maxItems")
    if high is not None and low:
        return f" of {low} to {high}"
    return f" of at least {low}" if low else ""
