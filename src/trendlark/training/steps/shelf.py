"""Step 8: the shelf of published models, a folder or an ``s3://`` address, and its manifest ``models.json``.

VERSION/       the artefact as exported; VERSION is its name and the start of its digest, and never changes
models.json    {"current": VERSION, "previous": VERSION, "models": [newest first]}

In a folder several runs may write the manifest at once; on S3, which has no lock, one at a time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import ArrowException, fs

from trendlark.errors import ModelError, NotFoundError
from trendlark.hours import utc_now
from trendlark.nlu.artifact import MANIFEST_FILE, load_artifact
from trendlark.nlu.remote import open_store
from trendlark.training.data import file_digest
from trendlark.training.steps.claim import alone
from trendlark.training.steps.gate import NOTHING

_log = logging.getLogger(__name__)

SHELF_FILE = "models.json"
CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Published models below an address."""

    address: str
    store: fs.FileSystem
    root: str

    def read(self) -> dict[str, Any]:
        """Return the shelf's manifest; that of an empty shelf where there is none yet."""
        path = f"{self.root}/{SHELF_FILE}"
        try:
            if self.store.get_file_info(path).type != fs.FileType.File:
                return {"current": None, "previous": None, "models": []}
            with self.store.open_input_stream(path) as stream:
                content = json.loads(stream.read())
            return {name: content[name] for name in ("current", "previous", "models")}
        except (OSError, ArrowException, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"Could not read {self.address}/{SHELF_FILE} ({error}); it is written when a model is published. "
                "Check the address and the credentials."
            ) from error

    def of(self, version: str) -> str:
        """The address of a published version."""
        return f"{self.address}/{version}"

    def find(self, version: str) -> str:
        """Return a version that is on the shelf; ``previous`` is the one before the current one."""
        content = self.read()
        known = [model["version"] for model in content["models"]]
        named = content["previous"] if version == "previous" else version
        if named not in known:
            listed = ", ".join(known) or "none yet"
            raise NotFoundError(
                f"Found no model {named or version!r} at {self.address}; published are: {listed}. Name one of them."
            )
        return str(named)

    def publish(self, artefact: Path, notes: Mapping[str, Any]) -> str:
        """Put an artefact on the shelf and return its version; publishing it again changes nothing.

        The manifest of the model goes last, so a version without one was never finished.
        """
        artifact = load_artifact(artefact)
        version, manifest = artifact.name, artifact.manifest
        if self._holds(self.read(), version):
            _log.info("publish: %s is on the shelf already", version)
            return version
        for name in (*sorted(manifest.files), MANIFEST_FILE):
            self._write(f"{version}/{name}", (artefact / name).read_bytes())
        entry = {
            "version": version,
            "address": self.of(version),
            "published": utc_now().isoformat(timespec="seconds"),
            "files": dict(manifest.files),
            "data": dict(manifest.data),
            "commit": manifest.commit,
            **notes,
        }
        with self._alone():
            content = self.read()
            if not self._holds(content, version):
                content["models"].insert(0, entry)
                self._write_manifest(content)
        _log.info("publish: %s", self.of(version))
        return version

    def set_current(self, version: str) -> None:
        """Note that a version is in service."""
        with self._alone():
            content = self.read()
            if content["current"] != version:
                content["current"], content["previous"] = version, content["current"]
                self._write_manifest(content)

    @staticmethod
    def _holds(content: Mapping[str, Any], version: str) -> bool:
        return version in [model["version"] for model in content["models"]]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else change the manifest between reading and writing it; without this a version would be lost."""
        if not isinstance(self.store, fs.LocalFileSystem):
            yield
            return
        with alone(Path(self.root) / f".{SHELF_FILE}.lock"):
            yield

    def _write_manifest(self, content: Mapping[str, Any]) -> None:
        self._write(SHELF_FILE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    def _write(self, name: str, content: bytes) -> None:
        path = f"{self.root}/{name}"
        if isinstance(self.store, fs.LocalFileSystem):
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.{uuid4().hex}.part")
            part.write_bytes(content)
            part.replace(target)
            return
        with self.store.open_output_stream(path) as stream:  # S3 shows an object when it is whole
            stream.write(content)


def open_shelf(address: str) -> Shelf:
    """Return the shelf at a folder or an ``s3://`` address."""
    address = address.rstrip("/")
    if address.startswith("s3://"):
        store, root = open_store(address)
        return Shelf(address, store, root)
    if not address or "://" in address:
        raise ModelError(f"Found the shelf {address!r}; allowed are a folder and an s3:// address. Name one.")
    return Shelf(address, fs.LocalFileSystem(), address)


def name_of(address: str) -> str:
    """Return what tells the model at an address from any other that may lie there later: its name with its digest.

    ``none`` and ``fake`` are names themselves. Raises ModelError, or NotFoundError for a checkpoint (.pt) that is gone.
    """
    if address in (NOTHING, "fake"):
        return address
    if not address.endswith(".pt"):
        return load_artifact(address).name
    path = Path(address)
    if not path.is_file():
        raise NotFoundError(
            f"Found no checkpoint at {path} to go on from or to compare with. Allowed is a .pt file. Name one."
        )
    return f"{path.stem}-{file_digest(path)[:8]}"


def in_service(shelf: Shelf, named: str) -> str:
    """Return the address of the model to hold a candidate against.

    ``current`` is what the shelf says is in service, and the model in the package where nothing is published
    yet; anything else is the address itself: ``default``, a folder, ``s3://``, or ``none``.
    """
    if named != CURRENT:
        return named
    version = shelf.read()["current"]
    return shelf.of(version) if version else "default"
