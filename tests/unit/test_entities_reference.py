"""The entity decoder against a slow one, written anew from the rules and in another way, on any tags of any words.

The reference finds the likeliest valid tags from the last word on, by recursion; then it looks at one word at a time
and asks for each pair of neighbours whether they belong together.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trendlark.nlu.entities import Pieces, decode
from trendlark.nlu.tasks import entity_tags
from trendlark.nlu.text import Normalised, normalise
from trendlark.records import Entity

TAGS = entity_tags()
_TYPES = [tag[2:] for tag in TAGS[1::2]]

# Words of one to three pieces; none is changed by the normaliser, so that the reference can point into the text.
_WORDS = st.lists(
    st.sampled_from(["ana", "Lima", "a", "zx", "b2", "@user", "http", "ñu", "@"]), min_size=1, max_size=7
)
_FEW_TAGS = st.sampled_from(["O", "B-person", "I-person", "B-location", "I-location", "I-misc"])


def _same(text: str) -> Normalised:
    size = len(text)
    return Normalised(text, tuple(range(size)), tuple(range(1, size + 1)))


def _pieces(words: list[str]) -> Pieces:
    """A first and a last special piece; each word in pieces of one letter, blanks between words."""
    offsets, of = [(0, 0)], [None]
    numbers: list[int | None] = list(of)
    at = 0
    for number, word in enumerate(words):
        for letter in range(len(word)):
            offsets.append((at + letter, at + letter + 1))
            numbers.append(number)
        at += len(word) + 1
    return Pieces([*offsets, (0, 0)], [*numbers, None])


def _logits(rows: list[str], noise: NDArray[np.float32], leads: NDArray[np.float64]) -> NDArray[np.float32]:
    """Logits [rows, tags] in which each row's tag leads all others by ``leads`` [rows]."""
    found = noise.copy()
    for at, (tag, lead) in enumerate(zip(rows, leads, strict=True)):
        found[at, TAGS.index(tag)] = noise[at].max() + lead
    return found


def _likeliest(words: list[str], rows: NDArray[np.float32]) -> list[str]:
    """The valid tags with the largest sum of logits; a mention or link is outside."""

    @cache
    def best(at: int, before: str) -> tuple[float, tuple[str, ...]]:
        if at == len(words):
            return 0.0, ()
        found = []
        for column, tag in enumerate(TAGS):
            barred = words[at] in ("@user", "http")
            if (barred and tag != "O") or (tag[0] == "I" and before[2:] != tag[2:]):
                continue
            score, rest = best(at + 1, tag)
            found.append((score + (0.0 if barred else float(rows[at, column])), (tag, *rest)))
        return max(found)

    return list(best(0, "O")[1])


def _reference(words: list[str], tags: list[str], rows: NDArray[np.float64]) -> list[tuple[str, str, float]]:
    """(text, type, probability) of each entity, for words that are joined by blanks."""
    found: list[tuple[str, str, float]] = []
    runs: list[tuple[int, int]] = []
    for first in range(len(words)):
        kind = tags[first][2:]
        continues = first > 0 and tags[first][0] == "I" and tags[first - 1][2:] == kind
        if tags[first] == "O" or continues:
            continue
        last = first
        while last + 1 < len(words) and tags[last + 1] == f"I-{kind}":
            last += 1
        runs.append((first, last))
    for first, last in runs:
        kind = tags[first][2:]
        of_type = [
            float(row[[TAGS.index(f"B-{kind}"), TAGS.index(f"I-{kind}")]].sum())
            for row in rows[first : last + 1]
        ]
        name = " ".join(words[first : last + 1]).strip(" @")
        # The sign of "@ name" stays where the next entity is that one word, of the same type, spelt as a handle.
        following = (first + 1, first + 1)
        if words[first : last + 1] == ["@"] and following in runs and tags[first + 1][2:] == kind:
            name = "@" if words[first + 1] in ("ana", "Lima", "a", "zx", "b2") else ""
        if name:
            found.append((name, kind, sum(of_type) / len(of_type)))
    return found


@given(_WORDS, st.data(), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 4.0]))
def test_it_finds_what_the_reference_finds(
    words: list[str], data: st.DataObject, seed: int, temperature: float
) -> None:
    text, pieces = " ".join(words), _pieces(words)
    tags = [data.draw(_FEW_TAGS) for _ in words]
    random = np.random.default_rng(seed)
    noise = random.standard_normal((len(pieces.words), len(TAGS))).astype(np.float32)
    firsts = [pieces.words.index(number) for number in range(len(words))]
    # Later pieces and special ones may say what they want.
    rows = [str(random.choice(TAGS)) for _ in pieces.words]
    for at, tag in zip(firsts, tags, strict=True):
        rows[at] = tag
    # Leads of one size would make sequences that are equally likely: there is no right one among these.
    logits = _logits(rows, noise, random.uniform(0.5, 1.5, len(rows)))
    powers = np.exp(logits.astype(np.float64) / temperature)
    probabilities = (powers / powers.sum(axis=1, keepdims=True))[firsts]
    expected = _reference(words, _likeliest(words, logits[firsts]), probabilities)
    found = decode(logits, TAGS, temperature, pieces, _same(text), text)
    assert [(one.text, one.type) for one in found] == [(name, kind) for name, kind, _ in expected]
    assert [one.probability for one in found] == pytest.approx([chance for *_, chance in expected])
    assert all(text[one.start : one.end] == one.text for one in found)


