"""A stand-in for the X API v2: a real HTTP server in a thread that answers, fails and hangs up as told.

It speaks trends by WOEID, recent search with windows and paging, and recent counts; it refuses requests that
X would refuse; it remembers what it was asked. ``script`` puts answers of your own before the normal ones.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from trendlark.hours import Hour

TOKEN = "fake-token-0123456789"
PROBLEMS = "https://api.x.com/2/problems/"
JSON = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire; ``cut`` leaves out its last bytes, ``hang_up`` all of it."""

    status: int = 200
    body: JSON | bytes = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    cut: int = 0
    hang_up: bool = False


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


def problem(status: int, title: str, kind: str, detail: str = "", **headers: str) -> Reply:
    """An answer in the form application/problem+json; ``headers`` with _ for -."""
    body = {"title": title, "detail": detail or title, "type": kind, "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, body, {"content-type": "application/problem+json", **named})


UNAUTHORIZED = problem(401, "Unauthorized", "about:blank")
FORBIDDEN = problem(403, "Client Forbidden", "https://api.twitter.com/2/problems/client-forbidden")
NO_CREDITS = problem(402, "CreditsDepleted", "https://api.x.com/2/problems/credits")
USAGE_CAP = problem(429, "UsageCapExceeded", "https://api.twitter.com/2/problems/usage-capped")
TOO_MANY = problem(429, "Too Many Requests", "about:blank", retry_after="1")
UNAVAILABLE = problem(503, "Service Unavailable", "about:blank")


class FakeX:
    """The server; use it as a context manager. ``url`` is its base URL."""

    def __init__(self, now: Callable[[], datetime] | None = None, new_spelling: bool = False) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        self.new_spelling = new_spelling
        self.asked: list[Asked] = []
        self.refused: list[str] = []
        # From this request on there are no credits left; None means that there always are.
        self.fail_from: int | None = None
        self._trends: dict[int, list[tuple[str, int | None]]] = {}
        self._posts: dict[str, list[dict[str, Any]]] = {}
        self._script: deque[tuple[str, Reply]] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def trend(self, woeid: int, *names: str | tuple[str, int | None]) -> None:
        """Add trends of a place in order of rank, with their tweet counts or without."""
        made = [name if isinstance(name, tuple) else (name, None) for name in names]
        self._trends.setdefault(woeid, []).extend(made)

    def posts(self, query: str, hour: Hour, count: int, **fields: Any) -> None:
        """Add ``count`` posts that a query finds, spread evenly over an hour."""
        found = self._posts.setdefault(query, [])
        for index in range(count):
            moment = hour.start + timedelta(hours=1) * index / count
            number = hour.index * 1_000_000 + len(found)
            found.append(
                {
                    "id": str(number),
                    "text": f"post {number} of {query}",
                    "created_at": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
                    "author_id": str(index % 7),
                    "lang": "es",
                    **fields,
                }
            )

    def script(self, *replies: Reply, path: str = "") -> None:
        """Answer the next requests whose path holds ``path`` with these, in order."""
        with self._lock:
            self._script.extend((path, reply) for reply in replies)

    def count(self, path: str = "") -> int:
        """How many requests came whose path holds ``path``."""
        return sum(path in asked.path for asked in self.asked)

    def reply(self, asked: Asked) -> Reply:
        """What a request is answered: the script first, then refusals, then the data."""
        with self._lock:
            self.asked.append(asked)
            if self.fail_from is not None and len(self.asked) > self.fail_from:
                return NO_CREDITS
            for index, (path, scripted) in enumerate(self._script):
                if path in asked.path:
                    del self._script[index]
                    return scripted
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return UNAUTHORIZED
        wrong = _wrong(asked, self.now())
        if wrong:
            self.refused.append(wrong)
            return problem(400, "Invalid Request", PROBLEMS + "invalid-request", wrong)
        return Reply(200, self._data(asked))

    def _data(self, asked: Asked) -> dict[str, Any]:
        if asked.path.startswith("/2/trends/by/woeid/"):
            trends = self._trends.get(int(asked.path.rpartition("/")[2]), [])
            most = int(asked.params.get("max_trends", 20))
            return {"data": [_trend(name, count) for name, count in trends[:most]]}
        found = self._found(asked.params)
        if asked.path == "/2/tweets/counts/recent":
            return self._counts(asked.params, found)
        first = int(asked.params.get("next_token", "t0")[1:])
        size = int(asked.params.get("max_results", 10))
        page = found[first : first + size]
        if not page:
            return {"meta": {"result_count": 0}}
        meta: dict[str, Any] = {
            "newest_id": page[0]["id"],
            "oldest_id": page[-1]["id"],
            "result_count": len(page),
        }
        if first + size < len(found):
            meta["next_token"] = f"t{first + size}"
        answer: dict[str, Any] = {"data": [self._post(post) for post in page], "meta": meta}
        if "author_id" in asked.params.get("expansions", ""):
            authors = sorted({post["author_id"] for post in page})
            answer["includes"] = {"users": [{"id": a, "name": a, "username": f"user{a}"} for a in authors]}
        return answer

    def _found(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        posts = self._posts.get(params["query"], [])
        start, end = _moment(params["start_time"]), _moment(params["end_time"])
        inside = [post for post in posts if start <= _moment(post["created_at"]) < end]
        return sorted(inside, key=lambda post: (post["created_at"], int(post["id"])), reverse=True)

    def _counts(self, params: Mapping[str, str], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        word = "post" if self.new_spelling else "tweet"
        minutes: dict[str, int] = {}
        for post in found:
            minutes[post["created_at"][:16]] = minutes.get(post["created_at"][:16], 0) + 1
        data = []
        moment, end = _moment(params["start_time"]), _moment(params["end_time"])
        while moment < end:
            after = min(moment + timedelta(minutes=1), end)
            number = minutes.get(f"{moment:%Y-%m-%dT%H:%M}", 0)
            data.append({"start": _stamp(moment), "end": _stamp(after), f"{word}_count": number})
            moment = after
        return {"data": data, "meta": {f"total_{word}_count": len(found)}}

    def _post(self, post: Mapping[str, Any]) -> dict[str, Any]:
        reposts = "repost_count" if self.new_spelling else "retweet_count"
        metrics = {"like_count": 3, reposts: 2, "reply_count": 1, "quote_count": 0}
        return {"public_metrics": {**metrics, "bookmark_count": 0, "impression_count": 9}, **post}


def _trend(name: str, count: int | None) -> dict[str, Any]:
    return {"trend_name": name} if count is None else {"trend_name": name, "tweet_count": count}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _wrong(asked: Asked, now: datetime) -> str:
    if asked.path.startswith("/2/trends/by/woeid/"):
        return "" if 1 <= int(asked.params.get("max_trends", 20)) <= 50 else "max_trends is not 1 to 50"
    query = asked.params.get("query", "")
    start = _moment(asked.params.get("start_time", _stamp(now - timedelta(days=1))))
    end = _moment(asked.params.get("end_time", _stamp(now - timedelta(seconds=30))))
    rules = {
        "no such path": asked.path in {"/2/tweets/search/recent", "/2/tweets/counts/recent"},
        "query is not 1 to 512 characters": 0 < len(query.encode("utf-16-le")) // 2 <= 512,
        "quotes are not balanced": query.count('"') % 2 == 0,
        "max_results is not 10 to 100": 10 <= int(asked.params.get("max_results", 10)) <= 100,
        "start_time is not before end_time": start < end,
        "end_time is less than 10 seconds before now": end <= now - timedelta(seconds=10),
        "start_time is more than 7 days ago": start >= now - timedelta(days=7),
    }
    return "; ".join(rule for rule, kept in rules.items() if not kept)


class _Server(ThreadingHTTPServer):
    fake: FakeX
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hung up are none of our business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer one request."""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.fake.reply(Asked(parts.path, dict(parse_qsl(parts.query)), headers))
        time.sleep(reply.delay_seconds)
        if reply.hang_up:
            self.close_connection = True
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        limits = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "449"}
        for name, value in (
            {"content-type": "application/json; charset=utf-8"} | limits | dict(reply.headers)
        ).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        sent = body[: len(body) - reply.cut]
        for start in range(0, len(sent), 1 if reply.drip_seconds else max(1, len(sent))):
            self.wfile.write(sent[start : start + (1 if reply.drip_seconds else len(sent))])
            self.wfile.flush()
            time.sleep(reply.drip_seconds)
        self.close_connection = self.close_connection or reply.cut > 0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parameter's given name
        """Be quiet."""
