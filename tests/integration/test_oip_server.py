"""The Open Inference Protocol over HTTP, as its clients speak it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import MODEL, client_of, empty_lake
from tests.unit.test_oip import body, packed
from trendlark.lake import Lake

INFER = "/v2/models/trendlark/infer"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake."""
    return empty_lake(tmp_path_factory.mktemp("oip"))


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a running server."""
    with client_of(lake) as client:
        yield client


def test_server_and_model_say_what_they_are(client: httpx.Client) -> None:
    server = client.get("/v2").json()
    assert server["name"] == "trendlark"
    assert server["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/trendlark/ready").json() == {"name": "trendlark", "ready": True}
    model = client.get("/v2/models/trendlark").json()
    assert model["versions"] == ["fake"]
    assert {"name": "text", "datatype": "BYTES", "shape": [-1], "parameters": {}} in model["inputs"]
    outputs = {one["name"]: one for one in model["outputs"]}
    assert outputs["sentiment_probabilities"]["shape"] == [-1, 3]
    assert outputs["sentiment_probabilities"]["parameters"]["labels"] == ["negative", "neutral", "positive"]
    assert client.get("/v2/models/trendlark/versions/fake").json() == model


@pytest.mark.parametrize("path", [INFER, "/v2/models/trendlark/versions/fake/infer"])
@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream", None])
def test_infer_answers_whatever_the_content_type(client: httpx.Client, path: str, kind: str | None) -> None:
    raw, _ = body(["Qué bien"], binary=False)
    headers = {"Content-Type": kind} if kind else {}
    answer = client.post(path, content=raw, headers=headers).json()
    tensors = {one["name"]: one["data"] for one in answer["outputs"]}
    assert json.loads(tensors["analysis"][0]) == MODEL("Qué bien").to_dict()


def test_infer_in_binary(client: httpx.Client) -> None:
    texts = ["a", "ñ" * 500]
    raw, header = body(texts, binary=True, outputs=[{"name": "lang", "parameters": {"binary_data": True}}])
    answer = client.post(INFER, content=raw, headers={"Inference-Header-Content-Length": str(header)})
    size = int(answer.headers["inference-header-content-length"])
    assert answer.content[size:] == packed([MODEL(text).lang for text in texts])


def test_no_texts_are_no_rows(client: httpx.Client) -> None:
    answer = client.post(INFER, content=body([], binary=False)[0]).json()
    assert {tuple(one["shape"]) for one in answer["outputs"]} >= {(0,), (0, 3)}


@pytest.mark.parametrize(
    ("path", "raw", "status", "found"),
    [
        ("/v2/models/other/infer", b"{}", 404, "no model 'other'"),
        ("/v2/models/trendlark/versions/2/infer", b"{}", 404, "no version '2'"),
        (INFER, b"{}", 400, "inputs"),
        (INFER, b"x" * 1_000_001, 413, "1,000,000 bytes"),
        ("/v2/none", b"", 404, "no such address"),
    ],
)
def test_errors_are_as_clients_read_them(
    client: httpx.Client, path: str, raw: bytes, status: int, found: str
) -> None:
    answer = client.post(path, content=raw)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert found in answer.json()["error"]


def test_a_compressed_body_is_refused(client: httpx.Client) -> None:
    raw = gzip.compress(body(["a"], binary=False)[0])
    answer = client.post(INFER, content=raw, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


def test_without_a_model_it_lives_and_is_not_ready(lake: Lake) -> None:
    with client_of(lake, None) as client:
        assert client.get("/v2/health/live").status_code == 200
        for path in ("/v2/health/ready", "/v2/models/trendlark/ready"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "no model" in answer.json()["error"]
        assert client.post(INFER, content=body(["a"], binary=False)[0]).status_code == 503


def test_probes_need_no_token_and_texts_do(lake: Lake) -> None:
    settings = settings_for(lake.uri, host="0.0.0.0", api_token="s3same-0pen")
    with client_of(lake, settings=settings) as client:
        assert client.get("/v2/health/live").status_code == 200
        assert client.get("/v2/health/ready").status_code == 200
        answer = client.post(INFER, content=body(["a"], binary=False)[0])
        assert answer.status_code == 401
