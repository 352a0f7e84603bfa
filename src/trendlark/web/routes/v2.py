"""The Open Inference Protocol v2: what KServe, Triton and MLServer clients ask, with the model ``trendlark``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.exceptions import HTTPException

from trendlark import __version__
from trendlark.errors import InputError, NotFoundError
from trendlark.records import Analysis
from trendlark.web import oip
from trendlark.web.desk import Desk
from trendlark.web.room import room_of
from trendlark.web.routes.health import health_of

_MODEL = "/models/{model_name}"
_VERSION = _MODEL + "/versions/{model_version}"
_NOT_READY = {503: {"model": oip.OipError, "description": "The lake or the model is not ready"}}
_NO_MODEL: dict[int | str, dict[str, Any]] = {404: {"model": oip.OipError, "description": "No such model"}}
_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": oip.request_schema()},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Name = Annotated[str, Path(examples=[oip.MODEL])]

router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("")
async def server() -> oip.ServerMetadata:
    """What this server is and which extensions of the protocol it speaks."""
    return oip.ServerMetadata(name="trendlark", version=__version__, extensions=["binary_tensor_data"])


@router.get("/health/live")
async def live() -> oip.ServerLive:
    """The process answers."""
    return oip.ServerLive(live=True)


@router.get("/health/ready", responses=_NOT_READY)  # type: ignore[arg-type]
async def ready(request: Request) -> oip.ServerReady:
    """The lake can be read and the model analyses."""
    found = await health_of(request)
    if not found.ready:
        raise HTTPException(503, f"Found the server not ready; lake: {found.lake}; model: {found.model}")
    return oip.ServerReady(ready=True)


@router.get(_MODEL, responses=_NO_MODEL)
@router.get(_VERSION, responses=_NO_MODEL)
async def model(request: Request, model_name: Name, model_version: str = "") -> oip.ModelMetadata:
    """The model's inputs and outputs; ``parameters.labels`` names what stands on the last axis of a tensor."""
    desk = _desk(request, model_name, model_version)
    outputs = oip.outputs_of(desk.tasks())
    return oip.ModelMetadata(
        name=oip.MODEL,
        versions=[desk.analyzer().name],
        platform=oip.PLATFORM,
        inputs=[oip.TensorMetadata(name=name, datatype="BYTES", shape=[-1]) for name in oip.INPUTS],
        outputs=[
            oip.TensorMetadata(
                name=one.name,
                datatype=one.datatype,
                shape=one.shape(-1),
                parameters={"labels": list(one.labels)} if one.labels else {},
            )
            for one in outputs.values()
        ],
    )


@router.get(_MODEL + "/ready", responses=_NO_MODEL | _NOT_READY)  # type: ignore[operator]
@router.get(_VERSION + "/ready", responses=_NO_MODEL | _NOT_READY)  # type: ignore[operator]
async def model_ready(request: Request, model_name: Name, model_version: str = "") -> oip.ModelReady:
    """The model analyses a small text, for real."""
    _desk(request, model_name, model_version)
    found = await health_of(request)
    if not found.model_works:
        raise HTTPException(503, found.model)
    return oip.ModelReady(name=oip.MODEL, ready=True)


@router.post(_MODEL + "/infer", response_model=oip.InferAnswer, responses=_NO_MODEL, openapi_extra=_BODIES)
@router.post(_VERSION + "/infer", response_model=oip.InferAnswer, responses=_NO_MODEL, openapi_extra=_BODIES)
async def infer(
    request: Request,
    model_name: Name,
    model_version: str = "",
    header_length: Annotated[str | None, Header(alias=oip.HEADER)] = None,
) -> Response:
    """Analyse the texts of the tensor ``text``; the content type does not matter."""
    desk = _desk(request, model_name, model_version)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(
            415, "Found a compressed body; bodies are read as they are. Send it uncompressed."
        )
    outputs = oip.outputs_of(desk.tasks())
    asked = oip.read_request(await request.body(), header_length, outputs)
    found: list[Analysis] = []
    for number, one in enumerate(await desk.analyze(asked.texts, asked.langs) if asked.texts else []):
        if not isinstance(one, Analysis):
            raise InputError(f"Found a text, at {number}, that the model refuses: {one}")
        found.append(one)
    body, headers = oip.write_answer(asked, found, desk.analyzer().name, outputs)
    return Response(body, headers=headers)


def _desk(request: Request, name: str, version: str) -> Desk:
    desk = room_of(request).desk
    if name != oip.MODEL:
        raise NotFoundError(f"Found no model {name[:60]!r} here; the model is {oip.MODEL}. Ask for that one.")
    if version and version != desk.analyzer().name:
        raise NotFoundError(
            f"Found no version {version[:60]!r} of {oip.MODEL}; loaded is {desk.analyzer().name}. "
            "Ask for that one, or for none."
        )
    return desk
