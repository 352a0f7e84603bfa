"""The examples, asked for again after a change of the pool; and hostile texts, copies and copies of copies."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trendlark.records import SENTIMENTS
from trendlark.reports.counts import NameCounter
from trendlark.reports.examples import Candidate, Pool, choose_examples, seats_for
from trendlark.reports.words import fold, tokens

_WORDS = [
    "gol",
    "penalti",
    "árbitro",
    "afición",
    "estadio",
    "lluvia",
    "portero",
    "falta",
    "tarjeta",
    "minuto",
]


def _pool(texts: list[str], labels: list[str] | None = None, *, prefix: str = "t") -> Pool:
    labels = labels or ["neutral"] * len(texts)
    found = [
        Candidate(f"{prefix}{at:03d}", text, label)
        for at, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    return Pool(found, Counter(labels))


def _own(number: int, shared: int = 3) -> str:
    """A text of which some words are the trend's and four are its own."""
    return " ".join([*Random(number).sample(_WORDS, shared), *(f"{sign}{number}" for sign in "abcd")])


def _said(pool: Pool, ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    texts = {candidate.tweet_id: candidate.text for candidate in pool.candidates}
    return [tuple(tokens(texts[one])) for one in ids]


@pytest.mark.parametrize("many", [1, 2, 3, 9, 10, 19, 20, 60])
def test_different_texts_fill_every_seat(many: int) -> None:
    [chosen] = choose_examples([_pool([_own(at) for at in range(many)])])
    assert len(set(chosen)) == len(chosen) == seats_for(many)


@pytest.mark.parametrize(
    "text", ["gol de falta en el minuto cinco", "", "😀", "@ana https://t.co/x", "\x00", "日本"]
)
@pytest.mark.parametrize("many", [1, 2, 50])
def test_texts_that_are_all_the_same_are_shown_once(text: str, many: int) -> None:
    assert choose_examples([_pool([text] * many)]) == [("t000",)]


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.title,
        lambda text: f"RT @ana: {text}",
        lambda text: f"{text} https://t.co/x1",
        lambda text: f"@ana @bea {text}",
        lambda text: f"  {text}\n\n",
        lambda text: text.replace(" ", ", ") + "!!!",
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("á", "a").replace("ó", "o"),
        lambda text: text.replace(" y ", " &amp; y "),
    ],
    ids=[
        "upper",
        "title",
        "retweet",
        "link",
        "mentions",
        "blanks",
        "commas",
        "decomposed",
        "plain",
        "escaped",
    ],
)
def test_copies_with_a_change_that_says_nothing_are_the_same_text(change: object) -> None:
    assert callable(change)
    text = "el árbitro y la afición lo vieron todo"
    others = [_own(1), _own(2)]
    [chosen] = choose_examples([_pool([text, change(text), change(text), *others])])
    assert set(chosen) == {"t000", "t003", "t004"}


def test_a_chain_of_near_copies_shows_its_ends_not_its_links() -> None:
    # Each text is near the next one; the first and the last have few words in common.
    words = [f"palabra{at}" for at in range(40)]
    chain = [" ".join(words[at : at + 12]) for at in range(28)]
    [chosen] = choose_examples([_pool(chain)])
    places = sorted(int(one[1:]) for one in chosen)
    assert all(after - before >= 2 for before, after in pairwise(places))
    assert 3 <= len(chosen) <= 5


@settings(max_examples=40)
@given(st.lists(st.sampled_from(SENTIMENTS), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_shuffling_pools_and_candidates_changes_nothing(labels: list[str], chance: Random) -> None:
    one = _pool([_own(at) for at in range(len(labels))], labels)
    two = _pool([_own(100 + at) for at in range(7)], prefix="u")
    expected = choose_examples([one, two])
    shuffled = Pool(chance.sample(list(one.candidates), len(labels)), one.sentiments)
    assert choose_examples([two, shuffled]) == expected[::-1]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(SENTIMENTS), min_size=1, max_size=40))
def test_each_sentiment_gets_its_share_of_the_seats_within_one(labels: list[str]) -> None:
    pool = _pool([_own(at) for at in range(len(labels))], labels)
    [chosen] = choose_examples([pool])
    shown = Counter(labels[int(one[1:])] for one in chosen)
    for label, count in pool.sentiments.items():
        assert abs(shown[label] - len(chosen) * count / len(labels)) < 1


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(2, 4))
def test_every_text_as_often_again_shows_the_same_texts(many: int, times: int) -> None:
    texts = [_own(at) for at in range(many)]
    once, often = _pool(texts), _pool([text for text in texts for _ in range(times)])
    said = _said(once, choose_examples([once])[0])
    again = _said(often, choose_examples([often])[0])
    assert len(again) == len(said) == len(set(again))
    if many <= 3:
        assert set(again) == set(said)


