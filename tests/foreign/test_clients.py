"""Foreign clients of the Open Inference Protocol, and a foreign tester of the OpenAPI.

Each is installed into an environment of its own below ``.venv`` (some hundred megabytes, the first time), so they are
left out of ``make test``: ``make test-foreign`` runs them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import settings_for
from tests.support.web_app import MODEL, empty_lake, serving
from tests.support.web_lake import HOSTILE_STORY, HOSTILE_TEXT, STORIES, fill

ROOT = Path(__file__).parents[2]
TEXTS = ["Qué bien, me encanta 🙃", "", "so bad", HOSTILE_TEXT]

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TEST_FOREIGN"), reason="long; make test-foreign runs it"),
    pytest.mark.timeout(900),
]


def environment(package: str) -> Path:
    """The binaries of an environment that holds one package; made once."""
    folder = ROOT / ".venv" / "foreign" / package.partition("[")[0]
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin/pip"), "install", "--quiet", package], check=True)
        (folder / "done").touch()
    return folder / "bin"


def ask(package: str, script: str, address: str) -> dict[str, Any]:
    """What a script finds that runs in such an environment."""
    command = [
        str(environment(package) / "python"),
        str(Path(__file__).with_name(script)),
        address,
        json.dumps(TEXTS),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over a small lake with hostile names in it."""
    lake = empty_lake(tmp_path_factory.mktemp("foreign"))
    fill(lake, "x", [*STORIES[:2], HOSTILE_STORY])
    with serving(lake, settings=settings_for(lake.uri, query_seconds=60, deadline_seconds=60)) as address:
        yield address


def test_the_client_of_triton_in_binary_and_in_json(url: str) -> None:
    found = ask("tritonclient[http]", "ask_triton.py", url.removeprefix("http://"))
    assert (found["live"], found["ready"], found["model_ready"]) == (True, True, True)
    assert found["other_ready"] is False
    assert found["server"]["extensions"] == ["binary_tensor_data"]
    assert found["model"]["versions"] == ["fake"]
    expected = MODEL.analyze(TEXTS)
    answers = [value for name, value in found.items() if name.startswith("infer-")]
    assert len(answers) == 4
    for answer in answers:
        assert answer["id"] == "r-1"
        assert answer["analysis"] == [one.to_dict() for one in expected]
        assert answer["sentiment"] == [one.sentiment.label for one in expected]
        assert answer["irony"] == [one.irony.value for one in expected]
        assert answer["shapes"]["topics_probabilities"] == [len(TEXTS), 19]
        for row, one in zip(answer["emotions"], expected, strict=True):
            assert row == pytest.approx(list(one.emotions.values()), abs=1e-6)
    assert found["async"] == [len(TEXTS)] * 4
    status, message = found["error"]
    assert "400" in status
    assert "'mood'" in message


def test_the_client_of_kserve_in_binary_and_in_json(url: str) -> None:
    found = ask("kserve", "ask_kserve.py", url)
    assert (found["live"], found["ready"], found["model_ready"]) == (True, True, True)
    expected = MODEL.analyze(TEXTS)
    for binary in (True, False):
        answer = found[f"infer-{binary}"]
        assert answer["id"] == "r-1"
        assert answer["analysis"] == [one.to_dict() for one in expected]
        assert answer["sentiment"] == [one.sentiment.label for one in expected]
        assert answer["shape"] == [len(TEXTS), 3]


def test_schemathesis_finds_nothing(url: str, tmp_path: Path) -> None:
    command = [
        *(str(environment("schemathesis") / "schemathesis"), "run", f"{url}/openapi.json"),
        *("--max-examples", "15", "--seed", "1", "--no-color", "--workers", "1", "--request-timeout", "120"),
        # A stream has no end to wait for; tests/integration/test_api_events.py listens to it.
        *("--exclude-path", "/v1/events"),
        # What a schema cannot say (an hour of the calendar, a cursor of ours, either text or texts) may be refused.
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "No issues found" in done.stdout or "passed" in done.stdout
