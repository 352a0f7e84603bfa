"""Cutting a text at its entities loses no character, whatever the model says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trendlark.records import Entity
from trendlark.web.highlight import Piece, pieces


def entity(start: int, end: int, kind: str = "person") -> Entity:
    """An entity at a place."""
    return Entity("", kind, start, end, 0.9)


def test_entities_are_marked_in_place() -> None:
    text = "Taylor Swift in Chicago!"
    one, two = entity(0, 12), entity(16, 23, "location")
    assert pieces(text, [two, one]) == [
        Piece("Taylor Swift", one),
        Piece(" in "),
        Piece("Chicago", two),
        Piece("!"),
    ]


def test_a_text_without_entities_is_one_piece_and_an_empty_one_none() -> None:
    assert pieces("hola", []) == [Piece("hola")]
    assert pieces("", []) == []


def test_offsets_count_code_points() -> None:
    found = pieces("😍😍 Ana", [entity(3, 6)])
    assert [piece.text for piece in found] == ["😍😍 ", "Ana"]


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40))))
def test_the_pieces_are_the_text_and_no_two_entities_overlap(text: str, spans: list[tuple[int, int]]) -> None:
    found = pieces(text, [entity(start, end) for start, end in spans])
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    for piece in found:
        if piece.entity:
            assert piece.text == text[piece.entity.start : piece.entity.end]
