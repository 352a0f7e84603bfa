"""How the reports read a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.reports.words import MAX_CHARACTERS, count_words, fold, is_retweet, tokens


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Ayuso", "ayuso"),
        ("ATENCIÓN  Primaria", "atencion primaria"),
        ("Straße", "strasse"),
        ("España", "espana"),
        ("ＦＩＦＡ", "fifa"),
        ("İstanbul", "istanbul"),
        ("Київ", "киів"),
        ("", ""),
    ],
)
def test_fold_takes_away_what_spelling_varies(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert fold("caf\u00e9") == fold("cafe\u0301") == "cafe"


def test_tokens_are_words_hashtags_and_emoji() -> None:
    text = "RT @ana: ¡Qué golazo! 😂😂 #HalaMadrid don't https://t.co/x @bea www.a.es &amp; 3-0"
    assert tokens(text) == ["que", "golazo", "😂", "😂", "#halamadrid", "don't", "3", "0"]


def test_a_fullwidth_hashtag_is_a_hashtag() -> None:
    assert tokens("＃Sismo") == ["#sismo"]


def test_scripts_without_blanks_are_read_by_character() -> None:
    assert tokens("ABC日本語") == ["abc", "日", "本", "語"]


def test_words_are_counted_without_emoji() -> None:
    assert count_words(tokens("viva #Perú 🎉🎉 hoy")) == 3
    assert count_words(tokens("🎉 https://t.co/a @b")) == 0


def test_a_retweet_of_the_old_form_is_seen() -> None:
    assert is_retweet("RT @ana: hola")
    assert is_retweet(" rt @ana hola")
    assert not is_retweet("ART @ana: hola")
    assert tokens("RT @ana: hola") == tokens("hola")


def test_only_the_beginning_of_a_huge_text_is_read() -> None:
    assert len(tokens("a " * 100_000)) == MAX_CHARACTERS // 2


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = tokens(text)
    assert all(found)
    assert 0 <= count_words(found) <= len(found)
