"""The three jobs of an hour on a real lake: whole, idempotent, resumable, and honest about what failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.hours import HOUR, contents, jobs_for
from trendlark.errors import BudgetError, ModelError, UnavailableError
from trendlark.hours import Hour
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.hourly import Jobs, Owed
from trendlark.jobs.runs import DONE, FAILED, NOTHING
from trendlark.jobs.summarise import summarise_hour
from trendlark.records import PLACES, Analysis, Page, Place, Run, Trend
from trendlark.sources import SAMPLE
from trendlark.sources.replay import ReplaySource


class Counting(ReplaySource):
    """The sample, counting what is asked of it, and failing when told to."""

    def __init__(self) -> None:
        super().__init__(SAMPLE, name="sample", loop=True)
        self.asked: list[str] = []
        self.fail_after: int | None = None
        self.price = 0.0

    def _ask(self, request: str) -> None:
        if self.fail_after is not None and len(self.asked) >= self.fail_after:
            raise UnavailableError("Found the source down; wait, then run the hour again.")
        self.asked.append(request)

    def trends(self, place: Place, hour: Hour) -> Page:
        self._ask(f"trends {place.slug}")
        page = super().trends(place, hour)
        return Page(page.request, page.body, page.fetched_at, self.price)

    def pages(self, trend: Trend, wanted: int, windows: int, known: Mapping[str, Page]) -> Iterator[Page]:
        for page in super().pages(trend, wanted, windows, known):
            if page.request not in known:
                self._ask(page.request)
            yield Page(page.request, page.body, page.fetched_at, self.price, page.trend, page.window)

    def cost_of_trends(self) -> float:
        return self.price

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        return self.price


class OtherModel:
    """The fake model under another name."""

    def __init__(self, jobs: Jobs, name: str = "other") -> None:
        self._jobs = jobs
        self.name = name

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        from dataclasses import replace

        return [replace(a, model=self.name) for a in self._jobs.analyzer.analyze(texts, langs)]

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(autouse=True)
def _no_hour_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Hour.now()
    monkeypatch.setattr(Hour, "now", staticmethod(lambda: now))


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return jobs_for(tmp_path / "lake")


def test_one_hour_fills_all_tables(jobs: Jobs) -> None:
    outcome = jobs.run_hour(HOUR)
    assert [run.job for run in outcome.runs] == ["collect", "collect", "analyze", "summarise"]
    assert {run.status for run in outcome.runs} == {DONE}
    rows = contents(jobs.lake)
    assert len(rows["tweets"]) == sum(run.counts["tweets"] for run in outcome.runs[:2])
    assert len(rows["analyses"]) == len({row["tweet_id"] for row in rows["tweets"]})
    assert all(row["analysed"] == row["sampled"] for row in rows["trends"])
    assert {row["place"] for row in rows["trends"]} == {"es", "us"}
    assert {row["source"] for row in rows["tweets"]} == {"sample"}


def test_twice_is_once_and_says_so(jobs: Jobs) -> None:
    jobs.run_hour(HOUR)
    before, runs = contents(jobs.lake), len(jobs.lake.runs())
    again = jobs.run_hour(HOUR)
    assert again.nothing
    assert {run.status for run in again.runs} == {NOTHING}
    assert contents(jobs.lake) == before
    assert len(jobs.lake.runs()) == runs


def test_every_run_leaves_a_record(jobs: Jobs) -> None:
    outcome = jobs.run_hour(HOUR)
    kept = {run.run_id: run for run in jobs.lake.runs()}
    for run in outcome.runs:
        record = kept[run.run_id]
        assert (record.job, record.hour, record.status) == (run.job, HOUR, DONE)
        assert record.counts == run.counts
        assert record.seconds >= 0
        assert record.version
    assert {run.model for run in kept.values() if run.job != "collect"} == {jobs.analyzer.name}


def test_a_source_that_fails_is_asked_only_for_what_is_missing(jobs: Jobs) -> None:
    source, undisturbed = Counting(), Counting()
    args = (PLACES["es"], HOUR, jobs.settings)
    for point in range(1, 4):
        source.fail_after = point
        with pytest.raises(UnavailableError):
            collect_hour(jobs.lake, source, *args)
        assert not jobs.lake.collected(HOUR, "sample", "es")
    source.fail_after = None
    run = collect_hour(jobs.lake, source, *args)
    other = jobs_for(Path(jobs.settings.lake + "-undisturbed"))
    collect_hour(other.lake, undisturbed, *args)
    assert run.status == DONE
    assert source.asked == undisturbed.asked
    assert contents(jobs.lake) == contents(other.lake)
    failed = [kept for kept in jobs.lake.runs() if kept.status == FAILED]
    assert len(failed) == 3
    assert all("source down" in (kept.error or "") for kept in failed)


def test_one_place_that_fails_does_not_stop_the_others(jobs: Jobs) -> None:
    class HalfDown(Counting):
        def trends(self, place: Place, hour: Hour) -> Page:
            if place.slug == "es":
                raise UnavailableError("Found es down; wait, then run the hour again.")
            return super().trends(place, hour)

    half = Jobs(jobs.lake, HalfDown(), jobs.analyzer, jobs.settings)
    outcome = half.run_hour(HOUR)
    assert outcome.failed
    assert not outcome.nothing
    assert [str(error) for error in outcome.errors] == ["Found es down; wait, then run the hour again."]
    assert {row["place"] for row in contents(jobs.lake)["trends"]} == {"us"}
    healed = Jobs(jobs.lake, Counting(), jobs.analyzer, jobs.settings).run_hour(HOUR)
    assert not healed.failed
    rows = contents(jobs.lake)["trends"]
    assert {row["place"] for row in rows} == {"es", "us"}
    assert all(row["analysed"] == row["sampled"] for row in rows)


def test_the_collector_stops_at_the_budget(jobs: Jobs, tmp_path: Path) -> None:
    paid = Counting()
    paid.price = 0.01
    tight = jobs_for(tmp_path / "tight", budget_usd_per_day=0.005)
    with pytest.raises(BudgetError, match=r"\$0\.005 of the budget"):
        collect_hour(tight.lake, paid, PLACES["es"], HOUR, tight.settings)
    assert paid.asked == []


def _budget(samples: float) -> float:
    # It buys each of two places a list of trends and so many samples, at a cent each, in each hour left of today.
    return (0.01 + samples * 0.01) * 2 * (24 - Hour.now().start.hour)


def test_what_the_budget_does_not_buy_is_listed_with_its_reason(tmp_path: Path) -> None:
    paid = Counting()
    paid.price = 0.01
    some = jobs_for(tmp_path / "some", budget_usd_per_day=_budget(samples=1.5))
    collect_hour(some.lake, paid, PLACES["es"], HOUR, some.settings)
    rows = some.lake.trend_hours(hour=HOUR)
    assert [row.trend.rank for row in rows if row.sampled] == [1]
    assert {row.note for row in rows if not row.sampled} == {"over budget"}
    assert some.lake.spent(Hour.now().day, "sample") == pytest.approx(0.02)


def test_a_collector_that_comes_back_keeps_its_plan_and_pays_nothing_twice(tmp_path: Path) -> None:
    paid = Counting()
    paid.price = 0.01
    some = jobs_for(tmp_path / "some", budget_usd_per_day=_budget(samples=2.5))
    paid.fail_after = 2
    with pytest.raises(UnavailableError):
        collect_hour(some.lake, paid, PLACES["es"], HOUR, some.settings)
    paid.fail_after = None
    collect_hour(some.lake, paid, PLACES["es"], HOUR, some.settings)
    assert [row.trend.rank for row in some.lake.trend_hours(hour=HOUR) if row.sampled] == [1, 2]
    assert len(paid.asked) == len(set(paid.asked)) == 3


def test_another_model_replaces_the_hour(jobs: Jobs) -> None:
    jobs.run_hour(HOUR)
    before = contents(jobs.lake)
    run = analyze_hour(jobs.lake, OtherModel(jobs), HOUR)
    assert run.counts["analyses"] == len(before["analyses"])
    assert jobs.lake.analysed_models(HOUR) == {"other": len(before["analyses"])}
    assert summarise_hour(jobs.lake, "sample", HOUR).status == DONE
    rows = contents(jobs.lake)["trends"]
    assert {row["model"] for row in rows if row["analysed"]} == {"other"}


def test_a_model_that_fails_is_recorded_and_the_hour_goes_on_later(jobs: Jobs) -> None:
    class Broken(OtherModel):
        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            raise ModelError("Found the model broken; load another.")

    jobs.collect(HOUR)
    with pytest.raises(ModelError):
        analyze_hour(jobs.lake, Broken(jobs), HOUR)
    assert jobs.lake.runs()[0].error == "Found the model broken; load another."
    assert not jobs.lake.analysed_models(HOUR)
    assert analyze_hour(jobs.lake, jobs.analyzer, HOUR).status == DONE


def test_an_unforeseen_failure_is_recorded_and_raised(jobs: Jobs) -> None:
    class Surprise(OtherModel):
        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            raise ZeroDivisionError("oh")

    jobs.collect(HOUR)
    with pytest.raises(ZeroDivisionError):
        analyze_hour(jobs.lake, Surprise(jobs), HOUR)
    assert jobs.lake.runs()[0].error == "ZeroDivisionError, which was not foreseen: oh"


def test_backfill_goes_oldest_first_and_stops_between_hours(jobs: Jobs) -> None:
    hours = list((HOUR - 2).until(HOUR))
    stop = threading.Event()
    stop.set()
    assert jobs.backfill(hours, stop) == []
    outcomes = jobs.backfill(hours)
    assert [outcome.hour for outcome in outcomes] == hours
    assert jobs.lake.hours() == hours
    assert all(outcome.nothing for outcome in jobs.backfill(hours))


class StopAfter:
    """Progress that tells to stop once so many jobs of a kind are over."""

    def __init__(self, job: str, times: int = 1) -> None:
        self.stop = threading.Event()
        self.job, self.times = job, times
        self.runs: list[Run] = []

    def start(self, label: str, total: int | None) -> None:
        """Not looked at."""

    def advance(self, units: int = 1) -> None:
        """Not looked at."""

    def finish(self, run: Run) -> None:
        self.runs.append(run)
        if sum(kept.job == self.job for kept in self.runs) >= self.times:
            self.stop.set()


def _watched(jobs: Jobs, watch: StopAfter, source: Counting | None = None) -> Jobs:
    return Jobs(jobs.lake, source or jobs.source, jobs.analyzer, jobs.settings, watch)


def test_keep_running_runs_the_last_complete_hour_and_stops_when_told(jobs: Jobs) -> None:
    watch = StopAfter("summarise")
    _watched(jobs, watch).keep_running(watch.stop)
    assert jobs.lake.hours() == [Hour.last_complete()]
    before = len(watch.runs)
    _watched(jobs, watch).keep_running(watch.stop)
    assert len(watch.runs) == before


def test_unfinished_hours_are_finished_after_the_newest_one(jobs: Jobs) -> None:
    early = Hour.last_complete() - 3
    jobs.collect(early)
    watch = StopAfter("summarise", times=2)
    _watched(jobs, watch).keep_running(watch.stop)
    assert all(row.summary for row in jobs.lake.trend_hours(hour=early))
    done = [run.hour for run in watch.runs if run.job == "summarise"]
    assert done[0] > done[1] == early


def test_an_hour_that_cannot_be_finished_keeps_no_other_from_being_collected(jobs: Jobs) -> None:
    class Moody(OtherModel):
        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            raise ModelError("Found the model broken; load another.")

    jobs.collect(Hour.last_complete() - 3)
    watch = StopAfter("analyze")
    Jobs(jobs.lake, jobs.source, Moody(jobs), jobs.settings, watch).keep_running(watch.stop)
    assert jobs.lake.collected(Hour.last_complete(), "sample", "es")
    assert jobs.finish_hours(Hour.last_complete() - 5)
    assert all(row.summary for row in jobs.lake.trend_hours())


def test_what_no_second_try_mends_waits_for_the_next_hour(tmp_path: Path) -> None:
    paid = Counting()
    paid.price = 0.01
    tight = jobs_for(tmp_path / "tight", budget_usd_per_day=0.001)
    owed, stop = Owed(tight.lake), threading.Event()
    assert not Jobs(tight.lake, paid, tight.analyzer, tight.settings)._attempt(owed, stop)
    paid.price, paid.fail_after = 0.0, 0
    assert Jobs(tight.lake, paid, tight.analyzer, tight.settings)._attempt(owed, stop)


def test_a_recording_that_went_away_is_tried_again(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path / "lake")
    gone = Jobs(jobs.lake, ReplaySource(tmp_path / "none"), jobs.analyzer, jobs.settings)
    assert gone._attempt(Owed(jobs.lake), threading.Event())


def test_a_new_model_sums_up_every_source_of_the_hour(jobs: Jobs, tmp_path: Path) -> None:
    jobs.run_hour(HOUR)
    other = Counting()
    other._name = "replay"
    both = Jobs(jobs.lake, other, jobs.analyzer, jobs.settings)
    both.run_hour(HOUR)
    Jobs(jobs.lake, jobs.source, OtherModel(jobs), jobs.settings).run_hour(HOUR)
    rows = jobs.lake.trend_hours(hour=HOUR)
    assert {row.trend.source for row in rows} == {"sample", "replay"}
    assert {row.summary.model for row in rows if row.summary and row.sampled} == {"other"}


def test_progress_hears_of_steps_and_runs(jobs: Jobs) -> None:
    class Ear:
        def __init__(self) -> None:
            self.steps: list[tuple[str, int | None]] = []
            self.units = 0
            self.runs: list[Run] = []

        def start(self, label: str, total: int | None) -> None:
            self.steps.append((label, total))

        def advance(self, units: int = 1) -> None:
            self.units += units

        def finish(self, run: Run) -> None:
            self.runs.append(run)

    ear = Ear()
    outcome = Jobs(jobs.lake, jobs.source, jobs.analyzer, jobs.settings, ear).run_hour(HOUR)
    assert ear.runs == list(outcome.runs)
    assert ear.units == sum(total or 0 for _, total in ear.steps)
    assert [label.split()[0] for label, _ in ear.steps] == ["collect", "collect", "analyze", "summarise"]