def test_what_is_repeated_most_stands_first() -> None:
    texts = [_own(at) for at in range(8)]
    pool = _pool([*texts, *[texts[5]] * 30])
    assert choose_examples([pool])[0][0] == "t005"


def test_another_trend_never_lends_its_tweets() -> None:
    pools = [_pool([_own(10 * at + n) for n in range(at + 1)], prefix=f"{at}-") for at in range(12)]
    for at, chosen in enumerate(choose_examples(pools)):
        assert chosen
        assert all(one.startswith(f"{at}-") for one in chosen)


_HOSTILE = [
    *(
        "\x00",
        "\ud800",
        "\u202eabc",
        "\u200b" * 50,
        "e" + "\u0301" * 500,
        "😀" * 3000,
        "a" * 50_000,
        "a " * 50_000,
    ),
    *(
        "#" * 500,
        "@" * 500,
        "&amp;" * 400,
        "http://" * 300,
        "=cmd()",
        "<script>x</script>",
        "RT " * 100,
        "RT @a: " * 60,
    ),
    *("日本語" * 200, "مرحبا بالعالم", "'" * 100, "a'" * 100, "_" * 90, "\n" * 90, "ﷺ" * 200, "²½Ⅷ", "İıſK"),
]


def test_hostile_texts_are_chosen_from_like_others() -> None:
    pool = _pool([*_HOSTILE, *(_own(at) for at in range(10))])
    expected = choose_examples([pool])
    assert len(expected[0]) == 5
    chance = Random(3)
    for _ in range(3):
        assert (
            choose_examples(
                [Pool(chance.sample(list(pool.candidates), len(pool.candidates)), pool.sentiments)]
            )
            == expected
        )
    for text in _HOSTILE:
        assert choose_examples([_pool([text])]) == [("t000",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nin\u0303o y #Nin\u0303os", ["nino", "y", "#ninos"]),
        ("हिन्दी दिवस। #हिन्दी", ["हिन्दी", "दिवस", "#हिन्दी"]),
        ("كَيْفَ حالك؟", ["كَيْفَ", "حالك"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("e" + "\u0301" * 90, ["e"]),
        ("\u0301\u0301 a", ["a"]),
    ],
)
def test_signs_inside_a_word_do_not_part_it(text: str, expected: list[str]) -> None:
    assert tokens(text) == [unicodedata.normalize("NFKD", word) for word in expected]


@given(st.text(max_size=12))
def test_folding_is_blind_to_composition_case_of_letters_and_blanks(name: str) -> None:
    assert fold(unicodedata.normalize("NFC", name)) == fold(unicodedata.normalize("NFD", name)) == fold(name)
    assert fold(f" {name}\n") == fold(name)


@pytest.mark.parametrize(
    ("spellings", "shown", "count"),
    [
        (["Málaga", "MALAGA", "malaga", "Málaga"], "Málaga", 4),
        (["caf\u00e9", "cafe\u0301", "CAFÉ"], "CAFÉ", 3),
        (["España", "Espana"], "Espana", 2),
        (["Müller", "MULLER", "Mu\u0308ller", "Müller"], "Müller", 4),
        (["Straße", "STRASSE", "strasse", "Straße"], "Straße", 4),
        (["ＦＩＦＡ", "FIFA", "fifa", "FIFA"], "FIFA", 4),
        (["Real\u00a0Madrid", "real  madrid", "Real Madrid"], "Real Madrid", 3),
        (["Ἀθῆναι", "αθηναι", "ΑΘΗΝΑΙ"], "ΑΘΗΝΑΙ", 3),
        (["Москва", "москва", "МОСКВА", "Москва"], "Москва", 4),
    ],
)
def test_spellings_of_one_name_are_one(spellings: list[str], shown: str, count: int) -> None:
    counter = NameCounter()
    for spelling in spellings:
        counter.add([(spelling, "misc"), (spelling.lower(), "misc")])
    [found] = counter.top()
    assert (found.name, found.count, found.type) == (shown, count, "misc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Peña", "Pena de muerte"),
        ("C", "C++"),
        ("#gol", "gol"),
        ("ال", "لا"),
        ("한국", "한"),
        ("1", "11"),
        ("दिल", "दाल"),
    ],
)
def test_names_that_differ_by_more_are_two(one: str, other: str) -> None:
    counter = NameCounter()
    counter.add([(one, None), (other, None)])
    assert {found.name for found in counter.top()} == {one, other}


@given(st.lists(st.lists(st.sampled_from(["Ana", "ANA", "Bea", "Céu", "ceu"]), max_size=4), max_size=12))
def test_counting_tweets_twice_doubles_every_count(tweets: list[list[str]]) -> None:
    once, twice = NameCounter(), NameCounter()
    for names in tweets:
        once.add((name, None) for name in names)
    for names in tweets + tweets:
        twice.add((name, None) for name in names)
    assert [(c.name, 2 * c.count) for c in once.top()] == [(c.name, c.count) for c in twice.top()]
