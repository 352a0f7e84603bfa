"""The API as promised: the whole OpenAPI description, committed, so that no change of it goes unseen.

Renew it with ``python -m tests.contract.test_openapi`` and look at the difference.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.support.hours import settings_for
from trendlark.lake import open_lake
from trendlark.web.app import create_app

PROMISED = Path(__file__).with_name("openapi.json")


def describe() -> dict[str, Any]:
    """The description that the application gives of itself."""
    with tempfile.TemporaryDirectory() as folder:
        return create_app(lake=open_lake(folder), analyzer=None, settings=settings_for(folder)).openapi()


def test_the_api_is_what_was_promised() -> None:
    assert describe() == json.loads(PROMISED.read_text(encoding="utf-8"))


def test_every_operation_says_what_it_does_and_every_refusal_is_a_problem() -> None:
    for path, item in describe()["paths"].items():
        for method, operation in item.items():
            assert operation["description"], f"{method} {path}"
            if path.startswith("/v1"):
                assert {"200", "400", "401", "422", "503"} <= set(operation["responses"])
                assert "application/problem+json" in operation["responses"]["422"]["content"]


if __name__ == "__main__":
    text = json.dumps(describe(), indent=2, ensure_ascii=False, sort_keys=True)
    PROMISED.write_text(text + "\n", encoding="utf-8")
