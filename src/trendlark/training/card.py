"""The model card, written from the manifest so that it cannot say anything else.

``write_card`` writes what training knows; ``add_evaluation`` puts the results of ``trendlark evaluate`` into the
manifest of a finished artefact and writes card, picture and checksums anew, and so does ``add_equality`` with the
comparison with PyTorch (``equality.py``).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from trendlark.errors import InputError
from trendlark.nlu.artifact import MANIFEST_FILE, MODEL_FILE, load_artifact
from trendlark.training.evaluation.condense import condense
from trendlark.training.evaluation.page import diagrams
from trendlark.training.evaluation.pictures import reliability_grid
from trendlark.training.evaluation.report import METRIC_NAMES, Row, spell, spell_rival, tables
from trendlark.training.limits import MOST_POINTS, lost_by_task
from trendlark.training.sets import EMOJI_SETS, SETS

CARD_FILE = "MODEL_CARD.md"
PICTURE_FILE = "reliability.svg"

# What a core-hour and a GPU-hour cost, by arithmetic; the card states these assumptions.
WATTS_OF_A_CORE = 12
WATTS_OF_A_GPU = 700
OVERHEAD_OF_A_CENTRE = 1.3
GRAMS_OF_A_KWH = 450

_RIVALS = {
    "majority": "majority: the most frequent answer of the training file.",
    "svm": "svm: a linear SVM over TF-IDF of words and pairs of words, trained on the same set alone.",
    "vader": "vader: the rules of VADER, for English sentiment only.",
}
_ABOUT = {
    "By task and language": "Scores are means over sets; the expected calibration error is over all their answers, in "
    "15 bins of confidence.",
    "By slice": "Means over the sets that have at least 30 such tweets.",
    "Robustness": "The same tweets written otherwise: only tweets that the change touches, at most 300 of a set.",
    "Behaviour": "Cases written for the project before any model was run on them (`training/behaviour`). expect: the "
    "answer must be right. same: texts that differ in a name, a group or an addition must get the same answer. rises: "
    "a probability must grow.",
}


def write_card(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Write the card of the artefact that the manifest describes, and the picture that it shows; return their names."""
    (folder / CARD_FILE).write_text(render_card(manifest), encoding="utf-8")
    drawn = list(diagrams(manifest.get("evaluation", {})))
    if not drawn:
        return (CARD_FILE,)
    (folder / PICTURE_FILE).write_text(reliability_grid(drawn), encoding="utf-8")
    return CARD_FILE, PICTURE_FILE


