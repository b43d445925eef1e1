"""A frontier in sentences, for the page and the terminal alike."""

from __future__ import annotations

from typing import Any

from .page.numbers import amount, percent

_ROUNDING = 1e-9  # a gap that sums of doubles leave


def value_text(value: float) -> str:
    """A value of a varied key: ``40``, ``0.175``."""
    return f"{value:.6g}".replace("-", "−")


def line_text(line: dict[str, float] | None) -> str:
    """``with limits.max_bundles = 40, ``; "" where one key is varied."""
    if line is None:
        return ""
    return "".join(f"with {key} = {value_text(value)}, " for key, value in line.items())


def knee_sentences(result: dict[str, Any]) -> list[str]:
    """The knee of each line, or why there is none."""
    return [_knee(result, knee) for knee in result["knees"]]


def _knee(result: dict[str, Any], knee: dict[str, Any]) -> str:
    key = result["keys"][0]["key"]
    where = line_text(knee["line"])
    if knee["at"] is None:
        return _sentence(f"{where}no knee: {knee['reason']}.")
    return _sentence(
        f"{where}the knee is at {key} = {value_text(knee['at'])}, where the curve lies "
        f"{percent(knee['height'], 0)} of its rise above the straight line between its ends."
    )


def proof_sentence(result: dict[str, Any]) -> str:
    """How wide the band between the plans and the bounds is."""
    gaps = [point["gap"] for point in result["points"] if point["objective"] is not None]
    if not gaps:
        return "No point has a plan."
    if any(gap is None for gap in gaps):
        return "Some points have no proven bound."
    if max(gaps) <= _ROUNDING:
        return "Every plan is proven best."
    return f"No plan can earn more than {percent(max(gaps), 2)} above the one shown at its point."


def unsolved_sentences(result: dict[str, Any]) -> list[str]:
    """Points without a plan, and points that were never reached."""
    points = result["points"]
    conflicts = [point for point in points if point["conflict"]]
    unknown = [point for point in points if point["status"] == "unknown"]
    missing = result["points_asked"] - len(points)
    found = []
    if conflicts:
        rules = sorted({rule for point in conflicts for rule in point["conflict"]})
        found.append(
            f"{_points(len(conflicts))} without a plan: {', '.join(rules)} conflict there."
        )
    if unknown:
        found.append(f"{_points(len(unknown))} for which the time limit came before a plan.")
    if missing:
        found.append(f"{_points(missing)} not done: interrupted before.")
    return found


def point_notes(point: dict[str, Any]) -> str:
    """Where a point's plan and bound come from, and why it has none."""
    notes = []
    if point["conflict"]:
        notes.append(f"conflict: {', '.join(point['conflict'])}")
    if point["conflict_from"]:
        notes.append(f"as at {_values(point['conflict_from'])}")
    if point["plan_from"]:
        notes.append(f"plan of {_values(point['plan_from'])}")
    if point["bound_from"]:
        notes.append(f"bound of {_values(point['bound_from'])}")
    if point["status"] == "unknown":
        notes.append("no plan in the time limit")
    if point["candidates_cut"]:
        notes.append(f"{point['candidates_cut']:,} candidates cut")
    return "; ".join(notes)


def ends_sentence(result: dict[str, Any]) -> str:
    """What lies between the two ends of a curve; "" for a grid."""
    planned = [point for point in result["points"] if point["objective"] is not None]
    if len(result["keys"]) > 1 or len(planned) < 2:
        return ""
    key = result["keys"][0]["key"]
    first, last = planned[0], planned[-1]
    return (
        f"From {key} = {value_text(first['values'][key])} to {value_text(last['values'][key])} the "
        f"plan's objective goes from {amount(first['objective'])} to {amount(last['objective'])} "
        f"{result['unit']}."
    )


def _values(values: dict[str, float]) -> str:
    return ", ".join(value_text(value) for value in values.values())


def _points(number: int) -> str:
    return f"{number} point{'' if number == 1 else 's'}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
