"""Both ways by which a pod on EKS comes by the credentials of its role, with somebody at the other end.

Pod Identity: an agent on the node gives them to who shows the token of the pod. IRSA: the token service gives them in
exchange for the token of the ServiceAccount; it must speak HTTPS, so it has a certificate of its own here.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_TOKEN = "the-token-of-the-pod"
_NEVER = "2099-01-01T00:00:00Z"
_EXCHANGED = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>{AWS_ACCESS_KEY_ID}</AccessKeyId><SecretAccessKey>{AWS_SECRET_ACCESS_KEY}</SecretAccessKey>
<SessionToken>{AWS_SESSION_TOKEN}</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
Answer = Callable[[BaseHTTPRequestHandler], str | None]


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = answer(self)
            body = (told or "no").encode()
            self.send_response(403 if told is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    return Handler


@contextmanager
def _serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer)) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def pod_identity(credentials: Mapping[str, str], role: str, folder: Path) -> Iterator[dict[str, str]]:
    """The variables that a pod is given while the agent answers; an agent knows the role by itself."""
    given = {
        "AccessKeyId": credentials["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
        "Token": credentials["AWS_SESSION_TOKEN"],
        "Expiration": _NEVER,
        "RoleArn": role,
    }

    def answer(asked: BaseHTTPRequestHandler) -> str | None:
        known = asked.headers.get("Authorization") == _TOKEN and asked.path == "/v1/credentials"
        return json.dumps(given) if known else None

    token = folder / "pod-token"
    token.write_text(_TOKEN, encoding="utf-8")
    with _serving(answer) as port:
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }


@contextmanager
def irsa(credentials: Mapping[str, str], role: str, folder: Path) -> Iterator[dict[str, str]]:
    """The variables that a pod is given while the token service answers."""

    def answer(asked: BaseHTTPRequestHandler) -> str | None:
        sent = parse_qs(urlsplit(asked.path).query)
        wanted = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": role, "WebIdentityToken": _TOKEN}
        known = all(sent.get(name) == [value] for name, value in wanted.items())
        return _EXCHANGED.format(**credentials, expiration=_NEVER) if known else None

    token = folder / "account-token"
    token.write_text(_TOKEN, encoding="utf-8")
    with _serving(answer, _certified(folder)) as port:
        yield {
            "AWS_ROLE_ARN": role,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ENDPOINT_URL_STS": f"https://127.0.0.1:{port}",
            "SSL_CERT_FILE": str(folder / "ca.pem"),
        }


def _certified(folder: Path) -> ssl.SSLContext:
    """A certificate for loopback, signed by an authority that lives as long as the test."""
    (folder / "ext").write_text(
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
        encoding="utf-8",
    )
    constraint = "basicConstraints=critical,CA:TRUE"
    for words in (
        f"req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 1 -subj /CN=ca -addext {constraint}",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 1 -extfile ext",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
