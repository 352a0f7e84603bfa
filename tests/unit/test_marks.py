"""Hashtags, mentions and links: what counts as one, where it ends, and hostile input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.marks import Marks, find_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#Madrid", ("Madrid",)),
        ("hoy #JuegoDeTronos, y #fútbol!", ("JuegoDeTronos", "fútbol")),
        ("#日本 と #サッカー・日本", ("日本", "サッカー・日本")),
        ("＃全角", ("全角",)),
        ("#नमस्ते दुनिया", ("नमस्ते",)),
        ("#e\u0301xito", ("e\u0301xito",)),
        ("#love❤️ #ok👍🏽", ("love", "ok")),
        ("#a_b #_x #x1 #2026goals", ("a_b", "_x", "x1", "2026goals")),
        ("#uno#dos", ("uno", "dos")),
        ("#GOT #got #Got", ("GOT",)),
        ("(#bracket) \"#quote\" '#tick'", ("bracket", "quote", "tick")),
        ("#1 #123 #_ # #! ## #️⃣", ()),
        ("C#minor a#b &#39; é#x _#y", ()),
        ("#", ()),
        ("##dos", ("dos",)),
    ],
)
def test_hashtags(text: str, expected: tuple[str, ...]) -> None:
    assert find_marks(text).hashtags == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@RealMadrid gana", ("RealMadrid",)),
        ("RT @ana_1: hola", ("ana_1",)),
        (".@ana, (@bob) ¿@eva? 見@taro", ("ana", "bob", "eva", "taro")),
        ("＠ana", ("ana",)),
        ("@Ana @ana @ANA", ("Ana",)),
        ("@ana@mastodon.social. hola", ("ana@mastodon.social",)),
        ("@ana.bsky.social y @juan-luis.bsky.social!", ("ana.bsky.social", "juan-luis.bsky.social")),
        ("@ana.gracias por todo", ("ana",)),
        ("ana@example.com a.b@c.org", ()),
        ("@@ana @ana@ @ @- !@ana", ()),
        ("@" + "a" * 31, ()),
        ("@" + "a" * 30, ("a" * 30,)),
    ],
)
def test_mentions(text: str, expected: tuple[str, ...]) -> None:
    assert find_marks(text).mentions == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mira https://t.co/AbC.", ("https://t.co/AbC",)),
        ("(http://a.es/b_(c)) y http://a.es/d!", ("http://a.es/b_(c)", "http://a.es/d")),
        ("[http://a.es/x]", ("http://a.es/x",)),
        ('"http://a.es/?q=1&r=2#top"…', ("http://a.es/?q=1&r=2#top",)),
        (
            "WWW.Ejemplo.ES/año pic.twitter.com/x t.co/y",
            ("WWW.Ejemplo.ES/año", "pic.twitter.com/x", "t.co/y"),
        ),
        ("https://t.co/abc日本", ("https://t.co/abc",)),
        ("https://t.co/a https://t.co/a", ("https://t.co/a",)),
        ("https://t.co/a,https://t.co/b", ("https://t.co/a,https://t.co/b",)),
        ("http:// https://… http://t http://t… https://.es xhttp://a.es", ()),
        ("http://a.es<b>", ("http://a.es",)),
        ("https://t.co/a😭", ("https://t.co/a",)),
    ],
)
def test_links(text: str, expected: tuple[str, ...]) -> None:
    assert find_marks(text).urls == expected


def test_what_is_inside_a_link_is_no_mark_of_its_own() -> None:
    assert find_marks("https://m.social/@ana#uno") == Marks(
        (), (), ("https://m.social/@ana#uno",), ((0, 25),)
    )


def test_blank_keeps_every_offset() -> None:
    text = "a @b #c https://d.es e"
    blank = find_marks(text).blank(text)
    assert blank.split() == ["a", "e"]
    assert len(blank) == len(text)
    assert blank[-1] == "e"


_PIECES = [
    "#",
    "@",
    "＃",
    "a",
    "é",
    "\u0301",
    "_",
    "1",
    "https://",
    "www.",
    ".es",
    "/",
    ")",
    "(",
    " ",
    "😭",
    "\u200d",
    "日",
]


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=25).map("".join))
def test_marks_are_spans_of_the_text_in_order(text: str) -> None:
    found = find_marks(text)
    at = 0
    for start, end in found.spans:
        assert at <= start < end <= len(text)
        at = end
    spelled = {text[start:end] for start, end in found.spans}
    assert set(found.urls) <= spelled
    assert {*found.hashtags, *found.mentions} <= {word[1:] for word in spelled}
    assert all(any(sign.isalpha() for sign in word) for word in found.hashtags)
    assert len(found.blank(text)) == len(text)


# Quadratic work takes minutes, linear work less than a second.
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "sign", ["#", "@", "#a", "@a", "#1", "http://", "http://a.b/)", "(", "www.", "#\u0301", "@a@", "\u200d"]
)
def test_half_a_million_signs_are_one_pass(sign: str) -> None:
    text = sign * (500_000 // len(sign))
    assert len(find_marks(text).blank(text)) == len(text)


@pytest.mark.timeout(60)
def test_a_link_of_nothing_but_brackets_is_one_pass() -> None:
    text = "https://a.es/" + ")" * 500_000
    assert find_marks(text).urls == ("https://a.es/",)
