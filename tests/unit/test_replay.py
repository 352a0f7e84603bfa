"""Recorded tweets are played as they were recorded: none lost, none twice, none made up."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trendlark.errors import InputError, UnavailableError
from trendlark.hours import Hour
from trendlark.records import PLACES, Page, Place, Refusal, Trend, Tweet
from trendlark.sources.replay import PAGE_TWEETS, ReplaySource

ES, US = PLACES["es"], PLACES["us"]
H7, H8 = Hour.parse("2026-11-23T07"), Hour.parse("2026-11-23T08")


def write(path: Path, records: Iterable[Mapping[str, Any] | str | bytes]) -> Path:
    """Write records (or lines as they are) into a JSONL file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        record
        if isinstance(record, bytes)
        else (record if isinstance(record, str) else json.dumps(record)).encode()
        for record in records
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def tweet(number: int, hour: Hour = H7, place: str = "es", trend: str = "#Lluvia") -> dict[str, Any]:
    """A recorded tweet."""
    return {"hour": str(hour), "place": place, "trend": trend, "id": f"t{number}", "text": f"texto {number}"}


def trends(source: ReplaySource, place: Place, hour: Hour) -> tuple[tuple[Trend, ...], tuple[Refusal, ...]]:
    """Fetch and parse the trends of a place."""
    parsed = source.parse_trends(source.trends(place, hour), place, hour)
    return parsed.items, parsed.refusals


def play(source: ReplaySource, trend: Trend) -> tuple[list[Tweet], list[Refusal]]:
    """All tweets and refusals of a trend."""
    tweets: list[Tweet] = []
    refusals: list[Refusal] = []
    for page in source.pages(trend, 20, 4, {}):
        parsed = source.parse_tweets(page, trend)
        tweets += parsed.items
        refusals += parsed.refusals
    return tweets, refusals


def test_a_place_in_capitals_is_the_same_and_what_is_no_slug_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", [tweet(1, place="ES"), tweet(2, place="es"), tweet(3, place="Perú")])
    source = ReplaySource(tmp_path)
    (trend,), (refused,) = trends(source, ES, H7)
    assert [one.tweet_id for one in play(source, trend)[0]] == ["t1", "t2"]
    assert "the place 'Perú' is not of the letters a-z, digits and hyphens" in refused.reason
    assert source.recorded_places() == ("es",)


def test_every_field_arrives_and_what_is_absent_stays_absent(tmp_path: Path) -> None:
    full = {
        "place": "es",
        "trend": "#Lluvia",
        "id": 17,
        "text": "¡Qué lluvia! ☔️",
        "created_at": "2026-11-23T08:05:09+01:00",
        "author_id": "9",
        "author_handle": "ana",
        "lang": "ES",
        "likes": 0,
        "reposts": "3",
        "replies": 2.0,
        "quotes": None,
        "url": "https://x.com/ana/status/17",
    }
    write(tmp_path / "tweets.jsonl", [full, tweet(1)])
    source = ReplaySource(tmp_path)
    (trend,), refused = trends(source, ES, H7)
    first, second = play(source, trend)[0]
    assert not refused
    assert trend == Trend(H7, "replay", "es", "#Lluvia", 1, None)
    assert (first.tweet_id, first.text, first.lang) == ("17", "¡Qué lluvia! ☔️", "es")
    assert first.created_at == datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)
    assert (first.likes, first.reposts, first.replies, first.quotes) == (0, 3, 2, None)
    assert (first.author_id, first.author_handle) == ("9", "ana")
    assert json.loads(first.raw or "") == full
    assert (second.created_at, second.lang, second.likes, second.url) == (None, None, None, None)


def test_listed_trends_keep_their_rank_and_unlisted_ones_follow_by_count(tmp_path: Path) -> None:
    write(
        tmp_path / "trends.jsonl",
        [
            {"hour": "2026-11-23T07", "place": "es", "rank": 2, "name": "Segundo", "volume": 10},
            {"hour": "2026-11-23T07", "place": "es", "rank": 1, "name": "Primero", "volume": None},
        ],
    )
    names = ["Segundo", "uno", "dos", "dos", "tres", "tres"]
    write(tmp_path / "tweets" / "a.jsonl", [tweet(i, trend=name) for i, name in enumerate(names)])
    found, _ = trends(ReplaySource(tmp_path), ES, H7)
    assert [(t.rank, t.name, t.volume) for t in found] == [
        (1, "Primero", None),
        (2, "Segundo", 10),
        (3, "dos", None),
        (4, "tres", None),
        (5, "uno", None),
    ]