def add_evaluation(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write the results into the manifest of an artefact, its card and its picture anew; return the card.

    Raises ModelError where the folder holds no sound artefact, InputError where the results are of another model.
    """
    artifact = load_artifact(folder)
    # The digest in the model's name changes with its card; the graph does not. Results of old have none.
    graph = artifact.manifest.files[MODEL_FILE]
    named = str(results.get("model", "")).rpartition("-")[0]
    if named != artifact.manifest.name or results.get("graph", graph) != graph:
        raise InputError(
            f"Found results of {results.get('model')!r} for the model {artifact.name} in {folder}; a card tells of its "
            "own model. Evaluate this one: trendlark evaluate DATA --model FOLDER --json."
        )
    return _rewrite(folder, {"evaluation": condense(results)})


def add_equality(folder: Path, compared: Mapping[str, Any]) -> Path:
    """Write how equal an artefact is to its network in PyTorch into its manifest, and its card anew; return the card.

    ``compared`` is what ``equality.stated`` made. Raises ModelError where the folder holds no sound artefact.
    """
    load_artifact(folder)
    return _rewrite(folder, {"equality": compared})


def _rewrite(folder: Path, more: Mapping[str, Any]) -> Path:
    path = folder / MANIFEST_FILE
    manifest = json.loads(path.read_text(encoding="utf-8")) | more
    for one in {**manifest["files"], **dict.fromkeys(write_card(folder, manifest))}:
        manifest["files"][one] = hashlib.sha256((folder / one).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / CARD_FILE


def licences() -> dict[str, tuple[str, str]]:
    """Return the GitHub repositories and the licence as stated there of every set, by name."""
    text = (files("trendlark.training") / "licences.toml").read_text(encoding="utf-8")
    return {
        name: (one["repository"], one["licence"])
        for one in tomllib.loads(text)["source"]
        for name in one["sets"]
    }


def render_card(manifest: Mapping[str, Any]) -> str:
    """Return the card of a manifest, in Markdown."""
    environment = Environment(
        loader=PackageLoader("trendlark.training"),
        autoescape=False,  # noqa: S701  Markdown for people, not HTML
        keep_trailing_newline=True,
    )
    evaluation = manifest.get("evaluation", {})
    recipe = manifest["recipe"]
    text = environment.get_template("MODEL_CARD.md.jinja").render(
        manifest=manifest,
        recipe=recipe,
        beside=_runs_beside(recipe),
        evaluation=evaluation,
        tasks=_tasks(manifest),
        rivals=_RIVALS,
        silent=_silent(evaluation),
        scores=_scores(manifest["metrics"], evaluation),
        lost=_lost(manifest["metrics"]),
        most_points=MOST_POINTS,
        equality=manifest.get("equality"),
        equal=_equal(manifest.get("equality", {})),
        about=_ABOUT,
        parts=[(title, rows) for title, rows in tables(evaluation) if title in _ABOUT and rows],
        reliability=_reliability(evaluation),
        picture=PICTURE_FILE,
        footprint=_footprint(recipe),
        data=_data(manifest["data"]),
        texts_taken=any(_taken(key) == "text" for key in manifest["data"]),
    )
    return text.rstrip() + "\n"


def _tasks(manifest: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "task": name,
            "kind": task["kind"].replace("_", " "),
            "labels": ", ".join(task["labels"]),
            "languages with training data": " ".join(
                lang for lang, tasks in manifest["languages"].items() if name in tasks
            ),
            "temperature": _temperature(task),
        }
        for name, task in manifest["tasks"].items()
    ]


def _temperature(task: Mapping[str, Any]) -> str:
    own = [f"{lang} {one['temperature']}" for lang, one in task.get("languages", {}).items()]
    return f"{task['temperature']}" + (f" ({', '.join(own)})" if own else "")


def _scores(metrics: Mapping[str, Mapping[str, float]], evaluation: Mapping[str, Any]) -> list[Row]:
    judged = evaluation.get("sets", {})
    rivals = [
        name for name in evaluation.get("rivals", []) if any(name in _beside(one) for one in judged.values())
    ]
    rows = []
    for key, found in metrics.items():
        entry, one = SETS[key], judged.get(key, {})
        score = found[entry.metric]
        row: Row = {"set": key, "language": entry.lang, "metric": METRIC_NAMES[entry.metric]}
        row["model"] = spell(one["score"]) if one else f"{100 * score:.1f}"
        if judged:
            row |= {name: _beside(one).get(name, "-") for name in rivals}
        else:
            row["baseline"] = f"{100 * found['baseline']:.1f}" if "baseline" in found else "-"
        row["8 bits cost"] = f"{100 * (found['float32'] - score):+.1f}"
        row["calibration error"] = (
            f"{100 * found['calibration_error']:.1f}" if "calibration_error" in found else "-"
        )
        if "calibration_error" in one:
            row["calibration error"] = spell(one["calibration_error"])
        rows.append(row)
    return rows


def _silent(evaluation: Mapping[str, Any]) -> str:
    """Return why a rival's cells may be empty; nothing where all rivals are models."""
    rivals = evaluation.get("rivals", [])
    simple = [name for name in rivals if name in _RIVALS]
    if not simple:
        return ""
    tagged = "by none of the rivals" if len(simple) == len(rivals) else f"not by {' and '.join(simple)}"
    return f'"-" here, and nothing in the tables below, is where a rival has no answer: entities are tagged {tagged}.'


def _lost(metrics: Mapping[str, Mapping[str, float]]) -> list[Row]:
    return [
        {
            "task": task,
            "lost by 8 bits (mean of the task's sets)": f"{points:+.2f}"
            + (" (beyond the limit)" if points > MOST_POINTS else ""),
        }
        for task, points in lost_by_task(metrics).items()
    ]


def _equal(compared: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "task": task,
            "mean difference of a probability": f"{one['mean']:.4f}",
            "999 of 1,000 differ by less than": f"{one['p999']:.3f}",
            "same answer %": f"{100 * one['same']:.1f}",
        }
        for task, one in compared.get("tasks", {}).items()
    ]


def _beside(one: Mapping[str, Any]) -> dict[str, str]:
    return {name: spell_rival(value) for name, value in one.get("rivals", {}).items()}


def _reliability(evaluation: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "task, language": title,
            "confidence→right, in %": ", ".join(
                f"{100 * one['confidence']:.0f}→{100 * one['accuracy']:.0f}" for one in bins
            ),
        }
        for title, bins in diagrams(evaluation)
    ]


def _runs_beside(recipe: Mapping[str, Any]) -> int:
    """Return how many other runs the last one was averaged with (``average.py``)."""
    stages = [one["stage"] for one in recipe.get("before", [])]
    return len(list(takewhile(lambda stage: stage == "beside", reversed(stages))))


def _footprint(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    cores, cards = float(recipe.get("core_hours", 0)), float(recipe.get("gpu_hours", 0))
    if not cores and not cards:
        return None
    kwh = (cores * WATTS_OF_A_CORE + cards * WATTS_OF_A_GPU) * OVERHEAD_OF_A_CENTRE / 1000
    spent = [f"{cores:.1f} core-hours"] if cores else []
    spent += [f"{cards:.1f} GPU-hours"] if cards else []
    return {
        "spent": " and ".join(spent),
        "kwh": kwh,
        "kilograms": kwh * GRAMS_OF_A_KWH / 1000,
        "core_watts": WATTS_OF_A_CORE,
        "gpu_watts": WATTS_OF_A_GPU,
        "overhead": OVERHEAD_OF_A_CENTRE,
        "grams": GRAMS_OF_A_KWH,
    }


def _taken(key: str) -> str:
    if key in SETS:
        return "labels"
    return "emoji" if key in EMOJI_SETS else "text"


def _data(digests: Mapping[str, str]) -> list[Row]:
    known, rows = licences(), []
    for key, digest in digests.items():
        repository, licence = known.get(SETS[key].name if key in SETS else key, ("-", "-"))
        rows.append(
            {
                "set": key,
                "repository": repository,
                "licence as stated": licence,
                "taken": _taken(key),
                "SHA-256 of its files": digest[:16],
            }
        )
    return rows
