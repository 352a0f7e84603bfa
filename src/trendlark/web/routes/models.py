"""The API: the model that answers, its tasks and labels, and how busy it is."""

from __future__ import annotations

from fastapi import Request

from trendlark.errors import ModelError
from trendlark.web.answers import MAX_CHARACTERS, MAX_TEXTS, ModelAnswer, ModelList, TaskAnswer
from trendlark.web.room import room_of
from trendlark.web.routes.promises import v1_router

router = v1_router()


@router.get("/models", tags=["analysis"])
def models(request: Request) -> ModelList:
    """The model of this server, with the labels that its answers are made of; no item while it loads."""
    room = room_of(request)
    try:
        name = room.desk.analyzer().name
    except ModelError:
        return ModelList(items=[], next=None)
    trouble = room.desk.trouble()
    tasks = [
        TaskAnswer(name=task.name, kind=task.kind, labels=list(task.labels))
        for task in room.desk.tasks().values()
    ]
    one = ModelAnswer(
        name=name,
        works=trouble is None,
        trouble=trouble,
        tasks=tasks,
        max_texts=MAX_TEXTS,
        max_characters=MAX_CHARACTERS,
        texts_inside=room.desk.texts_inside(),
        texts_inside_limit=room.settings.queue_texts,
    )
    return ModelList(items=[one], next=None)
