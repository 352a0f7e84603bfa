"""Faults under a real server: every caller over HTTP gets an answer, and /ready says how things stand."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import MODEL, client_of, empty_lake, probing
from trendlark.lake import Lake
from trendlark.records import Analysis
from trendlark.web import batcher, serve
from trendlark.web.app import create_app
from trendlark.web.desk import WORKERS
from trendlark.web.routes import health
from trendlark.web.serve import WebServer

PATIENCE = 30.0


class Death(BaseException):
    """What no worker survives."""


class Faulty:
    """Dies on "die", and works only while its gate is open."""

    name = "faulty"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.ill = False

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """Die, wait or answer."""
        if "die" in texts:
            self.ill = True
        if self.ill and threading.current_thread().name == "trendlark-worker":
            raise Death
        assert self.gate.wait(PATIENCE)
        return MODEL.analyze(texts, langs)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake."""
    return empty_lake(tmp_path_factory.mktemp("faults"))


def test_ready_is_red_from_the_death_of_a_worker_until_another_works(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(batcher, "_LONGEST_PAUSE_SECONDS", 0.05)
    model = Faulty()
    settings = settings_for(lake.uri, deadline_seconds=PATIENCE)
    with client_of(lake, model, settings) as client, ThreadPoolExecutor(1) as pool:
        assert client.get("/ready").status_code == 200
        # As many as there are workers: one left alive would take the patient text while the model is still ill.
        for _ in range(WORKERS):
            dead = client.post("/v1/analyze", json={"text": "die"})
            assert dead.status_code == 503
            assert "worker died" in dead.json()["detail"]
        for path in ("/ready", "/v2/health/ready"):
            red = client.get(path)
            assert red.status_code == 503
            assert "a worker died" in red.text
        assert client.get("/live").status_code == 200
        waiting = pool.submit(client.post, "/v1/analyze", json={"text": "patient"})
        model.ill = False
        assert waiting.result(PATIENCE).json() == {"items": [MODEL("patient").to_dict()]}
        end = time.monotonic() + PATIENCE
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < end
        assert "trendlark_worker_restarts_total 0" not in client.get("/metrics").text


def ask_many(pool: ThreadPoolExecutor, url: str, count: int) -> list[httpx.Response]:
    """Answers to as many callers, each with its own connection, at once."""

    def ask(number: int) -> httpx.Response:
        return httpx.post(f"{url}/v1/analyze", json={"text": f"t{number}"}, timeout=PATIENCE, trust_env=False)

    return list(pool.map(ask, range(count)))


@pytest.mark.parametrize("in_time", [True, False])
def test_a_server_that_stops_answers_all_who_wait(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, in_time: bool
) -> None:
    monkeypatch.setattr(serve, "_ANSWER_SECONDS", PATIENCE if in_time else 0.2)
    model = Faulty()
    model.gate.clear()
    settings = settings_for(lake.uri, deadline_seconds=PATIENCE)
    app = create_app(lake=lake, analyzer=model, settings=settings)
    server = WebServer(app, "127.0.0.1", 0, app.state.drain)
    url = server.start()
    with ThreadPoolExecutor(13) as pool:
        answers = pool.submit(ask_many, pool, url, 12)
        end = time.monotonic() + PATIENCE
        # Two workers hold what they took, and the others stand in line: one number for both, since a text that is
        # taken between two looks would be counted twice, and the server would stop before all are there.
        while app.state.room.desk.texts_inside() != 12:
            assert time.monotonic() < end
            time.sleep(0.01)
        server.stop()
        if in_time:
            model.gate.set()
        found = answers.result(PATIENCE)
    assert {answer.status_code for answer in found} == {200 if in_time else 503}
    if not in_time:
        assert all("stopping" in answer.json()["detail"] for answer in found)
    model.gate.set()
    assert server.join(PATIENCE)


def test_a_model_that_hangs_costs_each_caller_its_deadline_and_no_more(lake: Lake) -> None:
    model = Faulty()
    model.gate.clear()
    settings = settings_for(lake.uri, deadline_seconds=0.5)
    with client_of(lake, model, settings) as client, ThreadPoolExecutor(8) as pool:
        end = time.monotonic() + PATIENCE
        found = ask_many(pool, str(client.base_url).rstrip("/"), 8)
        # Those that a worker held are told that it gave no answer, the others to come back. On a busy machine the
        # deadline may pass before a worker has woken: then all are to come back, and do.
        while 503 not in {answer.status_code for answer in found}:
            assert time.monotonic() < end
            found += ask_many(pool, str(client.base_url).rstrip("/"), 8)
        assert {answer.status_code for answer in found} <= {429, 503}
        for answer in found:
            assert ("retry-after" in answer.headers) == (answer.status_code == 429)
        assert client.get("/ready").status_code == 503
        model.gate.set()
        end = time.monotonic() + PATIENCE
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < end
        while client.post("/v1/analyze", json={"text": "a"}).status_code != 200:
            assert time.monotonic() < end


def test_probes_of_a_model_that_hangs_keep_one_thread(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.5)
    model = Faulty()
    model.gate.clear()
    with client_of(lake, model) as client:
        client.get("/ready")
        before = probing()
        for _ in range(8):
            answer = client.get("/ready", timeout=PATIENCE)
            assert answer.status_code == 503
            assert "no answer within 0.5 seconds" in answer.json()["model"]
        assert probing() <= before + 1
        model.gate.set()
        end = time.monotonic() + PATIENCE
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < end
