"""The report: tables, pictures and the page, whatever the names and texts are."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any, Literal

import pytest

from tests.support.browser import chromium, find_chromium
from trendlark.training.evaluation.condense import condense
from trendlark.training.evaluation.page import diagrams, render_page
from trendlark.training.evaluation.pictures import confusion, reliability, reliability_grid
from trendlark.training.evaluation.report import spell, spell_rival, tables
from trendlark.training.steps.bars import bars

_BINS = [
    {"from": 0.4, "answers": 10, "confidence": 0.45, "accuracy": 0.5},
    {"from": 0.9, "answers": 90, "confidence": 0.95, "accuracy": 0.9},
]
_VALUE = {"value": 0.7301, "low": 0.7, "high": 0.76}
_RIVAL = {**_VALUE, "difference": {"value": -0.05, "low": -0.1, "high": 0.001}}
_SVG = "{http://www.w3.org/2000/svg}"


_ROBUSTNESS = {"sets": 1, "rows": 50, "before": 0.7, "after": 0.65, "difference": -0.05, "same": 0.9}
_CAPABILITY = {
    "capability": "negation",
    "lang": "es-PE",
    "task": "sentiment",
    "kind": "expect",
    "passed": 1,
    "cases": 2,
    "failures": [{"texts": ["<script>x</script>"], "expected": "negative", "said": ["positive"]}],
}


@pytest.fixture
def results() -> dict[str, Any]:
    group = {
        "score": _VALUE,
        "rivals": {"svm": _RIVAL},
        "sets": ["umsab_es"],
        "rows": 100,
        "calibration_error": _VALUE,
        "reliability": _BINS,
    }
    return {
        "model": "tiny-1-aabbccdd",
        "rivals": ["svm"],
        "split": "val",
        "limit": None,
        "draws": 10,
        "sets": {
            "umsab_es": {
                "task": "sentiment",
                "lang": "es",
                "metric": "macro_f1",
                "rows": 100,
                "score": _VALUE,
                "rivals": {"svm": _RIVAL},
                "calibration_error": _VALUE,
                "labels": {"positive": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "rows": 1}},
                "confusion": {"labels": ["no", "<yes>"], "counts": [[3, 1], [0, 0]]},
                "slices": {"with emoji": {"rows": 30, "score": _VALUE}},
            }
        },
        "tasks": {
            "sentiment": {
                **group,
                "slices": {"with emoji": {"rows": 30, "sets": 1, "score": _VALUE, "rivals": {"svm": _RIVAL}}},
                "languages": {"es": group},
            }
        },
        "mean": {"score": _VALUE},
        "robustness": {"sets": {}, "tasks": {"sentiment": {"typos": _ROBUSTNESS}}},
        "behaviour": {"passed": 1, "cases": 2, "capabilities": [_CAPABILITY]},
    }


def test_numbers_are_points_with_intervals() -> None:
    assert spell(_VALUE) == "73.0 [70.0, 76.0]"
    assert spell_rival(_RIVAL) == "73.0 (-5.0 [-10.0, +0.1])".replace("+0.1", "0.1")


def test_every_part_has_its_table(results: dict[str, Any]) -> None:
    found = dict(tables(results))
    assert list(found) == ["By set", "By task and language", "By slice", "Robustness", "Behaviour"]
    assert found["By set"][0]["set"] == "umsab_es"
    assert [row["language"] for row in found["By task and language"]] == ["all", "es", "all"]
    assert found["By task and language"][-1]["task"] == "mean of tasks"
    assert found["By task and language"][-1]["svm"] == ""
    assert found["Robustness"][0]["difference"] == "-5.0"
    assert found["Behaviour"][0]["passed %"] == "50"
    # Rows of a table are alike.
    assert all(len({tuple(row) for row in rows}) == 1 for rows in found.values())


def test_the_suite_alone_is_a_table_alone(results: dict[str, Any]) -> None:
    alone = {"model": "x", "rivals": [], "behaviour": results["behaviour"]}
    assert [title for title, _ in tables(alone)] == ["Behaviour"]
    assert "<h2>Behaviour</h2>" in render_page(alone)


def test_pictures_are_sound_and_say_what_is_there() -> None:
    root = ET.fromstring(reliability("sentiment, <es>", _BINS))
    circles = root.findall(f"{_SVG}circle")
    assert len(circles) == 2
    # The point of 95 % sure and 90 % right lies right and above, a little under the diagonal.
    x, y = (float(circles[1].attrib[name]) for name in ("cx", "cy"))
    assert x == pytest.approx(34 + 150 * 0.95)
    assert y == pytest.approx(34 + 150 * 0.1)
    assert float(circles[1].attrib["r"]) > float(circles[0].attrib["r"])
    assert "sentiment, <es>" in [one.text for one in root.iter(f"{_SVG}text")]


def test_a_grid_holds_all_diagrams() -> None:
    root = ET.fromstring(reliability_grid([(f"task {at}", _BINS) for at in range(6)], columns=4))
    assert len(root.findall(f"{_SVG}circle")) == 12
    assert (root.attrib["width"], root.attrib["height"]) == (str(4 * 218), str(2 * 218))


def test_confusion_is_shaded_by_the_share_of_the_true_label() -> None:
    root = ET.fromstring(confusion("irony", {"labels": ["no", "<yes>"], "counts": [[3, 1], [0, 0]]}))
    shades = [float(one.attrib["fill-opacity"]) for one in root.findall(f"{_SVG}rect")[1:]]
    assert shades == pytest.approx([0.61, 0.24, 0.05, 0.05], abs=0.01)
    assert [one.text for one in root.iter(f"{_SVG}text")].count("3") == 1


def test_the_page_holds_everything_and_loads_nothing(results: dict[str, Any]) -> None:
    page = render_page(results)
    assert page.count("<svg") == 2
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "<script" not in page
    assert "&lt;yes&gt;" in page
    for outside in ("src=", "href=", "url(", "@import"):
        assert outside not in page
    assert "Evaluation of tiny-1-aabbccdd" in page


def test_a_page_of_the_suite_alone_tells_of_no_scores(results: dict[str, Any]) -> None:
    page = render_page({"model": "tiny-1", "rivals": [], "behaviour": results["behaviour"]})
    assert "negation" in page
    assert "bootstrap" not in page
    assert "bootstrap intervals over tweets (10 draws)" in render_page(results)


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium here; on Debian: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_pages_are_read_on_a_phone_in_the_dark(
    results: dict[str, Any], scheme: Literal["dark", "light"]
) -> None:
    labels = [f"emotion {at}" for at in range(9)]
    results["sets"]["umsab_es"]["confusion"] = {"labels": labels, "counts": [[1] * 9] * 9}
    results["model"] = "m" * 90
    pages = (render_page(results), bars("m" * 90, {"irony en": 0.9, "hate en": 0.4}, {"irony en": 0.5}))
    with (
        chromium() as browser,
        browser.new_context(viewport={"width": 360, "height": 700}, color_scheme=scheme) as context,
    ):
        for content in pages:
            page = context.new_page()
            page.set_content(content)
            # Nothing but a table, by itself, is to be pushed sideways; words are dark on light whatever the system has.
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            style = page.evaluate(
                "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
            )
            assert style == ["rgb(34, 34, 34)", "rgb(255, 255, 255)"]


def test_diagrams_are_by_task_and_language(results: dict[str, Any]) -> None:
    assert [title for title, _ in diagrams(results)] == ["sentiment, es"]
    results["tasks"]["sentiment"]["languages"]["es"]["reliability"] = []
    assert list(diagrams(results)) == []


def test_what_goes_into_a_manifest_holds_no_texts(results: dict[str, Any]) -> None:
    found = condense(results)
    assert "script" not in str(found)
    assert "confusion" not in found["sets"]["umsab_es"]
    assert found["tasks"]["sentiment"]["languages"]["es"]["reliability"] == _BINS
    assert found["behaviour"]["capabilities"][0]["passed"] == 1
    assert [title for title, _ in tables(found)] == [title for title, _ in tables(results)]
