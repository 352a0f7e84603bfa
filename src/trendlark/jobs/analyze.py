"""Analyse an hour: one analysis for each distinct tweet, by one model.

What is in ``tweets`` and not in ``analyses`` is the work. Chunks are inserted where they are missing, so a run that
is killed goes on after its last chunk, and two at once never double a row. An hour that another model analysed is
replaced whole in one commit: readers see the old hour or the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trendlark.hours import Hour, utc_now
from trendlark.jobs.engines import Engine
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING, Tally, record_run
from trendlark.lake import DistinctTweet, Lake
from trendlark.records import AnalyzedTweet, Run

JOB = "analyze"
# Rows in a commit: what a killed run has to do again at most.
_CHUNK = 4096
_NO_MODEL = ""


def analyze_hour(lake: Lake, analyzer: Engine, hour: Hour, progress: Progress = SILENT) -> Run:
    """Analyse what the model has not analysed of an hour, whatever the source."""

    def _work(tally: Tally) -> None:
        tally.model = analyzer.name
        others = set(lake.analysed_models(hour)) - {analyzer.name}
        done_by = _NO_MODEL if others else analyzer.name
        waiting = sum(map(len, lake.distinct_tweets(hour, without_model=done_by)))
        if not waiting:
            tally.status = NOTHING
            return
        progress.start(f"analyze {hour}", waiting)
        texts = lake.distinct_tweets(hour, without_model=done_by, batch_rows=_CHUNK)
        chunks = _analyzed(texts, analyzer, hour, tally, progress)
        if others:
            lake.replace_analyses(hour, chunks, tally.run_id)
            return
        for rows in chunks:
            lake.insert_analyses(hour, rows, tally.run_id)

    return record_run(lake, _work, job=JOB, hour=hour, source="all", place=None, progress=progress)


def _analyzed(
    batches: Iterator[Sequence[DistinctTweet]], analyzer: Engine, hour: Hour, tally: Tally, progress: Progress
) -> Iterator[list[AnalyzedTweet]]:
    for batch in batches:
        analyses = analyzer.analyze([row.text for row in batch], langs=[row.lang for row in batch])
        now = utc_now()
        tally.count("analyses", len(batch))
        yield [
            AnalyzedTweet(hour, row.source, row.tweet_id, analysis, now)
            for row, analysis in zip(batch, analyses, strict=True)
        ]
        progress.advance(len(batch))
