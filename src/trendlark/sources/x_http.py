"""Asking the X API over HTTP: timeouts, bounded retries with jitter, and every failure by its name.

The token is sent in one header and nowhere else: not in logs, messages, representations or the causes of
exceptions.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn

import httpx2
from pydantic import SecretStr

from trendlark.errors import (
    BadAnswerError,
    CredentialsError,
    CreditsError,
    RateLimitError,
    SourceError,
    UnavailableError,
)
from trendlark.hours import utc_now
from trendlark.sources.x_parse import problem_text, read_answer, refuses_query

log = logging.getLogger(__name__)

RETRIES = 4
FIRST_BACKOFF_SECONDS = 1.0
LARGEST_ANSWER_BYTES = 32 * 1024 * 1024
# Not the four of X's own list alone: before it stands a proxy with more (520 to 524).
_RETRIED_STATUSES = {408, *range(500, 600)}
# Codes of the older error form {"errors": [{"code": 88}]}: https://docs.x.com/x-api/fundamentals/response-codes-and-errors
_STATUS_OF_CODE = {32: 401, 64: 403, 88: 429, 89: 401, 99: 401, 130: 503, 131: 500, 215: 401, 326: 403}
# Of the types of problems there, those that asking again does not mend.
_STATUS_OF_TYPE = {
    "invalid-request": 400,
    "client-forbidden": 403,
    "resource-not-found": 404,
    "rate-limit-exceeded": 429,
    "usage-capped": 429,
}
# Members of `meta`: beside them `data` is left out where nothing was found (OpenAPI 2.167: neither is required).
_COUNTS = ("result_count", "total_tweet_count", "total_post_count")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx2.Headers
    body: str


class _RetryableError(Exception):
    def __init__(self, error: SourceError, wait_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_seconds = wait_seconds


class XClient:
    """GET requests to the X API v2. ``sleep``, ``now`` and ``draw`` (0 to 1) are replaced in tests."""

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str = "https://api.x.com",
        request_timeout_seconds: float = 15.0,
        max_wait_seconds: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = request_timeout_seconds
        self._max_wait_seconds = max_wait_seconds
        self._sleep = sleep
        self._now = now
        self._draw = draw
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(request_timeout_seconds, connect=min(10.0, request_timeout_seconds)),
            follow_redirects=False,  # a redirect could carry the token to another host
            headers={"user-agent": "trendlark", "accept": "application/json"},
        )

    def __repr__(self) -> str:
        return f"XClient({self._base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, str | int]) -> str:
        """The body of a good answer: the text of a JSON object. Raises a SourceError by its name.

        An answer that refuses the query itself is a good one, too: it says nothing of what else is asked.

        Rate limits, 5xx, time-outs, cut-off and invalid answers are asked again, at most four times; waits
        are capped by ``max_wait_seconds``, and a longer one that X asks for raises RateLimitError.
        """
        attempt = 0
        while True:
            try:
                return self._checked(self._ask(path, params))
            except _RetryableError as failure:
                if attempt == RETRIES:
                    log.warning("GET %s: given up after %d retries: %s", path, RETRIES, failure.error)
                    raise failure.error from None
                wait = self._wait(attempt, failure.wait_seconds)
                log.info("GET %s: %s Asking again in %.1f s.", path, failure.error, wait)
            self._sleep(wait)
            attempt += 1

    def _wait(self, attempt: int, stated_seconds: float | None) -> float:
        if stated_seconds is not None:
            return min(stated_seconds + self._draw(), self._max_wait_seconds)
        # Full jitter (AWS, "Exponential Backoff And Jitter"): many collectors do not come back at once.
        longest: float = min(FIRST_BACKOFF_SECONDS * 2**attempt, self._max_wait_seconds)
        return longest * self._draw()

    def _ask(self, path: str, params: Mapping[str, str | int]) -> _Answer:
        ends = time.monotonic() + self._timeout_seconds
        started = False
        try:
            with self._http.stream(
                "GET",
                self._base_url + path,
                params=dict(params),
                headers={"authorization": f"Bearer {self._token.get_secret_value()}"},
            ) as response:
                started = True
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > ends or len(body) > LARGEST_ANSWER_BYTES:
                        _give_up_reading(len(body), self._timeout_seconds)
                return _Answer(response.status_code, response.headers, body.decode("utf-8", errors="replace"))
        except httpx2.TimeoutException as error:
            found = f"Found no answer of X within {self._timeout_seconds:g} s ({type(error).__name__})"
            raise _RetryableError(_unavailable(found)) from None
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.DecodingError) as error:
            if started:
                raise _RetryableError(_bad_answer(f"a cut-off answer ({type(error).__name__})")) from None
            raise _RetryableError(_unavailable(f"Found that X hung up ({type(error).__name__})")) from None
        except httpx2.TransportError as error:
            found = f"Found no connection to {self._base_url} ({type(error).__name__})"
            raise _RetryableError(_unavailable(found)) from None
        except (httpx2.InvalidURL, httpx2.HTTPError) as error:
            raise SourceError(
                f"Found that {self._base_url} cannot be asked ({type(error).__name__}); x_base_url is an "
                "address like https://api.x.com. Correct it."
            ) from None

    def _checked(self, answer: _Answer) -> str:
        told = read_answer(answer.body)
        if answer.status in {200, 400} and told is not None and refuses_query(told):
            return answer.body
        if answer.status != 200:
            self._fail(answer.status, told, answer)
        if told is None:
            raise _RetryableError(_bad_answer("invalid JSON"))
        if not _holds_data(told):
            # Kept, it would stand for an hour without trends or tweets, and never be asked for again.
            self._fail(*_problem_in(told), answer)
        return answer.body

    def _fail(self, status: int, told: Mapping[str, object] | None, answer: _Answer) -> NoReturn:
        said = self._said(told, answer)
        if status == 429:
            self._limited(said, told, answer.headers)
        if status in _RETRIED_STATUSES:
            raise _RetryableError(_unavailable(f"Found that X is not available ({said})"))
        _refused(status, said)

    def _said(self, told: Mapping[str, object] | None, answer: _Answer) -> str:
        errors = told.get("errors") if told else None
        problem = errors[0] if isinstance(errors, list) and errors and "title" not in (told or {}) else told
        text = problem_text(problem) if problem else ""
        said = f"{answer.status}: {text}" if text else str(answer.status)
        return said.replace(self._token.get_secret_value() or "\0", "***")

    def _limited(self, said: str, told: Mapping[str, object] | None, headers: httpx2.Headers) -> NoReturn:
        kind = str((told or {}).get("type") or "").rstrip("/")
        if kind.endswith(("usage-capped", "credits")) or (told or {}).get("title") == "UsageCapExceeded":
            raise CreditsError(
                f"Found that the usage cap of the X account is reached ({said}); no request is allowed until "
                "it is raised or a new period starts. See the developer console of X."
            )
        wait = self._stated_wait(headers)
        error = RateLimitError(
            f"Found a rate limit of X ({said})" + (f" for another {wait:.0f} s" if wait else "") + "; "
            f"Trendlark waits {self._max_wait_seconds:g} s at most (max_wait_seconds). "
            "Run the hour again later: it goes on where it was."
        )
        if wait is not None and wait > self._max_wait_seconds:
            raise error
        raise _RetryableError(error, wait)

    def _stated_wait(self, headers: httpx2.Headers) -> float | None:
        after = headers.get("retry-after", "").strip()
        if after.isdecimal() and len(after) < 10:
            return float(after)
        try:
            return max(0.0, (parsedate_to_datetime(after) - self._now()).total_seconds())
        except (ValueError, TypeError, IndexError, OverflowError):
            pass
        reset = headers.get("x-rate-limit-reset", "").strip()
        if reset.isdecimal() and len(reset) < 13:
            wait = float(reset) - self._now().timestamp()
            return wait if wait > 0 else None  # a moment that has passed says nothing
        return None


def _holds_data(told: Mapping[str, object]) -> bool:
    """Whether an answer tells something: records, a count of them, or an empty list that no error explains."""
    meta = told.get("meta")
    if isinstance(meta, dict) and any(isinstance(meta.get(name), int) for name in _COUNTS):
        return True
    data = told.get("data")
    return isinstance(data, list) and (bool(data) or not told.get("errors"))


def _problem_in(told: Mapping[str, object]) -> tuple[int, Mapping[str, object]]:
    """The status that an answer without data should have had, and the problem in it that says so."""
    errors = told.get("errors")
    problems = [told, *(errors if isinstance(errors, list) else [])]
    for problem in problems:
        status = _status_of(problem) if isinstance(problem, dict) else None
        if status is not None:
            return status, problem
    if len(problems) == 1:
        raise _RetryableError(_bad_answer("an answer without data"))
    return 503, told


def _status_of(problem: Mapping[str, object]) -> int | None:
    kind = str(problem.get("type") or "").rstrip("/").rpartition("/")[2]
    code, status = problem.get("code"), problem.get("status")
    if isinstance(code, int) and code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[code]
    if isinstance(status, int) and 400 <= status < 600:
        return status
    return _STATUS_OF_TYPE.get(kind)


def _give_up_reading(size: int, timeout_seconds: float) -> NoReturn:
    if size > LARGEST_ANSWER_BYTES:
        raise BadAnswerError(
            f"Found an answer of X of more than {size // 2**20} MB; an answer is far below "
            f"{LARGEST_ANSWER_BYTES // 2**20} MB. Check x_base_url."
        )
    raise _RetryableError(_unavailable(f"Found that X took more than {timeout_seconds:g} s to answer"))


def _refused(status: int, said: str) -> NoReturn:
    if status == 402:
        raise CreditsError(
            f"Found no credits left on the X account ({said}); X answers only while there are some. "
            "Buy credits in its developer console."
        )
    if status in {401, 403}:
        raise CredentialsError(
            f"Found that X does not accept the token ({said}); it takes an app-only bearer token whose app "
            "may read trends and search. Check TRENDLARK_X_BEARER_TOKEN."
        )
    if 300 <= status < 400:
        raise BadAnswerError(
            f"Found a redirect ({said}), which is not followed so that the token stays with one host. "
            "Set x_base_url to the final address."
        )
    raise SourceError(
        f"Found that X refuses the request ({said}); the same request will be refused again. "
        "If trends fail alike, check x_base_url; else report it."
    )


def _unavailable(found: str) -> UnavailableError:
    return UnavailableError(f"{found}; it is asked {RETRIES + 1} times at most. Run the hour again later.")


def _bad_answer(found: str) -> BadAnswerError:
    return BadAnswerError(
        f"Found {found} of X; an answer is a whole JSON object that holds data, and it is asked for "
        f"{RETRIES + 1} times at most. Run the hour again later."
    )
