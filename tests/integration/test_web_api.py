"""The API on a real server over a real lake: lists, cursors, analysis, health and every way to be refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import MODEL, client_of, empty_lake
from tests.support.web_lake import FIRST, HOSTILE_STORY, HOSTILE_TREND, LAST, STORIES, fill
from tests.support.web_lake import MODEL as LAKE_MODEL
from trendlark.errors import InputError, LakeError, ModelError, TrendlarkError
from trendlark.lake import Lake
from trendlark.records import Analysis, Trend, TrendHour
from trendlark.reports.board import Board
from trendlark.web.desk import Analyzes
from trendlark.web.problems import _TITLES, kind_of, problem
from trendlark.web.routes import health


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with an invented source and a real one, hostile names included."""
    lake = empty_lake(tmp_path_factory.mktemp("api"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY])
    fill(lake, "x", STORIES[:1], summarised=False)
    return lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server over that lake."""
    with client_of(lake) as client:
        yield client


def walk(client: httpx.Client, path: str, **query: str | int) -> list[dict[str, object]]:
    """All items, page by page."""
    items: list[dict[str, object]] = []
    cursor: str | None = None
    while True:
        params = query | ({"cursor": cursor} if cursor else {})
        answer = client.get(path, params=params).raise_for_status().json()
        assert set(answer) == {"items", "next"}
        items += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            return items


def test_the_process_is_alive(client: httpx.Client) -> None:
    assert client.get("/live").json()["status"] == "live"


def test_it_is_ready_when_lake_and_model_answer(client: httpx.Client) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "lake": "6 hours", "model": "fake"}


def test_it_is_not_ready_without_a_model_and_says_why(lake: Lake) -> None:
    with client_of(lake, None) as client:
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert "no model" in answer.json()["model"]
        assert client.get("/live").status_code == 200
        refused = client.post("/v1/analyze", json={"text": "a"})
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:trendlark:model"


def test_a_model_or_lake_that_hangs_is_not_ready(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    model = Faulty(hangs=True)
    with client_of(lake, model) as client:
        # More probes than there are threads for them: each is answered all the same.
        for _ in range(4):
            answer = client.get("/ready")
            assert answer.status_code == 503
            assert "no answer within 0.2 seconds" in answer.json()["model"]
        assert client.get("/live").status_code == 200
        model.go.set()
        monkeypatch.setattr(health, "PROBE_SECONDS", 10.0)
        assert client.get("/ready").status_code == 200


def test_it_becomes_ready_when_the_model_is_loaded(lake: Lake) -> None:
    loading: Future[Analyzes] = Future()
    with client_of(lake, loading) as client:
        assert client.get("/ready").status_code == 503
        loading.set_result(MODEL)
        assert client.get("/ready").status_code == 200


def test_trends_come_newest_hour_first_with_their_intervals(client: httpx.Client) -> None:
    items = client.get("/v1/trends", params={"source": "sample", "place": "es"}).json()["items"]
    assert items[0]["hour"] == str(LAST)
    assert [item["rank"] for item in items[:3]] == [1, 2, 3]
    first = items[0]
    assert first["trend"] == "#MiraflorValdoro"
    assert first["invented"] is True
    assert first["volume"] == 48_200
    positive = first["summary"]["sentiment"]["positive"]
    assert positive["low"] < positive["value"] == 0.78 < positive["high"]
    assert first["summary"]["entities"][0] == {"name": "Valdoro", "count": 14, "type": "organization"}
    assert first["summary"]["model"] == LAKE_MODEL
    assert len(first["summary"]["examples"]) == 3


def test_rows_of_a_real_source_are_not_called_invented_and_may_lack_a_summary(client: httpx.Client) -> None:
    items = client.get("/v1/trends", params={"source": "x"}).json()["items"]
    assert len(items) == 6
    assert all(item["invented"] is False and item["summary"] is None for item in items)


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_of_any_size_hold_every_row_once_in_one_order(client: httpx.Client, limit: int) -> None:
    whole = client.get("/v1/trends", params={"limit": 500}).json()["items"]
    assert len(whole) == 6 + sum(
        mood is not None for story in (*STORIES, HOSTILE_STORY) for mood in story.moods
    )
    assert walk(client, "/v1/trends", limit=limit) == whole


def test_filters_narrow_the_list(client: httpx.Client) -> None:
    items = walk(client, "/v1/trends", hour=str(FIRST), source="sample", place="us")
    assert {(item["hour"], item["place"]) for item in items} == {(str(FIRST), "us")}
    assert walk(client, "/v1/trends", place="mx") == []
    assert walk(client, "/v1/trends", place="es' OR 1=1 --") == []


@pytest.mark.parametrize("name", ["#MiraflorValdoro", "AC/DC & friends", HOSTILE_TREND])
def test_one_trend_over_its_hours_whatever_its_name(client: httpx.Client, name: str) -> None:
    place = "es" if name == "#MiraflorValdoro" else "us"
    path = f"/v1/trends/sample/{place}/{quote(name, safe='')}"
    items = walk(client, path, limit=2)
    assert {item["trend"] for item in items} == {name}
    hours = [str(item["hour"]) for item in items]
    assert hours == sorted(hours, reverse=True)
    assert len(hours) == (1 if "AC/DC" in name else 6)


@pytest.mark.parametrize("name", [".", "..", "a\nb", "\u2028", "#plain"])
def test_a_name_that_an_address_cannot_carry_travels_as_a_parameter(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("names"))
    lake.commit_collection(
        LAST, "x", "es", [], [TrendHour(Trend(LAST, "x", "es", name, 1), 0, 0, 0.0)], [], "r"
    )
    with client_of(lake) as client:
        items = walk(client, "/v1/trends/x/es/", trend=name)
        assert [item["trend"] for item in items] == [name]
        missing = client.get("/v1/trends/x/es/")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_hours_and_places(client: httpx.Client) -> None:
    hours = [str(hour) for hour in reversed(list(FIRST.until(LAST)))]
    assert client.get("/v1/hours").json() == {"items": hours, "next": None}
    assert [str(hour) for hour in walk(client, "/v1/hours", limit=4)] == hours
    places = client.get("/v1/places").json()["items"]
    assert [(place["slug"], place["followed"]) for place in places] == [("es", True), ("us", True)]


def test_one_text_and_many_are_analysed_as_in_python(client: httpx.Client) -> None:
    text = "Me encanta @RealMadrid, qué partidazo #Copa https://example.org/x"
    one = client.post("/v1/analyze", json={"text": text}).json()
    assert one == {"items": [MODEL(text).to_dict()]}
    many = client.post("/v1/analyze", json={"texts": ["", "b", text], "langs": [None, "en", "es"]}).json()
    assert many["items"][0] == MODEL("").to_dict()
    assert many["items"][2] == MODEL(text, "es").to_dict()
    assert client.post("/v1/analyze", json={"texts": []}).json() == {"items": []}


def test_strange_texts_are_answered(client: httpx.Client) -> None:
    body = rb'{"texts": ["\ud800", "\u0000", "\u202e\u202e", "\ud83d\ude00"]}'
    answer = client.post("/v1/analyze", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 4


def test_a_text_that_is_too_long_has_its_own_error(client: httpx.Client) -> None:
    items = client.post("/v1/analyze", json={"texts": ["a", "b" * 10_001, "c" * 10_000]}).json()["items"]
    assert "error" in items[1]
    assert "10,001" in items[1]["error"]["detail"]
    assert items[0] == MODEL("a").to_dict()
    assert items[2]["sentiment"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "either"),
        ({"text": "a", "texts": ["b"]}, "either"),
        ({"texts": ["a"] * 101}, "100"),
        ({"text": "a" * 10_001}, "10000"),
        ({"texts": ["a"], "langs": []}, "0 langs"),
        ({"texts": [1]}, "string"),
        ({"text": "a", "model": "x"}, "model"),
        ([], "body"),
    ],
)
def test_requests_that_are_not_valid_are_told_what_is(client: httpx.Client, body: object, found: str) -> None:
    answer = client.post("/v1/analyze", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert found in answer.json()["detail"]
    assert "a" * 200 not in answer.text


@pytest.mark.parametrize("said", ["text/plain", "application/x-www-form-urlencoded", "json", ""])
def test_a_body_that_is_not_called_json_is_told_how_to_be(client: httpx.Client, said: str) -> None:
    headers = {"Content-Type": said} if said else {}
    answer = client.post("/v1/analyze", content=b'{"text": "a"}', headers=headers)
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]
    assert repr(said) in answer.json()["detail"]
    right = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/v1/analyze", content=b'{"text": "a"}', headers=right).status_code == 200
    answer = client.post("/v1/analyze", content=b"[]", headers=right)
    assert "Content-Type" not in answer.json()["detail"]


@pytest.mark.parametrize("said", [True, False])
def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(
    client: httpx.Client, said: bool
) -> None:
    whole = b'{"text": "' + b"a" * 1_000_001 + b'"}'
    parts = (whole[start : start + 65_536] for start in range(0, len(whole), 65_536))
    answer = client.post("/v1/analyze", content=whole if said else parts)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:trendlark:too-large"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/trends?hour=yesterday", 400),
        ("/v1/trends?hour=0001-01-01T00", 400),
        ("/v1/trends?hour=9999-12-31T23", 400),
        ("/v1/hours?cursor=9999-12-31T23", 400),
        ("/v1/trends?cursor=nonsense", 400),
        ("/v1/trends?limit=0", 422),
        ("/v1/trends?limit=501", 422),
        ("/v1/trends/sample/es/nope", 404),
        ("/v1/nope", 404),
        ("/v1/analyze", 405),
    ],
)
def test_refusals_are_problems(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    assert body["type"].startswith("urn:trendlark:")


PATIENCE = 60.0


class Faulty:
    """Answers the probe, waits on "wait", and has a bug."""

    name = "faulty"

    def __init__(self, hangs: bool = False) -> None:
        self.go = threading.Event()
        self.waiting = threading.Event()
        self.hangs = hangs

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """Fail or wait, as the text asks."""
        if texts[0] == "worn":
            raise ModelError("Found the model worn out.")
        if texts[0] == "bug":
            raise RuntimeError("secret inside")
        if texts[0] == "refuse":
            raise InputError("Found a text; this model takes none. Ask another.")
        if texts[0] == "wait" or self.hangs:
            self.waiting.set()
            self.go.wait(PATIENCE)
        return MODEL.analyze(texts)


def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(lake, Faulty()) as client:
        answer = client.post("/v1/analyze", json={"text": "bug"})
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert client.post("/v1/analyze", json={"text": "a"}).status_code == 200
    assert "secret inside" in caplog.text


@pytest.mark.parametrize("texts", [["worn"], ["worn", "b"]])
def test_a_model_that_fails_is_a_failed_request(lake: Lake, texts: list[str]) -> None:
    with client_of(lake, Faulty()) as client:
        answer = client.post("/v1/analyze", json={"texts": texts})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:trendlark:model"


@pytest.mark.parametrize("path", ["/v1/trends/x/es/%1b%5B31mX", "/trends/x/es/%1b%5B31mX%E2%80%AE"])
@pytest.mark.parametrize("error", [LakeError("Found \x1b[2J in it."), RuntimeError("seen")])
def test_the_log_has_the_route_of_what_failed_and_nothing_of_its_address(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    with client_of(lake) as client:
        monkeypatch.setattr(type(lake), "trend_hours", broken)
        monkeypatch.setattr(type(lake), "hours", broken)
        monkeypatch.setattr(Board, "hours", broken)
        assert client.get(path).status_code in {500, 503}
    lines = [record.getMessage() for record in caplog.records if record.name == "trendlark.web"]
    assert lines
    assert all(line.isprintable() for line in lines)
    assert "/trends/{source}/{place}/" in lines[0]
    assert not any("31mX" in line for line in lines)


def test_a_refused_text_is_an_item_and_not_a_failed_request(lake: Lake) -> None:
    with client_of(lake, Faulty()) as client:
        items = client.post("/v1/analyze", json={"texts": ["refuse", "b"]}).json()["items"]
    assert items[0]["error"]["type"] == "urn:trendlark:input"
    assert items[1] == MODEL("b").to_dict()


def test_too_many_waiting_are_sent_away_and_the_others_answered(lake: Lake) -> None:
    model = Faulty()
    with (
        client_of(lake, model, settings_for(lake.uri, queue_texts=1, deadline_seconds=PATIENCE)) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(client.post, "/v1/analyze", json={"text": "wait"})
        assert model.waiting.wait(PATIENCE)
        answer = client.post("/v1/analyze", json={"text": "one too many"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/ready").status_code == 200
        model.go.set()
        assert first.result(PATIENCE).status_code == 200


def test_a_lake_that_cannot_be_read_is_told_and_not_ready(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TrendlarkError("Found a broken lake.")

    with client_of(lake) as client:
        monkeypatch.setattr(type(lake), "hours", broken)
        assert client.get("/ready").json()["lake"] == "Found a broken lake."
        assert client.get("/v1/hours").status_code == 500


def every_class(root: type[TrendlarkError]) -> set[type[TrendlarkError]]:
    """An error class and all below it, but for those of training, which no request meets."""
    below = [one for one in root.__subclasses__() if not one.__module__.startswith("trendlark.training.")]
    return {root}.union(*map(every_class, below))


def test_every_error_has_a_title_and_a_kind_of_its_own() -> None:
    classes = every_class(TrendlarkError)
    assert set(_TITLES) == classes
    assert len({kind_of(one("x")) for one in classes}) == len(classes)
    assert problem(InputError("Found x."))["type"] == "urn:trendlark:input"


def test_an_empty_lake_is_an_empty_list(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("empty"))
    with client_of(lake, settings=settings_for(lake.uri, places="mx")) as client:
        assert client.get("/v1/trends").json() == {"items": [], "next": None}
        assert client.get("/v1/hours").json() == {"items": [], "next": None}
        assert [place["slug"] for place in client.get("/v1/places").json()["items"]] == ["mx"]
        assert client.get("/ready").status_code == 200
