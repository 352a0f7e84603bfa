"""Texts of tweets with their links, names and hashtags leading where they lead at the source; all else is escaped."""

from __future__ import annotations

import re
from urllib.parse import quote

from markupsafe import Markup, escape

from trendlark.nlu.keyphrases import VOWEL_SIGNS
from trendlark.web.links import outside_link

# As in the marks of the NLU: scripts other than Latin and Cyrillic end an address, for they follow it without a blank.
_OTHER = r"\s<>\"'()\u0250-\u03ff\u0500-\U0010ffff"
_IN_ADDRESS = rf"(?:[^{_OTHER}]|\([^{_OTHER}]*\))"
_PARTS = re.compile(
    rf"(?P<url>https?://{_IN_ADDRESS}*(?:[^{_OTHER}.,;:!?\]]|\([^{_OTHER}]*\)))"
    r"|(?<![\w@])@(?P<mention>[A-Za-z0-9_]{1,15})(?!\w)"
    rf"|(?<![\w&#])[#＃](?P<hashtag>[\w{VOWEL_SIGNS}]*[^\W\d][\w{VOWEL_SIGNS}]*)"
)
_SIGNS = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ESCAPED = re.compile("|".join(_SIGNS))
_X = "https://x.com/"
_LINK = Markup('<a href="{}" rel="noreferrer nofollow">{}</a>')


def plain(text: str, source: str) -> str:
    """A text as its source shows it: the API of X writes ``&``, ``<`` and ``>`` as HTML does."""
    return _ESCAPED.sub(lambda match: _SIGNS[match[0]], text) if source == "x" else text


def linked(text: str, source: str) -> Markup:
    """The text as HTML: addresses become links, and of tweets of X also names and hashtags."""
    text = plain(text, source)
    done, end = Markup(), 0
    for match in _PARTS.finditer(text):
        address = _address(match, source)
        if address is None:
            continue
        done += escape(text[end : match.start()]) + _LINK.format(address, match[0])
        end = match.end()
    return done + escape(text[end:])


def _address(match: re.Match[str], source: str) -> str | None:
    if match["url"]:
        return outside_link(match["url"])
    if source != "x":
        return None
    return _X + match["mention"] if match["mention"] else f"{_X}hashtag/{quote(match['hashtag'], safe='')}"


def author_link(source: str, handle: str | None, author_id: str | None) -> str | None:
    """The address of an author on X; None for other sources and where nothing is known."""
    if source != "x":
        return None
    if handle and re.fullmatch(r"\w{1,15}", handle, re.ASCII):
        return _X + handle
    return f"{_X}i/user/{author_id}" if author_id and author_id.isdecimal() and author_id.isascii() else None


def actions(source: str, tweet_id: str) -> dict[str, str]:
    """Where a tweet of X is answered, reposted and liked, by message; nothing for other sources."""
    if source != "x" or not (tweet_id.isdecimal() and tweet_id.isascii()):
        return {}
    intent = f"{_X}intent/"
    return {
        "reply": f"{intent}post?in_reply_to={tweet_id}",
        "repost": f"{intent}retweet?tweet_id={tweet_id}",
        "like": f"{intent}like?tweet_id={tweet_id}",
    }
