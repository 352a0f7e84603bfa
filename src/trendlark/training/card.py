"""The model card, written from the manifest so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trendlark.training.sets import SETS

CARD_FILE = "MODEL_CARD.md"
_METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "macro_recall": "macro-recall",
    "f1_yes": "F1 of irony",
    "macro_f1_labels": "macro-F1 over labels",
    "entity_f1": "entity F1",
}


def write_card(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write the card of the artefact that the manifest describes."""
    path.write_text("\n".join(_lines(manifest)) + "\n", encoding="utf-8")


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    base, recipe = manifest["base"], manifest["recipe"]
    yield f"# {manifest['name']}"
    yield ""
    yield "What a tweet says and how it feels: one encoder, one head for each task, one pass for each tweet."
    yield ""
    yield f"- Base: {base['name']} ({base['licence']}), {base['vocabulary']:,} word pieces, 8-bit weights."
    yield f"- Normaliser {manifest['normaliser']}, at most {manifest['max_tokens']} tokens of a text are read."
    yield f"- Trained {manifest['created'][:10]} from commit `{manifest['commit'][:12] or 'unknown'}`."
    minutes = recipe.get("seconds", 0) / 60
    steps = recipe.get("steps_done", 0)
    yield f"- Recipe `{recipe.get('name', 'unknown')}`: {steps:,} steps in {minutes:.0f} minutes{_cost(recipe)}."
    yield ""
    yield from _tasks(manifest)
    yield from _scores(manifest["metrics"])
    yield from _use()
    yield from _data(manifest["data"])


def _cost(recipe: Mapping[str, Any]) -> str:
    return f"; {recipe['core_hours']:.1f} core-hours in all" if "core_hours" in recipe else ""


def _tasks(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Tasks"
    yield ""
    yield "| task | kind | labels | languages with training data | temperature |"
    yield "|---|---|---|---|---|"
    for name, task in manifest["tasks"].items():
        langs = " ".join(lang for lang, tasks in manifest["languages"].items() if name in tasks)
        kind, labels = task["kind"].replace("_", " "), ", ".join(task["labels"])
        yield f"| {name} | {kind} | {labels} | {langs} | {task['temperature']} |"
    yield ""


def _scores(metrics: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "## Scores on validation"
    yield ""
    yield "Thresholds and temperatures were chosen on these files too, so expect a little less on unseen tweets."
    yield "The baseline is a linear SVM over TF-IDF of words and pairs of words, trained on the same set alone."
    yield ""
    yield "| set | language | metric | model | baseline | 8 bits cost | calibration error |"
    yield "|---|---|---|---|---|---|---|"
    for key, found in metrics.items():
        entry = SETS[key]
        score = found[entry.metric]
        beside = f"{100 * found['baseline']:.1f}" if "baseline" in found else "-"
        error = f"{100 * found['calibration_error']:.1f}" if "calibration_error" in found else "-"
        lost = f"{100 * (found['float32'] - score):+.1f}"
        metric = _METRIC_NAMES[entry.metric]
        yield f"| {key} | {entry.lang} | {metric} | {100 * score:.1f} | {beside} | {lost} | {error} |"
    yield ""


def _use() -> Iterator[str]:
    yield "## Use and limits"
    yield ""
    yield "Made to sum up what many tweets say of a trend. Not made to judge a person: a single answer is often"
    yield "wrong, irony and hate most of all, and no answer is about who wrote the tweet. English was read most,"
    yield "Spanish and Portuguese were taught afterwards, French, German and Italian a little; other languages get"
    yield "answers that mean nothing. Hate, offence and emotion follow the annotators of the sets below, with their"
    yield "biases. Tweets of 2012 to 2022 taught it; newer words and events are strange to it."
    yield ""


def _data(digests: Mapping[str, str]) -> Iterator[str]:
    yield "## Data"
    yield ""
    yield "| set | SHA-256 of its files |"
    yield "|---|---|"
    for key, digest in digests.items():
        yield f"| {key} | {digest[:16]} |"
