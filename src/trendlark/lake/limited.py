"""SQL for strangers: a query runs in a process of its own, with limits of rows, time, memory and size of the answer.

DataFusion can neither be stopped from outside nor held to all of its memory, and a process can: it is killed when its
time is over, and the system refuses it more memory than it may have. Run as ``python -m trendlark.lake.limited``,
this module is that process: a question as JSON on standard input, the answer as JSON on standard output.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from trendlark.errors import LakeError, QueryError, TrendlarkError
from trendlark.lake import open_lake
from trendlark.lake.query import rows_of
from trendlark.records import finite

MOST_BYTES = 10_000_000
_FOUND_WRONG = 3
_SPILL_BYTES = 256 * 1024 * 1024
# What a process says whose memory is refused, where it is not ended by a signal.
_NO_MEMORY = (
    b"MemoryError",
    b"annot allocate memory",
    b"Resource temporarily unavailable",
    b"PanicException",
)
_LOG = logging.getLogger("trendlark.lake")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may use."""

    rows: int
    seconds: float
    memory_mb: int


def ask(uri: str, query: str, limits: Limits) -> bytes:
    """The answer as JSON: ``columns``, ``rows`` as lists, and ``truncated`` where there were more rows.

    Raises QueryError for SQL that the lake cannot answer or that needs more than the limits, LakeError where the
    lake cannot be read, TrendlarkError where the process fails by itself.
    """
    question = json.dumps({"uri": uri, "query": query, "limits": asdict(limits)}).encode()
    # Without the folder of the server (-P): it may hold somebody's random.py, which would be imported for Python's.
    command = [sys.executable, "-P", "-m", "trendlark.lake.limited"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module; what a caller sends comes on its standard input
            command, input=question, capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise QueryError(
            f"Found a query that was not answered in {limits.seconds:g} seconds, which is the most; narrow it, "
            "by hour for example, or ask for less."
        ) from None
    if done.returncode == 0:
        return done.stdout
    if done.returncode == _FOUND_WRONG:
        told = json.loads(done.stdout)
        raise (QueryError if told["query"] else LakeError)(told["sentence"])
    if done.returncode > 0 and not any(said in done.stderr for said in _NO_MEMORY):
        # The place of the failure, not its message, which may quote a tweet.
        places = [
            line.strip().decode(errors="replace") for line in done.stderr.splitlines() if b'File "' in line
        ]
        _LOG.error("The process of a query ended with %d: %r", done.returncode, places)
        raise TrendlarkError(
            "Found that the process of the query failed, which is no fault of the query; the log of the server says "
            "where. Ask again, or tell who runs the server."
        )
    raise QueryError(
        f"Found a query that needs more than {limits.memory_mb:,} MB of memory, which is the most; narrow it, "
        "by hour for example, or ask for fewer columns."
    )


def main() -> int:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    limits = Limits(**asked["limits"])
    _hold_to(limits)
    try:
        answer = _answer(asked["uri"], asked["query"], limits)
    except TrendlarkError as error:
        told = {"query": isinstance(error, QueryError), "sentence": str(error)}
        sys.stdout.write(json.dumps(told))
        return _FOUND_WRONG
    sys.stdout.write(answer)
    return 0


def _hold_to(limits: Limits) -> None:
    try:
        import resource  # noqa: PLC0415 - only Unix has it
    except ImportError:
        return
    # Of its data, not of its addresses: libraries reserve far more addresses than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_mb * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_SPILL_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(uri: str, query: str, limits: Limits) -> str:
    reader = open_lake(uri).sql(query, limits.rows + 1)
    rows: list[str] = []
    size = 0
    for batch in reader:
        for row in rows_of(batch):
            values = [finite(value) for value in row.values()]
            rows.append(json.dumps(values, ensure_ascii=False, default=_plain))
            size += len(rows[-1])
            if size > MOST_BYTES:
                raise QueryError(
                    f"Found an answer of more than {MOST_BYTES:,} characters, which is the most; ask for fewer rows "
                    "or columns."
                )
    kept = ",".join(rows[: limits.rows])
    more = json.dumps(len(rows) > limits.rows)
    return f'{{"columns": {json.dumps(reader.schema.names)}, "rows": [{kept}], "truncated": {more}}}'


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


if __name__ == "__main__":
    sys.exit(main())
