"""Entities: from tags of pieces to spans of the raw text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny_model import tiny_tokenizer
from trendlark.nlu.entities import Pieces, best_tags, decode
from trendlark.nlu.tasks import entity_tags
from trendlark.nlu.text import normalise
from trendlark.records import Entity, clean_text

TAGS = entity_tags()
TOKENIZER = tiny_tokenizer()


def decode_words(text: str, *tags: str, later: str = "O", temperature: float = 1.0) -> tuple[Entity, ...]:
    """Decode with a tag for each word that the tokenizer sees; ``later`` is the tag of a word's later pieces."""
    normalised = normalise(text)
    encoding = TOKENIZER.encode(normalised.text)
    logits = np.zeros((len(encoding.ids), len(TAGS)), np.float32)
    seen: int | None = None
    for at, word in enumerate(encoding.word_ids):
        if word is not None:
            tag = tags[word] if word != seen else later
            logits[at, TAGS.index(tag)] = 5
            if tag.startswith("I-"):
                # As a trained head has it: whoever sees the inside of a type thinks of its beginning next.
                logits[at, TAGS.index(f"B-{tag[2:]}")] = 2
        seen = word
    assert seen is None
    assert max(word for word in encoding.word_ids if word is not None) + 1 == len(tags)
    return decode(logits, TAGS, temperature, Pieces(encoding.offsets, encoding.word_ids), normalised, text)


def found(text: str, *tags: str) -> list[tuple[str, str]]:
    """The entities as (text, type), once their offsets are checked."""
    entities = decode_words(text, *tags)
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    return [(entity.text, entity.type) for entity in entities]


def test_begin_and_inside_make_one_entity() -> None:
    assert decode_words("ayer Lionel Messi", "O", "B-person", "I-person")[0].start == 5
    assert found("ayer Lionel Messi", "O", "B-person", "I-person") == [("Lionel Messi", "person")]


def test_nothing_tagged_gives_nothing() -> None:
    assert found("ayer hoy", "O", "O") == []


def test_neighbours_stay_apart() -> None:
    assert found("Messi Xavi", "B-person", "B-person") == [("Messi", "person"), ("Xavi", "person")]
    assert found("Messi Xavi", "B-person", "I-group") == [("Messi", "person"), ("Xavi", "group")]
    assert found("Messi y Xavi", "B-person", "O", "I-person") == [("Messi", "person"), ("Xavi", "person")]


def test_an_inside_without_a_beginning_begins() -> None:
    assert found("en Lima hoy", "O", "I-location", "O") == [("Lima", "location")]


def test_the_first_piece_of_a_word_decides() -> None:
    (entity,) = decode_words("Zelenski", "B-person", later="B-location")
    assert (entity.text, entity.type) == ("Zelenski", "person")
    assert decode_words("Zelenski", "O", later="B-location") == ()


def test_probability_is_the_mean_over_words_of_the_probability_of_the_type() -> None:
    others = len(TAGS) - 2
    begin = (np.exp(5) + 1) / (np.exp(5) + 1 + others)
    inside = (np.exp(5) + np.exp(2)) / (np.exp(5) + np.exp(2) + others)
    mean = (begin + inside) / 2
    assert decode_words("Lionel Messi", "B-person", "I-person")[0].probability == pytest.approx(mean)
    cooler = decode_words("Lionel Messi", "B-person", "I-person", temperature=3.0)[0].probability
    assert 1 / others < cooler < mean


def test_blanks_and_punctuation_at_the_edges_are_not_part() -> None:
    assert found('dijo "Messi" .', "O", "B-person", "I-person", "I-person", "O") == [("Messi", "person")]
    assert found("(OTAN)", "B-organization", "I-organization", "I-organization") == [("OTAN", "organization")]
    assert found("¿ ?", "B-misc", "I-misc") == []


def test_an_abbreviation_keeps_its_last_full_stop() -> None:
    assert found("U.S. wins", *["B-location", *["I-location"] * 3], "O") == [("U.S.", "location")]
    assert found("Messi.", "B-person", "I-person") == [("Messi", "person")]


def test_a_hashtag_is_an_entity_without_its_sign() -> None:
    text = "veo #JuegoDeTronos hoy"
    assert found(text, "O", "O", "B-work", "I-work", "I-work", "O") == [("JuegoDeTronos", "work")]
    assert found(text, "O", "B-work", "I-work", "I-work", "I-work", "O") == [("JuegoDeTronos", "work")]


def test_the_sign_of_a_hashtag_does_not_part_an_entity() -> None:
    assert found("Real #Madrid", "B-group", "O", "I-group") == [("Real #Madrid", "group")]


def test_a_lone_hash_does() -> None:
    assert found("Real # Madrid", "B-group", "O", "I-group") == [("Real", "group"), ("Madrid", "group")]


@pytest.mark.parametrize("mark", ["@RealMadrid", "https://t.co/Madrid", "USER", "{{URL}}"])
def test_mentions_and_links_are_never_entities_and_part_what_is_around(mark: str) -> None:
    size = len(set(TOKENIZER.encode(normalise(mark).text, add_special_tokens=False).word_ids))
    tags = ["B-person", *["I-person"] * size, "I-person"]
    assert found(f"Ana {mark} Eva", *tags) == [("Ana", "person"), ("Eva", "person")]


