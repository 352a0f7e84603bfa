"""Searching the lake's trends and tweets for words: bounded in time and rows, newest first, page by page."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from types import MappingProxyType

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.findings import analysis_of, trend_of
from trendlark.lake.query import all_of, literal, one_of
from trendlark.lake.rows import Row, tweet_of
from trendlark.lake.tables import TWEETS
from trendlark.records import AnalyzedTweet, TrendHour, Tweet, clean_text
from trendlark.reports.words import fold

MOST_CHARACTERS = 200
MOST_WORDS = 10
MOST_HOURS = 31 * 24
MOST_ROWS = 300
_SECONDS = 2.0
_SPANS_HOURS = (1, 5, 18, 24)
# Where characters lie that folding changes. Hangul syllables and the ideograms of all days do not change, and ligatures
# of Arabic letters (U+FBEA to U+FDEF), which nobody types, would make every Arabic word ten times as long.
_CHANGED = ((0x41, 0x3400), (0xA000, 0xAC00), (0xF900, 0xFBEA), (0xFDF0, 0x20000), (0x2F800, 0x2FA20))
_MARKS = r"\p{Mn}*"
# As the API of X writes them in texts.
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_COLUMNS = tuple(name for name in TWEETS.schema.names if name != "raw")

Key = tuple[int, str, str, int, str]
"""Where a page ended: minus the hour's index, source, place, rank, name or tweet id; what a list is not ordered by
is empty or zero."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, in the hours from ``first`` to ``last``, both included."""

    text: str
    first: Hour
    last: Hour
    source: str | None = None
    place: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words and "quoted phrases", all of which must be found; at most ten."""
        parts = clean_text(self.text[:MOST_CHARACTERS]).split('"')
        found: list[str] = []
        for number, part in enumerate(parts):
            found += [part] if number % 2 else part.split()
        return tuple(dict.fromkeys(word for one in found if (word := fold(one))))[:MOST_WORDS]


@dataclass(frozen=True, slots=True)
class FoundTrend:
    """A trend of a place whose name has the words; ``row`` is its newest hour within those searched."""

    row: TrendHour
    oldest: Hour
    hours: int
    best_rank: int


@dataclass(frozen=True, slots=True)
class FoundTweet:
    """A tweet whose text has the words, what the model said of it, and the (place, trend) it was drawn for."""

    tweet: Tweet
    analyzed: AnalyzedTweet | None
    trends: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrendPage:
    """Some trends in order; ``next`` is where the following page begins, None at the end."""

    items: tuple[FoundTrend, ...]
    next: Key | None


@dataclass(frozen=True, slots=True)
class TweetPage:
    """Some tweets in order; ``searched`` is the oldest hour looked at: time may end before the hours do."""

    items: tuple[FoundTweet, ...]
    next: Key | None
    searched: Hour


def find_trends(lake: Lake, question: Question, most: int, after: Key | None = None) -> TrendPage:
    """The trends whose names have all the words, those of the newest hour first, then by their best rank."""
    if not question.words:
        return TrendPage((), None)
    rows = _groups(lake, question, most + 1, after)
    newest = _newest_rows(lake, rows[:most])
    found = [
        FoundTrend(newest[key], Hour.parse(row["oldest"]), row["hours"], row["best"])
        for row in rows[:most]
        if (key := (row["newest"], row["source"], row["place"], row["trend"])) in newest
    ]
    return TrendPage(tuple(found), _trend_key(rows[most - 1]) if len(rows) > most else None)


def find_tweets(
    lake: Lake,
    question: Question,
    most: int,
    after: Key | None = None,
    clock: Callable[[], float] = monotonic,
) -> TweetPage:
    """The tweets whose texts have all the words, newest hour first; a tweet of several trends comes once.

    Stops after a few seconds, even where nothing was found yet; ``next`` goes on from there.
    """
    last = min(question.last, Hour(-after[0])) if after else question.last
    if not question.words or last < question.first:
        return TweetPage((), None, question.first)
    ends = clock() + _SECONDS
    found: list[list[Tweet]] = []
    for first, until in _spans(question.first, last):
        more, whole = _tweets_between(lake, question, (first, until), after)
        found += more
        if len(found) > most or not whole:
            kept = found[:most]
            return TweetPage(_with_analyses(lake, kept), _tweet_key(kept[-1][0]), kept[-1][0].hour)
        if clock() > ends and first > question.first:
            return TweetPage(_with_analyses(lake, found), (-(first - 1).index, "", "", 0, ""), first)
    return TweetPage(_with_analyses(lake, found), None, question.first)


def pattern(word: str) -> str:
    """The regular expression of a folded word: any case, with or without accents, from the start of a word on.

    Every character is written by its number, so nothing in it can be an operator.
    """
    # Folding leaves Hangul, kana and Arabic letters in pieces; the lake has them whole, as people type them. It can
    # also make eighteen characters of one, hence the cut.
    whole = unicodedata.normalize("NFC", word)[:MOST_CHARACTERS]
    # Signs such as # and scripts without blanks have no start of a word. \b would be none before a sign that folds to a
    # letter, as in ™.
    begins = r"(?:^|\W)" if whole[0].isdecimal() or whole[0].lower() != whole[0].upper() else ""
    return f"(?i){begins}{_spelt(whole)}"


def _spelt(text: str) -> str:
    """A text in all its spellings; where one character stands for several (ß, ﬁ), the longest such piece first."""
    parts = []
    while text:
        piece = next(text[:n] for n in range(len(text), 0, -1) if n == 1 or text[:n] in _variants())
        parts.append(_one(piece) if len(piece) == 1 else _several(piece))
        text = text[len(piece) :]
    return "".join(parts)


def _several(piece: str) -> str:
    """Some characters that one can stand for: as that one, by themselves, or as shorter pieces."""
    ways = [_any_of(piece) + _MARKS, _one(piece[0]) + _spelt(piece[1:])]
    shorter = (n for n in range(2, len(piece)) if piece[:n] in _variants())
    return f"(?:{'|'.join([*ways, *(_any_of(piece[:n]) + _MARKS + _spelt(piece[n:]) for n in shorter)])})"


def _one(letter: str) -> str:
    if letter == " ":
        return rf"(?:\s|{_any_of(letter)})+{_MARKS}"
    if letter in _ESCAPED:
        return f"(?:{''.join(map(_numbered, _ESCAPED[letter]))}|{_any_of(letter)}){_MARKS}"
    pieces = unicodedata.normalize("NFD", letter)
    if pieces == letter:
        return _any_of(letter) + _MARKS
    return f"(?:{_any_of(letter)}|{''.join(map(_any_of, pieces))}){_MARKS}"


def _any_of(text: str) -> str:
    """A text of one character, and all characters that fold to it."""
    letters = (*(text if len(text) == 1 else ""), *_variants().get(text, ()))
    return f"[{''.join(map(_numbered, letters))}]"


def _numbered(letter: str) -> str:
    return rf"\x{{{ord(letter):x}}}"


@lru_cache(maxsize=1)
def _variants() -> Mapping[str, tuple[str, ...]]:
    """What folding makes of single characters, and of which ones."""
    found: dict[str, list[str]] = defaultdict(list)
    for letter in (chr(number) for first, end in _CHANGED for number in range(first, end)):
        # Between signs, for folding strips blanks at the ends, and a sign such as ´ becomes a blank and an accent.
        plain = unicodedata.normalize("NFC", fold(f"|{letter}|"))[1:-1]
        for one in {plain, plain.strip()} - {"", letter}:
            found[one].append(letter)
    return MappingProxyType({plain: tuple(letters) for plain, letters in found.items()})


def _has(column: str, words: Sequence[str]) -> str:
    return " AND ".join(f"regexp_like({column}, {literal(pattern(word))})" for word in words)


def _within(question: Question, first: Hour, last: Hour, column: str) -> str:
    return " AND ".join([
        f"hour >= {literal(str(first))} AND hour <= {literal(str(last))}",
        all_of(source=_clean(question.source), place=_clean(question.place)),
        _has(column, question.words),
    ])  # fmt: skip


def _clean(text: str | None) -> str | None:
    return clean_text(text).replace("\x00", "\ufffd") if text else None


def _literal(text: str) -> str:
    return literal(_clean(text) or "")


def _groups(lake: Lake, question: Question, most: int, after: Key | None) -> list[Row]:
    where = _within(question, question.first, question.last, "trend")
    having = f"HAVING {_trends_after(after)}" if after else ""
    query = f"""
        SELECT source, place, trend, count(*) AS hours, max(hour) AS newest, min(hour) AS oldest, min(rank) AS best
        FROM trends WHERE {where} GROUP BY source, place, trend {having}
        ORDER BY newest DESC, best, source, place, trend
    """  # noqa: S608 - every text in it is a literal
    rows = (row for batch in lake.sql(query, limit=most) for row in batch.to_pylist())
    return list(rows)


def _trends_after(after: Key) -> str:
    hour, source, place, rank, name = after
    newest, source, place, name = map(_literal, (str(Hour(-hour)), source, place, name))
    return (
        f"max(hour) < {newest} OR (max(hour) = {newest} AND (min(rank) > {rank} OR (min(rank) = {rank} AND "
        f"(source > {source} OR (source = {source} AND (place > {place} OR (place = {place} AND trend > {name})))))))"
    )


def _newest_rows(lake: Lake, rows: Sequence[Row]) -> dict[tuple[str, str, str, str], TrendHour]:
    if not rows:
        return {}
    keys = {(row["newest"], row["source"], row["place"], row["trend"]) for row in rows}
    hours, names = sorted({key[0] for key in keys}), sorted({key[3] for key in keys})
    where = f"{one_of('hour', hours)} AND {one_of('trend', names)}"
    found = {
        (row["hour"], row["source"], row["place"], row["trend"]): row for row in lake.rows("trends", where)
    }
    return {key: trend_of(found[key]) for key in keys if key in found}


def _trend_key(row: Row) -> Key:
    return -Hour.parse(row["newest"]).index, row["source"], row["place"], row["best"], row["trend"]


def _spans(first: Hour, last: Hour) -> Iterator[tuple[Hour, Hour]]:
    """The hours in growing pieces, newest first: what is found in the newest hour need not wait for a month."""
    number = 0
    while last >= first:
        start = max(first, last - (_SPANS_HOURS[min(number, len(_SPANS_HOURS) - 1)] - 1))
        yield start, last
        last, number = start - 1, number + 1


def _tweets_between(
    lake: Lake, question: Question, hours: tuple[Hour, Hour], after: Key | None
) -> tuple[list[list[Tweet]], bool]:
    """The first tweets of some hours, each with all trends it was drawn for, and whether these are all."""
    where = _within(question, *hours, "text")
    where += f" AND ({_tweets_after(after)})" if after else ""
    order = f"hour DESC, source, tweet_id DESC, place, trend LIMIT {MOST_ROWS}"
    rows = [tweet_of(row | {"raw": None}) for row in lake.rows("tweets", where, _COLUMNS, order)]
    groups = list(_grouped(rows))
    if len(rows) < MOST_ROWS:
        return groups, True
    # The last one may have been cut; it begins the next page, unless it is all that there is.
    return groups[:-1] or groups, False


def _grouped(tweets: Iterable[Tweet]) -> Iterator[list[Tweet]]:
    group: list[Tweet] = []
    for tweet in tweets:
        if group and _tweet_key(group[0]) != _tweet_key(tweet):
            yield group
            group = []
        group.append(tweet)
    if group:
        yield group


def _tweets_after(after: Key) -> str:
    hour, source, _, _, tweet_id = after
    now, source, tweet_id = map(_literal, (str(Hour(-hour)), source, tweet_id))
    return f"hour < {now} OR (hour = {now} AND (source > {source} OR (source = {source} AND tweet_id < {tweet_id})))"


def _tweet_key(tweet: Tweet) -> Key:
    return -tweet.hour.index, tweet.source, "", 0, tweet.tweet_id


def _with_analyses(lake: Lake, found: Sequence[Sequence[Tweet]]) -> tuple[FoundTweet, ...]:
    if not found:
        return ()
    hours = sorted({str(group[0].hour) for group in found})
    ids = sorted({group[0].tweet_id for group in found})
    where = f"{one_of('hour', hours)} AND {one_of('tweet_id', ids)}"
    analyzed = {
        (one.hour, one.source, one.tweet_id): one for one in map(analysis_of, lake.rows("analyses", where))
    }
    return tuple(
        FoundTweet(
            group[0],
            analyzed.get((group[0].hour, group[0].source, group[0].tweet_id)),
            tuple((tweet.place, tweet.trend) for tweet in group),
        )
        for group in found
    )
