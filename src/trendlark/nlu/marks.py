"""Hashtags, mentions and links of a tweet, as the raw text spells them.

Roughly the rules of twitter-text (github.com/twitter/twitter-text), with handles of Mastodon
(``@name@server``) and Bluesky (``@name.bsky.social``) besides. One pass, linear on hostile input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# In a link, letters beyond ASCII are those of European hosts and paths; other scripts end it.
_LINK = (
    r"(?<![A-Za-z0-9_@＠$#＃-])(?:https?://|www\.|pic\.twitter\.com/|t\.co/)"
    r"[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff](?:[!#-;=?-\[\]-~\u00c0-\u024f\u0400-\u04ff]*)"
)
_MENTION = (
    r"(?<![A-Za-z0-9_!#$%&*@＠])[@＠](?P<handle>[A-Za-z0-9_]{1,30}(?![A-Za-z0-9_])"
    r"(?:@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,5}|(?:[A-Za-z0-9-]{1,63})?\.bsky\.social)?)"
    r"(?!@|＠|://)"
)
_MARK = re.compile(f"(?P<link>{_LINK})|(?P<mention>{_MENTION})|(?P<hashtag>[#＃])", re.IGNORECASE)
_TRAILING = frozenset(".,;:!?'\"*_~&|([{")
_CLOSING = {")": "(", "]": "[", "}": "{"}
# Joiners and dots that Persian, Indic, Catalan and Japanese words hold.
_INNER = frozenset("_\u200c\u200d\u00b7\u30fb")


@dataclass(frozen=True, slots=True)
class Marks:
    """Each kind in order of appearance, once; ``spans`` are the code points that all of them cover."""

    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    urls: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def blank(self, text: str) -> str:
        """Return the text with every mark overwritten by line breaks, so that offsets stay."""
        pieces, at = [], 0
        for start, end in self.spans:
            pieces += [text[at:start], "\n" * (end - start)]
            at = end
        return "".join([*pieces, text[at:]])


def find_marks(text: str) -> Marks:
    """Return the hashtags and mentions (without their sign) and the links of a text."""
    hashtags: list[str] = []
    mentions: list[str] = []
    urls: list[str] = []
    spans: list[tuple[int, int]] = []
    at, tag_end = 0, -1
    while match := _MARK.search(text, at):
        start, end = match.span()
        if match.lastgroup == "hashtag":
            end = _hashtag_end(text, start, follows_hashtag=start == tag_end)
            if end > start:
                hashtags.append(text[start + 1 : end])
                tag_end = end
        elif match["link"] is not None:
            stop, end = end, _link_end(text, start, end)
            if end > start:
                urls.append(text[start:end])
            else:
                # Looked at once: a run of "http://http://..." would be looked at for each of its links.
                at = stop
                continue
        else:
            mentions.append(match["handle"])
        if end > start:
            spans.append((start, end))
        at = max(end, start + 1)
    return Marks(_once(hashtags), _once(mentions), tuple(dict.fromkeys(urls)), tuple(spans))


def _hashtag_end(text: str, start: int, *, follows_hashtag: bool) -> int:
    before = text[start - 1] if start else " "
    if not follows_hashtag and (before in "&_" or before.isalnum()):
        return start
    end, letters = start + 1, False
    while end < len(text):
        category = unicodedata.category(text[end])[0]
        if category not in "LMN" and text[end] not in _INNER:
            break
        letters = letters or category == "L"
        end += 1
    # Joiners and variation selectors at the end belong to an emoji that follows.
    while end > start + 1 and text[end - 1] in "\u200c\u200d\ufe0e\ufe0f\u00b7\u30fb":
        end -= 1
    return end if letters else start


def _link_end(text: str, start: int, end: int) -> int:
    depth = {sign: text.count(sign, start, end) for sign in "()[]{}"}
    while end > start:
        last = text[end - 1]
        opening = _CLOSING.get(last)
        if not (depth[last] > depth[opening] if opening else last in _TRAILING):
            break
        if last in depth:
            depth[last] -= 1
        end -= 1
    host = re.split(r"[/?#]", text[start:end].partition("://")[2] or text[start:end], maxsplit=1)[0]
    return end if "." in host.strip(".") else start


def _once(words: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for word in words:
        found.setdefault(word.casefold(), word)
    return tuple(found.values())