def test_a_mention_that_was_cut_in_two_is_given_as_the_model_marks_it() -> None:
    text = "RT @ Messi10 : gol"
    assert found(text, "O", "B-person", "B-person", "O", "O") == [("@", "person"), ("Messi10", "person")]
    assert decode_words(text, "O", "B-person", "B-person", "O", "O")[0].start == 3


@pytest.mark.parametrize(
    ("text", "tags", "names"),
    [
        # The sign alone, or with a name that the model does not mark, marks otherwise or marks as one with it.
        ("RT @ Messi", ["O", "B-person", "O"], []),
        ("RT @ Messi", ["O", "B-person", "B-group"], ["Messi"]),
        ("RT @ Messi", ["O", "B-person", "I-person"], ["Messi"]),
        ("en Lima @", ["O", "O", "B-person"], []),
        # A place, as photographs tell where they were taken: more than one word, or spelt as no handle can be.
        ("@ Estadio Monumental", ["B-location", "B-location", "I-location"], ["Estadio Monumental"]),
        ("@ Perú", ["B-location", "B-location"], ["Perú"]),
        ("@  Lima", ["B-location", "B-location"], ["Lima"]),
        ("@ Universidadnacional", ["B-location", "B-location"], ["Universidadnacional"]),
        # Another sign, and a sign that is part of a word.
        ("& Lima", ["B-location", "B-location"], ["Lima"]),
        ("a@ Lima", ["O", "B-location", "B-location"], ["Lima"]),
    ],
)
def test_no_other_sign_is_an_entity(text: str, tags: list[str], names: list[str]) -> None:
    assert [name for name, _ in found(text, *tags)] == names


def test_emoji_are_never_entities() -> None:
    assert found("😭", "B-misc", "I-misc", "I-misc") == []
    assert found("Madrid 😭", "B-location", *["I-location"] * 3) == [("Madrid", "location")]
    assert found("😭Madrid❤️", *["B-location"], *["I-location"] * 5) == [("Madrid", "location")]


def test_what_the_normaliser_changed_is_told_in_the_raw_spelling() -> None:
    assert found("AT&amp;T", "B-organization", "I-organization", "I-organization") == [
        ("AT&amp;T", "organization")
    ]
    assert found("Golaaaaaaazo", "B-misc") == [("Golaaaaaaazo", "misc")]
    assert found("Pe\u0301rez", "B-person") == [("Pe\u0301rez", "person")]
    assert found("Perez\u0301", "B-person") == [("Perez\u0301", "person")]
    assert found("Ma\u200bdrid", "B-location") == [("Ma\u200bdrid", "location")]


@given(st.text(max_size=40), st.randoms())
def test_any_tags_on_any_text_hold_the_offsets(text: str, random: np.random.Generator) -> None:
    raw = clean_text(text)
    normalised = normalise(raw)
    encoding = TOKENIZER.encode(normalised.text)
    logits = np.array([[random.random() for _ in TAGS] for _ in encoding.ids], np.float32)
    pieces = Pieces(encoding.offsets, encoding.word_ids)
    end = 0
    for entity in decode(logits, TAGS, 1.0, pieces, normalised, raw):
        assert end <= entity.start < entity.end <= len(raw)
        assert raw[entity.start : entity.end] == entity.text
        assert entity.text[0].isalnum() or entity.text == "@"
        assert 0 < entity.probability <= 1
        end = entity.end


FEW = ("O", "B-person", "I-person", "B-group", "I-group")


def _is_valid(names: tuple[str, ...]) -> bool:
    pairs = zip(("O", *names), names, strict=False)
    return all(not name.startswith("I-") or before[2:] == name[2:] for before, name in pairs)


@given(st.lists(st.lists(st.floats(-8, 8, width=32), min_size=5, max_size=5), max_size=4))
def test_no_valid_sequence_of_tags_is_likelier(rows: list[list[float]]) -> None:
    logits = np.array(rows, np.float64).reshape(-1, 5)
    chosen = best_tags(logits, FEW)
    assert _is_valid(tuple(FEW[at] for at in chosen))
    best = max(
        sum(row[FEW.index(name)] for row, name in zip(rows, names, strict=True))
        for names in itertools.product(FEW, repeat=len(rows))
        if _is_valid(names)
    )
    assert sum(row[at] for row, at in zip(rows, chosen, strict=True)) == pytest.approx(best)


def test_one_word_in_doubt_follows_its_neighbours() -> None:
    """A name of two words, of which the second alone would be called the inside of another type."""
    logits = np.zeros((2, 5))
    logits[0, FEW.index("B-person")] = 3
    logits[1, [FEW.index("I-person"), FEW.index("I-group")]] = 2.0, 2.2
    assert [FEW[at] for at in best_tags(logits, FEW)] == ["B-person", "I-person"]


def test_a_text_without_words_has_no_tags() -> None:
    assert best_tags(np.zeros((0, 5)), FEW) == []
