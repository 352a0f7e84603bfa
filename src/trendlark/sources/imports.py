"""Bringing tweets of one's own: any CSV, JSONL or Parquet file becomes part of a folder that replay plays.

Usual column names are found by themselves, those of the X API v2 and of its predecessor among them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.sources.rows import Row, Rows
from trendlark.sources.values import as_count, as_hour, as_language, as_moment, as_name, as_slug, as_text

# Where each field is looked for, the fullest form of it first.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "note_tweet.text",
        "note_post.text",
        "extended_tweet.full_text",
        "full_text",
        "text",
        "tweet",
        "content",
        "rawContent",
        "tweet_text",
        "body",
        "message",
        "texto",
    ),
    "id": ("id_str", "tweet_id", "id", "tweetid", "tweet id", "status_id"),
    "created_at": ("created_at", "date", "timestamp", "datetime", "created", "time", "fecha"),
    "lang": ("lang", "language", "idioma"),
    "author_id": ("author_id", "user_id", "user.id_str", "user.id", "author.id", "userid"),
    "author_handle": (
        "author_handle",
        "screen_name",
        "username",
        "user.screen_name",
        "user.username",
        "author.username",
        "handle",
        "user_screen_name",
    ),
    "likes": ("likes", "like_count", "public_metrics.like_count", "favorite_count", "likeCount", "favorites"),
    "reposts": (
        "reposts",
        "retweets",
        "repost_count",
        "retweet_count",
        "public_metrics.repost_count",
        "public_metrics.retweet_count",
        "retweetCount",
    ),
    "replies": ("replies", "reply_count", "public_metrics.reply_count", "replyCount"),
    "quotes": ("quotes", "quote_count", "public_metrics.quote_count", "quoteCount"),
    "url": ("url", "tweet_url", "permalink", "link"),
    "hour": ("hour",),
    "place": ("place",),
    "trend": ("trend",),
}
REFUSED = "refused"
_TOLD_EVERY_ROWS = 1000
_SHOWN_COLUMNS = 20
_ROUNDED = re.compile(r"\d([.,]\d+)?e\+\d+", re.IGNORECASE)


def _as_id(value: object) -> str | None:
    """A name, unless a spreadsheet has rounded it (1.59E+18): then others have the same."""
    name = as_name(value)
    return None if name is None or _ROUNDED.fullmatch(name) else name


_READERS: Mapping[str, Callable[[object], Any]] = {
    "lang": as_language,
    "author_id": _as_id,
    "author_handle": as_name,
    "likes": as_count,
    "reposts": as_count,
    "replies": as_count,
    "quotes": as_count,
    "url": as_name,
}

Progress = Callable[[int, float], None]
"""Told the rows read so far and the share of the file, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What came of an import; ``file`` is None if no row could be taken, ``refused_file`` if none was refused."""

    rows: int
    taken: int
    refused: int
    invalid_utf8: int
    ids_made: int
    file: Path | None
    refused_file: Path | None
    replaced: bool
    columns: Mapping[str, tuple[str, ...]]


class _RefusedRowError(Exception):
    """A row cannot be taken, for the reason in its message."""


def import_file(
    path: Path,
    folder: Path,
    *,
    columns: Mapping[str, str] | None = None,
    place: str | None = None,
    trend: str | None = None,
    hour: Hour | None = None,
    file_format: str | None = None,
    progress: Progress | None = None,
) -> ImportCounts:
    """Add a file's tweets to a replay folder; importing it again replaces them.

    ``columns`` names the column of a field where the usual names do not fit. ``place``, ``trend`` and
    ``hour`` hold for all rows, or, where ``columns`` names a column for them, for the rows that leave it
    empty. Rows without text, and rows that cannot be placed, go to a file in ``refused`` with their reason;
    where no row can be taken, what an earlier import brought stays.
    Raises InputError if the file or a column cannot be used, or the folder not be written.
    """
    place = None if place is None else _slug_given(place)
    rows = Rows(path, file_format)
    found = _resolve(rows, columns or {}, {"place": place, "trend": trend, "hour": hour})
    taker = _Taker(found, place, trend, hour)
    name = _import_name(path, place, trend, hour)
    target = folder / "tweets" / f"{name}.jsonl"
    refused_file = folder / REFUSED / f"{name}.jsonl"
    replaced = target.exists()
    count = taken = refused = 0
    with _written(folder, target) as tweets, _written(folder, refused_file) as refusals:
        for row in rows:
            count += 1
            try:
                tweets.write(json.dumps(taker.take(row), ensure_ascii=False) + "\n")
                taken += 1
            except _RefusedRowError as error:
                note = {"import": name, "line": row.number, "reason": str(error), "raw": row.as_found()}
                refusals.write(json.dumps(note) + "\n")
                refused += 1
            if progress and count % _TOLD_EVERY_ROWS == 0:
                progress(count, rows.share_read)
    if progress:
        progress(count, 1.0)
    if not refused:
        refused_file.unlink(missing_ok=True)
    return ImportCounts(
        rows=count,
        taken=taken,
        refused=refused,
        invalid_utf8=rows.invalid_utf8,
        ids_made=taker.ids_made,
        file=target if taken else None,
        refused_file=refused_file if refused else None,
        replaced=replaced and taken > 0,
        columns=found,
    )


class _Taker:
    def __init__(
        self,
        columns: Mapping[str, tuple[str, ...]],
        place: str | None,
        trend: str | None,
        hour: Hour | None,
    ) -> None:
        self.ids_made = 0
        self._columns = columns
        self._place = place
        self._trend = trend
        self._hour = hour
        self._twins: dict[bytes, int] = {}

    def take(self, row: Row) -> dict[str, Any]:
        if row.trouble:
            raise _RefusedRowError(row.trouble)
        text = as_text(self._value(row, "text"))
        if text is None or not text.strip():
            raise _RefusedRowError("the row has no text")
        created_at = as_moment(self._value(row, "created_at"))
        hour = as_hour(self._value(row, "hour")) or self._hour or (created_at and Hour.of(created_at))
        place = as_name(self._value(row, "place")) or self._place
        trend = as_name(self._value(row, "trend")) or self._trend
        if hour is None:
            raise _RefusedRowError(f"the row has no usable hour and no usable time{self._of_times(row)}")
        if place is None or trend is None:
            raise _RefusedRowError(f"the row has no {'place' if place is None else 'trend'}")
        slug = as_slug(place)
        if slug is None:
            raise _RefusedRowError(f"the place {place[:60]!r} is not of the letters a-z, digits and hyphens")
        tweet: dict[str, Any] = {"hour": str(hour), "place": slug, "trend": trend, "id": "", "text": text}
        if created_at is not None:
            tweet["created_at"] = created_at.isoformat()
        for field, read in _READERS.items():
            value = read(self._value(row, field))
            if value is not None:
                tweet[field] = value
        tweet["id"] = _as_id(self._value(row, "id")) or self._made_id(tweet)
        return tweet

    def _of_times(self, row: Row) -> str:
        found = [value for field in ("hour", "created_at") if (value := self._value(row, field)) is not None]
        if not found:
            return ""
        told = " and ".join(f"{value!r:.40}" for value in found)
        return (
            f": {told} {'are' if len(found) > 1 else 'is'} none, a time is written like 2026-11-23T07:05:00Z"
        )

    def _value(self, row: Row, field: str) -> Any:
        for column in self._columns.get(field, ()):
            value = row.get(column)
            if value is not None and value != "":
                return value
        return None

    def _made_id(self, tweet: Mapping[str, Any]) -> str:
        # The same words twice are two tweets, so the second one of a kind is numbered.
        parts = [tweet.get(key) for key in ("text", "created_at", "author_id", "author_handle", "trend")]
        kind = hashlib.sha256(json.dumps(parts).encode()).digest()[:12]
        number = self._twins[kind] = self._twins.get(kind, 0) + 1
        self.ids_made += 1
        return f"h{kind.hex()}" + (f"-{number}" if number > 1 else "")


def _slug_given(place: str) -> str:
    if slug := as_slug(place):
        return slug
    raise InputError(
        f"Found --place {place!r}; a place is written with the letters a-z, digits and hyphens, such as es or "
        "buenos-aires. Write it so."
    )


def _resolve(
    rows: Rows, chosen: Mapping[str, str], given: Mapping[str, object]
) -> Mapping[str, tuple[str, ...]]:
    unknown = [field for field in chosen if field not in USUAL_NAMES]
    if unknown:
        raise InputError(
            f"Found {', '.join(map(repr, unknown))} as a field of --column; fields are "
            f"{', '.join(USUAL_NAMES)}. Write --column FIELD=COLUMN."
        )
    for field, name in chosen.items():
        if name not in rows.columns:
            raise _no_column(rows, repr(name), field)
    found: dict[str, tuple[str, ...]] = {}
    for field in USUAL_NAMES:
        if field in chosen:
            found[field] = (chosen[field],)
        elif given.get(field) is None:
            found[field] = usual_columns(rows, field)
    _check_found(rows, found)
    return found


def _check_found(rows: Rows, found: Mapping[str, tuple[str, ...]]) -> None:
    if not found["text"]:
        raise _no_column(rows, "for the text", "text")
    for field in ("place", "trend"):
        if field in found and not found[field]:
            raise InputError(
                f"Found neither a {field} nor a column for it in {rows.path}, which has {_listed(rows)}. "
                f"Give --{field} NAME or --column {field}=COLUMN."
            )
    if "hour" in found and not found["hour"] and not found["created_at"]:
        raise InputError(
            f"Found no time in {rows.path}, which has {_listed(rows)}; a tweet belongs to an hour. "
            "Give --hour 2026-11-23T07, --column created_at=COLUMN or --column hour=COLUMN."
        )


def usual_columns(rows: Rows, field: str) -> tuple[str, ...]:
    """The columns of a file under which a field is usually found, the fullest form first; empty if none is."""
    names = USUAL_NAMES[field]
    by_folded = {column.casefold(): column for column in reversed(rows.columns)}
    present = {name: by_folded[name.casefold()] for name in names if name.casefold() in by_folded}
    if rows.file_format == "jsonl" and present:  # later lines may have fields that the first ones lack
        return tuple(present.get(name, name) for name in names)
    return tuple(present.values())


def _no_column(rows: Rows, what: str, field: str) -> InputError:
    return InputError(
        f"Found no column {what} in {rows.path}; it has {_listed(rows)}. "
        f"Name the right one with --column {field}=COLUMN."
    )


def _listed(rows: Rows) -> str:
    more = len(rows.columns) - _SHOWN_COLUMNS
    return ", ".join(rows.columns[:_SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _import_name(path: Path, place: str | None, trend: str | None, hour: Hour | None) -> str:
    digest = hashlib.sha256(f"{place}\n{trend}\n{hour}\n".encode("utf-8", errors="replace"))
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in path.name.split(".")[0])
    return f"{stem[:40] or 'import'}-{digest.hexdigest()[:12]}"


@contextmanager
def _written(folder: Path, target: Path) -> Iterator[IO[str]]:
    """A file that takes its name only once it is whole; one that stays empty takes none, and changes nothing."""
    temporary: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="\n",
            dir=folder,
            prefix=".import-",
            suffix=".tmp",
            delete=False,
        ) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if temporary.stat().st_size:
            temporary.chmod(0o644)
            target.parent.mkdir(exist_ok=True)
            temporary.replace(target)
    except OSError as error:
        raise InputError(
            f"Found that {folder} cannot be written ({error.strerror}); an import needs a writable "
            "folder with room. Free some or choose another folder; nothing was imported."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
