"""What is left of a score when the same tweets are written otherwise; see ``perturb.py``.

Only rows that a perturbation changes count: an average over tweets without emoji would say nothing of emoji.
For entities the words are changed one by one, so that the tags still fit.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from trendlark.jobs.progress import SILENT, Progress
from trendlark.nlu.analyzer import Analyze
from trendlark.training.evaluation import tallies
from trendlark.training.evaluation.folders import Benchmark
from trendlark.training.evaluation.perturb import PERTURBATIONS
from trendlark.training.evaluation.readings import Reading, read
from trendlark.training.evaluation.slices import LEAST_ROWS
from trendlark.training.noise import change_row

MOST_ROWS = 300


def measure_robustness(
    analyzer: Analyze,
    known: Sequence[tuple[Benchmark, Reading]],
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Return ``sets`` and ``tasks`` by perturbation: rows changed, scores, same answers.

    ``known`` are the sets with what the model says of them as they are.

    At most ``MOST_ROWS`` changed rows of a set are taken; sets with fewer than ``LEAST_ROWS`` of them are left out.
    """
    by_set: dict[str, dict[str, Any]] = {}
    for one, reading in known:
        progress.start(f"robustness {one.entry.key}", len(PERTURBATIONS))
        found = {}
        for name in PERTURBATIONS:
            measured = _measure(analyzer, one, reading, name, draws, seed)
            if measured:
                found[name] = measured
            progress.advance()
        if found:
            by_set[one.entry.key] = found
    tasks: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for one, _ in known:
        for name, found in by_set.get(one.entry.key, {}).items():
            tasks.setdefault(one.entry.task, {}).setdefault(name, []).append(found)
    return {
        "sets": by_set,
        "tasks": {task: {name: _mean(many) for name, many in named.items()} for task, named in tasks.items()},
    }


def _measure(
    analyzer: Analyze, one: Benchmark, reading: Reading, name: str, draws: int, seed: int
) -> dict[str, Any] | None:
    entry = one.entry
    changed = [change_row(row, name, entry.lang, seed) for row in one.rows]
    touched = [
        at for at, (row, other) in enumerate(zip(one.rows, changed, strict=True)) if row.text != other.text
    ]
    touched = touched[:MOST_ROWS]
    if len(touched) < LEAST_ROWS:
        return None
    rows = [changed[at] for at in touched]
    before, after = (
        reading.tally.part(touched),
        read(entry, rows, analyzer.analyze([row.text for row in rows])),
    )
    weights = tallies.draw_weights(len(rows), draws, seed + zlib.crc32(f"{entry.key} {name}".encode()))
    low, high = tallies.interval(after.tally.draws(weights) - before.draws(weights))
    old, new = before.score(), after.tally.score()
    same = [reading.said[at] == said for at, said in zip(touched, after.said, strict=True)]
    return {
        "rows": len(rows),
        "before": old,
        "after": new,
        "difference": {"value": new - old, "low": low, "high": high},
        "same": float(np.mean(same)),
    }


def _mean(many: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sets": len(many),
        "rows": sum(one["rows"] for one in many),
        **{name: float(np.mean([one[name] for one in many])) for name in ("before", "after", "same")},
        "difference": float(np.mean([one["difference"]["value"] for one in many])),
    }
