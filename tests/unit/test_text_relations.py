"""The normaliser compared with itself: what a change of the raw text may and may not change in what is read."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trendlark.nlu.text import MAX_CODE_POINTS, Normalised, normalise

_PIECES = [
    *(
        "hola",
        "Perú",
        "Nin\u0303o",
        "e\u0301",
        "ñ",
        "\u0301",
        "한",
        "\u1112\u1161\u11ab",
        "が",
        "か\u3099",
        "≯",
        ">\u0338",
    ),
    *(
        "@ana",
        "@ana@mas.to",
        "#JuegoDeTronos",
        "#Nin\u0303o",
        "https://t.co/x",
        "{{URL}}",
        "USER",
        "{@Real Madrid@}",
    ),
    *("😭", "❤️", "👍🏽", "👨‍👩‍👧", "🇪🇸", "1️⃣", "\u200d", "\ufe0f", "\u200b", "\u202e", "\x00", "\ufeff"),
    *(
        "&amp;lt;",
        "&#39;",
        "&",
        ";",
        "\\u2019",
        "\\n",
        "\\",
        "goooool",
        "!!!!",
        "...",
        "日本",
        "हिन्दी",
        "مرحبا",
        "ﬁ",
        "Å",
    ),
    *(" ", "\n", "\u3000", "x", "Y", "7"),
]
_TEXTS = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=25).map("".join)
_BLANKS = st.text(st.sampled_from(" \t\n\r\u3000\u00a0\u2028"), min_size=1, max_size=5)
# What ends in a word of letters, where nothing that follows a blank can join it.
_WORDY = st.lists(
    st.sampled_from(
        ["hola", "Perú", "@ana", "#JuegoDeTronos", "😭", "goooool", "&amp;", "Nin\u0303o", "x.", "日本"]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)


def _shifted(found: Normalised, by: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(start + by for start in found.starts), tuple(end + by for end in found.ends)


@given(_TEXTS, _BLANKS)
def test_white_space_at_the_end_changes_nothing(text: str, blanks: str) -> None:
    # A last backslash or ampersand is no escape, whatever blank follows.
    assert normalise(text + blanks) == normalise(text)


@given(_TEXTS, _BLANKS)
def test_white_space_at_the_beginning_moves_the_offsets_alone(text: str, blanks: str) -> None:
    # A mark has nothing to combine with at the beginning of a text.
    assume(not text or not unicodedata.combining(text[0]))
    plain, moved = normalise(text), normalise(blanks + text)
    assert moved.text == plain.text
    assert (moved.starts, moved.ends) == _shifted(plain, len(blanks))


@given(_WORDY, st.sampled_from(["@ana ", "RT @ana_b: ", "https://t.co/Ab ", "{{URL}} ", "@a@b.org "]))
def test_a_mention_or_link_before_a_text_moves_the_text_alone(text: str, mark: str) -> None:
    # A fourth mention in a row is left out.
    assume(text.count("@") < 3)
    plain, both = normalise(text), normalise(mark + text)
    assert both.text.endswith(f" {plain.text}")
    size = len(plain.text)
    assert (both.starts[-size:], both.ends[-size:]) == _shifted(plain, len(mark))


@given(_WORDY, _WORDY)
def test_two_texts_read_together_are_both_read(first: str, second: str) -> None:
    # Emoji are counted across blanks, and a fourth of the same is left out.
    assume("😭" not in first or "😭" not in second)
    # So are mentions.
    assume((first + second).count("@") <= 3)
    together = normalise(f"{first} {second}")
    one, two = normalise(first), normalise(second)
    assert together.text == f"{one.text} {two.text}"
    moved = _shifted(two, len(first) + 1)
    assert together.starts == (*one.starts, len(first), *moved[0])
    assert together.ends == (*one.ends, len(first) + 1, *moved[1])


@given(_TEXTS)
def test_composed_and_decomposed_letters_read_the_same(text: str) -> None:
    # Taken apart, a letter behind a backslash may turn into an escape: the n of "\\\u00f1".
    assume("\\" not in text)
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalise(composed).text == normalise(decomposed).text


@given(_WORDY, st.randoms(use_true_random=False), st.sampled_from("\u200b\u200e\u202e\ufeff\u2060\x00\u00ad"))
def test_signs_that_nobody_sees_change_nothing_that_is_read(text: str, random: Random, sign: str) -> None:
    # Not inside a run of signs that belong together: an entity, an emoji, a mention.
    words = text.split(" ")
    strewn = " ".join(f"{sign}{word}{sign * random.randint(0, 3)}" for word in words)
    assert normalise(strewn).text == normalise(text).text


@given(_WORDY)
def test_escaping_once_more_changes_nothing_that_is_read(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    assert normalise(escaped).text == normalise(text).text
    as_json = "".join(
        sign if sign.isascii() else f"\\u{ord(sign):04x}" for sign in text if ord(sign) < 0x10000
    )
    assert normalise(as_json).text == normalise("".join(sign for sign in text if ord(sign) < 0x10000)).text


@given(st.sampled_from("aeñ日!.-*ل"), st.integers(3, 60), st.sampled_from(["", "hola ", "¿"]))
def test_how_long_a_run_is_does_not_matter_from_three_on(sign: str, times: int, before: str) -> None:
    found = normalise(before + sign * times + " fin")
    assert found.text == before + sign * 3 + " fin"
    at = len(before)
    assert found.span(at, at + 3) == (at, at + times)


@given(st.sampled_from("0123456789٣"), st.integers(4, 12))
def test_digits_are_never_cut(digit: str, times: int) -> None:
    assert normalise(digit * times).text == digit * times


@given(st.sampled_from(["😭", "❤️", "👍🏽", "🇪🇸", "1️⃣"]), st.integers(3, 20), st.sampled_from(["", " ", "\n "]))
def test_how_often_an_emoji_is_repeated_does_not_matter_from_three_on(
    emoji: str, times: int, gap: str
) -> None:
    assert normalise(gap.join([emoji] * times)).text == normalise(emoji * 3).text


@given(st.integers(3, 50), st.sampled_from(["", "hola, ", "RT: "]), st.sampled_from([" ", "\n", ""]))
def test_how_many_are_replied_to_does_not_matter_from_three_on(times: int, before: str, gap: str) -> None:
    raw = before + f" {gap}".join(["@ana"] * times) + " fin"
    found = normalise(raw)
    assert found.text == before + "@user @user @user fin"
    start, end = found.span(len(before), len(before) + len("@user @user @user"))
    assert (start, raw[end:]) == (len(before), " fin")


@given(_TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_spans_of_parts_lie_within_the_span_of_the_whole(text: str, one: int, two: int) -> None:
    found = normalise(text)
    start, end = sorted((min(one, len(found.text)), min(two, len(found.text))))
    whole = found.span(0, len(found.text))
    part = found.span(start, end)
    assert whole[0] <= part[0] <= part[1] <= whole[1]
    if start < end:
        middle = (start + end) // 2
        assert found.span(start, max(middle, start + 1))[0] == part[0]
        assert found.span(min(middle, end - 1), end)[1] == part[1]


@pytest.mark.parametrize(
    "piece", ["hola ", "#JuegoDeTronos ", "😭", "&amp;", "Nin\u0303o ", "@ana ", "\\u2019"]
)
def test_what_stands_behind_the_limit_is_not_read(piece: str) -> None:
    text = (piece * MAX_CODE_POINTS)[:MAX_CODE_POINTS]
    assert not normalise(text).truncated
    assert normalise(text + "x").truncated
    assert normalise(text + " Madrid @ana 😂").text == normalise(text).text
