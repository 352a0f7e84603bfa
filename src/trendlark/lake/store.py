"""Where the tables lie and how one is opened, made and committed to, on disk and on S3 alike."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from trendlark.errors import LakeError, LakeFullError
from trendlark.lake.faults import as_lake_error, denied, read_only, told
from trendlark.lake.tables import SCHEMA_KEY, SCHEMA_VERSION, TABLES, TableSpec

_T = TypeVar("_T")

COMMIT_ATTEMPTS = 12
_LONGEST_PAUSE_SECONDS = 2.0
_SPARE_BYTES = 64 * 1024
_SCHEMES = ("s3", "s3a")
# Tried with deltalake 1.6: tables under such names are misread (#, ?, %41) or bring it down ([, |, ^).
_UNFIT = re.compile(r"[#?%\[\]|^\\\x00-\x1f\x7f]")


class Store:
    """The tables of one lake by name; nothing is remembered between two operations."""

    def __init__(self, uri: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._folder = local_folder(uri)
        self.uri = uri.rstrip("/") if self._folder is None else str(self._folder)
        self._options = _storage_options(storage_options) if self._folder is None else {}

    def check(self) -> None:
        """Raise LakeError where there can be no lake: a file, a folder of something else, no bucket."""
        if self._folder is None:
            self._table(TABLES["trends"])
        else:
            _check_folder(self._folder)

    def stamp(self, *names: str) -> str:
        """What changes whenever one of these tables does: their ids and versions, in the order given."""
        found = [(name, self._table(TABLES[name])) for name in names]
        return ",".join(
            f"{name}:{table.metadata().id}:{table.version()}" if table is not None else f"{name}:none"
            for name, table in found
        )

    def _address(self, name: str) -> str:
        return f"{self.uri}/{name}"

    def _table(self, spec: TableSpec) -> DeltaTable | None:
        if self._folder is not None and not _has_log(self._folder / spec.name):
            return None
        with told(self.uri, writing=False):
            try:
                table = DeltaTable(self._address(spec.name), storage_options=self._options)
            except TableNotFoundError:
                return None
            _check_version(table, spec, self.uri)
            return table

    def _table_to_write(self, spec: TableSpec) -> DeltaTable:
        if self._folder is not None:
            _check_writable(self._folder)
        table = self._table(spec)
        if table is not None:
            return table
        self.check()
        try:
            return DeltaTable.create(
                self._address(spec.name),
                spec.schema,
                partition_by=[spec.partition],
                name=spec.name,
                description=spec.description,
                configuration=spec.configuration(),
                storage_options=self._options,
                raise_if_key_not_exists=False,
            )
        except (DeltaError, OSError) as fault:
            # Another writer may have made it between our look and our try.
            table = self._table(spec)
            if table is None:
                raise as_lake_error(fault, self.uri, writing=True) from fault
            return table

    def _commit(self, spec: TableSpec, attempt: Callable[[DeltaTable], _T]) -> _T:
        """Run ``attempt`` on the newest version, again from the start whenever another writer was first."""
        lost: CommitFailedError | None = None
        for number in range(COMMIT_ATTEMPTS):
            table = self._table_to_write(spec)
            try:
                with told(self.uri, writing=True):
                    return attempt(table)
            except CommitFailedError as fault:
                lost = fault
                pause(number)
        raise as_lake_error(lost or CommitFailedError(), self.uri, writing=True) from lost

    def _check_space(self, size_bytes: int) -> None:
        if self._folder is None:
            return
        free_bytes = shutil.disk_usage(_existing(self._folder)).free
        if free_bytes < size_bytes + _SPARE_BYTES:
            raise LakeFullError(
                f"Found {free_bytes // 1024} KiB free for the lake {self.uri}; this commit may need "
                f"{(size_bytes + _SPARE_BYTES) // 1024} KiB and was not begun. Free some space or give "
                "TRENDLARK_LAKE a bigger place, then run again."
            )


def local_folder(uri: str) -> Path | None:
    """The folder that a lake's address means; ``None`` for one on S3."""
    if not uri.strip():
        raise LakeError("Found an empty lake address; give a folder or s3://bucket/prefix as TRENDLARK_LAKE.")
    if strange := sorted(set(_UNFIT.findall(uri))):
        raise LakeError(
            f"Found {' '.join(map(repr, strange))} in the lake's address {uri!r}; Delta Lake cannot keep tables "
            "under such names. Rename the folder or give TRENDLARK_LAKE another one."
        )
    scheme, separator, _ = uri.partition("://")
    if not separator:
        return Path(os.path.abspath(Path(uri).expanduser()))  # noqa: PTH100 - resolve() would follow links
    if scheme == "file":
        return Path(urlsplit(uri).path)
    if scheme in _SCHEMES and urlsplit(uri).netloc:
        return None
    raise LakeError(
        f"Found {uri!r} as the lake's address; a folder or s3://bucket/prefix is allowed. "
        "Correct TRENDLARK_LAKE."
    )


