"""The artefact: the folder that training exports and serving loads, described by its manifest.

    model.onnx        input ``input_ids`` int64 [batch, tokens]; outputs, raw float32 logits: one [batch, labels]
                      for each task, ``entities`` [batch, tokens, tags], ``embedding`` [batch, width]
    tokenizer.json    of the ``tokenizers`` library, special tokens added by its post-processor
    manifest.json     format, tasks, labels, temperatures, thresholds, checksums, metrics and where it came from
    MODEL_CARD.md     for people

Nothing else passes between training and serving. A file whose checksum differs is never run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trendlark.errors import ModelError
from trendlark.nlu.tasks import TASKS, Kind, Task
from trendlark.nlu.text import NORMALISER_VERSION, OLDEST_NORMALISER

FORMAT = 1
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "manifest.json"

# Beyond these bounds nothing is calibrated, and quotients overflow.
_Temperature = Annotated[float, Field(ge=0.001, le=1000)]
_Threshold = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LanguageManifest(_Frozen):
    """What calibrates a task's answers in one language; no thresholds means those of the task."""

    temperature: _Temperature
    thresholds: Mapping[str, _Threshold] = {}


class TaskManifest(_Frozen):
    """How one task is answered: labels in logit order, the temperature that calibrates, the thresholds.

    ``languages`` hold what is calibrated otherwise for tweets in a language.
    """

    kind: Kind
    labels: tuple[str, ...] = Field(min_length=1)
    temperature: _Temperature = 1.0
    thresholds: Mapping[str, _Threshold] = {}
    languages: Mapping[str, LanguageManifest] = {}

    def calibration(self, lang: str) -> LanguageManifest:
        """Return what holds for tweets in a language: its own, or else the task's."""
        own = self.languages.get(lang)
        if own is None:
            return LanguageManifest(temperature=self.temperature, thresholds=self.thresholds)
        return own if own.thresholds else own.model_copy(update={"thresholds": self.thresholds})


class Manifest(_Frozen):
    """What ``manifest.json`` says of an artefact."""

    format: int = Field(ge=1)
    name: str = Field(min_length=1)
    created: str = ""
    normaliser: int
    max_tokens: int = Field(ge=8, le=65_536)
    tasks: Mapping[str, TaskManifest]
    entity_tags: tuple[str, ...]
    languages: Mapping[str, tuple[str, ...]] = {}
    metrics: Mapping[str, Mapping[str, Any]] = {}
    data: Mapping[str, Any] = {}
    base: Mapping[str, Any] = {}
    recipe: Mapping[str, Any] = {}
    commit: str = ""
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified artefact folder."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The manifest's name and the start of its digest: two trainings of one name are two models."""
        digest = hashlib.sha256((self.folder / MANIFEST_FILE).read_bytes()).hexdigest()
        return f"{self.manifest.name}-{digest[:8]}"

    @property
    def model_file(self) -> Path:
        """The ONNX graph."""
        return self.folder / MODEL_FILE

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer in the format of the ``tokenizers`` library."""
        return self.folder / TOKENIZER_FILE

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks with the labels in this artefact's own order."""
        return {name: Task(name, task.kind, task.labels) for name, task in self.manifest.tasks.items()}


def default_folder() -> Path:
    """Return where the artefact that ships inside the package lies."""
    return Path(str(files("trendlark.nlu") / "default"))


def load_artifact(name: str | Path = "default") -> Artifact:
    """Return the artefact ``default``, of a folder or of an ``s3://`` address; its checksums are verified.

    Raises ModelError when it is missing, damaged, or written for another version of Trendlark.
    """
    folder = _folder(name)
    manifest = _read_manifest(folder / MANIFEST_FILE)
    _check_tasks(manifest, folder)
    _check_files(manifest, folder)
    return Artifact(folder, manifest)


