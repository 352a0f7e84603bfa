"""A text cut where its entities begin and end, so that a page can mark them in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trendlark.records import Entity


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text; ``entity`` is None between entities."""

    text: str
    entity: Entity | None = None


def pieces(text: str, entities: Iterable[Entity]) -> list[Piece]:
    """The text in pieces that together are the text; an entity that overlaps an earlier one stays unmarked."""
    found: list[Piece] = []
    at = 0
    for entity in sorted(entities, key=lambda one: (one.start, -one.end)):
        if not at <= entity.start < entity.end <= len(text):
            continue
        if entity.start > at:
            found.append(Piece(text[at : entity.start]))
        found.append(Piece(text[entity.start : entity.end], entity))
        at = entity.end
    if at < len(text):
        found.append(Piece(text[at:]))
    return found
