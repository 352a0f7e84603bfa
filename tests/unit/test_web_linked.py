"""Texts of tweets as HTML: nothing hostile lives, and links lead only where the source's own would."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.web.linked import actions, author_link, linked, plain


class Read(HTMLParser):
    """The text and the links of a piece of HTML, and every tag in it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and where it leads."""
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href", "rel"}

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data


def links_of(text: str, source: str = "x") -> list[str]:
    """Where the links of a text lead."""
    return Read(str(linked(text, source))).links


def test_names_hashtags_and_addresses_of_x_lead_to_x() -> None:
    assert links_of("Hi @jack_1, #Año2026 at https://t.co/aB1.") == [
        "https://x.com/jack_1",
        "https://x.com/hashtag/A%C3%B1o2026",
        "https://t.co/aB1",
    ]
    assert links_of("Hi @jack, #tag at https://example.org/a?b=c&d", "sample") == [
        "https://example.org/a?b=c&d"
    ]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("https://t.co/aB1すごい", ["https://t.co/aB1"]),
        ("https://t.co/aB1。", ["https://t.co/aB1"]),
        ("https://t.co/aB1…", ["https://t.co/aB1"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://a.example/Real_(moneda), y", ["https://a.example/Real_(moneda)"]),
        ("https://a.example/España?q=Москва", ["https://a.example/España?q=Москва"]),
        ("#हिन्दी", [f"https://x.com/hashtag/{quote('हिन्दी')}"]),
        ("#مُحَمَّد", [f"https://x.com/hashtag/{quote('مُحَمَّد')}"]),
        ("#cafe\u0301s", [f"https://x.com/hashtag/{quote('cafe' + chr(0x301) + 's')}"]),
        ("@josé", []),
    ],
)
def test_links_end_where_those_of_the_source_do(text: str, links: list[str]) -> None:
    assert links_of(text) == links


def test_the_signs_that_x_escapes_are_shown_as_they_were_written() -> None:
    given_text = "H&amp;M -&gt; 1 &lt; 2, &amp;lt; &quot; https://t.co/a?b=1&amp;c=2"
    read = Read(str(linked(given_text, "x")))
    assert read.text == "H&M -> 1 < 2, &lt; &quot; https://t.co/a?b=1&c=2"
    assert read.links == ["https://t.co/a?b=1&c=2"]
    assert Read(str(linked(given_text, "replay"))).text == given_text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "mail me@home.example",
        "#123 is no hashtag",
        "a#b",
        "&#39;",
        "https://user@evil.example/",
        "@averyveryverylongname",
        "https://",
    ],
)
def test_what_is_no_link_stays_text(text: str) -> None:
    assert links_of(text) == []


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["<b>", "&amp;", "@a", "#b", "https://a.b/", '"', "'", " ", "\u202e", "<script>"])
    ).map("".join)
)
def test_the_text_is_whole_and_only_links_are_in_it(text: str) -> None:
    read = Read(str(linked(text, "x")))
    text = plain(text, "x")
    assert (
        read.text.replace("\r", "\n") == text.replace("\r\n", "\n\n").replace("\r", "\n") or read.text == text
    )
    assert read.tags <= {"a"}
    for link in read.links:
        assert re.match(r"https?://[^\s\"'<>]+$", link)


def test_authors_and_actions_are_known_of_x_only() -> None:
    assert author_link("x", "jack", None) == "https://x.com/jack"
    assert author_link("x", None, "12") == "https://x.com/i/user/12"
    assert author_link("x", "<b>mina</b>", "٣") is None
    assert author_link("replay", "jack", "12") is None
    assert actions("x", "17")["like"] == "https://x.com/intent/like?tweet_id=17"
    for source, tweet_id in (("x", "17&a=b"), ("x", "٣"), ("sample", "17")):
        assert actions(source, tweet_id) == {}
