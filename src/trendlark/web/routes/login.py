"""The way in for browsers where the server has a token: a form that takes it, and the way out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from trendlark.errors import InputError
from trendlark.web.door import COOKIE, SESSION_SECONDS, Door, has_session, page_of_ours
from trendlark.web.links import link
from trendlark.web.messages import LANGS, words_of
from trendlark.web.rendering import render

_FIELDS = 10
_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/login")
def ask(request: Request, back: Annotated[str, Query(alias="next")] = "") -> Response:
    """The form; who is logged in already goes on."""
    if has_session(request):
        return RedirectResponse(page_of_ours(back), 303, headers=_NO_STORE)
    return _form(request, page_of_ours(back), wrong=False)


@router.post("/login")
async def enter(request: Request) -> Response:
    """Compare the token and set the cookie."""
    fields = await _fields(request)
    back = page_of_ours(fields.get("next", ""))
    door: Door = request.app.state.door
    token = door.fits(fields.get("token", ""))
    if token is None:
        return _form(request, back, wrong=True)
    response = RedirectResponse(back, 303, headers=_NO_STORE)
    response.set_cookie(
        COOKIE,
        door.new_session(token),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=_by_https(request),
    )
    return response


@router.post("/logout")
def leave(request: Request) -> Response:
    """Take the cookie back and show the form."""
    response = RedirectResponse(link("/login", lang=_lang(request)), 303, headers=_NO_STORE)
    if (
        COOKIE in request.cookies
    ):  # it does not come along from other sites, so none of them can log anyone out
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_by_https(request))
    return response


def _form(request: Request, back: str, wrong: bool) -> Response:
    words = words_of(request)
    page = render(
        "login.html",
        words,
        request=request,
        invented=False,
        alternate={lang: link("/login", next=back, lang=lang) for lang in LANGS},
        action=link("/login", lang=_lang(request)),
        back=back,
        wrong=wrong,
    )
    headers = _NO_STORE | {"Content-Language": words.lang, "Vary": "Accept-Language"}
    if wrong:
        headers["WWW-Authenticate"] = "Bearer"
    return HTMLResponse(page, 401 if wrong else 200, headers=headers)


async def _fields(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise InputError(
            f"Found more than {_FIELDS} fields in the form; it has two. Send the form of /login."
        ) from None
    return {name: values[0] for name, values in found.items()}


def _lang(request: Request) -> str | None:
    lang = request.query_params.get("lang")
    return lang if lang in LANGS else None


def _by_https(request: Request) -> bool:
    # A proxy in front may speak HTTPS for us; who pretends that makes only the own cookie stricter.
    proxied = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return "https" in {request.url.scheme, proxied}
