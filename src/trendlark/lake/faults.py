"""What Delta Lake, Arrow and the file system report, told as one sentence of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError

from trendlark.errors import LakeConflictError, LakeError, LakeFullError, LakeReadOnlyError

LAKE_FAULTS = (DeltaError, OSError, pa.ArrowException)

_FULL = re.compile(
    r"No space left on device|Disk quota exceeded|os error (28|122)\b|Errno (28|122)\b|QuotaExceeded"
)
_READ_ONLY = re.compile(r"Read-only file system|ReadOnlyFilesystem|os error 30\b|Errno 30\b")
_DENIED = re.compile(
    r"Permission denied|Operation not permitted|AccessDenied|os error (13|1)\b|403 Forbidden"
)
_NO_BUCKET = re.compile(r"NoSuchBucket")
_NO_CREDENTIALS = re.compile(
    r"InvalidAccessKeyId|SignatureDoesNotMatch|169\.254\.169\.254|credentials?.{0,40}(not|missing)"
)
_UNREACHABLE = re.compile(r"error sending request|Connection refused|dns error|timed out", re.IGNORECASE)
_SHOWN_CHARACTERS = 240

_SENTENCES: tuple[tuple[re.Pattern[str], type[LakeError], str], ...] = (
    (
        _FULL,
        LakeFullError,
        (
            "Found no space left for the lake {uri}; what was being written is not part of it, all before is. "
            "Free some space or give TRENDLARK_LAKE a bigger place, then run again."
        ),
    ),
    (
        _NO_BUCKET,
        LakeError,
        (
            "Found no bucket for the lake {uri}; a lake on S3 needs a bucket that exists. "
            "Create the bucket or correct TRENDLARK_LAKE."
        ),
    ),
    (
        _NO_CREDENTIALS,
        LakeError,
        (
            "Found no valid credentials for the lake {uri}; S3 needs a key pair or a role. "
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or run with a role that may use the bucket."
        ),
    ),
    (
        _UNREACHABLE,
        LakeError,
        (
            "Found nobody answering for the lake {uri}; its storage must be reachable. "
            "Check the network and AWS_ENDPOINT_URL, then run again."
        ),
    ),
)


@contextmanager
def told(uri: str, *, writing: bool) -> Iterator[None]:
    """Turn every fault of the libraries inside into a LakeError; a lost race stays ``CommitFailedError``."""
    try:
        yield
    except LAKE_FAULTS as fault:
        error = as_lake_error(fault, uri, writing=writing)
        if isinstance(error, LakeConflictError):
            raise
        raise error from fault


def as_lake_error(fault: Exception, uri: str, *, writing: bool) -> LakeError:
    """The LakeError that says what happened, what is needed and what to do."""
    message = str(fault)
    if _READ_ONLY.search(message):
        return read_only(uri)
    if _DENIED.search(message):
        return denied(uri, writing=writing)
    for pattern, kind, sentence in _SENTENCES:
        if pattern.search(message):
            return kind(sentence.format(uri=uri))
    if isinstance(fault, CommitFailedError):
        return LakeConflictError(
            f"Found other writers at the lake {uri} who kept committing first; one at a time can change an "
            "hour. Nothing was written; run again when they are done."
        )
    return LakeError(_other(fault).format(uri=uri, can="writable" if writing else "readable"))


def _other(fault: Exception) -> str:
    message = brief(str(fault)).replace("{", "{{").replace("}", "}}")
    if isinstance(fault, DeltaProtocolError):
        return (
            f"Found a table in the lake {{uri}} with Delta features that are not known here ({message}); "
            "plain ones are. Update trendlark, or write the lake without these features."
        )
    return (
        f"Found the lake {{uri}} not {{can}}: {message}. It must be a folder or s3:// address with "
        "the tables of Trendlark alone. Look at it with `trendlark lake info`."
    )


def read_only(uri: str) -> LakeReadOnlyError:
    """The error for a lake on a read-only file system."""
    return LakeReadOnlyError(
        f"Found the lake {uri} read-only; it can be read but nothing can be written. "
        "Make it writable or give TRENDLARK_LAKE another place."
    )


def denied(uri: str, *, writing: bool) -> LakeError:
    """The error for missing rights."""
    if writing:
        return LakeReadOnlyError(
            f"Found no permission to write to the lake {uri}; this user may not change it. "
            "Give this user the right to write there or give TRENDLARK_LAKE another place."
        )
    return LakeError(
        f"Found no permission to read the lake {uri}; this user may not open it. "
        "Give this user the right to read there or give TRENDLARK_LAKE another place."
    )


def brief(message: str) -> str:
    """A library's message on one line, without colour codes, cut to a readable length."""
    plain = re.sub(r"\x1b\[[0-9;]*m|↳", "", message)
    line = " ".join(plain.split()).rstrip(".")
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
