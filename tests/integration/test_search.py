"""Searching a real lake: words, accents, pages, bounds, and texts that would break a query."""

from __future__ import annotations

import unicodedata
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.report_records import NOW
from tests.support.web_app import empty_lake
from tests.support.web_lake import (
    FIRST,
    HOSTILE_STORY,
    HOSTILE_TEXT,
    HOSTILE_TREND,
    LAST,
    STORIES,
    TEXTS,
    fill,
)
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.query import literal
from trendlark.records import Trend, TrendHour, Tweet
from trendlark.reports import search
from trendlark.reports.search import Key, Question, find_trends, find_tweets, pattern
from trendlark.reports.words import fold


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The stories of the web tests, from two sources, with hostile names and texts."""
    lake = empty_lake(tmp_path_factory.mktemp("search"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY], [*TEXTS, HOSTILE_TEXT])
    fill(lake, "x", STORIES[:1], summarised=False)
    return lake


def ask(
    text: str, first: Hour = FIRST, last: Hour = LAST, source: str | None = None, place: str | None = None
) -> Question:
    """A question over all hours."""
    return Question(text, first, last, source, place)


def names(lake: Lake, text: str, source: str | None = None, place: str | None = None) -> list[str]:
    """The names of the trends found."""
    question = ask(text, source=source, place=place)
    return [one.row.trend.name for one in find_trends(lake, question, 50).items]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lia", ["Lía Montero"]),
        ("LÍA montero", ["Lía Montero"]),
        ("mont", ["Lía Montero"]),
        ("ontero", []),
        ("montero lia", ["Lía Montero"]),
        ('"montero lia"', []),
        ('"lia  montero"', ["Lía Montero"]),
        ("#huelga", ["#HuelgaMetro"]),
        ("huelga", ["#HuelgaMetro"]),
        ("ac/dc", ["AC/DC & friends"]),
        ("&", [HOSTILE_TREND, "AC/DC & friends"]),
        ("<script>window.hacked=1", [HOSTILE_TREND]),
        ("%", []),
        (".*", []),
        ("' OR 1=1 --", []),
        ("", []),
        ("   ", []),
        ('""', []),
    ],
)
def test_trends_are_found_by_the_words_of_their_names(lake: Lake, text: str, found: list[str]) -> None:
    assert names(lake, text, source="sample") == found


def test_a_trend_comes_with_its_newest_hour_and_how_long_it_lasted(lake: Lake) -> None:
    (one,) = find_trends(lake, ask("lía"), 5).items
    assert one.row.trend.hour == LAST
    assert one.row.summary
    assert (one.oldest, one.hours, one.best_rank) == (FIRST, 5, 2)
    (older,) = find_trends(lake, ask("lía", last=FIRST + 1), 5).items
    assert older.row.trend.hour == FIRST + 1
    assert find_trends(lake, ask("lía", first=FIRST + 2, last=FIRST + 2), 5).items == ()


def test_source_and_place_narrow_it_down(lake: Lake) -> None:
    assert names(lake, "miraflor") == ["#MiraflorValdoro"] * 2
    assert names(lake, "miraflor", source="x") == ["#MiraflorValdoro"]
    assert names(lake, "miraflor", place="us") == []
    assert names(lake, "miraflor", place="es' OR 'a'='a") == []
    assert len(find_tweets(lake, ask("partidazo", source="x"), 50).items) == 6
    assert find_tweets(lake, ask("partidazo", place="\x00"), 50).items == ()


def test_tweets_are_found_with_what_the_model_said(lake: Lake) -> None:
    page = find_tweets(lake, ask("trains GREAT", source="sample", place="us"), 3)
    assert len(page.items) == 3
    for one in page.items:
        assert one.tweet.text == TEXTS[1]
        assert one.tweet.hour == LAST
        assert one.analyzed
        assert one.analyzed.analysis.sentiment.label == "positive"
        assert [place for place, _ in one.trends] == ["us"]


@pytest.mark.parametrize("text", ["😍", "@", "que partidazo", "“", "{{7*7}}", "javascript:window", "w" * 200])
def test_signs_are_looked_for_as_they_are(lake: Lake, text: str) -> None:
    texts = {one.tweet.text for one in find_tweets(lake, ask(text), 50).items}
    assert texts == {known for known in (*TEXTS, HOSTILE_TEXT) if fold(text) in fold(known)}


def pages(lake: Lake, question: Question, most: int) -> list[list[tuple[str, str]]]:
    """All pages of tweets, as (hour, id)."""
    found: list[list[tuple[str, str]]] = []
    after: Key | None = None
    while True:
        page = find_tweets(lake, question, most, after)
        found.append([(str(one.tweet.hour), one.tweet.tweet_id) for one in page.items])
        after = page.next
        if after is None:
            return found


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
def test_pages_of_tweets_hold_each_tweet_once_newest_first(lake: Lake, most: int) -> None:
    found = [one for page in pages(lake, ask("trains"), most) for one in page]
    assert len(set(found)) == len(found) == 42 if most < 1000 else len(found) == 42
    assert all(newer[0] >= older[0] for newer, older in pairwise(found))


def test_pages_of_trends_hold_each_trend_once(lake: Lake) -> None:
    everything = find_trends(lake, ask('"' + "o"), 50).items  # an open quotation is a word like any other
    found: list[str] = []
    after: Key | None = None
    for _ in count():
        page = find_trends(lake, ask("o"), 1, after)
        found += [one.row.trend.name for one in page.items]
        after = page.next
        if after is None:
            break
    assert found == [one.row.trend.name for one in everything]


def test_a_tweet_of_several_trends_comes_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("several"))
    for place, trends in (("es", ("a", "b")), ("mx", ("a",))):
        tweets = [
            Tweet(LAST, "x", place, trend, str(number), "the same words", NOW)
            for trend in trends
            for number in range(3)
        ]
        rows = [TrendHour(Trend(LAST, "x", place, name, 1), 3, 1, 0.0) for name in trends]
        lake.commit_collection(LAST, "x", place, tweets, rows, [], "run")
    items = find_tweets(lake, ask("same"), 50).items
    assert [one.tweet.tweet_id for one in items] == ["2", "1", "0"]
    assert items[0].trends == (("es", "a"), ("es", "b"), ("mx", "a"))
    assert items[0].analyzed is None


def test_rows_read_for_a_page_are_bounded_and_nothing_is_lost(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [one for page in pages(lake, ask("trains"), 1000) for one in page]
    monkeypatch.setattr(search, "MOST_ROWS", 5)
    bounded = pages(lake, ask("trains"), 10)
    assert len(bounded) > 5
    assert [one for page in bounded for one in page] == whole


def test_time_is_bounded_and_the_next_page_goes_on(lake: Lake) -> None:
    clock = count(0, 100)
    page = find_tweets(lake, ask("nowhere to be found"), 5, clock=lambda: next(clock))
    assert page.items == ()
    assert page.searched == LAST
    assert page.next
    rest = find_tweets(lake, ask("nowhere to be found"), 5, page.next)
    assert rest.next is None
    assert rest.searched == FIRST
    clock = count(0, 100)
    first = find_tweets(lake, ask("trains"), 1000, clock=lambda: next(clock))
    second = find_tweets(lake, ask("trains"), 1000, first.next)
    assert {one.tweet.hour for one in first.items} == {LAST}
    assert len(first.items) + len(second.items) == 42


def test_an_empty_lake_has_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("empty"))
    assert find_trends(lake, ask("a"), 5).items == ()
    assert find_tweets(lake, ask("a"), 5) == search.TweetPage((), None, FIRST)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_question(lake: Lake, text: str) -> None:
    find_trends(lake, ask(text), 3)
    find_tweets(lake, ask(text), 3)


@pytest.mark.parametrize(
    "after",
    [
        (-LAST.index, "'", "\x00", 1, "\ud800"),
        (-LAST.index, "' OR 'a'='a", "", 0, "'; DROP TABLE tweets; --"),
        (-FIRST.index + 100, "", "", 0, ""),
    ],
)
def test_a_hostile_cursor_steers_nothing(lake: Lake, after: Key) -> None:
    assert len(find_tweets(lake, ask("trains"), 50, after).items) <= 42
    assert len(find_trends(lake, ask("m"), 50, after).items) <= 5


def test_words_are_few_and_bounded() -> None:
    assert len(ask(" ".join(f"w{n}" for n in range(50))).words) == search.MOST_WORDS
    assert len(ask("x" * 5000).words[0]) == search.MOST_CHARACTERS
    assert ask("a A á").words == ("a",)
    assert pattern("#") == r"(?i)[\x{23}\x{fe5f}\x{ff03}]\p{Mn}*"


WORDS = (
    *(
        "서울",
        "방탄소년단",
        "ガンダム",
        "ｻｯｶｰﾞ",
        "ぱーてぃー",
        "あ゛あ゛",
        "＃東京",
        "أخبار",
        "آمال",
        "ﻷن",
        "ﷺ",
        "שָׁלוֹם",
    ),
    *(
        "Straße",
        "ﬁesta",
        "oﬃce",
        "Netflix™",
        "№5",
        "½l",
        "𝐁𝐨𝐥𝐝",
        "l´été",
        "Ǆungla",
        "ㅋㅋㅋ",
        "㌔",
        "…？",
        "ｅ́cole",
    ),
    *("Málaga", "Москва", "北京", "ไทย", "España", "1º", "क़िला", "İstanbul", "Việt", "கோவை", "Ёлка", "Άλφα"),
)
"""Words in many scripts, none of which is the beginning of another one when folded."""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Each word as a trend and in a tweet, as typed and in the two forms of Unicode that mean the same."""
    lake = empty_lake(tmp_path_factory.mktemp("scripts"))
    for form in ("typed", "NFC", "NFD"):
        texts = [f"x {word} y" if form == "typed" else _in(form, f"x {word} y") for word in WORDS]
        trends = [
            TrendHour(Trend(LAST, "x", form, text, rank), 1, 1, 0.0) for rank, text in enumerate(texts, 1)
        ]
        tweets = [
            Tweet(LAST, "x", form, text, f"{form}/{number}", f"¡{text}!", NOW)
            for number, text in enumerate(texts)
        ]
        lake.commit_collection(LAST, "x", form, tweets, trends, [], "run")
    return lake


