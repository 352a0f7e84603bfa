"""The same tweet written otherwise: pure functions of text and seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.analyzer import load
from trendlark.training.data import Row
from trendlark.training.evaluation.folders import Benchmark
from trendlark.training.evaluation.perturb import PERTURBATIONS, perturb
from trendlark.training.evaluation.readings import read
from trendlark.training.evaluation.robustness import measure_robustness
from trendlark.training.noise import change_row
from trendlark.training.sets import SETS

_KEPT = "@Ana_1 #GolazO https://t.co/Ab1 &amp; "


@pytest.mark.parametrize(
    ("name", "lang", "text", "changed"),
    [
        ("lower case", "en", f"{_KEPT}Hello THERE", f"{_KEPT}hello there"),
        ("upper case", "es", f"{_KEPT}qué día", f"{_KEPT}QUÉ DÍA"),
        ("no accents", "es", f"{_KEPT}¿Qué mañana, Ñandú? ¡Güey!", f"{_KEPT}¿Que manana, Nandu? ¡Guey!"),
        ("no accents", "es", "日本が 🇵🇪 é", "日本が 🇵🇪 e"),
        ("no emoji", "en", "so good 😂👍🏽 wow 🇵🇪", "so good wow"),
        ("no emoji", "en", "two  spaces stay", "two  spaces stay"),
        (
            "slang",
            "en",
            f"{_KEPT}I want to thank you because You are great",
            f"{_KEPT}I wanna thank u bc u r gr8",
        ),
        ("slang", "es", "porque también te quiero mucho, aunque", "xq tmb tq muxo, aunque"),
        ("slang", "pt", "você não vem", "vc n vem"),
        ("slang", "de", "ich will nicht", "ich will nicht"),
    ],
)
def test_what_each_does(name: str, lang: str, text: str, changed: str) -> None:
    assert perturb(name, text, lang) == changed


def test_typos_touch_some_longer_words_by_one_letter() -> None:
    text = " ".join(["wonderful", "the", "afternoon", "of", "yesterday", "@wonderful"] * 40)
    changed = perturb("typos", text, "en").split()
    pairs = list(zip(text.split(), changed, strict=True))
    touched = [(old, new) for old, new in pairs if old != new]
    assert 5 <= len(touched) <= 40
    assert {old for old, _ in touched} <= {"wonderful", "afternoon", "yesterday"}
    assert all(abs(len(old) - len(new)) <= 1 and old[0] == new[0] for old, new in touched)
    assert perturb("typos", text, "en", seed=1) != perturb("typos", text, "en", seed=2)


@given(st.text(max_size=60), st.sampled_from(sorted(PERTURBATIONS)), st.integers(0, 3))
def test_any_text_the_same_again(text: str, name: str, seed: int) -> None:
    assert perturb(name, text, "es", seed) == perturb(name, text, "es", seed)


@given(st.lists(st.text(min_size=1, max_size=8).map(lambda word: "".join(word.split()) or "x"), max_size=8))
def test_words_stay_words(words: list[str]) -> None:
    row = Row(" ".join(words), words=tuple(words), tags=("O",) * len(words))
    for name in PERTURBATIONS:
        changed = change_row(row, name, "en")
        assert len(changed.words) == len(words)
        assert changed.text == " ".join(changed.words)
        assert all(changed.words)


def test_only_touched_rows_count() -> None:
    entry = SETS["umsab_es"]
    rows = [Row(f"texto {at} {'😂' if at < 40 else ''}".strip(), ("neutral",)) for at in range(60)]
    with load("fake") as analyzer:
        reading = read(entry, rows, analyzer.analyze([row.text for row in rows]))
        found = measure_robustness(analyzer, [(Benchmark(entry, rows, Path()), reading)], draws=20)
    own = found["sets"]["umsab_es"]
    assert own["no emoji"]["rows"] == 40
    assert own["upper case"]["rows"] == 60
    assert "no accents" not in own
    assert own["no emoji"]["difference"]["value"] == own["no emoji"]["after"] - own["no emoji"]["before"]
    assert 0 <= own["no emoji"]["same"] <= 1
    mean = found["tasks"]["sentiment"]["no emoji"]
    assert (mean["sets"], mean["rows"], mean["after"]) == (1, 40, own["no emoji"]["after"])
