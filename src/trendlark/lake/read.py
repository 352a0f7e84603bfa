"""What is asked of the lake, as records. A table that nothing was written to yet is empty."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from trendlark.hours import Hour
from trendlark.lake.faults import told
from trendlark.lake.findings import analysis_of, trend_of
from trendlark.lake.query import Asker, all_of, literal, one_of, plain, read_all, scan
from trendlark.lake.rows import Row, clean, page_of, refusal_of, run_of, tweet_of
from trendlark.lake.tables import ANALYSES, PAGES, REFUSALS, RUNS, TABLES, TRENDS, TWEETS, TableSpec
from trendlark.records import AnalyzedTweet, Page, Refusal, Run, TrendHour, Tweet

_BATCH = 1024
_OF_INDEX = tuple(name for name in PAGES.schema.names if name != "body")
TWEET_COLUMNS = tuple(name for name in TWEETS.schema.names if name != "raw")


class DistinctTweet(NamedTuple):
    """A tweet of an hour, however many trends it was drawn for."""

    source: str
    tweet_id: str
    text: str
    lang: str | None


class Reader(Asker):
    """The reading half of a lake."""

    def hour_files(self) -> Mapping[str, tuple[str, ...]]:
        """The data files of each hour of ``trends``: while they are the same, so are the hour's rows."""
        table = self._table(TRENDS)
        return {} if table is None else files_by_partition(table, TRENDS)

    def collected(self, hour: Hour, source: str, place: str) -> bool:
        """Whether a place's hour is collected whole."""
        where = all_of(hour=str(hour), source=clean(source), place=clean(place))
        return any(True for _ in self._rows(TRENDS, where, ("rank",)))

    def hours(self, source: str | None = None, place: str | None = None) -> list[Hour]:
        """The hours that hold trends, oldest first."""
        where = all_of(source=clean(source), place=clean(place))
        found = {row["hour"] for row in self._rows(TRENDS, where, ("hour",))}
        return sorted(Hour.parse(text) for text in found)

    def places(self, hour: Hour | None = None) -> list[tuple[str, str]]:
        """The (source, place) pairs that hold trends, in an hour or in any, sorted."""
        where = all_of(hour=_text(hour))
        found = self._rows(TRENDS, where, ("source", "place"))
        return sorted({(row["source"], row["place"]) for row in found})

    def pages(
        self, hour: Hour, source: str, place: str, requests: Collection[str] | None = None
    ) -> list[Page]:
        """The answers kept for a place's hour, in the order received; of two to one request, the first.

        ``requests`` names those that are wanted, where not all are.
        """
        if requests is not None and not requests:
            return []
        where = all_of(hour=str(hour), source=clean(source), place=clean(place))
        where += f" AND {one_of('request', requests)}" if requests is not None else ""
        return _first_of_each(map(page_of, self._rows(PAGES, where)))

    def page_index(self, hour: Hour, source: str, place: str) -> list[Page]:
        """The same as ``pages``, without the bodies: these may be many times the memory that a job has."""
        where = all_of(hour=str(hour), source=clean(source), place=clean(place))
        return _first_of_each(page_of({**row, "body": ""}) for row in self._rows(PAGES, where, _OF_INDEX))

    def spent(self, day: str, source: str) -> float:
        """US dollars that the answers of a source cost on a UTC day such as 2026-11-23."""
        where = all_of(day=day, source=clean(source))
        return float(sum(row["cost"] for row in self._rows(PAGES, where, ("cost",))))

    def spent_by_place(self, day: str, source: str, hour: Hour) -> dict[str, float]:
        """US dollars that the answers for an hour cost on a UTC day, by place."""
        spent: dict[str, float] = {}
        where = all_of(day=day, hour=str(hour), source=clean(source))
        for row in self._rows(PAGES, where, ("place", "cost")):
            spent[row["place"]] = spent.get(row["place"], 0.0) + row["cost"]
        return spent

    def tweets(
        self, hour: Hour, source: str | None = None, place: str | None = None, trend: str | None = None
    ) -> Iterator[Tweet]:
        """The tweets of an hour, streamed; those of a large trend not in the order of their collection."""
        where = all_of(hour=str(hour), source=clean(source), place=clean(place), trend=clean(trend))
        return map(tweet_of, self._rows(TWEETS, where))

    def distinct_tweets(
        self,
        hour: Hour,
        without_model: str | None = None,
        source: str | None = None,
        batch_rows: int = _BATCH,
    ) -> Iterator[list[DistinctTweet]]:
        """The tweets of an hour without an analysis (by a model, where one is named), in batches."""
        where = all_of(hour=str(hour), source=clean(source))
        done = all_of(hour=str(hour), source=clean(source), model=clean(without_model))
        seen = {
            (row["source"], row["tweet_id"]) for row in self._rows(ANALYSES, done, ("source", "tweet_id"))
        }
        return _batched(self._unseen(where, seen), batch_rows)

    def _unseen(self, where: str, seen: set[tuple[str, str]]) -> Iterator[DistinctTweet]:
        for row in self._rows(TWEETS, where, DistinctTweet._fields):
            key = (row["source"], row["tweet_id"])
            if key not in seen:
                seen.add(key)
                yield DistinctTweet(**row)

    def analysed_models(self, hour: Hour, source: str | None = None) -> dict[str, int]:
        """How many analyses of an hour each model made."""
        counts: dict[str, int] = {}
        where = all_of(hour=str(hour), source=clean(source))
        for row in self._rows(ANALYSES, where, ("model",)):
            counts[row["model"]] = counts.get(row["model"], 0) + 1
        return dict(sorted(counts.items()))

    def analyses(self, hour: Hour, source: str | None = None) -> Iterator[AnalyzedTweet]:
        """The analyses of an hour, streamed; without ``topic_probabilities``, which are not kept."""
        where = all_of(hour=str(hour), source=clean(source))
        return map(analysis_of, self._rows(ANALYSES, where))

    def trend_hours(
        self,
        hour: Hour | None = None,
        *,
        first: Hour | None = None,
        last: Hour | None = None,
        source: str | None = None,
        place: str | None = None,
        trend: str | None = None,
    ) -> list[TrendHour]:
        """Rows of ``trends`` by hour, source, place and rank; ``first`` and ``last`` are both included."""
        parts = [all_of(hour=_text(hour), source=clean(source), place=clean(place), trend=clean(trend))]
        parts += [f"hour >= {literal(str(first))}"] if first else []
        parts += [f"hour <= {literal(str(last))}"] if last else []
        rows = self._rows(TRENDS, " AND ".join(parts), order="hour, source, place, rank, trend")
        return [trend_of(row) for row in rows]

    def trend_columns(self, columns: Sequence[str], first: Hour, last: Hour) -> pa.Table:
        """Some columns of ``trends`` from an hour to another, both included, in Arrow and in the order of hours."""
        where = f"hour >= {literal(str(first))} AND hour <= {literal(str(last))}"
        table = self._table(TRENDS)
        schema = pa.schema([TRENDS.schema.field(name) for name in columns])
        if table is None:
            return schema.empty_table()
        with told(self.uri, writing=False):
            return read_all(table, TRENDS, where, columns, "hour").cast(schema)

    def tweets_of_trend(self, hour: Hour, source: str, place: str, trend: str) -> pa.Table:
        """The tweets drawn for a trend of a place in an hour, newest first, each with its analysis, in Arrow.

        Columns of the tweet are called as in ``tweets`` (without ``raw``), those of its analysis ``said_`` and their
        name; these are null where it has none.
        """
        drawn = all_of(hour=str(hour), source=clean(source), place=clean(place), trend=clean(trend))
        said = all_of(hour=str(hour), source=clean(source))
        columns = [f't."{name}"' for name in TWEET_COLUMNS]
        columns += [f'a."{name}" AS "said_{name}"' for name in ANALYSES.schema.names]
        query = (
            f"SELECT {', '.join(columns)} FROM (SELECT * FROM tweets WHERE {drawn}) t "  # noqa: S608
            f"LEFT JOIN (SELECT * FROM analyses WHERE {said}) a ON a.tweet_id = t.tweet_id "
            "ORDER BY t.created_at DESC, t.tweet_id, a.analyzed_at DESC"
        )
        with told(self.uri, writing=False):
            answer = self._session((TWEETS, ANALYSES)).execute(query)
            return plain(pa.RecordBatchReader.from_stream(answer).read_all())

    def refused(self, hour: Hour, source: str | None = None, place: str | None = None) -> list[Refusal]:
        """The records of an hour that could not be taken."""
        where = all_of(hour=str(hour), source=clean(source), place=clean(place))
        return [refusal_of(row) for row in self._rows(REFUSALS, where)]

    def runs(
        self, day_from: str | None = None, limit: int | None = 100, hour: Hour | None = None
    ) -> list[Run]:
        """The newest runs first, from a UTC day on, of one hour or of all."""
        where = all_of(hour=_text(hour)) + (f" AND day >= {literal(day_from)}" if day_from else "")
        order = "started_at DESC, run_id" + (f" LIMIT {int(limit)}" if limit is not None else "")
        return [run_of(row) for row in self._rows(RUNS, where, order=order)]

    def rows(self, table: str, where: str, columns: Sequence[str] = (), order: str = "") -> Iterator[Row]:
        """The rows of one table that an SQL condition names, streamed; quicker than ``sql``, which opens them all.

        The condition is to be written with the functions of :mod:`trendlark.lake.query`.
        """
        return self._rows(TABLES[table], where, columns, order)

    def _rows(
        self, spec: TableSpec, where: str, columns: Sequence[str] = (), order: str = ""
    ) -> Iterator[Row]:
        table = self._table(spec)
        if table is not None:
            with told(self.uri, writing=False):
                yield from scan(table, spec, where, columns, order)


def files_by_partition(table: DeltaTable, spec: TableSpec) -> dict[str, tuple[str, ...]]:
    """The paths of a table's data files by the value of its partition column; no data file is read."""
    actions = table.get_add_actions(flatten=True)
    found: dict[str, list[str]] = {}
    columns = pa.table(actions).select(["path", f"partition.{spec.partition}"]).to_pydict()
    for path, value in zip(*columns.values(), strict=True):
        found.setdefault(value, []).append(path)
    return {value: tuple(sorted(paths)) for value, paths in found.items()}


def _first_of_each(pages: Iterable[Page]) -> list[Page]:
    # Sorted here: DataFusion copies every body to put rows in order.
    first: dict[str, Page] = {}
    for page in sorted(pages, key=lambda page: (page.fetched_at, page.request, page.body)):
        first.setdefault(page.request, page)
    return list(first.values())


def _text(hour: Hour | None) -> str | None:
    return None if hour is None else str(hour)


def _batched(tweets: Iterable[DistinctTweet], size: int) -> Iterator[list[DistinctTweet]]:
    batch: list[DistinctTweet] = []
    for tweet in tweets:
        batch.append(tweet)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
