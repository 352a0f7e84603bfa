"""Who may ask, under which name, and what every answer forbids the browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from trendlark.lake import Lake

TOKEN = "s3same-0pen"
PATHS = (
    "/",
    "/?lang=es",
    "/v1/trends",
    "/v1/hours",
    "/openapi.json",
    "/static/style.css",
    "/trends/x/es/a",
    "/no",
)


WRONG = (
    None,
    "",
    "Bearer",
    "Bearer wrong",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Basic {TOKEN}",
    TOKEN,
    "Bearer \xff",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake is enough to be kept out of."""
    return empty_lake(tmp_path_factory.mktemp("guard"))


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server without a token."""
    with client_of(lake) as client:
        yield client


@pytest.fixture(scope="module")
def locked(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server that wants a token, and that others can reach."""
    with client_of(lake, settings=settings_for(lake.uri, host="0.0.0.0", api_token=TOKEN)) as client:
        yield client


@pytest.mark.parametrize("path", ["/live", "/ready", *PATHS])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]:80"]
)
def test_other_host_names_are_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/v1/hours", headers={"Host": host})
    # An empty Host header is refused by the server itself.
    assert answer.status_code in ({421} if host else {400, 421})
    assert "items" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8600", "127.0.0.1", "[::1]:8600", "[::1]"])
def test_names_of_this_machine_are_ours(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/hours", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sent", WRONG)
def test_without_the_token_nothing_is_told(locked: httpx.Client, path: str, sent: str | None) -> None:
    headers = {} if sent is None else {b"authorization": sent.encode("latin-1")}
    answer = locked.get(path, headers=headers)
    assert TOKEN not in answer.text
    if path.startswith(("/?", "/trends")) or path == "/":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
        assert answer.content == b""
    elif path.startswith("/static/"):
        assert answer.status_code == 200
    else:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/v1/trends", "/openapi.json", "/static", "/static/../v1/trends", "/login/"]
)
def test_programs_are_never_led_to_the_login(locked: httpx.Client, path: str) -> None:
    answer = locked.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert "/login" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("POST", "/v1/analyze"), ("DELETE", "/trends/x/y/z")]
)
def test_what_is_not_only_read_is_refused(locked: httpx.Client, method: str, path: str) -> None:
    assert locked.request(method, path, headers={"Accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/v1/trends", "/static/style.css"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_all_is_open_under_any_name(locked: httpx.Client, path: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}", "Host": "trends.example"}
    assert locked.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/live", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/trendlark/ready"]
)
def test_probes_need_no_token(locked: httpx.Client, path: str) -> None:
    assert locked.get(path, headers={"Host": "10.1.2.3:8600"}).status_code == 200


def test_static_files_stay_in_their_folder(client: httpx.Client) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"):
        assert client.get(path).status_code in {400, 404}
    answer = client.get("/static/vendor/vega.min.js")
    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]
    assert (
        client.get("/static/style.css", headers={"If-None-Match": answer.headers["etag"]}).status_code == 200
    )


def test_head_is_get_without_the_body_and_the_connection_goes_on(client: httpx.Client) -> None:
    for path in (
        "/live",
        "/ready",
        "/",
        "/v1/hours",
        "/v2/health/ready",
        "/static/style.css",
        "/v1/trends/x/es/a",
        "/no",
    ):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in ("content-type", "content-length", "etag"):
            assert head.headers.get(name) == got.headers.get(name)
    for path in ("/v1/events", "/v1/analyze"):
        assert client.head(path).status_code == 405
    told = client.get("/metrics").text
    assert 'requests_total{method="HEAD",route="/v1/hours",status="200"} 1.0' in told
