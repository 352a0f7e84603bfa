"""A model's scores by task and language: the facts of the sets agree with the training room, strange sets are kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from trendlark.nlu.artifact import Manifest, load_artifact
from trendlark.nlu.scores import BENCHMARKS, scores_of
from trendlark.nlu.tasks import TASKS
from trendlark.training.sets import SETS


def manifest(metrics: dict[str, dict[str, object]]) -> Manifest:
    """The shipped model's manifest with other scores."""
    return load_artifact().manifest.model_copy(update={"metrics": metrics})


def test_the_sets_are_those_that_training_scores() -> None:
    scored = {key: (entry.task, entry.lang, entry.metric) for key, entry in SETS.items() if entry.metric}
    assert {key: (one.task, one.lang, one.metric) for key, one in BENCHMARKS.items()} == scored


def test_the_shipped_model_has_a_score_for_every_task_by_task_and_language() -> None:
    found = scores_of(load_artifact().manifest)
    assert {score.task for score in found} == set(TASKS)
    assert {score.data for score in found} == set(load_artifact().manifest.metrics)
    order = list(TASKS)
    for one, other in pairwise(found):
        assert order.index(one.task) <= order.index(other.task)
        if one.task == other.task:
            assert (one.lang != "en") <= (other.lang != "en")
    assert all(0 < score.value < 1 for score in found)


def test_baseline_and_calibration_are_absent_where_nobody_measured() -> None:
    measured, silent = scores_of(
        manifest({
            "umsab_es": {"macro_f1": 0.6, "baseline": 0.5, "calibration_error": 0.02},
            "ner_btc": {"entity_f1": 0.7, "baseline": None},
        })
    )  # fmt: skip
    assert (measured.lang, measured.value, measured.baseline, measured.calibration_error) == (
        "es",
        0.6,
        0.5,
        0.02,
    )
    assert (silent.task, silent.baseline, silent.calibration_error) == ("entities", None, None)


def test_a_set_of_a_later_version_comes_last_with_its_first_number() -> None:
    found = scores_of(
        manifest({"new_set": {"new_metric": 0.4, "accuracy": 0.5}, "ner_btc": {"entity_f1": 1}})
    )
    assert [(score.data, score.metric, score.value) for score in found] == [
        ("ner_btc", "entity_f1", 1.0),
        ("new_set", "new_metric", 0.4),
    ]


@pytest.mark.parametrize("numbers", [{}, {"macro_f1": None}, {"macro_f1": "high"}, {"macro_f1": True}])
def test_a_set_without_its_number_is_left_out(numbers: dict[str, object]) -> None:
    assert scores_of(manifest({"umsab_es": numbers})) == []
