"""The server: in a thread, stopped while it answers, on a port that is taken."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx2 as httpx
import pytest
from starlette.types import Receive, Scope, Send

from trendlark.errors import SettingsError, TrendlarkError
from trendlark.web.serve import WebServer

PATIENCE = 60.0


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """The smallest application."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def test_a_server_in_a_thread_starts_answers_and_stops() -> None:
    server = WebServer(hello, "127.0.0.1", 0)
    url = server.start()
    assert url == server.url
    assert not url.endswith(":0")
    assert httpx.get(url, timeout=PATIENCE, trust_env=False).text == "hello"
    server.stop()
    assert server.join(PATIENCE)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=PATIENCE, trust_env=False)


def test_two_servers_live_side_by_side() -> None:
    servers = [WebServer(hello, "127.0.0.1", 0) for _ in range(2)]
    urls = {server.start() for server in servers}
    assert len(urls) == 2
    for server in servers:
        server.stop()
    assert all(server.join(PATIENCE) for server in servers)


def test_a_taken_port_is_told_in_one_sentence_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*in use"):
            WebServer(hello, "127.0.0.1", port)


def test_an_address_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(SettingsError, match="cannot be listened on"):
        WebServer(hello, "192.0.2.1", 0)


def test_an_application_that_does_not_start_is_told() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no"})

    server = WebServer(broken, "127.0.0.1", 0)
    with pytest.raises(TrendlarkError, match="did not start"):
        server.start()
    assert server.join(PATIENCE)


def test_ipv6_addresses_are_written_with_brackets() -> None:
    try:
        server = WebServer(hello, "::1", 0)
    except SettingsError:
        pytest.skip("this machine has no IPv6 loopback")
    assert server.start().startswith("http://[::1]:")
    assert httpx.get(server.url, timeout=PATIENCE, trust_env=False).text == "hello"
    server.stop()
    assert server.join(PATIENCE)


def test_stopping_lets_the_running_request_finish() -> None:
    at_work, go = threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            at_work.set()
            await anyio.to_thread.run_sync(go.wait, PATIENCE)
            await hello(scope, receive, send)

    server = WebServer(slow, "127.0.0.1", 0)
    url = server.start()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, url, timeout=PATIENCE, trust_env=False)
        assert at_work.wait(PATIENCE)
        server.stop()
        assert not server.join(0.5)
        go.set()
        assert answer.result(PATIENCE).text == "hello"
    assert server.join(PATIENCE)
