"""What the pages draw: spark lines with gaps, bars beside what is usual, the data of the charts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.support.web_lake import interval
from trendlark.records import Share
from trendlark.web import drawing
from trendlark.web.formats import percent, span
from trendlark.web.messages import Words
from trendlark.web.shown import HourAnswer

shares = st.floats(0, 1)
days = st.lists(st.none() | st.tuples(shares, shares), min_size=24, max_size=24)


def test_a_spark_line_breaks_at_gaps_and_keeps_lonely_hours() -> None:
    day = [(0.0, 1.0), (0.5, 0.5), None, (1.0, 0.0), None]
    assert drawing.spark(day, 0) == "M2 23h0L6 12M14 1h0"
    assert drawing.spark(day, 1) == "M2 1h0L6 12M14 23h0"
    assert drawing.spark([None] * 24, 0) == ""


@given(days)
def test_a_spark_line_has_a_point_for_each_known_hour_and_a_piece_for_each_run(
    day: list[tuple[float, float] | None],
) -> None:
    path = drawing.spark(day, 0)
    known = [point is not None for point in day]
    starts = sum(now and not before for before, now in zip([False, *known], known, strict=False))
    assert path.count("M") == starts
    assert path.count("M") + path.count("L") == sum(known)


def test_bars_tell_what_is_clearly_unusual() -> None:
    given_shares = {"joy": interval(0.8, 40), "fear": interval(0.1, 40), "anger": interval(0.3, 40)}
    usual = {"joy": interval(0.3, 400), "fear": interval(0.5, 400), "anger": interval(0.3, 400)}
    bars = {bar.name: bar for bar in drawing.bars(given_shares, ["joy", "fear", "anger"], False, usual)}
    assert {name: bar.differs for name, bar in bars.items()} == {"joy": 1, "fear": -1, "anger": 0}
    assert 0 < bars["fear"].usual_at <= 100
    alone = drawing.bars(given_shares, ["joy"], False)[0]
    assert (alone.usual, alone.differs) == (None, 0)


def test_what_is_usual_stays_on_the_axis() -> None:
    usual = {"joy": Share(0.9, 0.8, 0.95)}
    bar = drawing.bars({"joy": interval(0.02, 40)}, ["joy"], True, usual)[0]
    assert bar.usual_at <= 100


def test_hours_without_a_row_are_gaps_in_the_chart() -> None:
    share = {label: Share(0.2, 0.1, 0.3) for label in ("negative", "neutral", "positive")}
    hours = [
        HourAnswer(hour="2026-11-23T02", rank=1, volume=100, sampled=40, analysed=40, sentiment=share),
        HourAnswer(hour="2026-11-23T03"),
        HourAnswer(hour="2026-11-23T04", rank=2, volume=90, sampled=4),
    ]
    data = drawing.chart_data(hours, Words("es"), "a · b")
    assert [hour["negative"] for hour in data["hours"]] == [0.2, None, None]
    assert [hour["volume"] for hour in data["hours"]] == [100, None, 90]
    assert data["when"] == "lun 23 nov 2026"
    assert drawing.chart_data([HourAnswer(hour="2026-11-22T23"), *hours], Words("en"), "")["when"] == (
        "Sun 22 Nov 2026 – Mon 23 Nov 2026"
    )
    assert data["hours"][1]["hour"] == "2026-11-23T03:00:00+00:00"
    assert json.loads(json.dumps(data)) == data


def test_the_chart_tells_the_numbers_of_its_table() -> None:
    share = {
        "negative": Share(0.125, 0.022, 0.471),
        "neutral": Share(0.872, 0.5, 0.9),
        "positive": Share(0.003, 0, 0.4),
    }
    one = HourAnswer(hour="2026-11-23T02", rank=1, volume=12_345, sampled=8, analysed=8, sentiment=share)
    tips = [
        hour["tip"]
        for hour in drawing.chart_data([one, HourAnswer(hour="2026-11-23T03")], Words("es"), "")["hours"]
    ]
    assert tips[0].splitlines() == [
        "2026-11-23 02:00 UTC",
        f"negativo: {percent(0.125, 'es')} ({span(0.022, 0.471, 'es')})",
        "neutro: 87\u00a0% (50–90\u00a0%)",
        "positivo: <1\u00a0% (0–40\u00a0%)",
        "Muestra: 8",
        "Volumen: 12.345",
    ]
    assert tips[1] == "2026-11-23 03:00 UTC"
