"""What may be given to an analyzer: a list of texts, and for each the language that its source states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trendlark.errors import InputError
from trendlark.records import clean_text

Request = tuple[str, str | None]


def read_requests(texts: Iterable[str], langs: Iterable[str | None] | None = None) -> list[Request]:
    """Return (text, stated language) pairs, lone surrogates replaced; InputError for anything but text."""
    checked = [text for text, _ in stream_requests(texts)]
    if langs is None:
        return [(text, None) for text in checked]
    _refuse_single(langs, "languages", "langs=[lang]")
    stated = list(langs)
    if len(stated) != len(checked):
        raise InputError(
            f"Found {len(stated)} languages for {len(checked)} texts; allowed is one for each text, None where "
            "the source states none. Give as many of both."
        )
    return [(text, _lang(lang, at)) for at, (text, lang) in enumerate(zip(checked, stated, strict=True))]


def stream_requests(texts: Iterable[str]) -> Iterator[Request]:
    """Yield what ``read_requests`` returns, each as it is read, without stated languages."""
    _refuse_single(texts, "texts", "analyze([text])")
    return ((_text(text, at), None) for at, text in enumerate(texts))


def _refuse_single(given: object, name: str, instead: str) -> None:
    # A str is an iterable of str, too: one text would be taken for as many as it has letters.
    if isinstance(given, str | bytes):
        raise InputError(
            f"Found a single {type(given).__name__} in place of a list of {name}; allowed is a list of str. "
            f"Write {instead}."
        )


def _text(text: object, at: int) -> str:
    if not isinstance(text, str):
        raise InputError(
            f"Found {type(text).__name__} at position {at}; allowed is str, which may be empty. "
            "Convert it or leave it out."
        )
    return clean_text(text)


def _lang(lang: object, at: int) -> str | None:
    if lang is not None and not isinstance(lang, str):
        raise InputError(
            f"Found {type(lang).__name__} as the language at position {at}; allowed is a code such as 'es', or "
            "None. Convert it or leave it out."
        )
    return lang
