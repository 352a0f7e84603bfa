"""The card of the model in the package: it says what the manifest says, and what it shows lies beside it."""

from __future__ import annotations

import json
import re

import pytest

from trendlark.nlu.artifact import default_folder
from trendlark.training.card import render_card

pytestmark = pytest.mark.skipif(
    not (default_folder() / "manifest.json").is_file(), reason="the default model is not in this checkout"
)


@pytest.fixture
def card() -> str:
    return (default_folder() / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_it_is_what_the_manifest_makes(card: str) -> None:
    manifest = json.loads((default_folder() / "manifest.json").read_text(encoding="utf-8"))
    assert card == render_card(manifest), "run `trendlark card` with the results of the model's evaluation"
    # What was never compared is not told of.
    assert ("PyTorch" in card) == ("equality" in manifest)


def test_its_picture_lies_beside_it_and_is_a_drawing_of_its_own(card: str) -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", card)
    assert shown == ["reliability.svg"]
    drawing = (default_folder() / shown[0]).read_text(encoding="utf-8")
    assert drawing.startswith("<svg")
    # Each row of the table below it is drawn.
    rows = re.findall(r"^\| (\w+, \w\w) \| \d+→", card, flags=re.M)
    assert len(rows) > 10
    assert [row for row in rows if f">{row}</text>" not in drawing] == []
