"""Models on ``s3://``: fetched once into a cache on this machine, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from trendlark.errors import ModelError


def fetch_folder(address: str, manifest_name: str) -> Path:
    """The local copy of an artefact on S3, fetched where its manifest is not here yet; raises ModelError.

    Credentials, region and endpoint come from the usual AWS_* variables. The copy lies under ``XDG_CACHE_HOME``
    (``~/.cache``) in a folder named by the manifest's SHA-256, so a model that changes is fetched anew.
    """
    try:
        store, root = open_store(address)
        manifest = _read(store, f"{root}/{manifest_name}")
        target = _cache() / hashlib.sha256(manifest).hexdigest()
        if target.is_dir():
            return target
        return _fetch(store, root, manifest, manifest_name, target)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"Found no model that can be fetched at {address} ({reason[:300]}); it is a folder with {manifest_name} "
            "and the files that it names, which the AWS_* credentials may read. Check the address and the credentials."
        ) from error


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


def _fetch(store: fs.S3FileSystem, root: str, manifest: bytes, manifest_name: str, target: Path) -> Path:
    names = json.loads(manifest)["files"]
    if any(PurePosixPath(name).name != name for name in names):
        raise ValueError("its manifest names files outside the folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
        part = Path(scratch) / "model"
        part.mkdir()
        for name in names:
            (part / name).write_bytes(_read(store, f"{root}/{name}"))
        (part / manifest_name).write_bytes(manifest)
        try:
            part.rename(target)
        except OSError:
            # Another process may have been first; its copy is as good.
            if not target.is_dir():
                raise
    return target
