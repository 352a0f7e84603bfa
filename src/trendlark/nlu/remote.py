"""Models on ``s3://``: fetched once into a cache on this machine, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from trendlark.errors import ModelError


def fetch_folder(address: str, manifest_name: str) -> Path:
    """The local copy of an artefact on S3, fetched where none that is whole is here yet; raises ModelError.

    Credentials, region and endpoint come from the usual AWS_* variables. The copy lies under ``XDG_CACHE_HOME``
    (``~/.cache``) in a folder named by the manifest's SHA-256, so a model that changes is fetched anew.
    """
    try:
        return _local_copy(address, manifest_name)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"Found no model that can be fetched at {address} ({reason[:300]}); it is a folder with {manifest_name} "
            "and the files that it names, which the AWS_* credentials may read. Check the address and the credentials."
        ) from error


def _local_copy(address: str, manifest_name: str) -> Path:
    store, root = open_store(address)
    manifest = _read(store, f"{root}/{manifest_name}")
    digest = hashlib.sha256(manifest).hexdigest()
    target, files = _cache() / digest, {**json.loads(manifest)["files"], manifest_name: digest}
    if any(PurePosixPath(name).name != name for name in files):
        raise ValueError("its manifest names files outside the folder")
    if not _is_whole(target, files):
        _fetch(store, root, files, {manifest_name: manifest}, target)
    return target


def open_store(address: str) -> tuple[fs.S3FileSystem, str]:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options = {}
    if endpoint:
        scheme, _, host = endpoint.partition("://")
        options = {"scheme": scheme, "endpoint_override": host}
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        options["region"] = region
    root = address.partition("://")[2].rstrip("/")
    return fs.S3FileSystem(connect_timeout=10, request_timeout=60, **options), root


def _read(store: fs.S3FileSystem, path: str) -> bytes:
    with store.open_input_stream(path) as stream:
        return bytes(stream.read())


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trendlark" / "models"


def _is_whole(folder: Path, files: Mapping[str, str]) -> bool:
    """False also of a copy that was damaged since, as by a full disk: it would be refused for ever."""
    try:
        for name, expected in files.items():
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected.lower():
                    return False
    except FileNotFoundError:
        return False
    return True


def _fetch(
    store: fs.S3FileSystem, root: str, files: Mapping[str, str], read: Mapping[str, bytes], target: Path
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
        part = Path(scratch) / "model"
        part.mkdir()
        for name in files:
            (part / name).write_bytes(read[name] if name in read else _read(store, f"{root}/{name}"))
        if not _is_whole(target, files):
            with suppress(FileNotFoundError):
                target.rename(Path(scratch) / "damaged")
        try:
            part.rename(target)
        except OSError:
            # Another process may have been first; its copy is as good.
            if not target.is_dir():
                raise
