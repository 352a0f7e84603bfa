"""The results as tables, for the screen, the HTML report and the model card alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "macro_recall": "macro-recall",
    "f1_yes": "F1 of yes",
    "macro_f1_labels": "macro-F1 over labels",
    "entity_f1": "entity F1",
}

Row = dict[str, Any]


def tables(results: Mapping[str, Any]) -> Iterator[tuple[str, list[Row]]]:
    """Yield a title and rows that are alike, for each part that the results have; numbers are points of 100."""
    if "sets" in results:
        yield "By set", [_set_row(key, one, results["rivals"]) for key, one in results["sets"].items()]
        yield "By task and language", list(_task_rows(results))
        yield "By slice", list(_slice_rows(results))
    if "robustness" in results:
        yield "Robustness", list(_robustness_rows(results["robustness"]))
    if "behaviour" in results:
        yield "Behaviour", [_behaviour_row(one) for one in results["behaviour"]["capabilities"]]


def spell(value: Mapping[str, float]) -> str:
    """Return a score in points with its interval: ``73.0 [71.2, 74.7]``."""
    return f"{100 * value['value']:.1f} [{100 * value['low']:.1f}, {100 * value['high']:.1f}]"


def spell_rival(value: Mapping[str, Any]) -> str:
    """Return a rival's score and what the model has more: ``66.8 (+6.2 [4.1, 8.3])``."""
    more = value["difference"]
    return (
        f"{100 * value['value']:.1f} ({100 * more['value']:+.1f} "
        f"[{100 * more['low']:.1f}, {100 * more['high']:.1f}])"
    )


def _rivals(one: Mapping[str, Any], names: list[str]) -> Row:
    found = one.get("rivals", {})
    return {name: spell_rival(found[name]) if name in found else "" for name in names}


def _set_row(key: str, one: Mapping[str, Any], rivals: list[str]) -> Row:
    return {
        "set": key,
        "language": one["lang"],
        "metric": METRIC_NAMES[one["metric"]],
        "rows": one["rows"],
        "score": spell(one["score"]),
        **_rivals(one, rivals),
        "calibration error": spell(one["calibration_error"]) if "calibration_error" in one else "",
    }


def _task_rows(results: Mapping[str, Any]) -> Iterator[Row]:
    rivals = results["rivals"]
    for task, whole in results["tasks"].items():
        for lang, one in ({"all": whole} | whole["languages"]).items():
            error = one.get("calibration_error")
            yield {
                "task": task,
                "language": lang,
                "sets": len(one["sets"]),
                "rows": one["rows"],
                "score": spell(one["score"]),
                **_rivals(one, rivals),
                "calibration error": spell(error) if error else "",
            }
    mean = results["mean"]
    yield {
        "task": "mean of tasks",
        "language": "all",
        "sets": len(results["sets"]),
        "rows": sum(one["rows"] for one in results["sets"].values()),
        "score": spell(mean["score"]),
        **_rivals(mean, rivals),
        "calibration error": "",
    }


def _slice_rows(results: Mapping[str, Any]) -> Iterator[Row]:
    for task, whole in results["tasks"].items():
        for name, one in whole["slices"].items():
            yield {
                "task": task,
                "slice": name,
                "sets": one["sets"],
                "rows": one["rows"],
                "score": spell(one["score"]),
                **_rivals(one, results["rivals"]),
            }


def _robustness_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    for task, named in found["tasks"].items():
        for name, one in named.items():
            yield {
                "task": task,
                "written in": name,
                "sets": one["sets"],
                "rows": one["rows"],
                "before": f"{100 * one['before']:.1f}",
                "after": f"{100 * one['after']:.1f}",
                "difference": f"{100 * one['difference']:+.1f}",
                "same answer %": f"{100 * one['same']:.1f}",
            }


def _behaviour_row(one: Mapping[str, Any]) -> Row:
    return {
        "capability": one["capability"],
        "language": one["lang"],
        "task": one["task"],
        "kind": one["kind"],
        "cases": one["cases"],
        "passed %": f"{100 * one['passed'] / one['cases']:.0f}",
    }
