"""The page of the model: its card, with its scores by task and language, from its manifest."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trendlark.errors import ModelError
from trendlark.hours import parse_moment
from trendlark.nlu.artifact import Manifest
from trendlark.nlu.scores import Score, scores_of
from trendlark.nlu.tasks import TASKS
from trendlark.web.desk import Desk
from trendlark.web.links import link
from trendlark.web.messages import LANGS, words_of
from trendlark.web.room import room_of
from trendlark.web.routes.pages import _page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@runtime_checkable
class Described(Protocol):
    """An analyzer whose model has a manifest."""

    @property
    def manifest(self) -> Manifest:
        """What the artefact says of itself."""
        ...


@router.get("/model")
def model(request: Request) -> HTMLResponse:
    """The model card."""
    room, words = room_of(request), words_of(request)
    name, manifest, reason = described(room.desk)
    notice = words("model_none", why=reason) if reason else ""
    if not reason and manifest is None:
        notice = words("model_no_card", name=name)
    return _page(
        "model.html",
        words,
        request,
        status=503 if reason else 200,
        invented=False,
        alternate={code: link("/model", lang=code) for code in LANGS},
        name=name,
        manifest=manifest,
        created=parse_moment(manifest.created) if manifest and manifest.created else None,
        notice=notice,
        scores=by_task(scores_of(manifest)) if manifest else [],
        langs_of=taught(manifest) if manifest else {},
    )


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
