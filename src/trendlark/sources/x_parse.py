"""The X API v2 in pure functions: questions made from trends, answers made into records.

X spells some names in two ways (``tweet_count`` and ``post_count``, ``retweet_count`` and ``repost_count``);
both are read. Nothing here raises on a bad answer: what cannot be read becomes a refusal.
Source: https://docs.x.com/x-api (OpenAPI 2.167, November 2026).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trendlark.hours import Hour
from trendlark.records import Page, Refusal, Trend, Tweet, clean_text
from trendlark.sources.base import Parsed
from trendlark.sources.values import as_count, as_language, as_moment, as_name, as_text, read_json

QUERY_CHARACTERS = 512
PAGE_MIN, PAGE_MAX = 10, 100
_SUFFIX = " -is:retweet"
_LONGEST_HASHTAG = 100
# What a hashtag of X holds beside letters, their marks, digits and _ (https://github.com/twitter/twitter-text).
_IN_HASHTAGS = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
)
_UNSAFE = re.compile(r"[\"“”„‟″＂\\\s\x00-\x1f\x7f-\x9f]+")
_RAW_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """How many posts X counts from ``start`` to ``end``."""

    start: datetime
    end: datetime
    posts: int


def query_of(name: str) -> str | None:
    """The search query of a trend: its hashtag, or its name as a phrase; None if nothing can be searched.

    Inside a phrase no operator counts (from:, OR, -, brackets), and X ignores punctuation there, so quotation
    marks and backslashes become blanks rather than a way out of the phrase. At most 512 characters.
    """
    if _is_hashtag(name.strip()):
        return "#" + name.strip()[1:] + _SUFFIX
    phrase = _UNSAFE.sub(" ", clean_text(name)).strip()
    room = QUERY_CHARACTERS - len(_SUFFIX) - 2
    while _length(phrase) > room:
        phrase = phrase.rpartition(" ")[0] if " " in phrase else phrase[: room // 2]
    return f'"{phrase}"{_SUFFIX}' if any(not _is_mark(c) for c in phrase) else None


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2  # X counts an emoji as two


def _is_hashtag(name: str) -> bool:
    rest = name[1:]
    if name[:1] not in {"#", "＃"} or len(rest) > _LONGEST_HASHTAG or rest[:1] in {"\ufe0f", "\u20e3"}:
        return False  # with one of the last two the sign is an emoji
    return any(map(str.isalpha, rest)) and all(
        c.isalnum() or c in _IN_HASHTAGS or unicodedata.category(c)[0] == "M" for c in rest
    )


def _is_mark(character: str) -> bool:
    return character.isascii() and not character.isalnum()


def shares(wanted: int, windows: int) -> tuple[int, ...]:
    """``wanted`` tweets spread over at most ``windows`` windows, never fewer than X's page minimum of 10.

    20 tweets in 4 windows come as 10 and 10: windows are joined rather than more paid for.
    """
    count = max(1, min(windows, wanted // PAGE_MIN))
    least, rest = divmod(max(wanted, PAGE_MIN), count)
    return tuple(least + (index < rest) for index in range(count))


def next_page_size(left: int) -> int:
    """How many tweets to ask for when ``left`` are wanted, so that no later page is under 10; 0 ends."""
    if left < PAGE_MIN:
        return 0
    pages = -(-left // PAGE_MAX)
    return -(-left // pages)


def rfc3339(moment: datetime) -> str:
    """A time as X takes it, in whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def read_answer(body: str) -> dict[str, Any] | None:
    """The JSON object of a body, or None if it is not one."""
    try:
        value = read_json(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def parse_trends(page: Page, place: str, hour: Hour) -> Parsed[Trend]:
    """Trends in the order of X, which is their rank."""
    answer = read_answer(page.body)
    if answer is None:
        return Parsed((), (_unreadable(page),))
    trends: list[Trend] = []
    refusals = list(_errors(answer, None))
    seen: set[str] = set()
    for rank, item in enumerate(_items(answer), start=1):
        name = as_name(item.get("trend_name")) if isinstance(item, dict) else None
        if name is None or query_of(name) is None or name in seen:
            reason = "is named twice" if name in seen else "has no name that can be searched"
            refusals.append(Refusal(f"the trend of rank {rank} {reason}", _raw(item)))
            continue
        seen.add(name)
        volume = _either(item, "tweet_count", "post_count")
        trends.append(Trend(hour, "x", place, name, rank, as_count(volume)))
    return Parsed(tuple(trends), tuple(refusals))


def parse_tweets(page: Page, trend: Trend) -> Parsed[Tweet]:
    """Tweets newest first, as X gives them."""
    answer = read_answer(page.body)
    if answer is None:
        return Parsed((), (_unreadable(page),))
    handles = _handles(answer)
    tweets: list[Tweet] = []
    refusals = list(_errors(answer, trend.name))
    for item in _items(answer):
        tweet = _tweet(item, handles, page, trend) if isinstance(item, dict) else None
        if tweet is None:
            refusals.append(Refusal("the post has no id or no text", _raw(item), trend.name))
        else:
            tweets.append(tweet)
    return Parsed(tuple(tweets), tuple(refusals), next_token(answer))


def parse_counts(page: Page) -> Parsed[MinuteCount]:
    """Posts a minute, oldest first."""
    answer = read_answer(page.body)
    if answer is None:
        return Parsed((), (_unreadable(page),))
    counts: list[MinuteCount] = []
    refusals = list(_errors(answer, page.trend))
    for item in _items(answer):
        values = item if isinstance(item, dict) else {}
        start, end = as_moment(values.get("start")), as_moment(values.get("end"))
        posts = as_count(_either(values, "tweet_count", "post_count"))
        if start is None or end is None or posts is None:
            refusals.append(Refusal("the count lacks start, end or number", _raw(item), page.trend))
        else:
            counts.append(MinuteCount(start, end, posts))
    return Parsed(tuple(counts), tuple(refusals), next_token(answer))


def next_token(answer: Mapping[str, Any]) -> str | None:
    """The token of the page after this one."""
    meta = answer.get("meta")
    return as_name(meta.get("next_token")) if isinstance(meta, dict) else None


def returned(answer: Mapping[str, Any]) -> tuple[int, int]:
    """How many posts and expanded users an answer returns: what X bills."""
    includes = answer.get("includes")
    users = includes.get("users") if isinstance(includes, dict) else None
    return len(_items(answer)), len(users) if isinstance(users, list) else 0


def refuses_query(answer: Mapping[str, Any]) -> bool:
    """Whether X refuses the query itself, as one of nothing but a stop word: no other question is told about."""
    errors = answer.get("errors")
    problems = [answer, *(errors if isinstance(errors, list) else [])]
    return any(isinstance(problem, dict) and _names_query(problem) for problem in problems)


def _names_query(problem: Mapping[str, Any]) -> bool:
    if "operator" in problem_text(problem).lower():
        return False  # one that the account may not use, and every query has the same
    named = problem.get("parameters")  # so X answers; ``parameter`` stands in the OpenAPI
    return problem.get("parameter") == "query" or (isinstance(named, dict) and "query" in named)


def problem_text(problem: object) -> str:
    """One line of what X says is wrong, without anything that a terminal would obey."""
    if not isinstance(problem, dict):
        return _one_line(str(problem))[:200]
    kind = str(problem.get("type") or "").rstrip("/").rpartition("/")[2]
    said = [problem.get("title"), problem.get("detail") or problem.get("message"), kind, problem.get("code")]
    return _one_line("; ".join(str(part) for part in said if part and part != "about:blank"))[:300]


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in clean_text(text))


