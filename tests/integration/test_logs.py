"""The log of a real server: one JSON object a line, with ids and routes, without texts and tokens."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path
from typing import IO

import httpx2 as httpx
import pytest

from tests.support.hours import command
from trendlark.cli.logs import JsonLines


def told_address(log: IO[str]) -> str:
    """The address that a starting server tells."""
    for line in log:
        for word in line.split():
            if word.startswith("http"):
                return word
    raise AssertionError("the server told no address")


def ask(url: str) -> list[httpx.Response]:
    """Answers to a text, to a request that is not valid and to one without the token."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        client.headers["Authorization"] = "Bearer t0ken-secret"
        return [
            client.post("/v1/analyze", json={"text": "private words"}, headers={"X-Request-Id": "one"}),
            client.get("/v1/trends?limit=0&q=private+words"),
            client.get("/v1/hours", headers={"Authorization": "Bearer t0ken-wrong"}),
        ]


def serve_once(folder: Path, **environment: str) -> tuple[list[httpx.Response], str]:
    """Serve in a process of its own, ask it a few things, stop it; its answers and its log."""
    with subprocess.Popen(
        command("serve", "--model", "fake", "--lake", str(folder / "lake"), "--port", "0"),
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "TRENDLARK_API_TOKEN": "t0ken-secret", **environment},
        cwd=folder,
    ) as process:
        assert process.stderr is not None
        try:
            answers = ask(told_address(process.stderr))
        finally:
            process.terminate()
            log = process.stderr.read()
        assert process.wait(30) == 0
    return answers, log


def test_json_lines_tell_what_was_asked_and_no_text_and_no_token(tmp_path: Path) -> None:
    answers, log = serve_once(tmp_path, TRENDLARK_LOG_FORMAT="json", TRENDLARK_LOG_LEVEL="info")
    assert [answer.status_code for answer in answers] == [200, 422, 401]
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["logger"] == "trendlark.web.access"]
    assert [line["status"] for line in asked] == [200, 422, 401]
    assert [line["request_id"] for line in asked] == [one.headers["x-request-id"] for one in answers]
    assert asked[0]["request_id"] == "one"
    assert asked[0]["route"] == "/v1/analyze"
    assert [line["token"] for line in asked] == ["default", "default", ""]
    assert "private" not in log
    assert "t0ken" not in log


def test_without_settings_only_warnings_are_told(tmp_path: Path) -> None:
    _, log = serve_once(tmp_path)
    assert "/v1/analyze" not in log


def broken() -> None:
    """Fail with words that nobody may read."""
    raise RuntimeError("private words")


def test_of_an_error_that_nobody_foresaw_the_place_is_told_but_not_the_words() -> None:
    record = logging.LogRecord("trendlark.web", logging.ERROR, "f.py", 3, "%s failed", ("GET",), None)
    with pytest.raises(RuntimeError) as caught:
        broken()
    record.exc_info = (caught.type, caught.value, caught.tb)
    record.__dict__["request_id"] = "a"
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "GET failed"
    assert line["error"] == "RuntimeError"
    assert line["request_id"] == "a"
    assert any("test_logs.py" in place for place in line["at"])
    assert "private" not in json.dumps(line)


@pytest.mark.parametrize("text", ["\n{", "\u2028", "é\x1b[31m", "\ud800"])
def test_no_text_breaks_a_line(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "f.py", 3, text, (), None)
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text