def test_places_and_hours_are_kept_apart_and_others_are_empty(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", [tweet(1), tweet(2, H8), tweet(3, place="us")])
    source = ReplaySource(tmp_path)
    assert source.recorded_hours() == (H7, H8)
    assert source.recorded_places() == ("es", "us")
    assert [t.tweet_id for t in play(source, trends(source, ES, H8)[0][0])[0]] == ["t2"]
    assert [t.tweet_id for t in play(source, trends(source, US, H7)[0][0])[0]] == ["t3"]
    assert trends(source, US, H8) == ((), ())
    assert not play(source, Trend(H8, "replay", "us", "#Lluvia", 1))[0]


def test_lines_that_cannot_be_placed_are_refused_once_with_file_and_line(tmp_path: Path) -> None:
    lines: list[Any] = [
        "not json",
        tweet(1),
        {"place": "es", "trend": "x", "id": "1", "text": "no hour"},
        "",
        {"hour": "2026-11-23T07", "trend": "x", "id": "1", "text": "no place"},
        tweet(2, H8),
        "[1, 2]",
        {"hour": "soon", "place": "es", "trend": "x", "created_at": "2026-11-23T07:00:00Z"},
        "[" * 100_000,
    ]
    write(tmp_path / "tweets.jsonl", lines)
    source = ReplaySource(tmp_path)
    at_seven = [refusal.reason for refusal in trends(source, ES, H7)[1]]
    at_eight = [refusal.reason for refusal in trends(source, ES, H8)[1]]
    assert [reason.split(" ")[0] for reason in at_seven] == [f"tweets.jsonl:{n}:" for n in (1, 3, 5)]
    assert [reason.split(" ")[0] for reason in at_eight] == [f"tweets.jsonl:{n}:" for n in (7, 8, 9)]
    assert "no usable hour" in at_seven[1]
    assert "no place" in at_seven[2]
    assert trends(source, ES, H7)[1][0].raw == "not json"


def test_tweets_without_id_or_text_are_refused_in_their_trend(tmp_path: Path) -> None:
    bad = {**tweet(2), "text": None}
    write(tmp_path / "tweets.jsonl", [tweet(1), bad, {**tweet(3), "id": ""}, {**tweet(4), "text": ""}])
    source = ReplaySource(tmp_path)
    tweets, refusals = play(source, trends(source, ES, H7)[0][0])
    assert [t.tweet_id for t in tweets] == ["t1", "t4"]
    assert [r.reason for r in refusals] == [
        "tweets.jsonl:2: the tweet has no text",
        "tweets.jsonl:3: the tweet has no id",
    ]
    assert json.loads(refusals[0].raw) == bad
    assert {r.trend for r in refusals} == {"#Lluvia"}


def test_bad_and_doubled_trend_lines_are_refused(tmp_path: Path) -> None:
    good = {"hour": "2026-11-23T07", "place": "es", "rank": 1, "name": "a", "volume": 5}
    write(tmp_path / "trends.jsonl", [good, good, {**good, "name": "b", "rank": 0}, {**good, "name": " "}])
    found, refused = trends(ReplaySource(tmp_path), ES, H7)
    assert [t.name for t in found] == ["a"]
    assert [r.reason.split(": ")[1] for r in refused] == [
        "the trend 'a' is listed twice for 2026-11-23T07 in es",
        "rank is 0; it is a whole number from 1 to 2147483647",
        "it has no name",
    ]


@pytest.mark.parametrize("rank", [2**31, 2**63 - 1, 2**63, 10**400, 1e300, -1, "many", None, [1], {"a": 1}])
def test_a_rank_that_the_lake_cannot_hold_is_refused_and_the_trend_follows_by_its_tweets(
    tmp_path: Path, rank: object
) -> None:
    line = {"hour": "2026-11-23T07", "place": "es", "rank": 3, "name": "a"}
    write(tmp_path / "trends.jsonl", [line, {**line, "name": "b", "rank": rank}])
    write(tmp_path / "tweets.jsonl", [tweet(1, trend="b")])
    found, refused = trends(ReplaySource(tmp_path), ES, H7)
    assert [(t.rank, t.name) for t in found] == [(3, "a"), (4, "b")]
    (refusal,) = refused
    assert (
        refusal.reason == f"trends.jsonl:2: rank is {rank!r:.60}; it is a whole number from 1 to 2147483647"
    )


def test_trends_that_follow_the_last_rank_of_all_share_it(tmp_path: Path) -> None:
    last = {"hour": "2026-11-23T07", "place": "es", "rank": 2**31 - 1, "name": "last"}
    write(tmp_path / "trends.jsonl", [last])
    write(tmp_path / "tweets.jsonl", [tweet(1, trend="a"), tweet(2, trend="b")])
    found, _ = trends(ReplaySource(tmp_path), ES, H7)
    assert [(t.rank, t.name) for t in found] == [(2**31 - 1, name) for name in ("last", "a", "b")]


def test_a_trends_page_that_was_stored_with_a_bad_rank_is_read_again(tmp_path: Path) -> None:
    items = [{"rank": rank, "name": f"t{rank}", "volume": None} for rank in (1, 2**31, 2**63 - 1)]
    stored = Page("r", json.dumps({"trends": items, "refused": [{"reason": "old", "raw": "{"}]}), H8.start)
    parsed = ReplaySource(tmp_path).parse_trends(stored, ES, H7)
    assert [(t.rank, t.name) for t in parsed.items] == [(1, "t1")]
    assert [r.reason.split(";")[0] for r in parsed.refusals] == [
        "old",
        f"rank is {2**31}",
        f"rank is {2**63 - 1}",
    ]
    assert json.loads(parsed.refusals[1].raw) == items[1]


@pytest.mark.parametrize("huge", [10**309, -(10**400), 10**4000], ids=["10**309", "-10**400", "10**4000"])
def test_a_number_beyond_all_measure_costs_its_field_or_its_line(tmp_path: Path, huge: int) -> None:
    fields = (
        "created_at",
        "likes",
        "reposts",
        "replies",
        "quotes",
        "author_id",
        "author_handle",
        "lang",
        "url",
    )
    lines = [{**tweet(1), **dict.fromkeys(fields, huge)}, {**tweet(2), "id": huge}, tweet(3)]
    lines += [{**tweet(4), "hour": huge}, {**tweet(5), "hour": None, "created_at": huge}]
    write(tmp_path / "tweets.jsonl", lines)
    for loop in (False, True):
        source = ReplaySource(tmp_path, loop=loop)
        hour = H7 if not loop else Hour(1_000_000)
        (trend,), adrift = trends(source, ES, hour)
        (odd, good), refused = play(source, trend)
        assert [getattr(odd, field) for field in fields] == [None] * len(fields)
        assert json.loads(odd.raw or "")["likes"] == huge
        assert good.text == "texto 3"
        assert [r.reason for r in refused] == ["tweets.jsonl:2: the tweet has no id"]
        assert [r.reason.split(" (")[0] for r in adrift] == [
            f"tweets.jsonl:{number}: it has no usable hour" for number in (4, 5)
        ]


def test_hostile_bytes_are_played(tmp_path: Path) -> None:
    head = b'{"hour":"2026-11-23T07","place":"es","trend":"#Lluvia","id":"%d","text":"'
    lines = [
        b"\xef\xbb\xbf" + head % 0 + b'bom"}',
        head % 1 + b'latin \xe9 here"}\r',
        head % 2 + rb'lone \ud83d surrogate"}',
        head % 3 + b'nul \x00 and bell \x07"}',
        head % 4 + "\u202eright to left \u2028 line".encode() + b'"}',
        head % 5 + b"x" * 100_000 + b'"}',
    ]
    write(tmp_path / "tweets.jsonl", lines)
    source = ReplaySource(tmp_path)
    tweets, refusals = play(source, trends(source, ES, H7)[0][0])
    assert not refusals
    assert [t.text for t in tweets] == [
        "bom",
        "latin \ufffd here",
        "lone \ufffd surrogate",
        "nul \x00 and bell \x07",
        "\u202eright to left \u2028 line",
        "x" * 100_000,
    ]
    assert all((t.raw or "").encode() for t in tweets)


def test_gzipped_files_are_read_and_a_cut_off_one_gives_what_it_has(tmp_path: Path) -> None:
    records = "".join(json.dumps(tweet(n)) + "\n" for n in range(3000)).encode()
    (tmp_path / "tweets").mkdir()
    packed = gzip.compress(records)
    (tmp_path / "tweets" / "whole.jsonl.gz").write_bytes(packed)
    source = ReplaySource(tmp_path)
    tweets, _ = play(source, trends(source, ES, H7)[0][0])
    assert [t.tweet_id for t in tweets] == [f"t{n}" for n in range(3000)]

    (tmp_path / "tweets" / "whole.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    found, refused = trends(source, ES, H7)
    fewer, _ = play(source, found[0])
    assert 0 < len(fewer) < 3000
    assert "gzip file is broken" in refused[-1].reason
    source.close()


def test_large_trends_come_in_pages_and_known_pages_are_not_read_again(tmp_path: Path) -> None:
    names = ["a", "b", "a"]
    write(tmp_path / "tweets.jsonl", (tweet(n, trend=names[n % 3]) for n in range(3 * PAGE_TWEETS)))
    source = ReplaySource(tmp_path)
    trend = trends(source, ES, H7)[0][0]
    pages = list(source.pages(trend, 10, 1, {}))
    assert [len(source.parse_tweets(page, trend).items) for page in pages] == [PAGE_TWEETS, PAGE_TWEETS]
    kept = Page(pages[0].request, "kept", pages[0].fetched_at, trend="a")
    again = list(source.pages(trend, 10, 1, {kept.request: kept}))
    assert again[0] is kept
    assert again[1].body == pages[1].body
    ids = [t.tweet_id for page in pages for t in source.parse_tweets(page, trend).items]
    assert ids == [f"t{n}" for n in range(3 * PAGE_TWEETS) if n % 3 != 1]


def test_a_folder_that_changes_between_hours_is_indexed_anew(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", [tweet(1)])
    source = ReplaySource(tmp_path)
    before = source.request_of_trends(ES)
    write(tmp_path / "tweets" / "more.jsonl", [tweet(2)])
    assert source.request_of_trends(ES) != before
    assert len(play(source, trends(source, ES, H7)[0][0])[0]) == 2


def test_a_file_that_changes_while_played_stops_the_hour(tmp_path: Path) -> None:
    path = write(tmp_path / "tweets.jsonl", (tweet(n) for n in range(PAGE_TWEETS + 1)))
    source = ReplaySource(tmp_path)
    pages = source.pages(trends(source, ES, H7)[0][0], 10, 1, {})
    next(pages)
    write(path, [tweet(1)])
    with pytest.raises(UnavailableError, match="changed while it was played"):
        next(pages)


def test_looping_moves_hours_times_and_ids(tmp_path: Path) -> None:
    timed = {**tweet(1), "created_at": "2026-11-23T07:59:30Z"}
    write(tmp_path / "tweets.jsonl", [timed, tweet(2, H8)])
    source = ReplaySource(tmp_path, name="sample", loop=True)
    seen = []
    for hour in (Hour(1_000_000), Hour(1_000_001), Hour(1_000_002)):
        (trend,), _ = trends(source, ES, hour)
        (played,) = play(source, trend)[0]
        assert (played.hour, played.source) == (hour, "sample")
        assert played.tweet_id.endswith(f"-{hour}")
        seen.append(played)
    assert [t.text for t in seen] == ["texto 1", "texto 2", "texto 1"]
    assert seen[0].created_at == Hour(1_000_000).start + timedelta(minutes=59, seconds=30)
    assert seen[2].tweet_id != seen[0].tweet_id


def test_costs_nothing(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", [tweet(1)])
    source = ReplaySource(tmp_path)
    assert source.cost_of_trends() == source.cost_of_tweets(1000, 60) == 0
    assert source.trends(ES, H7).cost == 0


@pytest.mark.parametrize("made", ["missing", "empty", "bad"])
def test_a_folder_without_tweets_says_what_to_do(tmp_path: Path, made: str) -> None:
    folder = tmp_path / "folder"
    if made != "missing":
        folder.mkdir()
    if made == "bad":
        write(folder / "tweets.jsonl", ["oops"])
    with pytest.raises(InputError, match="trendlark import") as caught:
        ReplaySource(folder).recorded_hours()
    assert ("1 lines were refused" in str(caught.value)) == (made == "bad")


def test_about_is_for_people_and_whatever_it_holds_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "tweets.jsonl", [tweet(1)])
    before = ReplaySource(tmp_path).trends(ES, H7)
    for said in ('{"name": "S", "invented": true}', "{", "[]"):
        (tmp_path / "about.json").write_text(said)
        assert ReplaySource(tmp_path).trends(ES, H7).request == before.request


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(0, 3)), max_size=30))
def test_no_line_is_lost(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes | int]) -> None:
    folder = tmp_path_factory.mktemp("any")
    made = [
        line.replace(b"\n", b"") if isinstance(line, bytes) else json.dumps(tweet(line, H7 + line)).encode()
        for line in [0, *lines]
    ]
    write(folder / "tweets.jsonl", made)
    source = ReplaySource(folder)
    tweets = refused = 0
    for hour in source.recorded_hours():
        for place in source.recorded_places():
            found, refusals = trends(source, Place(place, place), hour)
            refused += len(refusals)
            for trend in found:
                played, broken = play(source, trend)
                tweets += len(played)
                refused += len(broken)
    blank = sum(not line.decode(errors="replace").strip("\ufeff \t\r") for line in made)
    assert tweets + refused + blank == len(made)