def pause(number: int) -> None:
    """Wait a little longer after each lost race, never in step with the others."""
    time.sleep(min(_LONGEST_PAUSE_SECONDS, 0.02 * 2**number) * random.uniform(0.5, 1.5))  # noqa: S311


def _storage_options(given: Mapping[str, str] | None) -> dict[str, str]:
    options = dict(given or {})
    lowered = {key.lower(): value for key, value in options.items()}
    endpoint = (
        lowered.get("aws_endpoint_url")
        or lowered.get("endpoint_url")
        or os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or ""
    )
    if endpoint.startswith("http://") and not {"allow_http", "aws_allow_http"} & lowered.keys():
        options["allow_http"] = "true"
    if endpoint and not {"aws_endpoint_url", "endpoint_url"} & lowered.keys():
        options["aws_endpoint_url"] = endpoint
    return options


def _has_log(table: Path) -> bool:
    try:
        os.stat(table / "_delta_log")  # noqa: PTH116 - Path.exists() would hide a missing permission
    except FileNotFoundError:
        return False
    except NotADirectoryError as fault:
        raise _file_in_the_way(table.parent if table.parent.is_file() else table) from fault
    except PermissionError as fault:
        raise denied(str(table.parent), writing=False) from fault
    return True


def _file_in_the_way(path: Path) -> LakeError:
    return LakeError(
        f"Found the file {path} where the lake should be; a lake is a folder or s3://bucket/prefix. "
        "Give TRENDLARK_LAKE a folder, which may not exist yet."
    )


def _check_folder(folder: Path) -> None:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        if any(parent.is_file() for parent in folder.parents):
            raise _file_in_the_way(next(p for p in folder.parents if p.is_file())) from None
        return
    except NotADirectoryError as fault:
        raise _file_in_the_way(folder) from fault
    except PermissionError as fault:
        raise denied(str(folder), writing=False) from fault
    strangers = [name for name in names if not name.startswith(".") and name != "lost+found"]
    if strangers and not TABLES.keys() & set(strangers):
        raise LakeError(
            f"Found {', '.join(strangers[:3])}{' and more' if len(strangers) > 3 else ''} in {folder} and no "
            f"table of a lake; a lake has its folder to itself. Give TRENDLARK_LAKE a new or empty folder, "
            f"such as {folder / 'lake'}."
        )


def _existing(folder: Path) -> Path:
    # Not Path.exists(), which raises where a folder above may not be entered.
    return next((path for path in (folder, *folder.parents) if os.path.exists(path)), folder)  # noqa: PTH110


def _check_writable(folder: Path) -> None:
    # Asked first, because the libraries below report it late and with noise.
    there = _existing(folder)
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        raise read_only(str(folder))
    if not os.access(there, os.W_OK | os.X_OK):
        raise denied(str(folder), writing=os.access(there, os.X_OK | os.R_OK))


def _check_version(table: DeltaTable, spec: TableSpec, uri: str) -> None:
    found = table.metadata().configuration.get(SCHEMA_KEY, "")
    if found == str(SCHEMA_VERSION):
        return
    if found.isdecimal() and int(found) > SCHEMA_VERSION:
        raise LakeError(
            f"Found the table {spec.name} of the lake {uri} in form {found}, made by a newer Trendlark; "
            f"this one knows forms up to {SCHEMA_VERSION}. Update trendlark, or use another lake."
        )
    raise LakeError(
        f"Found a table {spec.name} in {uri} that Trendlark did not make; a lake has its folder to itself. "
        "Give TRENDLARK_LAKE another folder."
    )
