"""Which sets a folder holds, known or not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import write_rows
from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS
from trendlark.training.data import Row
from trendlark.training.evaluation.folders import find_sets, infer
from trendlark.training.evaluation.readings import count, gold_of
from trendlark.training.scoring import NONE
from trendlark.training.sets import SETS


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
    # Of several names each has to be there.
    for only in (("weather",), ("umsab_es", "weather"), ("weather", "irony")):
        with pytest.raises(InputError, match="no set of weather with"):
            find_sets(data, only=only)
    for limit in (0, -3):
        with pytest.raises(InputError, match=f"a limit of {limit} rows"):
            find_sets(data, limit=limit)


def test_a_set_is_known_by_its_folder_wherever_one_stands(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data / "tweeteval_irony")
    (one,) = find_sets(Path())
    assert (one.entry, len(one.training_rows())) == (SETS["tweeteval_irony"], 8)
    # A link has the name that it was given.
    (tmp_path / "umsab_en").symlink_to(data / "umsab_es")
    (linked,) = find_sets(tmp_path / "umsab_en")
    assert linked.entry == SETS["umsab_en"]


def test_what_is_no_set_does_not_stop_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    _write(tmp_path / "umsab_es", [{"text": "hola", "label": "neutral"}])
    _write(tmp_path / "pairs", [{"en": "hi", "es": "hola"}])
    assert [one.entry.key for one in find_sets(tmp_path)] == ["umsab_es"]
    assert "pairs: left out, because it is in another form: " in caplog.text
    for folder, only in ((tmp_path, ("pairs",)), (tmp_path / "pairs", ())):
        with pytest.raises(InputError, match=r"pairs/val\.jsonl\.gz, line 1"):
            find_sets(folder, only=only)
    _write(tmp_path / "umsab_es", [{"text": "hola", "label": "neutral"}, {"text": "hola"}])
    with pytest.raises(InputError, match=r"umsab_es/val\.jsonl\.gz, line 2"):
        find_sets(tmp_path)


def test_a_text_with_none_of_several_labels_counts(tmp_path: Path) -> None:
    rows = [{"text": "yay", "labels": ["joy"]}, {"text": "the bus", "labels": []}]
    _write(tmp_path / "mine_en", rows)
    (one,) = find_sets(tmp_path)
    assert len(one.rows) == 2
    said = [frozenset({"joy"}), frozenset({"joy"})]
    # Of the text without a label joy is said wrongly.
    assert count(one.entry, one.rows, said, None).tally.score() == pytest.approx(2 / 3)


def test_types_that_set_toml_does_not_name_are_not_asked_for(tmp_path: Path) -> None:
    _set(
        tmp_path / "mine",
        'task = "entities"\n[labels]\nPER = "person"\n',
        {"tokens": ["Ana", "left", "May", "1"], "tags": ["B-PER", "O", "B-DATE", "I-DATE"]},
    )
    (one,) = find_sets(tmp_path)
    assert gold_of(one.entry, one.rows[0]) == ("B-PER", "O", "O", "O")


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


def _set(folder: Path, stated: str, *rows: dict[str, Any]) -> Path:
    _write(folder, list(rows) or [{"text": "hola", "label": "P"}])
    (folder / "set.toml").write_text(stated, encoding="utf-8", errors="surrogateescape")
    return folder / "set.toml"


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("task = ", "Could not read"),
        ('lang = "es"', "Could not read"),
        ('task = "sentiment"\nlabels = "P"', "Could not read"),
        ('task = "sentiment"\nlabels = ["P"]', "Could not read"),
        ('task = "sentiment" # \udcf1', "Could not read"),
        ('task = "weather"', "'weather'"),
        ('task = "sentiment"\nmetric = "luck"', "'luck'"),
        ('task = "sentiment"\n[labels]\nP = "good"', "the labels good"),
        ('task = "irony"\n[labels]\nP = "irony"', "the labels irony"),
        ('task = "entities"\n[labels]\nP = "human"', "the labels human"),
    ],
)
def test_a_wrong_set_toml_is_refused(tmp_path: Path, stated: str, words: str) -> None:
    path = _set(tmp_path / "mine", stated)
    with pytest.raises(InputError, match=words) as told:
        find_sets(tmp_path)
    assert str(path) in str(told.value)


# What docs/training.md lists.
FITTING = {
    "sentiment": ("macro_f1", "macro_recall"),
    "emotions": ("macro_f1", "macro_recall", "macro_f1_labels"),
    "irony": ("macro_f1", "macro_recall", "f1_yes"),
    "hate": ("macro_f1", "macro_recall", "f1_yes"),
    "offensive": ("macro_f1", "macro_recall", "f1_yes"),
    "topics": ("macro_f1", "macro_recall", "macro_f1_labels"),
    "entities": ("entity_f1",),
}
OURS = {"sentiment": "positive", "emotions": "joy", "topics": "sports", "entities": "person"}


@pytest.mark.parametrize("metric", ["macro_f1", "macro_recall", "f1_yes", "macro_f1_labels", "entity_f1"])
@pytest.mark.parametrize("task", list(TASKS))
def test_only_a_metric_that_fits_the_task_scores_it(tmp_path: Path, task: str, metric: str) -> None:
    stated = f'task = "{task}"\nmetric = "{metric}"\n[labels]\nP = "{OURS.get(task, "yes")}"\n'
    row = {"tokens": ["Ana"], "tags": ["B-P"]} if task == "entities" else {"text": "hola", "label": "P"}
    path = _set(tmp_path / "mine", stated, row)
    if metric in FITTING[task]:
        (one,) = find_sets(tmp_path)
        said = gold_of(one.entry, one.rows[0])
        # Who says what the set's people said is right by every metric that is taken.
        assert count(one.entry, one.rows, [said], None).tally.score() == 1
        return
    with pytest.raises(InputError) as told:
        find_sets(tmp_path)
    assert str(told.value) == (
        f"Found metric '{metric}' for the task {task} in {path}; allowed for it: {', '.join(FITTING[task])}. "
        "Correct the file."
    )


@pytest.mark.parametrize(
    ("task", "metric"),
    [(task, "macro_f1_labels" if task == "topics" else FITTING[task][0]) for task in TASKS],
)
def test_without_a_metric_the_usual_one_is_taken(tmp_path: Path, task: str, metric: str) -> None:
    row = {"tokens": ["Ana"], "tags": ["B-P"]} if task == "entities" else {"text": "hola", "label": "P"}
    _set(tmp_path / "mine", f'task = "{task}"\n[labels]\nP = "{OURS.get(task, "yes")}"\n', row)
    assert find_sets(tmp_path)[0].entry.metric == metric


def test_texts_that_are_none_of_the_sentiments_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [{"text": text, "label": label} for text, label in (("hola", "P"), ("taxi", "X"), ("puf", "N"))]
    stated = 'task = "sentiment"\n[labels]\nP = "positive"\nN = "negative"\nX = ""\n'
    _set(tmp_path / "mine", stated, *rows)
    _write(tmp_path / "mine", rows, "train")
    (one,) = find_sets(tmp_path)
    assert [row.text for row in one.rows] == ["hola", "puf"]
    assert [row.text for row in one.training_rows()] == ["hola", "puf"]
    assert "mine: rows labelled X are left out, because sentiment is always one of its labels" in caplog.text


@pytest.mark.parametrize("task", ["emotions", "topics"])
def test_none_of_them_is_an_answer_where_a_model_can_give_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, task: str
) -> None:
    caplog.set_level(logging.INFO)
    rows = [{"text": "hola", "label": "P"}, {"text": "taxi", "label": "X"}]
    _set(
        tmp_path / "mine",
        f'task = "{task}"\nmetric = "macro_f1"\n[labels]\nP = "{OURS[task]}"\nX = ""\n',
        *rows,
    )
    (one,) = find_sets(tmp_path)
    assert [gold_of(one.entry, row) for row in one.rows] == [OURS[task], NONE]
    assert "left out" not in caplog.text


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        (
            'task = "hate"\n[labels]\nP = "yes"\nX = ""\nY = "maybe"',
            'Found the labels "", maybe in {path}; allowed for hate: yes, no. Correct the file.',
        ),
        (
            'task = "entities"\n[labels]\nP = "person"\nX = ""',
            (
                'Found the labels "" in {path}; allowed for entities: person, organization, location, product, work, '
                "group, misc. Correct the file."
            ),
        ),
        (
            'task = "sentiment"\n[labels]\nP = ""',
            (
                "Found none of our labels in {path}; allowed for sentiment: negative, neutral, positive, "
                'and "" for none of them. Correct the file.'
            ),
        ),
        (
            'task = "irony"',
            "Found none of our labels in {path}; allowed for irony: yes, no. Correct the file.",
        ),
    ],
)
def test_labels_are_refused_with_those_that_the_task_takes(
    tmp_path: Path, stated: str, sentence: str
) -> None:
    path = _set(tmp_path / "mine", stated)
    with pytest.raises(InputError) as told:
        find_sets(tmp_path)
    assert str(told.value) == sentence.format(path=path)


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
