"""What goes into the lake. Every method commits whole or not at all, and may be repeated without harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from uuid import uuid4

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake

from trendlark.errors import InputError, LakeConflictError
from trendlark.hours import Hour, utc_now
from trendlark.lake.findings import analysis_row, trend_row
from trendlark.lake.query import all_of, literal, one_of, scan
from trendlark.lake.rows import Row, batches, clean, page_row, refusal_row, run_row, tweet_row
from trendlark.lake.spool import Spool
from trendlark.lake.store import COMMIT_ATTEMPTS, Store, pause
from trendlark.lake.tables import ANALYSES, PAGES, REFUSALS, RUNS, TRENDS, TWEETS, TableSpec
from trendlark.records import AnalyzedTweet, Page, Refusal, Run, TrendHour, Tweet

_Record = TypeVar("_Record")

# Small row groups: what is written is buffered one group at a time, and raw JSON is heavy.
_FILES = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=8192)
# What a collector writes of a trend of its hour and source; the rest of the row is the summary.
_COLLECTED = ("trend", "place", "rank", "volume", "sampled", "requests", "cost", "note")


class Writer(Store):
    """The writing half of a lake."""

    def add_page(self, hour: Hour, source: str, place: str, page: Page) -> None:
        """Keep an answer of a source as received, before it is parsed."""
        row = page_row(page, hour, source, place)
        self._append(PAGES, row, {"hour": str(hour), "source": source, "place": place})

    def add_run(self, run: Run) -> None:
        """Keep the record of a run."""
        self._append(RUNS, run_row(run), {"run_id": run.run_id, "job": run.job, "hour": str(run.hour)})

    def commit_collection(
        self,
        hour: Hour,
        source: str,
        place: str,
        tweets: Iterable[Tweet],
        trends: Sequence[TrendHour],
        refusals: Sequence[Refusal],
        run_id: str,
    ) -> None:
        """Replace what was collected for a place in an hour: refusals, tweets and, as the mark that all is
        there, trends. A tweet given twice for a trend is kept once. Of two that do this at once, one result
        stays, whole. Raises LakeFullError, LakeReadOnlyError, LakeConflictError or LakeError.
        """
        at = utc_now()
        here = (hour, source, place)
        told_tweets = _once(_of_place(tweets, here, _tweet_place), lambda t: (t.trend, t.tweet_id))
        told_trends = _once(_of_place(trends, here, _trend_place), lambda t: t.trend.name)
        with (
            Spool(
                REFUSALS.schema, batches(refusals, lambda r: refusal_row(r, *here, at), REFUSALS)
            ) as refused,
            Spool(TWEETS.schema, batches(told_tweets, tweet_row, TWEETS)) as drawn,
            Spool(TRENDS.schema, batches(told_trends, trend_row, TRENDS)) as ranked,
        ):
            self._check_space(refused.size_bytes + drawn.size_bytes + ranked.size_bytes)
            self._commit_place(here, ((REFUSALS, refused), (TWEETS, drawn), (TRENDS, ranked)), run_id)

    def _commit_place(
        self, here: tuple[Hour, str, str], parts: Sequence[tuple[TableSpec, Spool]], run_id: str
    ) -> None:
        hour, source, place = here
        where = all_of(hour=str(hour), source=clean(source), place=clean(place))
        notes = {"hour": str(hour), "source": source, "place": place, "run_id": run_id}
        for number in range(COMMIT_ATTEMPTS):
            # Three tables cannot be committed in one step. Each call marks its commits; who finds that
            # another call changed a table after its own commit writes all three again, so that the last
            # one standing leaves its own rows in all of them.
            mark = uuid4().hex
            landed = [
                (spec, self._replace(spec, where, spool, {**notes, "call": mark})) for spec, spool in parts
            ]
            if not any(self._overtaken(spec, at_version, notes, mark) for spec, at_version in landed):
                return
            pause(number)
        raise LakeConflictError(
            f"Found other runs that keep collecting {place} in {hour}; one at a time can write "
            "a place's hour. Let the others end and run again."
        )

    def _overtaken(self, spec: TableSpec, at_version: int, notes: Mapping[str, str], mark: str) -> bool:
        table = self._table(spec)
        later = 0 if table is None else table.version() - at_version
        if table is None or later <= 0:
            return False
        return any(
            entry["version"] > at_version
            and all(entry.get(key) == notes[key] for key in ("hour", "source", "place"))
            and entry.get("call") not in {None, mark}
            for entry in table.history(later)
        )

    def insert_analyses(self, hour: Hour, rows: Sequence[AnalyzedTweet], run_id: str) -> int:
        """Add the analyses of tweets that have none yet in the hour; returns how many were really added."""
        wanted = list(_once(_of_hour(rows, hour), lambda a: (a.source, a.tweet_id)))
        if not wanted:
            return 0
        with Spool(ANALYSES.schema, batches(wanted, analysis_row, ANALYSES)) as spool:
            self._check_space(spool.size_bytes)
            models = ",".join(sorted({a.analysis.model for a in wanted}))
            commit = _properties({"hour": str(hour), "run_id": run_id, "model": models}, spool.rows)
            return self._commit(ANALYSES, partial(_insert_missing, hour=hour, spool=spool, commit=commit))

    def replace_analyses(
        self, hour: Hour, batches_of_rows: Iterable[Sequence[AnalyzedTweet]], run_id: str
    ) -> int:
        """Replace all analyses of an hour in one commit; returns how many there are now."""
        models: set[str] = set()
        analyses = (analyzed for rows in batches_of_rows for analyzed in _of_hour(rows, hour))
        once = _noting_models(_once(analyses, lambda a: (a.source, a.tweet_id)), models)
        with Spool(ANALYSES.schema, batches(once, analysis_row, ANALYSES)) as spool:
            self._check_space(spool.size_bytes)
            notes = {"hour": str(hour), "run_id": run_id, "model": ",".join(sorted(models))}
            self._replace(ANALYSES, all_of(hour=str(hour)), spool, notes)
            return spool.rows

    def commit_summaries(self, hour: Hour, source: str, rows: Sequence[TrendHour], run_id: str) -> None:
        """Replace the trends of the places named in ``rows`` by the same with their summaries, in one commit.

        Raises LakeConflictError where what was collected is no longer what ``rows`` say, because a place was
        collected again after it was read.
        """
        if not rows:
            return
        for row in rows:
            _check_place((row.trend.hour, row.trend.source), (hour, source))
        places = sorted({clean(row.trend.place) or "" for row in rows})
        where = f"{all_of(hour=str(hour), source=clean(source))} AND {one_of('place', places)}"
        given = {tuple(row[name] for name in _COLLECTED) for row in map(trend_row, rows)}
        models = {row.summary.model for row in rows if row.summary}
        notes = {"hour": str(hour), "source": source, "run_id": run_id, "model": ",".join(sorted(models))}

        def check(table: DeltaTable) -> None:
            # Not only new trends count: one that is gone would come back without its tweets, and old numbers
            # would stand beside the tweets of the second collector, unfinished at every look.
            present = {tuple(row.values()) for row in scan(table, TRENDS, where, _COLLECTED)}
            if changed := sorted({trend for trend, *_ in present ^ given}):
                raise LakeConflictError(
                    f"Found trends in {hour} that a second collector replaced after they were read "
                    f"({', '.join(changed[:3])}); a summary is kept only beside what it sums up. Run the hour again."
                )

        with Spool(TRENDS.schema, batches(rows, trend_row, TRENDS)) as spool:
            self._check_space(spool.size_bytes)
            self._replace(TRENDS, where, spool, notes, check)

    def _append(self, spec: TableSpec, row: Row, notes: Mapping[str, str]) -> None:
        batch = pa.RecordBatch.from_pylist([row], schema=spec.schema)
        self._check_space(batch.nbytes)
        commit = _properties(notes, 1)

        def append(table: DeltaTable) -> None:
            write_deltalake(table, [batch], mode="append", commit_properties=commit, writer_properties=_FILES)

        self._commit(spec, append)

    def _replace(
        self,
        spec: TableSpec,
        where: str,
        spool: Spool,
        notes: Mapping[str, str],
        check: Callable[[DeltaTable], None] | None = None,
    ) -> int:
        """Replace the rows that ``where`` names by those of the spool; returns the version that has them."""
        commit = _properties(notes, spool.rows)

        def replace(table: DeltaTable) -> int:
            if check is not None:
                check(table)
            if spool.rows:
                write_deltalake(
                    table,
                    spool.reader(),
                    mode="overwrite",
                    predicate=where,
                    commit_properties=commit,
                    writer_properties=_FILES,
                )
            elif any(True for _ in scan(table, spec, where, (spec.partition,))):
                table.delete(where, commit_properties=commit, writer_properties=_FILES)
            return table.version()

        return self._commit(spec, replace)


def _insert_missing(table: DeltaTable, hour: Hour, spool: Spool, commit: CommitProperties) -> int:
    merge = table.merge(
        spool.reader(),
        # The literal hour lets Delta read this partition alone and see a race in it.
        predicate=f"t.hour = {literal(str(hour))} AND s.hour = t.hour AND s.source = t.source "
        "AND s.tweet_id = t.tweet_id",
        source_alias="s",
        target_alias="t",
        # Otherwise Delta writes the least and greatest tweet_id into its log, where forgetting cannot reach.
        streamed_exec=True,
        commit_properties=commit,
        writer_properties=_FILES,
    )
    return int(merge.when_not_matched_insert_all().execute()["num_target_rows_inserted"])


def _properties(notes: Mapping[str, str], rows: int) -> CommitProperties:
    # Through JSON, because what a job passes as a note may hold lone surrogates.
    safe = {key: clean(value) for key, value in notes.items() if value}
    metadata: dict[str, Any] = {**safe, "rows": str(rows), "trendlark": _code_version()}
    return CommitProperties(custom_metadata=json.loads(json.dumps(metadata)))


def _code_version() -> str:
    try:
        return version("trendlark")
    except PackageNotFoundError:
        return "unknown"


def _once(records: Iterable[_Record], key: Callable[[_Record], Hashable]) -> Iterator[_Record]:
    seen: set[Hashable] = set()
    for record in records:
        name = key(record)
        if name not in seen:
            seen.add(name)
            yield record


def _tweet_place(tweet: Tweet) -> tuple[Hour, str, str]:
    return tweet.hour, tweet.source, tweet.place


def _trend_place(row: TrendHour) -> tuple[Hour, str, str]:
    return row.trend.hour, row.trend.source, row.trend.place


def _of_place(
    records: Iterable[_Record],
    here: tuple[Hour, str, str],
    place_of: Callable[[_Record], tuple[Hour, str, str]],
) -> Iterator[_Record]:
    for record in records:
        _check_place(place_of(record), here)
        yield record


def _of_hour(rows: Iterable[AnalyzedTweet], hour: Hour) -> Iterator[AnalyzedTweet]:
    for row in rows:
        _check_place((row.hour,), (hour,))
        yield row


def _check_place(found: tuple[object, ...], here: tuple[object, ...]) -> None:
    if found != here:
        raise InputError(
            f"Found a row of {' '.join(map(str, found))} in a commit of {' '.join(map(str, here))}; a commit "
            "holds rows of its own hour, source and place. Commit it with its own."
        )


def _noting_models(rows: Iterable[AnalyzedTweet], models: set[str]) -> Iterator[AnalyzedTweet]:
    for row in rows:
        models.add(row.analysis.model)
        yield row
