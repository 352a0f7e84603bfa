"""What Prometheus reads, and the ids that tie an answer to its line in the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake, probing
from tests.support.web_lake import LAST, STORIES, fill
from trendlark.errors import LakeError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.web.metrics import LakeMetrics, Metrics
from trendlark.web.routes import metrics as metrics_page

PATIENCE = 30.0
STATIC = frozenset({"method": "GET", "route": "/static", "status": "200"}.items())
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with six hours of two places."""
    lake = empty_lake(tmp_path_factory.mktemp("metrics"))
    fill(lake, "sample", STORIES[:3])
    return lake


@pytest.fixture
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server of its own, so that counts begin at zero."""
    with client_of(lake) as client:
        yield client


def read(text: str) -> Samples:
    """Every sample by name and labels, as Prometheus reads them."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in families(text)
        for one in family.samples
    }


def value(client: httpx.Client, name: str, **labels: str) -> float:
    """One sample."""
    return read(client.get("/metrics").text)[name, frozenset(labels.items())]


def test_answers_are_counted_by_route_and_never_by_address(client: httpx.Client) -> None:
    client.get("/v1/trends/sample/es/%23Secret")
    client.get("/v1/trends/sample/es/%23Secret")
    client.get("/no/such/secret")
    client.get("/static/style.css")
    client.request("SECRETS", "/live")
    route = "/v1/trends/{source}/{place}/{trend:path}"
    name = "trendlark_http_requests_total"
    # A file is closed, and its answer counted, a moment after its last byte was sent.
    end = time.monotonic() + PATIENCE
    while (name, STATIC) not in read(text := client.get("/metrics").text):
        assert time.monotonic() < end
    assert "ecret" not in text
    samples = read(text)
    assert samples[name, frozenset({"method": "GET", "route": route, "status": "404"}.items())] == 2
    assert samples[name, frozenset({"method": "GET", "route": "unknown", "status": "404"}.items())] == 1
    assert samples[name, STATIC] == 1
    assert samples["trendlark_http_request_seconds_count", frozenset({("route", route)})] == 2


def test_texts_and_batches_are_counted(client: httpx.Client) -> None:
    client.post("/v1/analyze", json={"texts": ["a", "b", "c"]})
    assert value(client, "trendlark_analyzed_texts_total") == 3
    assert value(client, "trendlark_batch_texts_count") == 1
    assert value(client, "trendlark_batch_texts_sum") == 3
    assert value(client, "trendlark_model_seconds_count") == 1
    assert value(client, "trendlark_queue_texts") == 0
    assert value(client, "trendlark_queue_texts_limit") == 256


def test_the_lake_is_told_with_its_lag_its_spend_and_the_budget(client: httpx.Client) -> None:
    before = Hour.last_complete()
    assert value(client, "trendlark_lake_up") == 1
    lag = value(client, "trendlark_hour_lag_hours", source="sample")
    assert lag in {before.index - LAST.index, Hour.last_complete().index - LAST.index}
    assert value(client, "trendlark_spend_today_usd", source="sample") == 0
    assert value(client, "trendlark_budget_usd_per_day") == 10


def test_the_lake_is_not_asked_at_every_reading_and_its_failure_is_told(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    metrics = Metrics()
    gauges = LakeMetrics(metrics, lake, settings_for(lake.uri), clock=lambda: now[0])

    def broken(*_: object) -> None:
        raise LakeError("Found it gone.")

    gauges.refresh()
    monkeypatch.setattr(type(lake), "hours", broken)
    gauges.refresh()
    assert metrics.registry.get_sample_value("trendlark_lake_up") == 1
    now[0] = 20
    gauges.refresh()
    assert metrics.registry.get_sample_value("trendlark_lake_up") == 0


def test_a_lake_that_hangs_keeps_one_thread_and_no_number_of_the_server(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_page, "LAKE_SECONDS", 0.2)
    gate = threading.Event()
    places = type(lake).places

    def hanging(self: Lake) -> list[tuple[str, str]]:
        assert gate.wait(PATIENCE)
        return places(self)

    monkeypatch.setattr(type(lake), "places", hanging)
    with client_of(lake) as client:
        client.post("/v1/analyze", json={"text": "a"})
        before = probing()
        for _ in range(6):
            samples = read(client.get("/metrics").text)
            assert samples["trendlark_lake_up", frozenset()] == 0
            assert samples["trendlark_analyzed_texts_total", frozenset()] == 1
        assert probing() <= before + 1
        gate.set()
        end = time.monotonic() + PATIENCE
        while value(client, "trendlark_lake_up") != 1:
            assert time.monotonic() < end


def test_metrics_want_the_token_unless_they_are_set_open(lake: Lake) -> None:
    for opened, status in ((False, 401), (True, 200)):
        settings = settings_for(lake.uri, host="0.0.0.0", api_token="s3same-0pen", metrics_open=opened)
        with client_of(lake, settings=settings) as client:
            assert client.get("/metrics").status_code == status


@pytest.mark.parametrize(
    ("sent", "kept"), [("job-7.a_B", True), ("", False), ("a b", False), ("x" * 65, False), ("é", False)]
)
def test_an_id_that_is_sent_comes_back_and_others_are_made(
    client: httpx.Client, sent: str, kept: bool
) -> None:
    for path in ("/live", "/no", "/v1/trends?limit=0"):
        found = client.get(path, headers={b"x-request-id": sent.encode("latin-1")}).headers["x-request-id"]
        assert (found == sent) is kept
        assert found.isascii()


def test_a_line_of_the_log_has_the_route_and_no_text(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "trendlark.web.access"), client_of(lake) as client:
        client.post("/v1/analyze", json={"text": "my secret"}, headers={"X-Request-Id": "abc"})
        client.get("/v1/trends/x/es/my%20secret", params={"q": "my secret"})
    records = [record for record in caplog.records if record.name == "trendlark.web.access"]
    assert [record.__dict__["status"] for record in records] == [200, 404]
    assert records[0].__dict__["request_id"] == "abc"
    assert records[0].__dict__["route"] == "/v1/analyze"
    assert records[0].__dict__["seconds"] >= 0
    assert not any("secret" in str(record.__dict__) for record in records)
