"""The index of a folder of recorded tweets: where the lines of each hour, place and trend lie.

A folder of recordings (the format is told in docs/sources.md):

    about.json             optional, for people; not read
    trends.jsonl           optional: {"hour", "place", "rank", "name", "volume"?} on each line
    tweets.jsonl           and/or
    tweets/*.jsonl         {"hour"?, "place", "trend", "id", "text", "created_at"?, "author_id"?,
                           "author_handle"?, "lang"?, "likes"?, "reposts"?, "replies"?, "quotes"?, "url"?}

Every file may be gzipped (``.jsonl.gz``). The index holds byte offsets (16 bytes a tweet), never the texts.
Lines that cannot be placed are refused in the hour and place of the line before them (of the line after
them where there is none before), so that each is shown once.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from trendlark.errors import InputError, UnavailableError
from trendlark.hours import Hour
from trendlark.records import Refusal
from trendlark.sources.values import (
    LARGEST_RANK,
    as_count,
    as_hour,
    as_name,
    as_rank,
    as_slug,
    as_text,
    read_json,
)

_OFFSET_BITS = 44
_SHARED = 1 << 63  # beside file and offset: the id has another text in another trend
_RAW_SHOWN = 4000

Spot = tuple[Hour, str]
_Take = Callable[[object, int, int], Spot]


@dataclass(frozen=True, slots=True)
class Listed:
    """A trend as ``trends.jsonl`` names it."""

    rank: int
    name: str
    volume: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file as text, without its end; ``where`` is the file and the line number.

    ``shared`` says that another trend of the hour has another text under the id, as where files number their rows.
    """

    where: str
    text: str
    shared: bool = False


@dataclass(slots=True)
class _Lines:
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    # Of the hour and id, and of the text; gone once it is known which ids are shared.
    ids: array[int] = field(default_factory=lambda: array("q"))
    texts: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class _File:
    label: str
    given: Path
    plain: Path
    stamp: tuple[int, int]