def _items(answer: Mapping[str, Any]) -> list[Any]:
    data = answer.get("data")
    return data if isinstance(data, list) else []


def _errors(answer: Mapping[str, Any], trend: str | None) -> tuple[Refusal, ...]:
    errors = answer.get("errors")
    if not isinstance(errors, list):
        errors = [answer] if refuses_query(answer) else []
    return tuple(Refusal(f"X says: {problem_text(error)}", _raw(error), trend) for error in errors)


def _unreadable(page: Page) -> Refusal:
    return Refusal("the answer is not a JSON object", clean_text(page.body)[:_RAW_SHOWN], page.trend)


def _raw(item: object) -> str:
    return clean_text(json.dumps(item, ensure_ascii=False))


def _either(item: Mapping[str, Any], old: str, new: str) -> object:
    return item[old] if item.get(old) is not None else item.get(new)


def _handles(answer: Mapping[str, Any]) -> dict[str, str]:
    includes = answer.get("includes")
    users = includes.get("users") if isinstance(includes, dict) else None
    found = {}
    for user in users if isinstance(users, list) else []:
        if isinstance(user, dict):
            user_id, handle = as_name(user.get("id")), as_name(user.get("username"))
            if user_id and handle:
                found[user_id] = handle
    return found


def _full_text(item: Mapping[str, Any]) -> str | None:
    for key in ("note_tweet", "note_post"):  # posts longer than 280 characters are cut in `text`
        note = item.get(key)
        text = as_text(note.get("text")) if isinstance(note, dict) else None
        if text:
            return text
    return as_text(item.get("text"))


def _tweet(item: Mapping[str, Any], handles: Mapping[str, str], page: Page, trend: Trend) -> Tweet | None:
    tweet_id, text = as_name(item.get("id")), _full_text(item)
    if tweet_id is None or text is None:
        return None
    author_id = as_name(item.get("author_id"))
    handle = handles.get(author_id or "")
    given = item.get("public_metrics")
    metrics: Mapping[str, Any] = given if isinstance(given, dict) else {}
    return Tweet(
        hour=trend.hour,
        source="x",
        place=trend.place,
        trend=trend.name,
        tweet_id=tweet_id,
        text=text,
        collected_at=page.fetched_at,
        created_at=as_moment(item.get("created_at")),
        author_id=author_id,
        author_handle=handle,
        lang=as_language(item.get("lang")),
        likes=as_count(metrics.get("like_count")),
        reposts=as_count(_either(metrics, "retweet_count", "repost_count")),
        replies=as_count(metrics.get("reply_count")),
        quotes=as_count(metrics.get("quote_count")),
        url=f"https://x.com/{handle or 'i/web'}/status/{tweet_id}",
        window=page.window,
        raw=_raw(item),
    )
