"""Playing recorded tweets from a folder as if they came in now; also the sample in the package.

The format of the folder is told in ``recording.py`` and docs/sources.md. A recording costs nothing, so a
trend is played whole, in pages of 1,000 tweets, however few were asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from trendlark.hours import Hour, utc_now
from trendlark.records import Page, Place, Refusal, Trend, Tweet
from trendlark.sources.base import Parsed
from trendlark.sources.recording import Recording, bad_rank, fingerprint
from trendlark.sources.values import (
    as_count,
    as_hour,
    as_language,
    as_moment,
    as_name,
    as_rank,
    as_text,
    read_json,
)

PAGE_TWEETS = 1000
_SHARED = "!"


class ReplaySource:
    """A folder of recorded hours as a source.

    With ``loop`` the recorded hours are played again and again: hour H plays the recorded hour number
    ``H.index`` modulo their count, its times moved into H and its ids ending in H.
    """

    def __init__(self, folder: Path | str, name: str = "replay", loop: bool = False) -> None:
        self.folder = Path(folder)
        self.loop = loop
        self._name = name
        self._recording: Recording | None = None
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The value of the column ``source``."""
        return self._name

    def recorded_hours(self) -> tuple[Hour, ...]:
        """The hours that the folder holds, in order; raises InputError where it holds none."""
        return self._indexed().hours

    def recorded_places(self) -> tuple[str, ...]:
        """The places that the folder holds, by slug."""
        return self._indexed().places

    def request_of_trends(self, place: Place) -> str:
        """The key of the trends page; it changes with the folder."""
        return f"replay trends {place.slug} {self._indexed().fingerprint}"

    def trends(self, place: Place, hour: Hour) -> Page:
        """The recorded trends; none where the hour or place was not recorded."""
        recording = self._indexed()
        played = self._played(recording, hour)
        body = {
            "trends": [
                {"rank": trend.rank, "name": trend.name, "volume": trend.volume}
                for trend in recording.trends(played, place.slug)
            ],
            "refused": [
                {"reason": refusal.reason, "raw": refusal.raw}
                for refusal in recording.refusals(played, place.slug)
            ],
        }
        return Page(self.request_of_trends(place), json.dumps(body, ensure_ascii=False), utc_now())

    def parse_trends(self, page: Page, place: Place, hour: Hour) -> Parsed[Trend]:
        """Read a trends page; the refusals are the folder's lines that belong to no trend."""
        body = _object(page.body)
        trends = []
        refused = [Refusal(item["reason"], item["raw"]) for item in body.get("refused", [])]
        for item in body.get("trends", []):
            rank, name = as_rank(item["rank"]), str(item["name"])
            if rank is None:  # a page of the first releases may hold a rank that the lake does not
                refused.append(Refusal(bad_rank(item["rank"]), json.dumps(item, ensure_ascii=False)))
            else:
                trends.append(Trend(hour, self.name, place.slug, name, rank, item["volume"]))
        return Parsed(tuple(trends), tuple(refused))

    def pages(self, trend: Trend, wanted: int, windows: int, known: Mapping[str, Page]) -> Iterator[Page]:
        """Every recorded tweet of the trend; ``wanted`` and ``windows`` limit paid sources only."""
        del wanted, windows
        recording = self._indexed()
        played = self._played(recording, trend.hour)
        count = recording.count(played, trend.place, trend.name)
        for start in range(0, count, PAGE_TWEETS):
            request = f"replay tweets {trend.name} {start // PAGE_TWEETS + 1} {recording.fingerprint}"
            if request in known:
                yield known[request]
                continue
            lines = recording.read(played, trend.place, trend.name, start, start + PAGE_TWEETS)
            body = "\n".join(f"{_SHARED * line.shared}{line.where}\t{line.text}" for line in lines)
            yield Page(request, body, utc_now(), trend=trend.name)

    def parse_tweets(self, page: Page, trend: Trend) -> Parsed[Tweet]:
        """Read a page: on each line where it was found, a tab and the recorded JSON.

        A mark before the first says that another trend has another text under the id; it gets the trend's own end.
        """
        tweets, refusals = [], []
        for line in page.body.split("\n"):
            where, _, raw = line.partition("\t")
            try:
                tweet = self._tweet(_object(raw), raw, trend, page.fetched_at)
            except ValueError as error:
                refusals.append(Refusal(f"{where.removeprefix(_SHARED)}: {error}", raw, trend.name))
            else:
                tweets.append(_told_apart(tweet) if where.startswith(_SHARED) else tweet)
        return Parsed(tuple(tweets), tuple(refusals))

    def cost_of_trends(self) -> float:
        """Nothing."""
        return 0.0

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        """Nothing."""
        del wanted, windows
        return 0.0

    def close(self) -> None:
        """Forget the index and remove unpacked copies."""
        with self._lock:
            if self._recording is not None:
                self._recording.close()
            self._recording = None

    def _indexed(self) -> Recording:
        with self._lock:
            if self._recording is not None and self._recording.fingerprint != fingerprint(self.folder):
                self._recording.close()
                self._recording = None
            if self._recording is None:
                self._recording = Recording(self.folder)
            return self._recording

    def _played(self, recording: Recording, hour: Hour) -> Hour:
        return recording.hours[hour.index % len(recording.hours)] if self.loop else hour

    def _tweet(self, record: Mapping[str, Any], raw: str, trend: Trend, collected_at: datetime) -> Tweet:
        tweet_id, text = as_name(record.get("id")), as_text(record.get("text"))
        if tweet_id is None or text is None:
            raise ValueError(f"the tweet has no {'id' if tweet_id is None else 'text'}")
        created_at = as_moment(record.get("created_at"))
        if self.loop:
            tweet_id = f"{tweet_id}-{trend.hour}"
            recorded = as_hour(record.get("hour")) or as_hour(record.get("created_at"))
            if created_at is not None and recorded is not None:
                created_at += trend.hour.start - recorded.start
        return Tweet(
            hour=trend.hour,
            source=self.name,
            place=trend.place,
            trend=trend.name,
            tweet_id=tweet_id,
            text=text,
            collected_at=collected_at,
            created_at=created_at,
            author_id=as_name(record.get("author_id")),
            author_handle=as_name(record.get("author_handle")),
            lang=as_language(record.get("lang")),
            likes=as_count(record.get("likes")),
            reposts=as_count(record.get("reposts")),
            replies=as_count(record.get("replies")),
            quotes=as_count(record.get("quotes")),
            url=as_text(record.get("url")),
            raw=raw,
        )


def _told_apart(tweet: Tweet) -> Tweet:
    # An analysis belongs to the id, in whichever trend: another text would get that of the first one read.
    digest = hashlib.sha256(f"{tweet.place}\n{tweet.trend}".encode()).hexdigest()[:12]
    return replace(tweet, tweet_id=f"{tweet.tweet_id}-{digest}")


def _object(text: str) -> dict[str, Any]:
    value = read_json(text)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - a reason, not a bug
    return value
