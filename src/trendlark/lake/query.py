"""Asking the tables: conditions written safely, rows streamed, and SQL for people.

DataFusion, which comes with ``deltalake``, runs everything; rows come as they are read, not gathered first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from trendlark.errors import QueryError, TrendlarkError
from trendlark.lake.faults import as_lake_error, brief, told
from trendlark.lake.rows import Row
from trendlark.lake.store import Store
from trendlark.lake.tables import TABLES, TableSpec
from trendlark.records import clean_text

# One stream in the order of the files; several would only race for the same two cores.
_ONE_STREAM = {"datafusion.execution.target_partitions": "1", "datafusion.execution.batch_size": "2048"}
_QUESTION = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*(select|with|values)\b", re.IGNORECASE | re.DOTALL
)
# How the libraries begin to tell that a file could not be read. Only the beginning says so: further on a message may
# hold words of the question or of a tweet.
_UNREAD = re.compile(
    r"(External error: |Arrow error: )*(Parquet error|Parquet argument error|Object Store error): "
)
_NAMES = {
    pa.string(): "Utf8",
    pa.bool_(): "Boolean",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.float32(): "Float32",
    pa.float64(): "Float64",
    pa.timestamp("us", tz="UTC"): 'Timestamp(Microsecond, Some("UTC"))',
}
_MICROSECONDS = {pa.duration("ns"): pa.duration("us"), pa.time64("ns"): pa.time64("us")}


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def all_of(**wanted: str | None) -> str:
    """The condition that each named column equals its text; ``None`` asks nothing of a column."""
    parts = [f"{name} = {literal(text)}" for name, text in wanted.items() if text is not None]
    return " AND ".join(parts) or "TRUE"


def one_of(name: str, texts: Iterable[str]) -> str:
    """The condition that a column holds one of several texts."""
    return f"{name} IN ({', '.join(map(literal, texts))})"


def scan(
    table: DeltaTable, spec: TableSpec, where: str, columns: Sequence[str] = (), order: str = ""
) -> Iterator[Row]:
    """The rows of a table that a condition names, streamed as dictionaries."""
    for batch in _ask(table, spec, where, columns, order):
        yield from batch.to_pylist()


def read_all(
    table: DeltaTable, spec: TableSpec, where: str, columns: Sequence[str] = (), order: str = ""
) -> pa.Table:
    """The rows of a table that a condition names, as one Arrow table of plain types."""
    return plain(_ask(table, spec, where, columns, order).read_all())


def _ask(
    table: DeltaTable, spec: TableSpec, where: str, columns: Sequence[str], order: str
) -> pa.RecordBatchReader:
    chosen = ", ".join(f'"{name}"' for name in columns or spec.schema.names)
    text = " ".join(["SELECT", chosen, "FROM", spec.name, "WHERE", where, order and f"ORDER BY {order}"])
    answer = QueryBuilder(_ONE_STREAM).register(spec.name, table).execute(text)
    return pa.RecordBatchReader.from_stream(answer)


class Asker(Store):
    """The half of a lake that answers SQL."""

    def sql(self, query: str, limit: int | None = None) -> pa.RecordBatchReader:
        """Answer one SELECT over all tables, as a stream of at most ``limit`` rows.

        A table that nothing was written to yet is empty. Raises QueryError for anything but one query that can be
        answered, LakeError where the tables cannot be read; either may come while the stream is read.
        """
        query = query.strip().rstrip(";")
        if limit is not None and limit < 0:
            raise QueryError(f"Found a limit of {limit} rows; it must be 0 or more. Give another or none.")
        if not _QUESTION.match(query) or clean_text(query) != query:
            raise self._refused("it is not a query in plain text", query)
        builder = self._session()
        try:
            _check_plan(builder, query)
            answer = pa.RecordBatchReader.from_stream(builder.execute(query))
        except (DeltaError, pa.ArrowException) as fault:
            raise self._blamed(fault, query) from fault
        return self._streamed(answer, query, limit)

    def _session(self, specs: Iterable[TableSpec] = tuple(TABLES.values())) -> QueryBuilder:
        builder = QueryBuilder()
        for spec in specs:
            table = self._table(spec)
            if table is not None:
                builder.register(spec.name, table)
            else:
                columns = ", ".join(f'{_null(field.type)} AS "{field.name}"' for field in spec.schema)
                builder.execute(f"CREATE VIEW {spec.name} AS SELECT {columns} WHERE FALSE")
        return builder

    def _streamed(self, answer: pa.RecordBatchReader, query: str, limit: int | None) -> pa.RecordBatchReader:
        names = _told_apart(answer.schema.names)
        kinds = [_plain(kind) for kind in answer.schema.types]
        schema = pa.schema(list(zip(names, kinds, strict=True)))

        def batches() -> Iterator[pa.RecordBatch]:
            left = limit
            with told(self.uri, writing=False):
                while left is None or left > 0:
                    try:
                        batch = answer.read_next_batch()
                    except StopIteration:
                        return
                    except pa.ArrowInvalid as fault:
                        raise self._blamed(fault, query) from fault
                    batch = batch if left is None else batch.slice(0, left)
                    left = None if left is None else left - batch.num_rows
                    pairs = zip(batch.columns, kinds, strict=True)
                    columns = [column.cast(kind, safe=False) for column, kind in pairs]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def _blamed(self, fault: Exception, query: str) -> TrendlarkError:
        """The error for a fault of the libraries, which call both of its causes alike: the lake or the question."""
        if _UNREAD.match(str(fault)):
            return as_lake_error(fault, self.uri, writing=False)
        return self._refused(brief(str(fault)), query)

    def _refused(self, reason: str, query: str) -> QueryError:
        named = [spec for spec in TABLES.values() if re.search(rf"\b{spec.name}\b", query)]
        columns = "".join(f" Columns of {spec.name}: {', '.join(spec.schema.names)}." for spec in named)
        return QueryError(
            f"Found SQL that the lake cannot answer: {reason}. Allowed is one SELECT over the tables "
            f"{', '.join(TABLES)}.{columns} Correct the query and ask again."
        )


def _check_plan(builder: QueryBuilder, query: str) -> None:
    # As a sub-query nothing but a query can be planned: no COPY, no DDL, no second statement.
    explained = builder.execute("\n".join(["EXPLAIN SELECT * FROM (", query, ") AS question"]))
    for batch in pa.RecordBatchReader.from_stream(explained):
        for row in batch.to_pylist():
            if "error" in row["plan_type"]:
                raise DeltaError(row["plan"])


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names of columns; one that comes again, as ``SELECT *`` over a join has it, is numbered."""
    found: dict[str, None] = {}
    for name in names:
        number, told = 1, name
        while told in found or (number > 1 and told in names):
            number += 1
            told = f"{name}_{number}"
        found[told] = None
    return list(found)


def _null(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"make_array({_null(kind.value_type)})"
    if pa.types.is_struct(kind):
        parts = ", ".join(f"'{field.name}', {_null(field.type)}" for field in kind)
        return f"named_struct({parts})"
    return f"arrow_cast(NULL, '{_NAMES[kind]}')"


def rows_of(answer: pa.RecordBatch | pa.Table) -> list[Row]:
    """Rows of an answer as dictionaries; QueryError where a value is none that Python knows."""
    try:
        return list(answer.to_pylist())
    except (ValueError, OverflowError) as fault:
        raise QueryError(
            f"Found a value that cannot be written ({brief(str(fault))}); times are of the years 1 to 9999 and texts "
            "are UTF-8. Leave it out, or ask for it as a number by CAST(... AS BIGINT)."
        ) from fault


def plain(table: pa.Table) -> pa.Table:
    """An Arrow table with the types that every reader of Arrow knows."""
    return table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type as every reader of Arrow knows it.

    Views, DataFusion's way of reading text, become text; nanoseconds, its way to tell what time it is, microseconds.
    """
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if kind in _MICROSECONDS:
        return _MICROSECONDS[kind]
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    return kind