def _in(form: str, text: str) -> str:
    return unicodedata.normalize("NFC" if form == "NFC" else "NFD", text)


@pytest.mark.parametrize("word", WORDS)
def test_words_of_any_script_are_found_as_they_are_written(scripts: Lake, word: str) -> None:
    number = WORDS.index(word)
    for asked in {word, _in("NFC", word), _in("NFD", word)}:
        trends = find_trends(scripts, ask(asked), 50).items
        assert {(one.row.trend.place, one.row.trend.rank) for one in trends} == {
            (form, number + 1) for form in ("typed", "NFC", "NFD")
        }
        tweets = find_tweets(scripts, ask(asked), 50).items
        assert {one.tweet.tweet_id for one in tweets} == {
            f"{form}/{number}" for form in ("typed", "NFC", "NFD")
        }


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ("STRASSE", "Straße"),
        ("fiesta", "ﬁesta"),
        ("of\ufb01ce", "oﬃce"),
        ("oﬀice", "oﬃce"),
        ("netflixtm", "Netflix™"),
        ("bold", "𝐁𝐨𝐥𝐝"),
        ("#東", "＃東京"),
        ("キロ", "㌔"),
        ("ｶﾞﾝ", "ガンダム"),
        ("소년", "방탄소년단"),
        ("viet", "Việt"),
        ("елка", "Ёлка"),
        ("strase", None),
        ("trasse", None),
        ("iesta", None),
        ("ice", None),
        ("서운", None),
        ("أخبر", None),
    ],
)
def test_other_spellings_are_found_and_other_words_are_not(
    scripts: Lake, asked: str, word: str | None
) -> None:
    found = find_trends(scripts, ask(asked), 50).items
    assert {one.row.trend.name for one in found if one.row.trend.place == "typed"} == (
        {f"x {word} y"} if word else set()
    )


