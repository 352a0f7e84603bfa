"""One analyzer used by many at once, closed under their hands, fed with streams: and its answers compared."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny_model import make_tiny_artifact
from trendlark.errors import InputError, ModelError
from trendlark.nlu import analyzer as module
from trendlark.nlu.analyzer import Analyze, Analyzer, load
from trendlark.nlu.artifact import default_folder, load_artifact
from trendlark.nlu.fake import FakeAnalyzer

WORDS = [
    "Madrid",
    "gol",
    "#Real_Madrid",
    "bad",
    "😭",
    "@ana",
    "que",
    "x9",
    "U.S.",
    "llegó",
    "日本",
    "https://t.co/a",
    "¿no?",
]

BY_LANGUAGE = (
    *("lang", "keyphrases", "sentiment", "emotions", "emotions_present", "irony", "hate", "offensive"),
    *("topics", "topic_probabilities"),
)


def tweets(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(0, 9))) for _ in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_artifact(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def analyzer(folder: Path) -> Iterator[Analyzer]:
    with Analyzer(load_artifact(folder), threads=2) as found:
        yield found


def test_eight_callers_at_once_get_what_one_gets(analyzer: Analyzer) -> None:
    parts = [tweets(80, seed) for seed in range(8)]
    expected = [analyzer.analyze(part) for part in parts]
    vectors = [analyzer.embed(part) for part in parts]
    together = Barrier(8)

    def work(at: int) -> bool:
        together.wait()
        return all(
            (
                analyzer.analyze(parts[at], batch_size=at + 1) == expected[at],
                list(analyzer.analyze_iter(iter(parts[at]))) == expected[at],
                np.array_equal(analyzer.embed(parts[at]), vectors[at]),
                [analyzer(text) for text in parts[at][:20]] == expected[at][:20],
            )
        )

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [True] * 8


def test_closed_under_the_hands_of_its_callers_it_answers_whole_or_refuses(folder: Path) -> None:
    part = tweets(60)
    shared = Analyzer(load_artifact(folder), threads=2)
    expected = shared.analyze(part)
    under_way = Event()

    def work(_: int) -> str:
        while True:
            try:
                assert shared.analyze(part, batch_size=2) == expected
                under_way.set()
            except ModelError as error:
                return str(error)

    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(work, at) for at in range(6)]
        under_way.wait(60)
        shared.close()
        told = {call.result(60) for call in calls}
    assert all("closed" in sentence and sentence.endswith("Load the model again.") for sentence in told)


def test_a_stream_of_a_closed_analyzer_ends_with_a_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trendlark.nlu.analyzer.SLICE_SIZE", 4)
    shared = Analyzer(load_artifact(folder), threads=1)
    stream = shared.analyze_iter(iter(tweets(40)))
    first = next(stream)
    shared.close()
    with pytest.raises(ModelError, match="closed"):
        list(stream)
    assert first.model.startswith("tiny-1-")


def test_two_models_at_once_do_not_mix(folder: Path, tmp_path: Path) -> None:
    other = make_tiny_artifact(tmp_path / "other", name="tiny-2", seed=8)
    part = tweets(50)
    with Analyzer(load_artifact(folder)) as one, Analyzer(load_artifact(other)) as two:
        alone = {one.name: one.analyze(part), two.name: two.analyze(part)}
        with ThreadPoolExecutor(4) as pool:
            both = pool.map(lambda each: (each.name, each.analyze(part)), [one, two] * 4)
            assert all(found == alone[name] for name, found in both)
        one.close()
        assert two.analyze(part) == alone[two.name]
    assert [found.model for found in alone[two.name]] == [two.name] * 50
    assert [a.sentiment for a in alone[one.name]] != [b.sentiment for b in alone[two.name]]


def test_a_reader_that_fails_midway_harms_nobody_else(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trendlark.nlu.analyzer.SLICE_SIZE", 8)

    def broken() -> Iterator[str]:
        yield from tweets(20)
        raise OSError("the file ends here")

    with pytest.raises(OSError, match="ends here"):
        analyzer.analyze(broken())
    stream = analyzer.analyze_iter(broken())
    got = [next(stream) for _ in range(8)]
    assert got == analyzer.analyze(tweets(20)[:8])
    with pytest.raises(OSError, match="ends here"):
        list(stream)
    abandoned = analyzer.analyze_iter(iter(tweets(100)))
    assert next(abandoned) == analyzer(tweets(1)[0])
    del abandoned
    assert analyzer.analyze(text for text in tweets(20)) == analyzer.analyze(tweets(20))


def peaks(folder: Path, *counts: int) -> list[int]:
    """How much memory streams of so many tweets take at most, one after another."""
    module.SLICE_SIZE = 64
    with Analyzer(load_artifact(folder), threads=2) as analyzer:

        def peak(count: int) -> int:
            stream = (f"{number} {text}" for number, text in enumerate(tweets(count)))
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            assert sum(1 for _ in analyzer.analyze_iter(stream)) == count
            return tracemalloc.get_traced_memory()[1] - before

        list(analyzer.analyze_iter(tweets(500)))  # fills the caches of the rules
        tracemalloc.start()
        return [peak(count) for count in counts]


def test_a_long_stream_takes_no_more_memory_than_a_short_one(folder: Path) -> None:
    # In a process of its own: what threads of other tests take would count here, too.
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        short, long = alone.submit(peaks, folder, 200, 2500).result()
    # Each analysis is about 5 kB: were all held, the long one would take 10 MB more.
    assert long < short + 3_000_000


ANALYZERS: dict[str, Callable[[Path], Analyze]] = {
    "real": lambda folder: load(folder, threads=1),
    "fake": lambda _: FakeAnalyzer(),
}


@pytest.fixture(params=ANALYZERS)
def either(request: pytest.FixtureRequest, folder: Path) -> Iterator[Analyze]:
    found = ANALYZERS[request.param](folder)
    yield found
    found.close()


@pytest.mark.parametrize("single", ["hola", b"hola", ""])
def test_a_single_text_is_never_taken_for_a_list_of_letters(either: Analyze, single: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: either.analyze(single),
        lambda: list(either.analyze_iter(single)),
        lambda: either.embed(single),
    ]
    for call in calls:
        with pytest.raises(InputError, match=r"in place of a list of texts.*Write analyze\(\[text\]\)"):
            call()
    with pytest.raises(InputError, match="in place of a list of languages"):
        either.analyze(["uno", "dos"], langs="es")


def test_a_stream_tells_the_place_of_what_is_no_text(either: Analyze) -> None:
    stream: list[object] = ["uno", "dos", "tres", None]
    with pytest.raises(InputError, match="NoneType at position 3"):
        list(either.analyze_iter(stream))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="int as the language at position 1"):
        either.analyze(["uno", "dos"], langs=["es", 7])  # type: ignore[list-item]


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_of_none_is_refused_wherever_it_is_asked_for(
    folder: Path, analyzer: Analyzer, size: int
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: analyzer.analyze(["uno"], batch_size=size),
        lambda: list(analyzer.analyze_iter(["uno"], batch_size=size)),
        lambda: analyzer.embed(["uno"], batch_size=size),
        lambda: load(folder, threads=1, batch_size=size)("uno"),
    ]
    for call in calls:
        with pytest.raises(InputError, match=f"batch size of {size}; allowed is 1 and more"):
            call()


_TEXTS = st.lists(
    st.one_of(st.text(max_size=12), st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)), max_size=14
)


@settings(max_examples=60)
@given(_TEXTS, st.randoms(use_true_random=False), st.integers(1, 9))
def test_neither_order_nor_company_nor_repetition_matters(
    analyzer: Analyzer, texts: list[str], chance: random.Random, size: int
) -> None:
    alone = {text: analyzer(text) for text in texts}
    company = chance.sample(texts * 3, len(texts) * 3)
    assert analyzer.analyze(company, batch_size=size) == [alone[text] for text in company]
    cut = chance.randint(0, len(texts))
    halves = analyzer.analyze(texts[:cut]) + analyzer.analyze(texts[cut:])
    assert halves == [alone[text] for text in texts]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), st.text(" \n\t\u3000", max_size=4))
def test_white_space_at_the_end_changes_no_answer(analyzer: Analyzer, text: str, blanks: str) -> None:
    assert analyzer(text + blanks) == analyzer(text)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    st.sampled_from(["es", "en", "pt-BR", "und", None]),
)
def test_the_stated_language_changes_nothing_but_the_language_and_the_keyphrases(
    analyzer: Analyzer, text: str, stated: str | None
) -> None:
    plain, told = analyzer(text), analyzer(text, stated)
    assert replace(told, lang=plain.lang, keyphrases=plain.keyphrases) == plain
    assert told.lang == (stated[:2] if stated not in ("und", None) and stated else plain.lang)


@pytest.mark.skipif(
    not (default_folder() / "manifest.json").is_file(), reason="no default model in this checkout"
)
def test_the_model_in_the_package_keeps_the_same_promises() -> None:
    texts = [*tweets(16), "El Real Madrid gana en Wembley con gol de Vinícius", "x" * 3000, "\ud800\x00"]
    with Analyzer(load_artifact(), threads=1) as one, Analyzer(load_artifact(), threads=4) as four:
        found = one.analyze(texts)
        assert four.analyze(texts[::-1], batch_size=3)[::-1] == found
        assert one.analyze([f"{text} \n" for text in texts]) == found
        spanish = one.analyze(texts, langs=["es"] * len(texts))
    for plain, told in zip(found, spanish, strict=True):
        assert told.lang == "es"
        # What is calibrated by language, and what its words decide, may differ; nothing else may. Temperatures
        # leave the likeliest sentiment the likeliest, whatever a language's thresholds say of it.
        ours, theirs = told.sentiment.probabilities, plain.sentiment.probabilities
        assert max(ours, key=ours.__getitem__) == max(theirs, key=theirs.__getitem__)
        by_language = {name: getattr(plain, name) for name in BY_LANGUAGE}
        assert replace(told, **by_language) == plain
