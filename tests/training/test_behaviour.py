"""The behavioural suite: what passes, what a case may be, and that the cases cover what they must."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.training.evaluation.analyses import analysis, entity
from trendlark.errors import InputError
from trendlark.nlu.analyzer import load
from trendlark.records import Analysis
from trendlark.training.behaviour.suite import Case, load_suite, parse_suite, passes, run_suite

_HEAD = '[[capability]]\nname = "x"\nlang = "es-PE"\n'


def _passes(text: str, *answers: Analysis) -> bool:
    (one,) = parse_suite(_HEAD + text, "x.toml")
    (case,) = one.cases
    assert len(case.texts) == len(answers)
    return passes(one, case, answers)


def _mood(positive: float, negative: float = 0.0) -> Analysis:
    rest = 1 - positive - negative
    return analysis(sentiment={"positive": positive, "negative": negative, "neutral": rest})


def test_expect_wants_the_label_or_one_of_several() -> None:
    stated = 'task = "sentiment"\nkind = "expect"\ncases = [["no está mal", "positive|neutral"]]'
    assert _passes(stated, _mood(0.8))
    assert _passes(stated, _mood(0.1))
    assert not _passes(stated, _mood(0.1, 0.8))


def test_expect_of_flags_emotions_topics_and_entities() -> None:
    def stated(task: str, label: str) -> str:
        return f'task = "{task}"\nkind = "expect"\ncases = [["x", "{label}"]]'

    ironic = analysis(flags={"irony": (True, 0.4)})
    assert _passes(stated("irony", "yes"), ironic)
    assert not _passes(stated("irony", "no"), ironic)
    glad = analysis(emotions={"joy": 0.9, "love": 0.8}, present=("joy", "love"))
    assert _passes(stated("emotions", "joy"), glad)
    assert not _passes(stated("emotions", "love"), glad)
    assert _passes(stated("emotions", "none"), analysis())
    sport = analysis(topics={"sports": 0.9, "music": 0.6})
    assert _passes(stated("topics", "music"), sport)
    assert not _passes(stated("topics", "none"), sport)
    named = analysis(entities=(entity("Lima", "location", 0), entity("Ana", "person", 5)))
    assert _passes(stated("entities", "Ana/person"), named)
    assert not _passes(stated("entities", "Ana/group"), named)
    assert not _passes(stated("entities", "-"), named)
    assert _passes(stated("entities", "-"), analysis())


def test_same_wants_one_label_and_near_probabilities() -> None:
    stated = 'task = "sentiment"\nkind = "same"\ncases = [["a", "b"]]'
    assert _passes(stated, _mood(0.8), _mood(0.7))
    assert not _passes(stated, _mood(0.95), _mood(0.7))
    assert not _passes(stated, _mood(0.55, 0.45), _mood(0.45, 0.55))


def test_rises_wants_more_or_nearly_all_of_both() -> None:
    stated = 'task = "sentiment"\nkind = "rises"\ntoward = "positive"\ncases = [["a", "b"]]'
    assert _passes(stated, _mood(0.5), _mood(0.6))
    assert not _passes(stated, _mood(0.6), _mood(0.5))
    assert _passes(stated, _mood(0.97), _mood(0.95))


def test_templates_are_filled() -> None:
    many = 'task = "hate"\nkind = "expect"\nlabel = "no"\ntemplates = ["{x} y {x}", "hola {x}"]\nvalues = ["a", "b"]'
    (expect,) = parse_suite(_HEAD + many, "x.toml")
    assert [case.texts for case in expect.cases] == [("a y a",), ("b y b",), ("hola a",), ("hola b",)]
    (same,) = parse_suite(_HEAD + many.replace('"expect"', '"same"'), "x.toml")
    assert [case.texts for case in same.cases] == [("a y a", "b y b"), ("hola a", "hola b")]
    assert (same.variety, same.lang) == ("es-PE", "es")


@pytest.mark.parametrize(
    "stated",
    [
        "kind = ",
        'kind = "expect"\ncases = []',
        'task = "weather"\nkind = "expect"\ncases = [["x", "y"]]',
        'task = "sentiment"\nkind = "guess"\ncases = [["x", "positive"]]',
        'task = "sentiment"\nkind = "expect"\ncases = [["x", "good"]]',
        'task = "sentiment"\nkind = "expect"\ncases = [["x"]]',
        'task = "sentiment"\nkind = "same"\ncases = [["x"]]',
        'task = "sentiment"\nkind = "rises"\ntoward = "joy"\ncases = [["x", "y"]]',
        'task = "entities"\nkind = "expect"\ncases = [["x", "Ana/human"]]',
        'task = "irony"\nkind = "expect"\ncases = [["x", "irony"]]',
    ],
)
def test_cases_that_mean_nothing_are_refused(stated: str) -> None:
    with pytest.raises(InputError, match=r"cases in x\.toml that cannot be read"):
        parse_suite(_HEAD + stated, "x.toml")


def test_a_run_counts_by_capability_and_shows_some_failures() -> None:
    rows = ", ".join(f'["texto {at}", "positive"]' for at in range(8))
    stated = (
        f'{_HEAD}task = "sentiment"\nkind = "expect"\ncases = [{rows}, ["x", "negative|neutral|positive"]]'
    )
    with load("fake") as analyzer:
        said = [analyzer(f"texto {at}").sentiment.label for at in range(8)]
        found = run_suite(analyzer, parse_suite(stated, "x.toml"))
    passed = 1 + said.count("positive")
    assert (found["passed"], found["cases"]) == (passed, 9)
    (one,) = found["capabilities"]
    assert (one["capability"], one["lang"], one["passed"]) == ("x", "es-PE", passed)
    assert len(one["failures"]) == min(5, 9 - passed)
    assert all(failure["expected"] == "positive" != failure["said"][0] for failure in one["failures"])


def test_the_suite_covers_what_it_must() -> None:
    suite = load_suite()
    cases = Counter[str]()
    for one in suite:
        cases[one.lang] += len(one.cases)
    assert min(cases["en"], cases["es"]) >= 150
    varieties = {one.variety for one in suite}
    assert {"en", "es", "es-ES", "es-MX", "es-PE", "es-AR", "es-US"} <= varieties
    names = {(one.name, one.lang) for one in suite}
    for name in ("negation", "not bad", "sarcasm with emoji", "groups swapped", "names swapped", "entities"):
        assert {(name, "en"), (name, "es")} <= names
    assert ("two languages at once", "es") in names


def test_no_case_stands_twice() -> None:
    seen = Counter(
        (one.task, one.kind, case) for one in load_suite() for case in one.cases if isinstance(case, Case)
    )
    assert [case for case, times in seen.items() if times > 1] == []