@pytest.mark.parametrize("asked", ["H&M", "h＆m", "<3", "-> here", "H&amp;M"])
def test_signs_are_found_that_the_api_of_x_escapes(
    tmp_path_factory: pytest.TempPathFactory, asked: str
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("escaped"))
    fill(lake, "x", STORIES[:1], ["New at H&amp;M -&gt; here &lt;3"], summarised=False)
    assert find_tweets(lake, ask(asked), 50).items


def test_every_character_that_folding_changes_finds_itself(lake: Lake) -> None:
    # But for ligatures of Arabic letters. One of nine, to be quick.
    numbers = [*range(0x41, 0xD800), *range(0xE000, 0xFBEA), *range(0xFDF0, 0x20000)]
    changed = [one for one in map(chr, numbers) if fold(one) not in {"", one} and one.strip()][::9]
    assert len(changed) > 1500
    rows = ", ".join(f"({literal(f'x {one} y')}, {literal(pattern(fold(one)))})" for one in changed)
    query = f"SELECT text FROM (VALUES {rows}) AS t(text, spelt) WHERE NOT regexp_like(text, spelt)"
    assert [row for batch in lake.sql(query) for row in batch.to_pylist()] == []


@pytest.mark.parametrize("text", ["a", "i", "s", "ﬁ", "ß", "서", "ガ", "لا", "ﷺ", "½", ".", "a "])
def test_the_longest_words_are_still_searched(lake: Lake, text: str) -> None:
    question = ask('"' + text * search.MOST_CHARACTERS)
    (word,) = question.words
    assert len(pattern(word)) < 200_000
    assert find_trends(lake, question, 3).items == ()
    assert find_tweets(lake, question, 3).items == ()


def test_a_text_of_the_longest_word_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("long"))
    names = [letter * search.MOST_CHARACTERS for letter in "iß서ガ"]
    rows = [TrendHour(Trend(LAST, "x", "es", name, rank), 1, 1, 0.0) for rank, name in enumerate(names, 1)]
    lake.commit_collection(LAST, "x", "es", [], rows, [], "run")
    for name in names:
        assert [one.row.trend.name for one in find_trends(lake, ask(name), 9).items] == [name]
