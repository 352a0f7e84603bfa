"""Spans go to a collector, over HTTP, with routes and numbers, and without texts and tokens."""

from __future__ import annotations

import builtins
import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from trendlark.errors import MissingExtraError, SettingsError
from trendlark.web.tracing import spans_to

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps what is sent to it, and its address."""
    bodies: list[bytes] = []

    class Keeps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeps)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spans_in(bodies: list[bytes]) -> dict[str, Span]:
    """The spans by name."""
    requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return {
        span.name: span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


def test_requests_and_analyses_are_spans_of_the_callers_trace(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    with collector() as (address, bodies):
        settings = settings_for(lake.uri, otlp_endpoint=address, api_token="t0ken-secret")
        with client_of(lake, settings=settings) as client:
            client.headers["Authorization"] = "Bearer t0ken-secret"
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            client.post("/v1/analyze", json={"texts": ["private words", "b"]}, headers=headers)
            client.get("/v1/trends/x/es/private")
            end = time.monotonic() + 30
            while len(spans_in(bodies)) < 3:
                assert time.monotonic() < end
                time.sleep(0.05)
    found = spans_in(bodies)
    request, analysis = found["POST /v1/analyze"], found["analyze"]
    assert request.trace_id.hex() == analysis.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == PARENT
    assert analysis.parent_span_id == request.span_id
    told = {one.key: one.value for one in (*request.attributes, *analysis.attributes)}
    assert told["http.response.status_code"].int_value == 200
    assert told["trendlark.texts"].int_value == 2
    assert "GET /v1/trends/{source}/{place}/{trend:path}" in found
    assert b"private" not in b"".join(bodies)
    assert b"t0ken" not in b"".join(bodies)


def test_without_the_extra_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: object) -> object:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"trendlark\[otel\]"):
        spans_to("http://127.0.0.1:4318")


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "http://user:secret@collector:4318", "http://a b"])
def test_an_address_that_is_none_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsError, match="otlp_endpoint"):
        settings_for(tmp_path, otlp_endpoint=address)
