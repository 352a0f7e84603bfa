"""The one normaliser: raw tweet text in, the text that the model reads out, offsets kept.

Training and serving call the same function, so a model never meets text of another shape than
it learnt from. Bump ``NORMALISER_VERSION`` whenever the output of any text changes; an artefact
states the version that it was trained with.

What it does, in order: lone surrogates to U+FFFD; HTML entities (however often escaped) and the
literal escapes of published data sets decoded; control, zero-width and direction marks removed;
NFC; runs of four or more of a character (digits apart) cut to three; a text in capitals to small
letters (models read capitals badly, and small letters nearly as well as any); mentions to ``@user`` and
links to ``http``; hashtags segmented (``#JuegoDeTronos`` to ``# Juego De Tronos``); emoji spelled
in English words; white space collapsed; runs of four or more mentions cut to three (before a reply stand the
names of all who are replied to, and the model reads so many tokens). Else case is kept.

The output is a fixed point, except where decoding uncovers another escape (``&am&#112;;``), or
segmenting or removing uncovers a placeholder or a border (``#USER``, ``http`` split by an emoji joiner,
``#one#two``, of which a pass segments only the first).
Work is bounded: only the first ``MAX_CODE_POINTS`` code points are looked at.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import emoji

NORMALISER_VERSION = 3
# The oldest whose models may read this one's text: what has changed since they met in training, too.
OLDEST_NORMALISER = 1
MAX_CODE_POINTS = 4000

_LONGEST_RUN = 3
# A text is in capitals when it has so many, and they are this share of its letters; links and mentions aside.
_FEWEST_CAPITALS = 10
_SHARE_OF_CAPITALS = 0.7

# A piece of a rewritten match: replacement text (None keeps the text as it is) for [start, end).
_Piece = tuple[str | None, int, int]

_SURROGATE = re.compile("[\ud800-\udfff]")
# `&(amp;)*` eats any depth of double escaping in one linear pass.
_ENTITY = re.compile(r"&(?:amp;)*(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMP_CHAIN = re.compile(r"&(?:amp;)+(?=[#A-Za-z])")
# The look-behind makes a long run of backslashes cost one scan, not one for each of them.
_ESCAPE = re.compile(r"(?<!\\)\\+(?:(?:u[0-9a-fA-F]{4}(?:\\+(?=u))?)+|[nrt\"'/])")
_ESCAPED_UNIT = re.compile(r"u([0-9a-fA-F]{4})")
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0e\ufeff\ufff9-\ufffb]"
)
_EMOJI_START = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001fbff"
_EMOJI_HINT = re.compile(f"[{_EMOJI_START}]")
# Joiners mean something between emoji only; elsewhere they hide words from the tokenizer.
_JOINER = "\u200d\ufe0f\U000e0020-\U000e007f"
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI_START}{_JOINER}0-9#*])[{_JOINER}]+")
_ANY_JOINER = re.compile(f"[{_JOINER}\u20e3]+")
_RUN = re.compile(r"([^\d\s])\1{3,}")
_SPACE = re.compile(r"\s+")
_LINK = (
    r"(?:(?<!\w)(?:https?|ftp)://[!-~]*|(?<!\w)www\.[!-~]+|(?<!\w)(?:pic\.twitter\.com|t\.co)/[!-~]+"
    r"|\{\{URL\}\}|(?<!\w)(?:https?:?(?:…|TURLURL)|https|HTTPURL|TURLURL|URL\d*|_url)(?!\w))"
)
_MENTION = (
    r"(?:\{@[^@{}]{1,80}@\}|(?<!\w)[@＠]\w+(?:@[\w.-]*\w|(?:\.[\w-]+)*\.bsky\.social)?"
    r"|(?<!\w)(?:T?USERUSER|USER\d*|_usr)(?!\w))"
)
_HASHTAG = r"(?:(?<!\w)[#＃]\w+)"
_TOKEN = re.compile(f"(?P<link>{_LINK})|(?P<mention>{_MENTION})|(?P<hashtag>{_HASHTAG})")
_MENTIONS = re.compile(r"(?<!\S)@user(?: @user){3,}(?!\S)")
_PLACEHOLDERS = re.compile(r"(?:@user|http|\s)*")
_SKIN_TONE = re.compile(r"_(?:medium-light|medium-dark|light|medium|dark)_skin_tone")
# Characters of combining class 0 that NFC may still join to the one before (Hangul and Indic vowels).
_JOINING_STARTERS = re.compile(
    "[\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35"
    "\u1161-\u1175\u11a8-\u11c2\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af"
    "\U00011930]"
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """The text for the model, and for each of its characters the half-open span of raw code points."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    truncated: bool = False

    @property
    def silent(self) -> bool:
        """Whether nothing is said: there is no more than mentions and links, as where a picture is all of a tweet."""
        return _PLACEHOLDERS.fullmatch(self.text) is not None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map the span [start, end) of the normalised text to a span of code points of the raw text."""
        size = len(self.text)
        start, end = max(0, min(start, size)), max(0, min(end, size))
        if start < end:
            return self.starts[start], self.ends[end - 1]
        edge = self.starts[start] if start < size else (self.ends[-1] if size else 0)
        return edge, edge


@dataclass(slots=True)
class _Draft:
    text: str
    starts: list[int]
    ends: list[int]

    def rewrite(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], Iterable[_Piece]]) -> None:
        pieces: list[_Piece] = []
        at = 0
        for match in pattern.finditer(self.text):
            if match.start() > at:
                pieces.append((None, at, match.start()))
            pieces.extend(replace(match))
            at = match.end()
        if at:
            pieces.append((None, at, len(self.text)))
            self.apply(pieces)

    def apply(self, pieces: Iterable[_Piece]) -> None:
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for replacement, start, end in pieces:
            if replacement is None:
                texts.append(self.text[start:end])
                starts += self.starts[start:end]
                ends += self.ends[start:end]
            elif replacement:
                texts.append(replacement)
                first, last = self._raw(start, end)
                starts += [first] * len(replacement)
                ends += [last] * len(replacement)
        self.text, self.starts, self.ends = "".join(texts), starts, ends

    def _raw(self, start: int, end: int) -> tuple[int, int]:
        if start < end:
            return self.starts[start], self.ends[end - 1]
        edge = self.ends[start - 1] if start else 0
        return edge, edge


def normalise(text: str) -> Normalised:
    """Return the text as the model reads it, with its offsets; never raises, linear in the length."""
    cut = text[:MAX_CODE_POINTS]
    size = len(cut)
    draft = _Draft(_SURROGATE.sub("\ufffd", cut), list(range(size)), list(range(1, size + 1)))
    _decode(draft)
    draft.rewrite(_CONTROL, _drop)
    draft.rewrite(_STRAY_JOINER, _drop)
    _compose(draft)
    draft.rewrite(_RUN, _shorten)
    _quieten(draft)
    draft.rewrite(_TOKEN, _replace_token)
    _spell_emoji(draft)
    draft.rewrite(_ANY_JOINER, _drop)
    _compose(draft)
    draft.rewrite(_RUN, _shorten)
    draft.rewrite(_SPACE, _collapse)
    draft.rewrite(_MENTIONS, _shorten_mentions)
    start = 1 if draft.text.startswith(" ") else 0
    end = len(draft.text) - (1 if draft.text.endswith(" ") and len(draft.text) > start else 0)
    return Normalised(
        draft.text[start:end],
        tuple(draft.starts[start:end]),
        tuple(draft.ends[start:end]),
        truncated=len(text) > MAX_CODE_POINTS,
    )


def _decode(draft: _Draft) -> None:
    if "&" in draft.text:
        draft.rewrite(_ENTITY, _decode_entity)
    if "\\" in draft.text:
        draft.rewrite(_ESCAPE, _decode_escape)


def _decode_entity(match: re.Match[str]) -> Iterable[_Piece]:
    decoded = html.unescape(_AMP_CHAIN.sub("&", match[0]))
    yield _SURROGATE.sub("\ufffd", decoded), match.start(), match.end()


def _decode_escape(match: re.Match[str]) -> Iterable[_Piece]:
    units = _ESCAPED_UNIT.findall(match[0])
    if units:
        raw = b"".join(int(unit, 16).to_bytes(2, "big") for unit in units)
        decoded = raw.decode("utf-16-be", errors="replace")
    else:
        decoded = " " if match[0][-1] in "nrt" else match[0][-1]
    yield decoded, match.start(), match.end()


def _drop(match: re.Match[str]) -> Iterable[_Piece]:
    yield "", match.start(), match.end()


def _shorten(match: re.Match[str]) -> Iterable[_Piece]:
    # The last kept character stands for the rest, so that an entity ending in the run keeps its end.
    last = match.start() + _LONGEST_RUN - 1
    yield None, match.start(), last
    yield match[1], last, match.end()


def _shorten_mentions(match: re.Match[str]) -> Iterable[_Piece]:
    last = match.start() + len("@user ") * (_LONGEST_RUN - 1)
    yield None, match.start(), last
    yield "@user", last, match.end()


def _collapse(match: re.Match[str]) -> Iterable[_Piece]:
    yield " ", match.start(), match.end()


def _quieten(draft: _Draft) -> None:
    own = _TOKEN.sub(lambda match: match[0] if match.lastgroup == "hashtag" else " ", draft.text)
    capitals = sum(map(_is_capital, own))
    if capitals < _FEWEST_CAPITALS or capitals < _SHARE_OF_CAPITALS * sum(map(str.isalpha, own)):
        return
    parts: list[str] = []
    at = 0
    for match in _TOKEN.finditer(draft.text):
        parts.append(_small(draft.text[at : match.start()]))
        # A hashtag in capitals is one word, shouted; another has its words marked by them. Placeholders stay.
        shouted = match.lastgroup == "hashtag" and match[0].isupper()
        parts.append(_small(match[0]) if shouted else match[0])
        at = match.end()
    draft.text = "".join([*parts, _small(draft.text[at:])])


def _is_capital(character: str) -> bool:
    # A sign such as the emoji of the Metro, an M in a circle, has a small form, too, and is no letter.
    return character.isalpha() and character.isupper()


def _small(text: str) -> str:
    """Return the text in small letters, character by character: none may become two."""
    return "".join(small if _is_capital(one) and len(small := one.lower()) == 1 else one for one in text)


def _replace_token(match: re.Match[str]) -> Iterable[_Piece]:
    start, end = match.span()
    yield " ", start, start
    if match.lastgroup == "hashtag":
        yield "#", start, start + 1
        for first, last in _segments(match[0], 1):
            yield " ", start + first, start + first
            yield None, start + first, start + last
    else:
        yield "http" if match.lastgroup == "link" else "@user", start, end
    yield " ", end, end


def _segments(word: str, start: int) -> Iterable[tuple[int, int]]:
    first = start
    for at in range(start, len(word)):
        if word[at] == "_":
            if first < at:
                yield first, at
            first = at + 1
        elif first < at and _starts_word(word, at):
            yield first, at
            first = at
    if first < len(word):
        yield first, len(word)


def _starts_word(word: str, at: int) -> bool:
    before, here = word[at - 1], word[at]
    if before.isdigit() != here.isdigit():
        return True
    if not here.isupper():
        return False
    return before.islower() or (at + 1 < len(word) and before.isupper() and word[at + 1].islower())


def _spell_emoji(draft: _Draft) -> None:
    if not _EMOJI_HINT.search(draft.text):
        return
    pieces: list[_Piece] = []
    at, last, count = 0, "", 0
    for found in emoji.emoji_list(draft.text):
        start, end, sign = found["match_start"], found["match_end"], found["emoji"]
        count = count + 1 if sign == last and not draft.text[at:start].strip() else 1
        last = sign
        pieces.append((None, at, start))
        if count <= _LONGEST_RUN:
            pieces += [(" ", start, start), (_emoji_words(sign), start, end), (" ", end, end)]
        at = end
    pieces.append((None, at, len(draft.text)))
    draft.apply(pieces)


@lru_cache(maxsize=4096)
def _emoji_words(sign: str) -> str:
    name = _SKIN_TONE.sub("", emoji.demojize(sign, language="en"))
    return " ".join(name.strip(":").replace("_", " ").replace("-", " ").split())


def _compose(draft: _Draft) -> None:
    text = draft.text
    if unicodedata.is_normalized("NFC", text):
        return
    pieces: list[_Piece] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and (unicodedata.combining(text[at]) or _JOINING_STARTERS.match(text[at])):
            continue
        cluster = text[start:at]
        composed = unicodedata.normalize("NFC", cluster)
        pieces.append((None if composed == cluster else composed, start, at))
        start = at
    draft.apply(pieces)
