"""From files to examples."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import EMOJI, write_rows
from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import (
    CHOICE_OR_NONE,
    CLOSED_CHOICE,
    NO_CHOICE,
    Row,
    digest,
    encode,
    encode_words,
    entity_example,
    fingerprint,
    label_shares,
    make_examples,
    read_rows,
    tag_table,
    usable,
)
from trendlark.training.examples import emoji_labels, load_examples
from trendlark.training.sets import EMOJI_SETS, SETS


def test_every_set_maps_to_labels_of_its_task() -> None:
    for entry in SETS.values():
        task = TASKS[entry.task]
        if task.kind == "yes_no":
            assert set(entry.labels.values()) == {"yes", "no"}
        elif task.kind == "spans":
            assert {one for types in entry.entities.values() for one in types} <= set(task.labels)
        else:
            assert set(entry.labels.values()) <= {*task.labels, ""}
            assert entry.annotated
    assert not set(EMOJI_SETS) & set(SETS)


def test_reads_texts_labels_and_words(data: Path) -> None:
    assert read_rows(data, SETS["tweeteval_hate"], "val")[0].labels == ("hate",)
    assert read_rows(data, SETS["tweet_topicxl_en"], "train")[0].labels == ("sports", "music")
    row = read_rows(data, SETS["ner_wnut17"], "train")[0]
    assert row.text.startswith("Ana lives in #Lima .")
    assert row.tags[:2] == ("B-person", "O")
    assert read_rows(data, SETS["ner_tweebank"], "train") == []


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"label": "hate"}',
        '{"text": null, "label": "hate"}',
        '{"text": "a", "labels": "hate"}',
        '{"tokens": ["Ana"], "tags": ["U-PER"]}',
        '{"tokens": ["Ana"], "tags": [""]}',
        '{"text": "x"}',
        '{"tokens": ["a"], "tags": []}',
        '{"text": "x", "labels": 3}',
    ],
)
def test_a_bad_line_is_named_with_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tweeteval_hate" / "train.jsonl.gz"
    path.parent.mkdir()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('{"text": "x", "label": "hate"}\n' + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        read_rows(tmp_path, SETS["tweeteval_hate"], "train")


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b'{"text": "a", "label": "hate"}\n' * 999, mtime=0)[:-20],
        gzip.compress('{"text": "ñ", "label": "hate"}\n'.encode("latin-1"), mtime=0),
        b'{"text": "a", "label": "hate"}\n',
        b"",
    ],
    ids=["cut off", "latin-1", "not gzipped", "empty"],
)
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tweeteval_hate" / "val.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(content)
    if not content:
        assert read_rows(tmp_path, SETS["tweeteval_hate"], "val") == []
        return
    with pytest.raises(InputError, match=r"Could not read .*val.jsonl.gz to its end .*Copy it again"):
        read_rows(tmp_path, SETS["tweeteval_hate"], "val")


def test_a_folder_without_sets_is_refused(tmp_path: Path, state: Checkpoint) -> None:
    with pytest.raises(InputError, match="No training set lies"):
        load_examples(tmp_path, state.tokenizer, ())


def test_rows_that_validation_holds_are_left_out(tmp_path: Path, state: Checkpoint) -> None:
    rows = [
        {"text": "Hello @Ana there http://t.co/1", "label": "hate"},
        {"text": "other", "label": "not-hate"},
    ]
    write_rows(tmp_path / "tweeteval_hate" / "train.jsonl.gz", rows)
    write_rows(
        tmp_path / "tweeteval_irony" / "val.jsonl.gz", [{"text": "hello @Bob THERE", "label": "irony"}]
    )
    found = load_examples(tmp_path, state.tokenizer, ())
    assert len(found["tweeteval_hate"]) == 1
    assert fingerprint("Hello @Ana there http://t.co/1") == fingerprint("hello @Bob THERE") == "hellothere"


def test_label_shares_count_each_row_once() -> None:
    assert label_shares([Row("a", ("x",)), Row("b", ("x", "y"))]) == "x 100 %, y 50 %"
    assert label_shares([Row("", (), ("a", "b", "c"), ("B-p", "I-p", "O"))]) == "p 100 %"
    assert label_shares([]) == ""


def test_auxiliary_emoji(data: Path, state: Checkpoint) -> None:
    assert emoji_labels(data) == tuple(sorted(EMOJI))
    examples = load_examples(data, state.tokenizer, EMOJI)["emojispace_es"]
    assert {example.emoji for example in examples} == {0, 1}
    assert not examples[0].values


def test_texts_are_cut_with_the_closing_token_kept(state: Checkpoint) -> None:
    ids = encode(state.tokenizer, ["word " * 50], max_tokens=10)[0]
    assert len(ids) == 10
    assert state.tokenizer.id_to_token(ids[-1]) == "[SEP]"


def test_rare_labels_weigh_more_and_the_silent_nothing(state: Checkpoint) -> None:
    rows = [Row("a", ("joy",))] * 9 + [Row("b", ("fear",))]
    examples = make_examples(rows, SETS["emoevent_es"], state.tokenizer)
    labels = TASKS["emotions"].labels
    weight = examples[-1].weights["emotions"]
    assert weight[labels.index("fear")] == pytest.approx(np.sqrt(0.15 / 0.1))
    assert weight[labels.index("love")] == 0
    sentiment = make_examples(
        [Row("a", ("neutral",))] * 8 + [Row("b", ("positive",)), Row("c", ("negative",))],
        SETS["umsab_es"],
        state.tokenizer,
    )
    common, rare = (example.weights["sentiment"].max() for example in (sentiment[0], sentiment[-1]))
    assert rare / common == pytest.approx(np.sqrt(8))


@pytest.mark.parametrize(
    ("key", "often", "seldom"),
    [
        ("umsab_es", "neutral", "positive"),
        ("emoevent_es", "joy", "fear"),
        ("toldbr_pt", "not_toxic", "toxic"),
    ],
)
def test_how_much_rarity_counts_is_a_power(key: str, often: str, seldom: str, state: Checkpoint) -> None:
    rows, entry = [Row("a", (often,))] * 9 + [Row("b", (seldom,))], SETS[key]

    def rarest(power: float) -> float:
        found = make_examples(rows, entry, state.tokenizer, power)
        common, rare = (example.weights[entry.task].max() for example in (found[0], found[-1]))
        return float(rare / common)

    assert rarest(0.0) == 1.0
    assert 1.0 < rarest(0.25) < rarest(0.5)
    assert rarest(0.25) == pytest.approx(np.sqrt(rarest(0.5)), rel=1e-6)


def test_how_a_set_chooses(state: Checkpoint) -> None:
    def choice(key: str, label: str) -> int:
        return make_examples([Row("x", (label,))], SETS[key], state.tokenizer)[0].choice

    assert choice("emoevent_es", "joy") == CHOICE_OR_NONE
    assert choice("tweeteval_emotion", "joy") == CLOSED_CHOICE
    assert choice("goemotions", "joy") == NO_CHOICE
    assert choice("tweeteval_irony", "irony") == NO_CHOICE


def test_rows_that_say_nothing_of_our_labels_are_left_out(state: Checkpoint) -> None:
    rows = [Row("x", ("gratitude",)), Row("y", ("joy", "gratitude")), Row("z", ("neutral",))]
    examples = make_examples(rows, SETS["goemotions"], state.tokenizer)
    assert [example.values["emotions"].sum() for example in examples] == [1, 0]


def test_no_label_says_none_where_there_may_be_several(state: Checkpoint) -> None:
    rows = [Row("so happy", ("joy",)), Row("the bus", ()), Row("wow", ("admiration",))]
    assert usable(SETS["goemotions"], rows) == rows[:2]
    assert usable(SETS["tweeteval_emotion"], rows) == rows[:1]
    _, none = make_examples(rows, SETS["goemotions"], state.tokenizer)
    assert not none.values["emotions"].any()
    assert none.weights["emotions"].any()


def test_offence_without_hate_teaches_both(state: Checkpoint) -> None:
    examples = make_examples(
        [Row("x", ("offensive",)), Row("y", ("hate",))], SETS["davidson_en"], state.tokenizer
    )
    assert [example.values["offensive"][0] for example in examples] == [1, 1]
    assert [example.values["hate"][0] for example in examples] == [0, 1]


def test_a_coarse_type_allows_its_finer_ones() -> None:
    tags = np.array(entity_tags())
    table = tag_table(SETS["ner_xlime_es"])
    assert set(tags[table["B-MISC"]]) == {"B-product", "B-work", "B-misc"}
    assert set(tags[table["I-ORG"]]) == {"I-organization", "I-group"}
    assert set(tags[table["O"]]) == {"O"}
    assert set(tags[tag_table(SETS["ner_wnut17"])["O"]]) == {"O", "B-misc", "I-misc"}


def test_pieces_of_a_word_go_on_inside_and_the_sign_of_a_hashtag_is_free(state: Checkpoint) -> None:
    words = ("Zyxwvut", "in", "#NewYork", "now")
    pieces = encode_words(state.tokenizer, words)
    tokens = [state.tokenizer.id_to_token(one) for one in pieces.ids]
    assert [tokens[at] for at, start in enumerate(pieces.starts) if start][1:] == ["in", "new", "now"]
    assert pieces.words[tokens.index("#")] == -1
    assert pieces.words[tokens.index("york")] == 2
    row = Row("", (), words, ("B-person", "O", "B-location", "O"))
    example = entity_example(row, SETS["ner_wnut17"], state.tokenizer)
    assert example.allowed_tags is not None
    tags = np.array(entity_tags())
    inside = [set(tags[row]) for row in example.allowed_tags]
    assert inside[1] == {"B-person"}
    assert inside[2] == {"I-person"}
    assert inside[tokens.index("new")] == {"B-location"}
    assert inside[tokens.index("york")] == {"I-location"}
    assert len(inside[tokens.index("#")]) == len(tags)


def test_an_unknown_tag_is_named(state: Checkpoint) -> None:
    with pytest.raises(InputError, match="B-alien"):
        entity_example(Row("", (), ("x",), ("B-alien",)), SETS["ner_btc"], state.tokenizer)


def test_digest_follows_the_files(tmp_path: Path) -> None:
    write_rows(tmp_path / "umsab_es" / "train.jsonl.gz", [{"text": "a", "label": "neutral"}])
    first = digest(tmp_path / "umsab_es")
    write_rows(tmp_path / "umsab_es" / "train.jsonl.gz", [{"text": "b", "label": "neutral"}])
    assert digest(tmp_path / "umsab_es") != first
