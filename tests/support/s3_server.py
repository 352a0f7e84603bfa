"""A stand-in for S3, moto's real server, in a process of its own.

Not in a thread: while deltalake waits for S3 it may hold the interpreter's lock, and then the server in the
same process could never answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# As moto.server does, but on a port that the server takes itself and tells: one that was free when somebody looked may
# be another's by the time that moto is loaded, and that other one would be taken for the store.
_SERVER = """
import os, sys
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
application = DomainDispatcherApplication(create_backend_app)
application.debug = True
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
os.environ["MOTO_PORT"] = str(server.server_port)
print(server.server_port, flush=True)
sys.stdout = sys.stderr
server.serve_forever()
"""


@contextmanager
def running_s3(environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a server that runs inside the block; it knows the other services of AWS, too."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            # The end of the output, without a port, is the end of a server that did not start.
            port = server.stdout.readline().strip()
            if not port:
                raise RuntimeError("moto's server did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
