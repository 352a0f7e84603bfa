"""Which sets a folder holds, known or not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import write_rows
from trendlark.errors import InputError
from trendlark.training.data import Row
from trendlark.training.evaluation.folders import find_sets, infer


def _write(folder: Path, rows: list[dict[str, Any]], split: str = "val") -> None:
    write_rows(folder / f"{split}.jsonl.gz", rows)


def test_the_sets_of_a_folder_come_task_by_task(data: Path) -> None:
    keys = [one.entry.key for one in find_sets(data)]
    assert keys[:2] == ["tweeteval_sentiment", "umsab_es"]
    assert keys[-2:] == ["ner_btc", "ner_wnut17"]
    # A set without a file of the split, or without a metric, is none to judge by.
    assert "davidson_en" not in keys


def test_a_folder_of_one_set(data: Path) -> None:
    (one,) = find_sets(data / "tweeteval_irony")
    assert one.entry.key == "tweeteval_irony"
    assert len(one.training_rows()) == 8


def test_sets_and_tasks_can_be_chosen_and_rows_limited(data: Path) -> None:
    assert [one.entry.key for one in find_sets(data, only=("umsab_es",))] == ["umsab_es"]
    found = find_sets(data, only=("entities", "tweeteval_hate"), limit=1)
    assert [one.entry.key for one in found] == ["tweeteval_hate", "ner_btc", "ner_wnut17"]
    assert {len(one.rows) for one in found} == {1}


def test_another_split(tmp_path: Path) -> None:
    _write(tmp_path / "umsab_es", [{"text": "hola", "label": "neutral"}], "test")
    (one,) = find_sets(tmp_path, "test")
    assert one.rows[0].text == "hola"
    assert one.training_rows() == []


def test_nothing_to_judge_is_an_error_that_says_so(tmp_path: Path, data: Path) -> None:
    with pytest.raises(InputError, match=r"no set with val\.jsonl\.gz"):
        find_sets(tmp_path)
    with pytest.raises(InputError, match="no set of weather"):
        find_sets(data, only=("weather",))


def test_a_set_of_ones_own_is_read_by_its_labels(tmp_path: Path) -> None:
    _write(
        tmp_path / "mine_es", [{"text": "hola", "label": "neutral"}, {"text": "bien", "label": "positive"}]
    )
    (one,) = find_sets(tmp_path)
    assert (one.entry.task, one.entry.lang, one.entry.metric) == ("sentiment", "es", "macro_f1")


def test_beside_known_sets_it_must_be_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rows = [{"text": "hola", "label": "neutral"}]
    _write(tmp_path / "mine_es", rows)
    _write(tmp_path / "umsab_es", rows)
    _write(tmp_path / "stance", [{"text": "no", "label": "against"}])
    assert [one.entry.key for one in find_sets(tmp_path)] == ["umsab_es"]
    assert "mine_es: left out, because training/sets.py has no such set; ask for it by name" in caplog.text
    assert "stance: left out, because its labels are none of ours" in caplog.text
    assert [one.entry.key for one in find_sets(tmp_path, only=("mine_es",))] == ["mine_es"]


def test_set_toml_says_what_labels_mean(tmp_path: Path) -> None:
    _write(tmp_path / "mine", [{"text": "hola", "label": "P"}, {"text": "?", "label": "skip"}])
    stated = 'task = "sentiment"\nlang = "es"\nmetric = "macro_recall"\n[labels]\nP = "positive"\n'
    (tmp_path / "mine" / "set.toml").write_text(stated, encoding="utf-8")
    (one,) = find_sets(tmp_path)
    assert (one.entry.lang, one.entry.metric, dict(one.entry.labels)) == (
        "es",
        "macro_recall",
        {"P": "positive"},
    )
    assert len(one.rows) == 1


def test_set_toml_for_entities(tmp_path: Path) -> None:
    _write(tmp_path / "mine", [{"tokens": ["Ana"], "tags": ["B-HUM"]}])
    stated = 'task = "entities"\n[labels]\nHUM = "person"\nTHING = ["product", "work"]\n'
    (tmp_path / "mine" / "set.toml").write_text(stated, encoding="utf-8")
    (one,) = find_sets(tmp_path)
    assert one.entry.metric == "entity_f1"
    assert one.entry.annotated == ("person", "product", "work")


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("task = ", "Could not read"),
        ('lang = "es"', "Could not read"),
        ('task = "weather"', "'weather'"),
        ('task = "sentiment"\nmetric = "luck"', "'luck'"),
        ('task = "sentiment"\n[labels]\nP = "good"', "the labels good"),
        ('task = "irony"\n[labels]\nP = "irony"', 'allowed are the labels of irony, "yes" and "no"'),
        ('task = "entities"\n[labels]\nP = "human"', "the labels human"),
    ],
)
def test_a_wrong_set_toml_is_refused(tmp_path: Path, stated: str, words: str) -> None:
    _write(tmp_path / "mine", [{"text": "hola", "label": "P"}])
    (tmp_path / "mine" / "set.toml").write_text(stated, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        find_sets(tmp_path)


@pytest.mark.parametrize(
    ("labels", "task", "metric"),
    [
        (["joy", "anger", "others"], "emotions", "macro_f1"),
        (["irony", "not_irony"], "irony", "macro_f1"),
        (["hate", "non-hate"], "hate", "macro_f1"),
        (["toxic", "not_toxic"], "offensive", "macro_f1"),
        (["sports", "music"], "topics", "macro_f1_labels"),
    ],
)
def test_labels_tell_the_task(labels: list[str], task: str, metric: str) -> None:
    found = infer("mine", [Row("x", (label,)) for label in labels])
    assert found is not None
    assert (found.task, found.metric, found.lang) == (task, metric, "und")


def test_several_labels_to_a_text_tell_the_metric() -> None:
    found = infer("mine_pt_br", [Row("x", ("joy", "love")), Row("y", ())])
    assert found is not None
    assert (found.task, found.metric, found.single, found.lang) == (
        "emotions",
        "macro_f1_labels",
        False,
        "pt",
    )


def test_tags_tell_the_types() -> None:
    found = infer("mine", [Row("a b", words=("a", "b"), tags=("B-PER", "B-product"))])
    assert found is not None
    assert dict(found.entities) == {"PER": ("person",), "product": ("product",)}
    assert infer("mine", [Row("a", words=("a",), tags=("B-gene",))]) is None
    assert infer("mine", [Row("a", words=("a",), tags=("O",))]) is None
    assert infer("mine", [Row("a", ("others",))]) is None
    assert infer("mine", []) is None