class Recording:
    """A folder, indexed once.

    Raises InputError where it holds no tweets or trends at all, UnavailableError where a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fingerprint = fingerprint(folder)
        self._unpacked: Path | None = None
        self._removal: finalize[..., Recording] | None = None
        self._files: list[_File] = []
        self._tweets: dict[tuple[Hour, str, str], _Lines] = {}
        self._listed: dict[Spot, dict[str, Listed]] = {}
        self._refused: dict[Spot, list[Refusal]] = {}
        self._adrift: list[Refusal] = []
        self._last: Spot | None = None
        try:
            with _failures_told(folder):
                for path in _tables(folder, "trends"):
                    self._index(path, self._take_trend)
                for path in _tables(folder, "tweets"):
                    self._index(path, self._take_tweet)
            self._check()
            _mark_shared(list(self._tweets.values()))
        except BaseException:
            self.close()
            raise

    @property
    def hours(self) -> tuple[Hour, ...]:
        """The hours that hold anything, in order."""
        spots = {hour for hour, _, _ in self._tweets} | {hour for hour, _ in self._listed}
        return tuple(sorted(spots))

    @property
    def places(self) -> tuple[str, ...]:
        """The places that hold anything, by name."""
        return tuple(sorted({place for _, place, _ in self._tweets} | {place for _, place in self._listed}))

    def trends(self, hour: Hour, place: str) -> list[Listed]:
        """Trends by rank; those with tweets that ``trends.jsonl`` leaves out follow, most tweets first."""
        listed = sorted(self._listed.get((hour, place), {}).values(), key=lambda trend: trend.rank)
        known = {trend.name for trend in listed}
        counts = {
            name: len(lines.offsets)
            for (at, where, name), lines in self._tweets.items()
            if at == hour and where == place and name not in known
        }
        rank = max((trend.rank for trend in listed), default=0)
        for name in sorted(counts, key=lambda name: (-counts[name], name)):
            rank = min(rank + 1, LARGEST_RANK)
            listed.append(Listed(rank, name, None))
        return listed

    def refusals(self, hour: Hour, place: str) -> list[Refusal]:
        """Lines that could not be placed, found among those of this hour and place."""
        return self._refused.get((hour, place), [])

    def count(self, hour: Hour, place: str, trend: str) -> int:
        """How many tweets are recorded of a trend."""
        lines = self._tweets.get((hour, place, trend))
        return len(lines.offsets) if lines else 0

    def read(self, hour: Hour, place: str, trend: str, start: int, stop: int) -> list[Line]:
        """The tweet lines ``start`` to ``stop`` of a trend.

        Raises UnavailableError if a file has changed or cannot be read.
        """
        lines = self._tweets.get((hour, place, trend), _Lines())
        found = []
        with ExitStack() as opened, _failures_told(self.folder):
            handles: dict[int, BinaryIO] = {}
            for packed, number in zip(lines.offsets[start:stop], lines.numbers[start:stop], strict=True):
                index, offset = (packed & ~_SHARED) >> _OFFSET_BITS, packed & ((1 << _OFFSET_BITS) - 1)
                if index not in handles:
                    handles[index] = opened.enter_context(self._open(self._files[index]))
                handles[index].seek(offset)
                text = _decode(handles[index].readline())
                found.append(Line(f"{self._files[index].label}:{number}", text, bool(packed & _SHARED)))
        return found

    def close(self) -> None:
        """Remove the unpacked copies."""
        if self._removal is not None:
            self._removal()

    def _place_to_unpack(self) -> Path:
        if self._unpacked is None:
            try:
                self._unpacked = Path(mkdtemp(prefix="trendlark-replay-"))
            except OSError as error:
                raise _not_unpacked(self.folder, error) from error
            self._removal = finalize(self, shutil.rmtree, self._unpacked, ignore_errors=True)
        return self._unpacked

    def _open(self, file: _File) -> BinaryIO:
        if _stamp(file.given) != file.stamp:
            raise UnavailableError(
                f"Found {file.given} changed while it was played; a recording must stay as it is until the "
                "hour is done. Run the hour again."
            )
        return file.plain.open("rb")

    def _index(self, path: Path, take: _Take) -> None:
        index, stamp = len(self._files), _stamp(path)
        label = _label(path.relative_to(self.folder).as_posix())
        plain, trouble = path, None
        if path.suffix == ".gz":
            plain = self._place_to_unpack() / f"{index}.jsonl"
            trouble = _unpack(path, plain)
        self._files.append(_File(label, path, plain, stamp))
        spot: Spot | None = None
        with plain.open("rb") as lines:
            for number, offset, line in _numbered(lines):
                text = _decode(line)
                if not text:
                    continue
                try:
                    spot = take(read_json(text), index << _OFFSET_BITS | offset, number)
                except ValueError as error:
                    self._refuse(spot, f"{label}:{number}: {error}", text)
                else:
                    self._land(spot)
        if trouble:
            self._refuse(spot, f"{label}: {trouble}", "")

    def _refuse(self, spot: Spot | None, reason: str, raw: str) -> None:
        refusal = Refusal(reason, raw[:_RAW_SHOWN])
        if spot is None:
            self._adrift.append(refusal)
        else:
            self._refused.setdefault(spot, []).append(refusal)

    def _land(self, spot: Spot) -> None:
        self._last = spot
        if self._adrift:
            self._refused.setdefault(spot, []).extend(self._adrift)
            self._adrift = []

    def _take_trend(self, record: object, _packed: int, _number: int) -> Spot:
        hour, place, name = _place_of(record, "name")
        values = record if isinstance(record, dict) else {}
        rank = as_rank(values.get("rank"))
        if rank is None:
            raise ValueError(bad_rank(values.get("rank")))
        listed = self._listed.setdefault((hour, place), {})
        if name in listed:
            raise ValueError(f"the trend {name!r} is listed twice for {hour} in {place}")
        listed[name] = Listed(rank, name, as_count(values.get("volume")))
        return hour, place

    def _take_tweet(self, record: object, packed: int, number: int) -> Spot:
        hour, place, name = _place_of(record, "trend")
        values = record if isinstance(record, dict) else {}
        lines = self._tweets.setdefault((hour, place, name), _Lines())
        lines.offsets.append(packed)
        lines.numbers.append(number)
        lines.ids.append(hash((hour.index, as_name(values.get("id")))))
        lines.texts.append(hash(as_text(values.get("text"))))
        return hour, place

    def _check(self) -> None:
        if self._last is None:
            refused = (
                f" {len(self._adrift)} lines were refused, the first: {self._adrift[0].reason}."
                if self._adrift
                else ""
            )
            raise InputError(
                f"Found no recorded tweets in {self.folder}; a recording holds tweets.jsonl or "
                f"tweets/*.jsonl (docs/sources.md). Make one with `trendlark import`.{refused}"
            )
        self._land(self._last)


def _mark_shared(groups: Sequence[_Lines]) -> None:
    """Mark the lines whose id is that of another text in another trend or place of the hour."""
    shared = _shared_ids(groups)
    for lines in groups:
        if len(shared):
            for at in np.flatnonzero(np.isin(np.array(lines.ids), shared)):
                lines.offsets[at] |= _SHARED
        lines.ids, lines.texts = array("q"), array("q")


def _shared_ids(groups: Sequence[_Lines]) -> NDArray[np.int64]:
    none = np.array([], dtype=np.int64)
    found, read = [none], [none]
    for lines in groups:
        # Within a trend the first tweet of an id counts.
        ids, first = np.unique(np.array(lines.ids), return_index=True)
        found.append(ids)
        read.append(np.array(lines.texts)[first])
    ids, texts = np.concatenate(found), np.concatenate(read)
    order = np.lexsort((texts, ids))
    ids, texts = ids[order], texts[order]
    return np.unique(ids[1:][(ids[1:] == ids[:-1]) & (texts[1:] != texts[:-1])])


def bad_rank(found: object) -> str:
    """Why a rank is refused."""
    return f"rank is {found!r:.60}; it is a whole number from 1 to {LARGEST_RANK}"


def fingerprint(folder: Path) -> str:
    """Eight digits that change when a file of the folder does.

    Raises InputError if it is no folder, UnavailableError if it cannot be read.
    """
    with _failures_told(folder):
        if not folder.is_dir():
            raise InputError(
                f"Found no folder {folder}; replay_folder names a folder of recorded tweets (docs/sources.md). "
                "Make one with `trendlark import`."
            )
        stamps = [
            f"{path.relative_to(folder)} {_stamp(path)}"
            for path in (*_tables(folder, "trends"), *_tables(folder, "tweets"))
        ]
    return f"{zlib.crc32(chr(10).join(stamps).encode(errors='surrogateescape')):08x}"


def _tables(folder: Path, table: str) -> list[Path]:
    found = [folder / f"{table}.jsonl", folder / f"{table}.jsonl.gz"]
    if table == "tweets" and (folder / table).is_dir():
        inside = sorted((folder / table).iterdir())  # glob would take a folder that may not be read as empty
        for ending in (".jsonl", ".jsonl.gz"):
            found += [path for path in inside if path.name.endswith(ending)]
    return [path for path in found if path.is_file()]


def _label(name: str) -> str:
    # A file may be named with anything, also with the tab and the line end that part a page.
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


@contextmanager
def _failures_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"Found that {error.filename or folder} cannot be read ({error.strerror or error}); a recording must "
            "be readable and stay as it is until the hour is done. See to that and run the hour again."
        ) from error


def _unpack(path: Path, plain: Path) -> str | None:
    with path.open("rb") as stored:
        try:
            with gzip.open(stored, "rb") as packed, plain.open("wb") as target:
                while chunk := packed.read1(1 << 16):  # read() would throw away what came before the break
                    target.write(chunk)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return f"the gzip file is broken, what follows is lost ({error})"
        except OSError as error:
            raise _not_unpacked(path, error) from error
    return None


def _not_unpacked(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"Found that {path} cannot be unpacked ({error.strerror or error}); it must be readable, and the "
        "temporary folder have room for it. Free some or set TMPDIR, and run the hour again."
    )


def _numbered(lines: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    for number, line in enumerate(lines, start=1):
        yield number, offset, line
        offset += len(line)


def _decode(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip("\ufeff \t\r\n")


def _place_of(record: object, name_key: str) -> tuple[Hour, str, str]:
    if not isinstance(record, dict):
        raise ValueError("the line is not a JSON object")  # noqa: TRY004 - a reason, not a bug
    hour = as_hour(record.get("hour"))
    if hour is None and record.get("hour") is None:
        hour = as_hour(record.get("created_at"))
    if hour is None:
        raise ValueError("it has no usable hour (2026-11-23T07) and no usable created_at to derive it from")
    place, name = as_name(record.get("place")), as_name(record.get(name_key))
    if place is None or name is None:
        raise ValueError(f"it has no {'place' if place is None else name_key}")
    slug = as_slug(place)
    if slug is None:
        raise ValueError(f"the place {place[:60]!r} is not of the letters a-z, digits and hyphens")
    return hour, slug, name