@given(_WORDS, st.integers(0, 2**32 - 1), st.permutations(range(len(TAGS))))
def test_the_order_of_the_tags_is_the_artefacts_own(words: list[str], seed: int, order: list[int]) -> None:
    text, pieces = " ".join(words), _pieces(words)
    logits = np.random.default_rng(seed).standard_normal((len(pieces.words), len(TAGS))).astype(np.float32)
    plain = decode(logits, TAGS, 1.0, pieces, _same(text), text)
    turned = decode(logits[:, order], [TAGS[at] for at in order], 1.0, pieces, _same(text), text)
    assert [(one.start, one.end, one.type) for one in turned] == [
        (one.start, one.end, one.type) for one in plain
    ]
    assert [one.probability for one in turned] == pytest.approx([one.probability for one in plain])


@given(_WORDS, st.integers(0, 2**32 - 1), st.integers(-50, 50), st.sampled_from([0.5, 3.0]))
def test_raising_all_logits_or_the_temperature_finds_the_same_names(
    words: list[str], seed: int, shift: int, temperature: float
) -> None:
    text, pieces = " ".join(words), _pieces(words)
    # In steps of a power of two every sum is exact, so that raising them changes nothing by rounding.
    steps = np.random.default_rng(seed).integers(-4096, 4096, (len(pieces.words), len(TAGS)))
    logits = (steps / 1024).astype(np.float32)
    plain = decode(logits, TAGS, 1.0, pieces, _same(text), text)
    raised = decode(logits + np.float32(shift), TAGS, 1.0, pieces, _same(text), text)
    warmed = decode(logits, TAGS, temperature, pieces, _same(text), text)
    # A mention or link stays at zero where all others are raised, but is outside whatever they say.
    names = [(one.start, one.end, one.type) for one in plain]
    assert [(one.start, one.end, one.type) for one in warmed] == names
    assert [(one.start, one.end, one.type) for one in raised] == names
    assert [one.probability for one in raised] == pytest.approx([one.probability for one in plain])


def _tagged(raw: str, tags: dict[str, str]) -> tuple[Entity, ...]:
    """Decode a raw text whose normalised words have the tags given, and O without."""
    normalised = normalise(raw)
    words = normalised.text.split(" ")
    pieces = _pieces(words)
    rows = [tags.get(words[number], "O") if number is not None else "O" for number in pieces.words]
    logits = _logits(rows, np.zeros((len(rows), len(TAGS)), np.float32), np.ones(len(rows)))
    return decode(logits, TAGS, 1.0, pieces, normalised, raw)


@pytest.mark.parametrize(
    ("raw", "tags", "expected"),
    [
        (
            "hola @ana Leo\u200b\u202e Messi 😭",
            {"Leo": "B-person", "Messi": "I-person"},
            ["Leo\u200b\u202e Messi"],
        ),
        ("la Nin\u0303a Pastori", {"Niña": "B-person", "Pastori": "I-person"}, ["Nin\u0303a Pastori"]),
        ("#LaCasaDePapel", dict.fromkeys(["La", "Casa", "De", "Papel"], "I-work"), ["LaCasaDePapel"]),
        (
            "Johnson &amp; Johnson!",
            dict.fromkeys(["Johnson", "&", "Johnson!"], "I-organization"),
            ["Johnson &amp; Johnson"],
        ),
        ("(Perúuuuuuu)", {"(Perúuuu)": "B-location"}, ["Perúuuuuuu"]),
        ("vive en L\\u2019Hospitalet", {"L’Hospitalet": "B-location"}, ["L\\u2019Hospitalet"]),
        ("¡Cádiz, Málaga!", {"¡Cádiz,": "B-location", "Málaga!": "B-location"}, ["Cádiz", "Málaga"]),
        ("日本 が好き", {"日本": "B-location"}, ["日本"]),
        ("🇪🇸", {"Spain": "B-location"}, []),
        ("https://t.co/x @ana", {"http": "B-misc", "@user": "B-person"}, []),
    ],
)
def test_names_are_told_as_the_raw_text_spells_them(
    raw: str, tags: dict[str, str], expected: list[str]
) -> None:
    found = _tagged(raw, tags)
    assert [one.text for one in found] == expected
    assert all(raw[one.start : one.end] == one.text for one in found)


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(" .,!😭\n", max_size=6))
def test_what_follows_a_name_does_not_move_it(before: str, after: str) -> None:
    raw = f"{before} Lima"
    tags = {"Lima": "B-location"}
    plain, longer = _tagged(raw, tags), _tagged(f"{raw} {after}", tags)
    assert [(one.start, one.end) for one in longer] == [(one.start, one.end) for one in plain]
    assert plain[-1].text == "Lima"
