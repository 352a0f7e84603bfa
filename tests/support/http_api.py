"""A real HTTP server for tests that answers JSON, or bytes, by a function and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


# What is answered may be a function, too: what it returns is sent once it is there, some time after the head.
Answer = Callable[[Asked], tuple[int, Any]]


@dataclass(slots=True)
class Api:
    """A running server: its address, and all requests in their order."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def of(self, method: str) -> list[Asked]:
        """The requests of a method."""
        return [one for one in self.asked if one.method == method]


@contextmanager
def serving(answer: Answer) -> Iterator[Api]:
    """Serve on loopback inside the block."""
    api = Api("")

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, self.path, body, dict(self.headers))
            api.asked.append(asked)
            status, content = answer(asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if callable(content):
                # It ends where the connection does.
                self.end_headers()
                self.wfile.write(content())
                return
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - the names that http.server calls

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
