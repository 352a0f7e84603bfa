"""What Prometheus reads at /metrics: requests, the queue, the model, and how the lake stands.

Every application has a registry of its own. Labels hold routes, never addresses, so no name of a trend and no
text gets in, and the number of series is bounded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from trendlark import __version__
from trendlark.errors import LakeError
from trendlark.hours import Hour, utc_now
from trendlark.lake import Lake
from trendlark.reports.backlog import backlog
from trendlark.settings import Settings

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LAKE_SECONDS = 15.0
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The instruments of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        into = self.registry
        self.requests = Counter(
            "trendlark_http_requests", "Answers.", ["method", "route", "status"], registry=into
        )
        self.seconds = Histogram(
            "trendlark_http_request_seconds",
            "Time to the end of an answer.",
            ["route"],
            buckets=_SECONDS,
            registry=into,
        )
        self.refused = Counter(
            "trendlark_refused", "Requests that were sent away, by reason.", ["reason"], registry=into
        )
        self.queue_texts = Gauge("trendlark_queue_texts", "Texts that wait for the model.", registry=into)
        self.queue_most = Gauge("trendlark_queue_texts_limit", "Texts that may wait.", registry=into)
        self.batch_texts = Histogram(
            "trendlark_batch_texts", "Texts handed to the model at once.", buckets=_TEXTS, registry=into
        )
        self.model_seconds = Histogram(
            "trendlark_model_seconds", "Time of the model for a batch.", buckets=_SECONDS, registry=into
        )
        self.texts = Counter("trendlark_analyzed_texts", "Texts that were analysed.", registry=into)
        self.workers = Gauge("trendlark_workers", "Workers that are alive.", registry=into)
        self.restarts = Counter("trendlark_worker_restarts", "Workers that died.", registry=into)
        self.events = Gauge("trendlark_event_listeners", "Open streams of events.", registry=into)
        self.info = Gauge("trendlark_info", "Always 1; what runs.", ["version", "model"], registry=into)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

    def tell_model(self, name: str) -> None:
        """Name the model in ``trendlark_info``."""
        self.info.labels(__version__, name).set(1)


class LakeMetrics:
    """Gauges of the lake, asked anew at a reading when the last answer is older than some seconds."""

    def __init__(
        self,
        metrics: Metrics,
        lake: Lake,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        into = metrics.registry
        self._lake, self._settings, self._clock = lake, settings, clock
        self._asked: float | None = None
        self._lock = threading.Lock()
        self._up = Gauge("trendlark_lake_up", "1 if the lake could be read.", registry=into)
        self._lag = Gauge(
            "trendlark_hour_lag_hours",
            "Complete hours after the newest one with trends, by source; 0 is up to date.",
            ["source"],
            registry=into,
        )
        self._spend = Gauge(
            "trendlark_spend_today_usd", "US dollars that today (UTC) has cost.", ["source"], registry=into
        )
        self._waiting_hours = Gauge(
            "trendlark_backlog_hours", "Hours of the last 48 that analyzers have not finished.", registry=into
        )
        self._waiting_tweets = Gauge(
            "trendlark_backlog_tweets", "Tweets of those hours that wait for an analyzer.", registry=into
        )
        budget = Gauge("trendlark_budget_usd_per_day", "US dollars that a day may cost.", registry=into)
        budget.set(settings.budget_usd_per_day)

    def refresh(self) -> None:
        """Ask the lake, unless that was done just now."""
        with self._lock:
            now = self._clock()
            if self._asked is not None and now - self._asked < _LAKE_SECONDS:
                return
            try:
                self._ask()
                self._up.set(1)
            except LakeError:
                self._up.set(0)
            self._asked = now

    def tell_silence(self) -> None:
        """Say that the lake does not answer; the other gauges keep what it said last."""
        self._up.set(0)

    def _ask(self) -> None:
        sources = {source for source, _ in self._lake.places()} | {self._settings.source_name()}
        last, today = Hour.last_complete(), f"{utc_now():%Y-%m-%d}"
        for source in sorted(sources):
            newest = max(self._lake.hours(source), default=None)
            if newest is not None:
                self._lag.labels(source).set(max(0, last.index - newest.index))
            self._spend.labels(source).set(self._lake.spent(today, source))
        waiting = backlog(self._lake)
        self._waiting_hours.set(waiting.hours)
        self._waiting_tweets.set(waiting.tweets)