def _folder(name: str | Path) -> Path:
    if str(name) == "default":
        folder = default_folder()
        if not folder.is_dir():
            raise ModelError(
                f"Found no default model in this installation (looked in {folder}); the package ships one. "
                "Install trendlark again, or name the folder of a model that `trendlark train` made."
            )
        return folder
    if str(name).startswith("s3://"):
        from trendlark.nlu.remote import fetch_folder  # noqa: PLC0415 - a local model needs no pyarrow

        return fetch_folder(str(name), MANIFEST_FILE)
    if "://" in str(name):
        raise ModelError(
            f"Found the model {str(name)!r}; allowed are 'default', 'fake', a folder and an s3:// address. "
            "Copy the folder to one of these first, then name the copy."
        )
    given = _existing_folder(name)
    if given is None:
        raise ModelError(
            f"Found no folder {str(name)!r} for the model; allowed are 'default', 'fake' and a folder that holds "
            f"{MANIFEST_FILE}. Check the path."
        )
    return given


def _existing_folder(name: str | Path) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # a name too long, a folder that may not be looked into, no such home
        return None


def _read_manifest(path: Path) -> Manifest:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"Could not read {path}: {error}. A model folder holds a manifest in JSON. "
            "Copy the whole folder again, or export the model again."
        ) from error
    found = content.get("format") if isinstance(content, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise ModelError(
            f"Found format {found} in {path}; this Trendlark reads up to format {FORMAT}. "
            "Upgrade Trendlark, or take a model made for this version."
        )
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}" for one in error.errors()
        )
        raise ModelError(
            f"Found a manifest that cannot be used in {path}: {wrong}. Its fields are those that "
            "`trendlark train` writes. Export the model again."
        ) from error
    if not OLDEST_NORMALISER <= manifest.normaliser <= NORMALISER_VERSION:
        raise ModelError(
            f"Found a model trained with normaliser {manifest.normaliser} in {path}; this Trendlark has "
            f"normaliser {NORMALISER_VERSION}, which models made with {OLDEST_NORMALISER} or later can read. "
            "Take a model made for this version, or train anew."
        )
    return manifest


def _check_tasks(manifest: Manifest, folder: Path) -> None:
    wrong = [f"no task {name}" for name in TASKS if name not in manifest.tasks]
    for name, task in manifest.tasks.items():
        known = TASKS.get(name)
        if known is None:
            continue
        if task.kind != known.kind:
            wrong.append(f"{name} is {task.kind} instead of {known.kind}")
        strange = [label for label in task.labels if label not in known.labels]
        if strange or len(set(task.labels)) < len(task.labels):
            wrong.append(f"{name} has labels unknown or twice: {', '.join(strange or task.labels)}")
        wrong += _wrong_thresholds(name, task)
    types = TASKS["entities"].labels
    allowed = {"O", *(f"{part}-{label}" for label in types for part in "BI")}
    tags = manifest.entity_tags
    if "O" not in tags or not allowed.issuperset(tags) or len(set(tags)) < len(tags):
        wrong.append(f"entity_tags are not O and B-, I- of {', '.join(types)}, each once")
    if wrong:
        raise ModelError(
            f"Found a model in {folder} that does not fit: {'; '.join(wrong)}. Allowed are the tasks and labels "
            "of this version. Export the model again with this version."
        )


def _wrong_thresholds(name: str, task: TaskManifest) -> list[str]:
    stated = [one for one in (task.thresholds, *(own.thresholds for own in task.languages.values())) if one]
    if task.kind in ("many_of", "yes_no") and not task.thresholds:
        stated.append({})
    wrong = [
        f"{name} has no threshold for {at}" for at in task.labels if not all(at in own for own in stated)
    ]
    if task.kind == "one_of" and any(value == 0 for own in stated for value in own.values()):
        wrong.append(f"{name} has a threshold of 0")
    return wrong


def _check_files(manifest: Manifest, folder: Path) -> None:
    wrong = [f"{name} is not listed" for name in (MODEL_FILE, TOKENIZER_FILE) if name not in manifest.files]
    for name, expected in manifest.files.items():
        if Path(name).name != name or "\x00" in name:
            wrong.append(f"{name} is not a plain file name")
            continue
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            wrong.append(f"{name} cannot be read ({error.strerror})")
            continue
        if found != expected.lower():
            wrong.append(f"{name} has another checksum than the manifest states")
    if wrong:
        raise ModelError(
            f"Found a damaged model in {folder}: {'; '.join(wrong)}. Every file must be as it was exported. "
            "Copy the whole folder again, or export the model again."
        )
