"""The analyzer on a real ONNX graph with random weights: order, batches, threads, offsets, limits and refusals."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trendlark
from tests.support.tiny_model import WIDTH, make_tiny_artifact
from trendlark.errors import InputError, ModelError
from trendlark.nlu.analyzer import Analyzer
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.batches import Reading, usable_cores
from trendlark.nlu.tasks import TASKS
from trendlark.records import EMOTIONS, SENTIMENTS, Analysis, clean_text

TWEETS = [
    "Me encanta @RealMadrid, que partidazo en el Bernabéu",
    "I hate this game 😭😭",
    "",
    "Qué alegría!!! https://t.co/x #JuegoDeTronos",
    "good",
    "日本語のツイート",
    "Messi in Barcelona &amp; Madrid",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_artifact(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def analyzer(folder: Path) -> Iterator[Analyzer]:
    with Analyzer(load_artifact(folder), threads=2) as found:
        yield found


def many_tweets(count: int) -> list[str]:
    random = np.random.default_rng(3)
    words = ["Madrid", "good", "#Real_Madrid", "bad", "😭", "@ana", "que", "loudly", "x9", "U.S.", "llegó"]
    return [" ".join(random.choice(words, int(size))) for size in random.integers(0, 12, count)]


def test_load_takes_a_folder(folder: Path) -> None:
    analyzer = trendlark.load(str(folder), threads=1)
    assert re.fullmatch("tiny-1-[0-9a-f]{8}", analyzer.name)
    assert analyzer.tasks == TASKS
    analyzer.close()


def test_every_field_is_filled(analyzer: Analyzer) -> None:
    found = analyzer(TWEETS[3])
    assert found.lang == "es"
    assert tuple(found.sentiment.probabilities) == SENTIMENTS
    assert sum(found.sentiment.probabilities.values()) == pytest.approx(1)
    assert found.sentiment.label == max(SENTIMENTS, key=lambda label: found.sentiment.probabilities[label])
    assert tuple(found.emotions) == EMOTIONS
    assert found.emotions_present == tuple(
        sorted(
            (label for label in EMOTIONS if found.emotions[label] >= 0.5), key=lambda at: -found.emotions[at]
        )
    )
    assert [label.label for label in found.topics] == sorted(
        (label for label, value in found.topic_probabilities.items() if value >= 0.5),
        key=lambda label: -found.topic_probabilities[label],
    )
    for flag in (found.irony, found.hate, found.offensive):
        assert flag.value == (flag.probability >= 0.5)
    assert found.hashtags == ("JuegoDeTronos",)
    assert found.urls == ("https://t.co/x",)
    assert found.model.startswith("tiny-1-")


def test_answers_come_in_the_order_given(analyzer: Analyzer) -> None:
    texts = many_tweets(300)
    assert analyzer.analyze(texts) == [analyzer(text) for text in texts]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 16, 1000])
def test_a_text_gets_bitwise_the_same_answer_in_any_batch(analyzer: Analyzer, batch_size: int) -> None:
    texts = many_tweets(200)
    assert analyzer.analyze(texts, batch_size=batch_size) == analyzer.analyze(texts[::-1])[::-1]
    alone = np.concatenate([analyzer.embed([text]) for text in texts[:40]])
    assert np.array_equal(analyzer.embed(texts, batch_size=batch_size)[:40], alone)


def test_one_thread_and_four_give_the_same(folder: Path, analyzer: Analyzer) -> None:
    texts = many_tweets(100)
    for threads in (1, 4):
        with Analyzer(load_artifact(folder), threads=threads) as other:
            assert other.analyze(texts) == analyzer.analyze(texts)


def test_callers_may_share_it(analyzer: Analyzer) -> None:
    texts = many_tweets(60)
    expected = analyzer.analyze(texts)
    with ThreadPoolExecutor(6) as pool:
        assert all(found == expected for found in pool.map(lambda _: analyzer.analyze(texts), range(12)))


def test_what_occurs_twice_is_computed_once(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = analyzer._batches.read

    def note(text: str) -> Reading:
        read.append(text)
        return original(text)

    monkeypatch.setattr(analyzer._batches, "read", note)
    found = analyzer.analyze(["uno", "dos", "uno", "uno"], langs=["es", None, "es", "pt"])
    assert sorted(read) == ["dos", "uno"]
    assert [one.lang for one in found][::2] == ["es", "es"]
    assert found[3].lang == "pt"
    assert found[3].sentiment == found[0].sentiment


def test_slices_join_without_a_seam(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} {number}" for number, text in enumerate(many_tweets(50))]
    expected = analyzer.analyze(texts)
    monkeypatch.setattr("trendlark.nlu.analyzer.SLICE_SIZE", 7)
    assert analyzer.analyze(texts) == expected
    assert list(analyzer.analyze_iter(iter([*texts, *texts]))) == [*expected, *expected]
    assert np.array_equal(analyzer.embed(texts), np.concatenate([analyzer.embed([text]) for text in texts]))


def test_a_stream_is_read_no_further_than_two_slices_ahead(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trendlark.nlu.analyzer.SLICE_SIZE", 5)
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"tweet {taken}"

    stream = analyzer.analyze_iter(endless())
    assert next(stream) == analyzer("tweet 1")
    assert taken == 10


def test_embeddings_are_float32_of_length_one(analyzer: Analyzer) -> None:
    vectors = analyzer.embed(TWEETS)
    assert vectors.shape == (len(TWEETS), WIDTH)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert analyzer.embed([]).shape == (0, WIDTH)


def test_no_texts_give_no_answers(analyzer: Analyzer) -> None:
    assert analyzer.analyze([]) == []
    assert list(analyzer.analyze_iter([])) == []


def test_empty_text_is_answered(analyzer: Analyzer) -> None:
    found = analyzer("")
    assert sum(found.sentiment.probabilities.values()) == pytest.approx(1)
    assert (found.lang, found.entities, found.keyphrases, found.truncated) == ("und", (), (), False)


def test_long_text_is_cut_and_says_so(analyzer: Analyzer) -> None:
    assert analyzer("x" * 5000).truncated
    assert analyzer("que " * 95).truncated
    assert not analyzer("que " * 94).truncated
    assert analyzer("que " * 94 + "good bad").sentiment == analyzer("que " * 94).sentiment


def entities_hold(text: str, found: Analysis) -> bool:
    clean = clean_text(text)
    spans = [(entity.start, entity.end) for entity in found.entities]
    ordered = all(before[1] <= after[0] for before, after in pairwise(spans))
    return ordered and all(clean[at.start : at.end] == at.text and at.text.strip() for at in found.entities)


_PIECES = [
    "Madrid",
    "@ana",
    "#JuegoDeTronos",
    "http://t.co/x",
    "😭",
    "👨‍👩‍👧",
    "e\u0301",
    "\u0301",
    "日本",
    "\ud800",
    "&amp;",
]


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=6)), max_size=12).map("".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
def test_entities_lie_where_they_say(analyzer: Analyzer, text: str) -> None:
    assert entities_hold(text, analyzer(text))


def hostile_texts() -> list[str]:
    random = np.random.default_rng(11)
    signs = [
        "\x00",
        "\ud800",
        "\udfff",
        "\u202e",
        "\u200f",
        "\u200b",
        "\ufeff",
        "😭",
        "🇪🇸",
        "\u0301",
        "\x1b[31m",
    ]
    signs += [
        "=cmd()",
        "&amp;amp;",
        "#",
        "@",
        "https://",
        "שלום",
        "مرحبا",
        "\r\n",
        "\t",
        "a",
        "Madrid",
        " ",
        "\\u2019",
    ]
    texts = ["".join(random.choice(signs, int(size))) for size in random.integers(0, 30, 9988)]
    long = ["x", "#", "@", "&amp;", "😭", "\u0301", "(", "#a", "@b ", "https://a.b/", "\u202e", "\ud800"]
    return [*texts, *(sign * (100_000 // len(sign)) for sign in long)]


@pytest.mark.slow
def test_ten_thousand_hostile_texts_none_is_lost(analyzer: Analyzer) -> None:
    texts = hostile_texts()
    found = analyzer.analyze(texts)
    assert len(found) == len(texts) == 10_000
    assert all(entities_hold(text, one) for text, one in zip(texts, found, strict=True))
    for one in found:
        for word in (
            *one.hashtags,
            *one.mentions,
            *one.urls,
            *one.keyphrases,
            *(at.text for at in one.entities),
        ):
            word.encode("utf-8")


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["nested"]])
def test_refuses_what_is_not_text(analyzer: Analyzer, bad: object) -> None:
    with pytest.raises(InputError, match=r"position 1; allowed is str"):
        analyzer.analyze(["fine", bad])  # type: ignore[list-item]


def test_refuses_a_single_text_and_too_few_languages(analyzer: Analyzer) -> None:
    with pytest.raises(InputError, match=r"analyze\(\[text\]\)"):
        analyzer.analyze("one text")
    with pytest.raises(InputError, match="Found 1 languages for 2 texts"):
        analyzer.analyze(["one", "two"], langs=["en"])
    with pytest.raises(InputError, match="batch size of -1"):
        analyzer.analyze(["one"], batch_size=-1)


def test_refuses_fewer_than_no_threads(folder: Path) -> None:
    with pytest.raises(InputError, match="-1 threads"):
        Analyzer(load_artifact(folder), threads=-1)


def test_closed_it_refuses_and_closing_again_does_nothing(folder: Path) -> None:
    with Analyzer(load_artifact(folder)) as closed:
        closed("open")
    closed.close()
    with pytest.raises(ModelError, match="closed"):
        closed("closed")


def test_a_bar_is_drawn_only_when_asked_for(analyzer: Analyzer, capsys: pytest.CaptureFixture[str]) -> None:
    analyzer.analyze(TWEETS)
    assert capsys.readouterr() == ("", "")
    analyzer.analyze(TWEETS, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Analysing" in err


def test_zero_threads_are_one_for_each_usable_core(folder: Path) -> None:
    with Analyzer(load_artifact(folder), threads=0) as analyzer:
        assert analyzer._batches._pool._max_workers == usable_cores() >= 1


def test_importing_the_package_loads_no_model_library() -> None:
    code = """
import sys, trendlark
heavy = {"onnxruntime", "numpy", "tokenizers", "py3langid"} & set(sys.modules)
trendlark.load("fake")("hola")
heavy |= {"onnxruntime", "py3langid"} & set(sys.modules)
sys.exit(str(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
