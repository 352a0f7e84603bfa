"""The server: uvicorn in a thread, beside the hourly loop or beside whoever waits for Ctrl-C."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from trendlark.errors import SettingsError, TrendlarkError

_DRAIN_SECONDS = 10
_ANSWER_SECONDS = 8.0  # the rest is for sending the answers
_START_SECONDS = 60.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._on_started()


class WebServer:
    """The server in a thread: ``start`` tells the address, ``stop`` lets running requests finish.

    ``drain`` is told, when it stops, within how many seconds it has to answer whoever waits.
    The port is taken at once, so that a taken one is told by SettingsError before anything else begins.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, drain: Callable[[float], None] = lambda _: None
    ) -> None:
        self._socket = _listen(host, port)
        self.url = _url(host, self._socket.getsockname()[1])
        self._drain = drain
        self._ready = threading.Event()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        self._server = _Server(config, self._ready.set)
        self._thread = threading.Thread(target=self._run, name="trendlark-web", daemon=True)

    def start(self) -> str:
        """Serve in a thread; returns the address once requests are answered."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or not self._server.started:
            self.stop()
            raise self._failed()
        return self.url

    def stop(self) -> None:
        """Take no more requests and let the running ones finish; returns at once, ``join`` waits."""
        self._drain(_ANSWER_SECONDS)
        self._server.should_exit = True

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the server has stopped; False when it has not within the time."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            # uvicorn leaves an application that does not start by SystemExit; we tell that by our own error.
            with suppress(SystemExit):
                self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._ready.set()

    def _failed(self) -> TrendlarkError:
        return TrendlarkError(
            f"Found that the server at {self.url} did not start; its log says why. Start it again."
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Found that {_url(host, port)} cannot be listened on ({error.strerror or error}); host and port must "
            "be of this machine and free. Stop the other program or set another port (0 takes a free one)."
        ) from error
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
