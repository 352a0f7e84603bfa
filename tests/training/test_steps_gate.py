"""The gate: a candidate passes only where the mean, every task and every language hold."""

from __future__ import annotations

import html.parser
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.training.sets import SETS
from trendlark.training.steps.bars import bars
from trendlark.training.steps.gate import Evaluation, Margins, Verdict, choose, comparison, weigh

KEYS = ("tweeteval_sentiment", "umsab_es", "tweeteval_irony", "offendes_es")


def evaluation(model: str = "m", /, **changes: float) -> Evaluation:
    """Every set scores one half but for the changes; the mean is that of tasks."""
    scores = {key: {SETS[key].metric: changes.get(key, 0.5)} for key in KEYS}
    sentiment = (scores["tweeteval_sentiment"]["macro_recall"] + scores["umsab_es"]["macro_f1"]) / 2
    mean = (sentiment + scores["tweeteval_irony"]["f1_yes"] + scores["offendes_es"]["macro_f1"]) / 3
    return Evaluation(model, mean, scores)


def test_an_equal_model_passes_without_a_gain_asked_for() -> None:
    assert weigh(evaluation(), evaluation(), Margins()) == Verdict(passed=True)
    verdict = weigh(evaluation(), evaluation(), Margins(mean_gain=0.1))
    assert verdict.reasons == ("the mean of tasks gains +0.00 points; asked for are +0.10",)


def test_a_task_may_not_pay_for_the_mean() -> None:
    better = evaluation(tweeteval_irony=0.9, offendes_es=0.485)
    assert weigh(better, evaluation(), Margins()).reasons == (
        "the task offensive loses 1.50 points; allowed are 1.00",
    )
    assert weigh(better, evaluation(), Margins(task_loss=1.5)).passed


def test_a_language_may_not_pay_for_its_task() -> None:
    better = evaluation(tweeteval_sentiment=0.6, umsab_es=0.46)
    assert weigh(better, evaluation(), Margins()).reasons == (
        "the task and language sentiment es loses 4.00 points; allowed are 3.00",
    )


def test_with_nothing_in_service_anything_passes() -> None:
    assert weigh(evaluation(), Evaluation("none", 0.0, {}), Margins(mean_gain=5)).passed


@pytest.mark.parametrize("service", [evaluation("old"), Evaluation("none", 0.0, {})])
def test_a_candidate_that_nothing_scored_does_not_pass(service: Evaluation) -> None:
    assert weigh(Evaluation("new", 0.0, {}), service, Margins(-100, 100, 100)) == Verdict(
        passed=False, reasons=("no validation set scored new",)
    )


def test_what_serves_and_was_scored_by_nothing_is_not_taken_for_nothing() -> None:
    verdict = weigh(evaluation(), Evaluation("default", 0.0, {}), Margins())
    assert verdict == Verdict(passed=False, reasons=("no validation set scored default",))


@pytest.mark.parametrize("changed", ["mean_gain", "task_loss", "language_loss"])
def test_a_margin_that_is_no_number_lets_nothing_pass(changed: str) -> None:
    assert not weigh(
        evaluation(), evaluation(), replace(Margins(-100, 100, 100), **{changed: math.nan})
    ).passed


def test_a_score_that_is_no_number_does_not_pass() -> None:
    lame = evaluation("m", tweeteval_irony=math.nan)
    reasons = weigh(lame, evaluation(), Margins(-100, 100, 100)).reasons
    assert [reason.split(" gains")[0].split(" loses")[0] for reason in reasons] == [
        "the mean of tasks", "the task irony", "the task and language irony en",
    ]  # fmt: skip


def test_a_set_that_the_candidate_was_not_scored_on_is_a_loss() -> None:
    lame = evaluation()
    del lame.sets["tweeteval_irony"]
    assert not weigh(lame, evaluation(), Margins(mean_gain=-100)).passed


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0, 5), st.floats(0, 5))
def test_no_margin_is_wider_by_being_stricter(scores: list[float], loose: float, strict: float) -> None:
    candidate, strict = evaluation("m", **dict(zip(KEYS, scores, strict=True))), min(strict, loose)
    narrow = weigh(candidate, evaluation(), Margins(-loose, strict, strict))
    wide = weigh(candidate, evaluation(), Margins(-loose, loose, loose))
    assert wide.passed or not narrow.passed


def test_the_best_seed_is_chosen() -> None:
    found = [evaluation(f"seed{at}", tweeteval_irony=score) for at, score in enumerate((0.4, 0.7, 0.7))]
    assert choose([one.to_dict() for one in found]).model == "seed1"
    with pytest.raises(InputError, match="Give a seed"):
        choose([])


def test_the_comparison_tells_both_and_why() -> None:
    candidate, service = evaluation("new", umsab_es=0.25), evaluation("old")
    text = comparison(candidate, service, weigh(candidate, service, Margins()))
    assert text.startswith("# Held back: new\n")
    assert "| sentiment | es | 25.00 | 50.00 | -25.00 |" in text
    assert "In service: old" in text
    assert "| irony | en | 50.00 | - | - |" in comparison(
        evaluation(), Evaluation("none", 0, {}), Verdict(passed=True)
    )


def test_the_bars_are_a_page_that_loads_nothing_and_runs_nothing() -> None:
    page = bars("<script>alert(1)</script>", {"irony en": 0.25, "<b>": 1.0}, {"irony en": 0.5})
    found: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)
            assert not {name for name, _ in attrs} & {"src", "href"}

    Reader().feed(page)
    assert found.count("rect") == 2
    assert found.count("path") == 1
    assert not {"script", "b"} & set(found)
    assert "25.0" in page
