"""The order of the table of trends and its filters, and why an analysis may be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.web_lake import FIRST, MODEL, analysis_of, summary_of
from trendlark.records import Choice, Flag, Trend, TrendHour
from trendlark.web import views
from trendlark.web.arrange import SORTS, Arrangement, Only, Sort
from trendlark.web.doubts import Doubt, doubts_of
from trendlark.web.shown import RowAnswer


def rows(model_before: str = MODEL) -> list[RowAnswer]:
    """Four trends: clearly positive, clearly negative, undecided, and one without a summary."""
    moods = {"Árbol": (0.05, 0.9), "bosque": (0.9, 0.02), "#casa": (0.4, 0.4), "dado": None}
    now = [
        TrendHour(
            Trend(FIRST, "x", "es", name, rank, None if name == "dado" else 100 * rank),
            40,
            1,
            0.0,
            None,
            summary_of(FIRST, mood, {"joy": 0.5} if rank == 1 else {"anger": 0.5}, ()) if mood else None,
        )
        for rank, (name, mood) in enumerate(moods.items(), 1)
    ]
    summary = replace(summary_of(FIRST, (0.1, 0.8), {}, ()), model=model_before)
    before = [
        replace(now[1], trend=replace(now[1].trend, rank=9), summary=summary),
        replace(now[2], trend=replace(now[2].trend, rank=1)),
    ]
    table = views.place_tables(now, before, ["es"])[0]
    return [RowAnswer.of_row(row, [None] * 24) for row in table.rows]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("rank", ["Árbol", "bosque", "#casa", "dado"]),
        ("name", ["#casa", "Árbol", "bosque", "dado"]),
        ("volume", ["#casa", "bosque", "Árbol", "dado"]),
        ("positive", ["Árbol", "#casa", "bosque", "dado"]),
        ("negative", ["bosque", "#casa", "Árbol", "dado"]),
        ("change", ["bosque", "#casa", "Árbol", "dado"]),
        ("climbed", ["bosque", "#casa", "Árbol", "dado"]),
    ],
)
def test_rows_come_in_the_order_asked_for_and_the_unknown_last(sort: Sort, names: list[str]) -> None:
    assert [row.trend for row in Arrangement(sort).arrange(rows())] == names


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_keeps_every_row(sort: Sort) -> None:
    assert {row.trend for row in Arrangement(sort).arrange(rows())} == {"Árbol", "bosque", "#casa", "dado"}


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("", ["Árbol", "bosque", "#casa", "dado"]),
        ("positive", ["Árbol"]),
        ("negative", ["bosque"]),
        ("moved", ["bosque"]),
        ("new", ["Árbol", "dado"]),
    ],
)
def test_a_mood_is_kept_only_where_the_intervals_say_so(only: Only, names: list[str]) -> None:
    assert [row.trend for row in Arrangement(only=only).arrange(rows())] == names


def test_what_another_model_read_has_not_moved_and_has_its_change_told() -> None:
    assert Arrangement(only="moved").arrange(rows("an older one")) == []
    [read_alike, read_otherwise] = (
        next(row for row in found if row.trend == "bosque") for found in (rows(), rows("an older one"))
    )
    assert read_otherwise == read_alike.model_copy(update={"mood_change_is_clear": False})
    assert read_otherwise.mood_change == pytest.approx(-1.58)
    assert Arrangement("change").arrange(rows("an older one"))[0] == read_otherwise


def test_names_are_found_without_case_and_accents() -> None:
    assert [row.trend for row in Arrangement(text="ARBOL").arrange(rows())] == ["Árbol"]
    assert [row.trend for row in Arrangement(emotion="joy").arrange(rows())] == ["Árbol"]
    assert Arrangement(text="x", sort="volume").asked() == {"sort": "volume", "q": "x"}
    assert Arrangement().asked() == {}


def reasons(text: str = "a whole sentence of six words", **changes: Any) -> list[str]:
    """Why a changed analysis is doubted."""
    return [doubt.reason for doubt in doubts_of(text, replace(analysis_of(text), **changes))]


def test_what_can_be_doubted_is_told() -> None:
    calm: dict[str, Any] = {"irony": Flag(False, 0.1)}
    assert reasons(**calm) == []
    assert reasons() == ["irony"]
    close = Choice("positive", 0.45, {"positive": 0.45, "neutral": 0.4, "negative": 0.15})
    said = replace(analysis_of("a whole sentence of words"), sentiment=close, irony=Flag(False, 0.1))
    assert doubts_of("a whole sentence of words", said) == [Doubt("close", "positive", "neutral")]
    lower = Choice("negative", 0.3, {"positive": 0.5, "neutral": 0.2, "negative": 0.3})
    assert doubts_of("x", replace(said, sentiment=lower))[0] == Doubt("close", "positive", "negative")
    unsure = Choice("positive", 0.48, {"positive": 0.48, "neutral": 0.3, "negative": 0.22})
    assert reasons(sentiment=unsure, **calm) == ["unsure"]
    assert reasons("hi there", **calm) == ["short"]
    assert reasons(truncated=True, lang="fr", **calm) == ["truncated", "language"]
    assert reasons(lang="und", **calm) == ["language_unclear"]
