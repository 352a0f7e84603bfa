"""Whatever is done to an hour, in whatever order, it ends as if it had been run once and undisturbed.

A state machine collects, analyses, summarises, changes the model, is cut off between any two commits and has a second
writer beside it, over a tiny recording with every awkward thing in it. At the end the hour is run once more.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.hours import HOUR, contents, jobs_for
from tests.support.recordings import listed, recorded, recording
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.hourly import Jobs
from trendlark.jobs.summarise import summarise_hour
from trendlark.lake import Lake, TableSpec, open_lake
from trendlark.records import PLACES, Analysis

TWEETS = [
    recorded("1", "#a", text="qué alegría 😀"),
    recorded("1", "#a", text="the same id again is refused"),
    recorded("2", "#a", text="una lluvia horrible"),
    recorded("2", "#b", text="una lluvia horrible"),
    recorded("1", "#a", place="us", text="qué alegría 😀"),
    recorded("3", "#c", place="us", text="plain"),
    {**recorded("4", "#c", place="us"), "text": None},
    recorded("5", "#later", hour=HOUR + 1, text="of another hour"),
]
TRENDS = [listed("#b", 1), listed("#silent", 2), listed("#a", 3), listed("#c", 1, place="us")]


class CutOffError(Exception):
    """What a killed process would not even raise."""


class FragileLake(Lake):
    """A lake whose writer is gone after so many commits."""

    left = 0

    def _commit(self, spec: TableSpec, attempt: Callable[[Any], Any]) -> Any:
        if self.left == 0:
            raise CutOffError
        self.left -= 1
        return super()._commit(spec, attempt)


class Renamed:
    """The fake model under another name."""

    def __init__(self, jobs: Jobs, name: str) -> None:
        self._jobs, self.name = jobs, name

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        return [replace(found, model=self.name) for found in self._jobs.analyzer.analyze(texts, langs)]

    def close(self) -> None:
        """Nothing to let go of."""


_undisturbed: dict[str, list[dict[str, Any]]] = {}


def undisturbed() -> dict[str, list[dict[str, Any]]]:
    """The hour run once, in a lake of its own."""
    if not _undisturbed:
        with tempfile.TemporaryDirectory() as scratch:
            folder = recording(Path(scratch) / "replay", TWEETS, TRENDS)
            jobs = jobs_for(Path(scratch) / "lake", source="replay", replay_folder=str(folder))
            jobs.run_hour(HOUR)
            _undisturbed.update(contents(jobs.lake))
    return _undisturbed


class AnyOrder(RuleBasedStateMachine):
    """The jobs of one hour in any order."""

    @initialize()
    def start(self) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="trendlark-order-"))
        folder = recording(self.scratch / "replay", TWEETS, TRENDS)
        self.jobs = jobs_for(self.scratch / "lake", source="replay", replay_folder=str(folder))
        self.other = jobs_for(self.scratch / "lake", source="replay", replay_folder=str(folder))

    @rule(place=st.sampled_from(["es", "us"]))
    def collect(self, place: str) -> None:
        collect_hour(self.jobs.lake, self.jobs.source, PLACES[place], HOUR, self.jobs.settings)

    @rule()
    def analyze(self) -> None:
        analyze_hour(self.jobs.lake, self.jobs.analyzer, HOUR)

    @rule()
    def analyze_by_another_model(self) -> None:
        analyze_hour(self.jobs.lake, Renamed(self.jobs, "another"), HOUR)

    @rule()
    def summarise(self) -> None:
        summarise_hour(self.jobs.lake, "replay", HOUR)

    @rule(commits=st.integers(0, 12))
    def run_until_cut_off(self, commits: int) -> None:
        lake = FragileLake(self.jobs.lake.uri)
        lake.left = commits
        with suppress(CutOffError):
            Jobs(lake, self.jobs.source, self.jobs.analyzer, self.jobs.settings).run_hour(HOUR)

    @rule()
    def second_writer_runs_the_hour(self) -> None:
        self.other.run_hour(HOUR)

    @rule()
    def restart(self) -> None:
        self.jobs.source.close()
        folder = str(self.scratch / "replay")
        self.jobs = jobs_for(self.scratch / "lake", source="replay", replay_folder=folder)

    @rule()
    def tidy_the_lake(self) -> None:
        self.jobs.lake.compact()
        self.jobs.lake.vacuum(0)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        if not hasattr(self, "jobs"):
            return
        rows = contents(self.jobs.lake)
        tweets = [(row["place"], row["trend"], row["tweet_id"]) for row in rows["tweets"]]
        assert len(tweets) == len(set(tweets)) <= 5
        assert len({row["tweet_id"] for row in rows["analyses"]}) == len(rows["analyses"]) <= 3
        assert len({(row["place"], row["trend"]) for row in rows["trends"]}) == len(rows["trends"]) <= 5
        assert len({row["model"] for row in rows["analyses"]}) <= 1

    def teardown(self) -> None:
        if not hasattr(self, "jobs"):
            return
        try:
            self.jobs.run_hour(HOUR)
            assert contents(self.jobs.lake) == undisturbed()
            assert self.jobs.run_hour(HOUR).nothing
        finally:
            self.jobs.source.close()
            self.other.source.close()
            shutil.rmtree(self.scratch)


TestAnyOrder = pytest.mark.slow(AnyOrder.TestCase)
TestAnyOrder.settings = settings(
    max_examples=5,
    stateful_step_count=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_undisturbed_hour_holds_every_awkward_thing() -> None:
    rows = undisturbed()
    assert [(row["place"], row["trend"], row["sampled"]) for row in rows["trends"]] == [
        ("es", "#b", 1),
        ("es", "#silent", 0),
        ("es", "#a", 2),
        ("us", "#c", 1),
        ("us", "#a", 1),
    ]
    assert [row["tweet_id"] for row in rows["analyses"]] == ["1", "2", "3"]
    assert [row["reason"] for row in rows["refusals"]] == [
        "the id '1' is that of another tweet of the trend",
        "tweets.jsonl:7: the tweet has no text",
    ]


def test_a_writer_that_is_cut_off_at_the_very_start_leaves_nothing(tmp_path: Path) -> None:
    folder = recording(tmp_path / "replay", TWEETS, TRENDS)
    jobs = jobs_for(tmp_path / "lake", source="replay", replay_folder=str(folder))
    lake = FragileLake(str(tmp_path / "lake"))
    with pytest.raises(CutOffError):
        Jobs(lake, jobs.source, jobs.analyzer, jobs.settings).run_hour(HOUR)
    assert open_lake(str(tmp_path / "lake")).hours() == []
