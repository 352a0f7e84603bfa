"""What of the results goes into a manifest: what the model card shows, rounded, and nothing of the texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SET = ("task", "lang", "metric", "rows", "score", "rivals", "calibration_error")
_TASK = ("sets", "rows", "score", "rivals", "calibration_error", "reliability")
_DIGITS = 4


def condense(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results without slices of sets, confusion matrices and failed cases, rounded to four digits."""
    found: dict[str, Any] = {
        name: results[name] for name in ("rivals", "split", "limit", "draws", "mean") if name in results
    }
    if "sets" in results:
        found["sets"] = {key: _pick(one, _SET) for key, one in results["sets"].items()}
        found["tasks"] = {
            task: _pick(one, (*_TASK, "slices"))
            | {"languages": {lang: _pick(part, _TASK) for lang, part in one["languages"].items()}}
            for task, one in results["tasks"].items()
        }
    if "robustness" in results:
        found["robustness"] = {"tasks": results["robustness"]["tasks"]}
    if "behaviour" in results:
        suite = results["behaviour"]
        rows = [
            {name: value for name, value in one.items() if name != "failures"}
            for one in suite["capabilities"]
        ]
        found["behaviour"] = {"passed": suite["passed"], "cases": suite["cases"], "capabilities": rows}
    rounded: dict[str, Any] = _round(found)
    return rounded


def _pick(one: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: one[name] for name in names if name in one}


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {name: _round(item) for name, item in value.items()}
    return [_round(item) for item in value] if isinstance(value, list) else value
