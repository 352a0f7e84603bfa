"""How large the graph may be and what 8 bits may cost: of any export, and of the model in the package."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import tiny_checkpoint
from trendlark.nlu.artifact import MODEL_FILE, default_folder, load_artifact
from trendlark.training import export, limits
from trendlark.training.card import render_card
from trendlark.training.limits import MOST_BYTES, MOST_POINTS, beyond, check, lost_by_task
from trendlark.training.sets import SETS

shipped = pytest.mark.skipif(
    not (default_folder() / "manifest.json").is_file(), reason="the default model is not in this checkout"
)


def _metrics(**lost: float) -> dict[str, dict[str, float]]:
    """Scores of sets that lose so many points."""
    return {key: {SETS[key].metric: 0.5, "float32": 0.5 + points / 100} for key, points in lost.items()}


def test_what_8_bits_cost_a_task_is_the_mean_of_its_sets() -> None:
    found = lost_by_task(_metrics(umsab_es=0.9, umsab_de=-0.5, umsab_it=0.2, ner_btc=-0.1))
    assert found == {"sentiment": pytest.approx(0.2), "entities": pytest.approx(-0.1)}


def test_a_task_that_loses_more_is_named_with_what_it_loses_and_the_limit() -> None:
    wrong = beyond(check(100, _metrics(umsab_es=0.3, tweet_topicxl_es=0.61, tweeteval_hate=-2)))
    assert wrong == ["topics loses 0.61 points to 8 bits in the mean of its sets; the limit is 0.3"]
    # No score is no proof.
    assert len(beyond(check(100, _metrics(tweeteval_hate=float("nan"))))) == 1


def test_a_graph_that_is_too_large_is_told_of() -> None:
    assert beyond(check(MOST_BYTES, {})) == []
    assert beyond(check(MOST_BYTES + 60_000, {})) == [
        "the graph has 40.1 MB; the limit is 40, so take fewer word pieces or layers"
    ]


def test_the_export_warns_and_states_its_limits(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_checkpoint().save(tmp_path / "last.pt")
    monkeypatch.setattr(limits, "MOST_POINTS", -100.0)
    monkeypatch.setattr(limits, "MOST_BYTES", 1000)
    with caplog.at_level(logging.WARNING, "trendlark.training.export"):
        out = export.run(tmp_path / "last.pt", data, tmp_path / "out", "tiny-1")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    size, lost = manifest["limits"]["bytes"], manifest["limits"]["lost_by_8_bits"]
    assert size == {"found": (out / MODEL_FILE).stat().st_size, "allowed": 1000}
    assert lost == {"found": lost_by_task(manifest["metrics"]), "allowed": -100.0}
    assert set(lost["found"]) == {"sentiment", "emotions", "irony", "hate", "topics", "entities"}
    assert caplog.messages == [f"beyond a limit: {one}" for one in beyond(manifest["limits"])]
    assert len(caplog.messages) == 7
    assert load_artifact(out).manifest.name == "tiny-1"


@shipped
def test_the_model_in_the_package_is_within_its_limits() -> None:
    folder, manifest = default_folder(), _shipped()
    found = check((folder / MODEL_FILE).stat().st_size, manifest["metrics"])
    assert beyond(found) == []
    assert found["bytes"]["found"] > 10**6
    assert set(found["lost_by_8_bits"]["found"]) == set(manifest["tasks"])
    # What it states of itself, where it does, is what is so.
    assert manifest.get("limits", found) == found


@shipped
def test_the_card_tells_what_each_task_loses() -> None:
    manifest = _shipped()
    lines = render_card(manifest).splitlines()
    at = lines.index("| task | lost by 8 bits (mean of the task's sets) |")
    assert lines[at - 2] == f"Of a task 8 bits may cost {MOST_POINTS} points in the mean of its sets."
    told = [f"| {task} | {points:+.2f} |" for task, points in lost_by_task(manifest["metrics"]).items()]
    assert lines[at + 2 : at + 2 + len(told)] == told
    worse = manifest | {"metrics": manifest["metrics"] | _metrics(tweeteval_hate=0.31)}
    assert "| hate | +0.31 (beyond the limit) |" in render_card(worse)


def _shipped() -> Any:
    return json.loads((default_folder() / "manifest.json").read_text(encoding="utf-8"))
