"""Judge a model on a folder of sets, through the public API alone: what is scored is what users get.

    python -m trendlark.training.evaluate DATA --model M [--against OTHER] [--baseline svm] [--json FILE]

Which sets a folder holds is told in ``evaluation/folders.py``, how an analysis answers a set in
``evaluation/readings.py``, and how scores and their intervals are made in ``evaluation/tallies.py``.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trendlark.errors import InputError
from trendlark.jobs.progress import SILENT, Progress
from trendlark.nlu.analyzer import Analyze, Analyzer
from trendlark.nlu.artifact import MODEL_FILE
from trendlark.training.behaviour.suite import load_suite, run_suite
from trendlark.training.evaluation.folders import Benchmark, find_sets
from trendlark.training.evaluation.models import open_model
from trendlark.training.evaluation.readings import Reading, read
from trendlark.training.evaluation.results import Judged, summarise
from trendlark.training.evaluation.rivals import RIVALS, read_rival
from trendlark.training.evaluation.robustness import measure_robustness
from trendlark.training.sets import SETS

_log = logging.getLogger(__name__)

_AT_ONCE = 512

Scores = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Options:
    """What to judge, and on how much.

    ``only`` names sets or tasks; ``limit`` is the first rows of each set; ``draws`` is resamplings for the intervals;
    ``robustness`` and ``behaviour`` ask for these parts; ``threads`` run the model, 0 takes one for each core.
    """

    split: str = "val"
    only: tuple[str, ...] = ()
    limit: int | None = None
    baselines: tuple[str, ...] = ()
    robustness: bool = False
    behaviour: bool = False
    draws: int = 1000
    seed: int = 0
    threads: int = 0


def run(model: Path | str, data: Path, limit: int | None = None) -> Scores:
    """Return the benchmark metric and the calibration error by set, for gates: what ``judge`` finds, without intervals.

    Only sets of the table in ``training/sets.py`` count; ``limit`` is the first validation rows of each. What is
    scored are the answers that users get: the model's own temperatures and thresholds by language, its entities as they
    are cut. Raises InputError, ModelError.
    """
    found: Scores = {}
    with open_model(model) as analyzer:
        for one in find_sets(data, limit=limit):
            if SETS.get(one.entry.key) == one.entry:
                reading = _read_set(analyzer, one, SILENT)
                found[one.entry.key] = {one.entry.metric: reading.tally.score()}
                if reading.calibration is not None:
                    found[one.entry.key]["calibration_error"] = reading.calibration.score()
    return found


def judge(
    model: Path | str,
    data: Path | None,
    options: Options | None = None,
    against: Sequence[Path | str] = (),
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Return all scores as plain values (see ``evaluation/results.py``), with the model's name and what was asked.

    ``graph`` is the SHA-256 of the model's graph, by which ``card.py`` knows what the results are of.
    ``model`` and ``against`` are folders, "default", ``s3://`` addresses or checkpoints (``.pt``). Without ``data``
    only the behavioural suite is run. Raises InputError, ModelError.
    """
    chosen = options or Options()
    _check(chosen)
    if data is None:
        return _run_suite_alone(model, chosen)
    sets = find_sets(data, chosen.split, chosen.only, chosen.limit)
    names: list[str] = []
    readings: dict[str, dict[str, Reading]] = {one.entry.key: {} for one in sets}
    more: dict[str, Any] = {}
    for given in (model, *against):
        with open_model(given, chosen.threads) as analyzer:
            name = analyzer.name if analyzer.name not in names else f"{analyzer.name} ({len(names) + 1})"
            for one in sets:
                readings[one.entry.key][name] = _read_set(analyzer, one, progress)
            if not names:
                known = [(one, readings[one.entry.key][name]) for one in sets]
                more = _graph(analyzer) | _further(analyzer, known, chosen, progress)
        names.append(name)
    for name in chosen.baselines:
        _add_rival(name, sets, readings, progress)
    judged = [
        Judged(one, readings[one.entry.key].pop(names[0]), readings[one.entry.key])  # the rivals are left
        for one in sets
    ]
    found = summarise(judged, chosen.draws, chosen.seed)
    _tell(found)
    asked = {"split": chosen.split, "limit": chosen.limit, "draws": chosen.draws, "seed": chosen.seed}
    return {"model": names[0], "rivals": [*names[1:], *chosen.baselines], **asked, **found, **more}


def _run_suite_alone(model: Path | str, options: Options) -> dict[str, Any]:
    if not options.behaviour:
        raise InputError(
            "Found no folder of data; without one only the behavioural suite can be run. "
            "Name the folder, or add --behaviour."
        )
    with open_model(model, options.threads) as analyzer:
        found = {"model": analyzer.name, "rivals": [], "behaviour": run_suite(analyzer, load_suite())}
        return found | _graph(analyzer)


def _graph(analyzer: Analyze) -> dict[str, str]:
    return {"graph": analyzer.manifest.files[MODEL_FILE]} if isinstance(analyzer, Analyzer) else {}


def _check(options: Options) -> None:
    strange = [name for name in options.baselines if name not in RIVALS]
    if strange:
        raise InputError(
            f"Found the baselines {', '.join(strange)}; allowed are {', '.join(RIVALS)}. Choose of these."
        )
    if options.draws < 1:
        raise InputError(f"Found {options.draws} draws; allowed is 1 and more. 1000 is usual.")


def _read_set(analyzer: Analyze, one: Benchmark, progress: Progress) -> Reading:
    progress.start(one.entry.key, len(one.rows))
    analyses = []
    for at in range(0, len(one.rows), _AT_ONCE):
        part = [row.text for row in one.rows[at : at + _AT_ONCE]]
        analyses += analyzer.analyze(part)
        progress.advance(len(part))
    return read(one.entry, one.rows, analyses)


def _further(
    analyzer: Analyze, known: Sequence[tuple[Benchmark, Reading]], options: Options, progress: Progress
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.robustness:
        found["robustness"] = measure_robustness(analyzer, known, options.draws, options.seed, progress)
    if options.behaviour:
        progress.start("behaviour", None)
        found["behaviour"] = run_suite(analyzer, load_suite())
    return found


def _add_rival(
    name: str, sets: Sequence[Benchmark], readings: Mapping[str, dict[str, Reading]], progress: Progress
) -> None:
    progress.start(f"baseline {name}", len(sets))
    for one in sets:
        said = read_rival(name, one)
        if said is not None:
            readings[one.entry.key][name] = said
        progress.advance()


def _tell(found: Mapping[str, Any]) -> None:
    for key, one in found["sets"].items():
        _log.info("%s: %s %.4f", key, one["metric"], one["score"]["value"])
    _log.info("mean of tasks: %.4f", found["mean"]["score"]["value"])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--against", action="append", default=[])
    parser.add_argument("--baseline", action="append", default=[], choices=list(RIVALS))
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    options = Options(given.split, limit=given.limit, baselines=tuple(given.baseline), threads=given.threads)
    found = judge(given.model, given.data, options, given.against)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
