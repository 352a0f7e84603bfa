"""Bodies as clients really send them: cut off, cut within a letter, not JSON at all; each is the client's fault."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from tests.support.web_app import MODEL, client_of, empty_lake
from trendlark.lake import Lake

PATIENCE = 30.0
INFER = "/v2/models/trendlark/infer"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake."""
    return empty_lake(tmp_path_factory.mktemp("bodies"))


@pytest.fixture
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server of its own, whose counts begin at zero."""
    with client_of(lake) as client:
        yield client


def hang_up(client: httpx.Client, path: str) -> None:
    """Promise a long body, send its beginning and close the connection."""
    address = urlsplit(str(client.base_url))
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port)) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
        line.sendall(f'{head}\r\n{{"text":'.encode())


@pytest.mark.parametrize("path", ["/v1/analyze", INFER])
def test_who_hangs_up_in_the_middle_is_no_failure_of_the_server(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.WARNING):
        hang_up(client, path)
        end = time.monotonic() + PATIENCE
        while 'method="POST"' not in (told := client.get("/metrics").text):
            assert time.monotonic() < end
    counts = [line for line in told.split("\n") if "requests_total" in line and 'method="POST"' in line]
    assert len(counts) == 1
    assert 'status="400"' in counts[0]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b'{"text": "\xff"}', {}),
        (b'{"text": ' + b"[" * 100_000, {}),
        (b'{"text": ' + b"9" * 5000 + b"}", {}),
        (gzip.compress(b'{"text": "a"}', mtime=0), {"Content-Encoding": "gzip"}),
    ],
)
def test_a_body_that_is_no_json_is_told_what_is(
    client: httpx.Client, body: bytes, more: dict[str, str]
) -> None:
    answer = client.post("/v1/analyze", content=body, headers={"Content-Type": "application/json"} | more)
    assert answer.status_code == 400
    assert "JSON in UTF-8, not compressed" in answer.json()["detail"]


def test_a_text_cut_within_an_emoji_is_read_alike_alone_and_among_others(client: httpx.Client) -> None:
    for body in (rb'{"text": "well \ud83d"}', rb'{"texts": ["well \ud83d"]}'):
        answer = client.post("/v1/analyze", content=body, headers={"Content-Type": "application/json"})
        assert answer.json() == {"items": [MODEL("well \ufffd").to_dict()]}


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/trends"), ("GET", "/v1/analyze"), ("GET", INFER)]
)
def test_a_method_that_is_not_for_an_address_is_told_with_those_that_are(
    client: httpx.Client, method: str, path: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] in {"GET", "POST"}
    assert "/openapi.json tells which it takes" in answer.text
