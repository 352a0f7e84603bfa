"""The page of the model: its card, with its scores by task and language, from its manifest."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from trendlark.errors import ModelError
from trendlark.hours import parse_moment
from trendlark.nlu.artifact import Manifest
from trendlark.nlu.scores import Score, scores_of
from trendlark.nlu.tasks import TASKS
from trendlark.web.desk import Desk
from trendlark.web.messages import words_of
from trendlark.web.page import Page, Table, page_at, respond
from trendlark.web.room import room_of

router = APIRouter()


@runtime_checkable
class Described(Protocol):
    """An analyzer whose model has a manifest."""

    @property
    def manifest(self) -> Manifest:
        """What the artefact says of itself."""
        ...


class ScoreAnswer(BaseModel):
    """The result on one validation set, from 0 to 1."""

    model_config = ConfigDict(from_attributes=True)

    data: str
    task: str
    lang: str
    metric: str
    value: float
    baseline: float | None
    calibration_error: float | None


class ModelAnswer(BaseModel):
    """The page Model: its name, its manifest as it is, its scores by task and language; null where there is none."""

    name: str | None
    manifest: Manifest | None
    scores: list[ScoreAnswer]
    error: str | None = Field(description="Why there is no model.")


_COLUMNS = tuple(ScoreAnswer.model_fields)


@page_at(router, "/model")
def model(request: Request) -> Response:
    """The model card."""
    room, words = room_of(request), words_of(request)
    name, manifest, reason = described(room.desk)
    scores = scores_of(manifest) if manifest else []
    notice = words("model_none", why=reason) if reason else ""
    if not reason and manifest is None:
        notice = words("model_no_card", name=name)
    answer = ModelAnswer(
        name=name or None,
        manifest=manifest,
        scores=[ScoreAnswer.model_validate(one) for one in scores],
        error=reason or None,
    )
    view = {
        "name": name,
        "manifest": manifest,
        "created": parse_moment(manifest.created) if manifest and manifest.created else None,
        "notice": notice,
        "scores": by_task(scores),
        "langs_of": taught(manifest) if manifest else {},
    }
    tables = {
        "scores": Table(_COLUMNS, [[getattr(one, name) for name in _COLUMNS] for one in answer.scores]),
        "data": Table(
            ("data", "digest"),
            [[one, str(digest)] for one, digest in (manifest.data if manifest else {}).items()],
        ),
    }
    page = Page("model", "model.html", answer, tables, False, view, 503 if reason else 200)
    return respond(request, words, page)


def described(desk: Desk) -> tuple[str, Manifest | None, str]:
    """The model's name, its manifest where it has one, and why there is no model where there is none."""
    try:
        analyzer = desk.analyzer()
    except ModelError as error:
        return "", None, str(error)
    return analyzer.name, analyzer.manifest if isinstance(analyzer, Described) else None, ""


def by_task(scores: list[Score]) -> list[tuple[str, list[Score]]]:
    """The scores under their tasks, in the order of the task table; those of unknown sets last."""
    tasks = [*TASKS, ""]
    return [(task, found) for task in tasks if (found := [one for one in scores if one.task == task])]


def taught(manifest: Manifest) -> dict[str, list[str]]:
    """The languages that each task was taught in."""
    return {
        task: [lang for lang, tasks in manifest.languages.items() if task in tasks] for task in manifest.tasks
    }
