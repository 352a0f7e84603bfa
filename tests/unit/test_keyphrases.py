"""Keyphrases: runs of content words in the raw spelling, the weightiest first, at most five."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.keyphrases import MOST, find_keyphrases
from trendlark.records import clean_text


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        (
            "The United States of America and Microsoft Research",
            "en",
            ("United States", "Microsoft Research", "America"),
        ),
        ("Pedro Sánchez y la sesión plenaria de la OTAN", "es", ("Pedro Sánchez", "sesión plenaria", "OTAN")),
        ("A seleção brasileira venceu o jogo", "pt", ("seleção brasileira venceu", "jogo")),
        ("L'école n'est pas l'ennemi d'Emmanuel Macron", "fr", ("Emmanuel Macron", "école", "ennemi")),
        ("Der Deutsche Bundestag und die Regierung", "de", ("Deutsche Bundestag", "Regierung")),
        ("Il presidente della Repubblica", "it", ("presidente", "Repubblica")),
        ("I don't think it's the Queen's speech", "en", ("Queen", "speech")),
        ("esto tambien esta MAS que bien, aún así", "es", ()),
        ("goal, goal! penalty kick; goal", "en", ("penalty kick", "goal")),
        ("state-of-the-art model", "en", ("state-of-the-art model",)),
        ("climate 2030 target", "en", ("climate 2030 target",)),
        ("2030 15:30 1-0 100", "en", ()),
        ("new\nline", "en", ("new", "line")),
        ("real  madrid", "es", ("real", "madrid")),
        ("76ers to retire Allen Iverson tonight", "en", ("Allen Iverson", "76ers", "retire")),
        ("Pedro Sánchez interviene en Ucrania", "es", ("Pedro Sánchez", "interviene", "Ucrania")),
        ("Crisis económica grave", "es", ("Crisis económica grave",)),
        ("die grosse Koalition", "de", ("grosse Koalition",)),
        ("GRAN FINAL esta noche", "es", ("GRAN FINAL", "noche")),
        ("今日はとても楽しかった", "ja", ()),
        ("rt amp jajaja lol", "es", ()),
        ("jajajajajajajaj qué risa", "es", ("risa",)),
        ("kkkkkkkkkk hahahahahaha muito legal", "pt", ("legal",)),
        ("hijos, José, JoJo Siwa, KKK march", "en", ("JoJo Siwa", "KKK march", "hijos", "José")),
        ("os dois são amigos", "pt", ("amigos",)),
        (
            "Queen&#39;s speech &quot;Marks &amp;amp; Spencer&quot; &tc;",
            "en",
            ("Queen", "speech", "Marks", "Spencer"),
        ),
        ("𝗕𝘂𝗲𝗻𝗼𝘀 𝗱í𝗮𝘀 𝗮 𝘁𝗼𝗱𝗼𝘀 𝗹𝗼𝘀 𝘃𝗲𝗰𝗶𝗻𝗼𝘀", "es", ("𝘃𝗲𝗰𝗶𝗻𝗼𝘀",)),
        ("", "en", ()),
    ],
)
def test_phrases(text: str, lang: str, expected: tuple[str, ...]) -> None:
    assert find_keyphrases(text, lang) == expected


def test_marks_and_emoji_are_none_and_part_what_they_stand_between() -> None:
    text = "Penalty @referee kick #VAR drama 😭 stadium https://t.co/x crowd"
    assert find_keyphrases(text, "en") == ("Penalty", "kick", "drama", "stadium", "crowd")


def test_at_most_five_and_the_longer_first() -> None:
    text = "alpha. beta. gamma. delta. epsilon. zeta eta. theta iota kappa"
    assert find_keyphrases(text, "en") == ("theta iota kappa", "zeta eta", "alpha", "beta", "gamma")


def test_a_run_too_long_for_a_name_is_cut() -> None:
    assert find_keyphrases("alpha beta gamma delta epsilon", "en") == ("alpha beta gamma delta", "epsilon")


def test_a_repeated_phrase_counts_once_in_its_first_spelling() -> None:
    assert find_keyphrases("Copa América! copa america", "es") == ("Copa América",)


def test_a_language_without_a_list_is_cut_at_the_words_of_all() -> None:
    assert find_keyphrases("the Eiffel Tower y la Sagrada Familia", "und") == (
        "Eiffel Tower",
        "Sagrada Familia",
    )


@given(st.text(), st.sampled_from(["en", "es", "fr", "und", "hi", "zh"]))
def test_phrases_are_of_the_text(text: str, lang: str) -> None:
    found = find_keyphrases(text, lang)
    assert len(found) <= MOST
    assert all(phrase in text for phrase in found)
    assert all(any(sign.isalpha() for sign in phrase) for phrase in found)
    assert found == find_keyphrases(text, lang)


@pytest.mark.parametrize(
    "sign", ["a", "a ", "á", "#", "'", "a'", "-", "a-", "\u0301", "\ud800", "日", "word "]
)
def test_hostile_text_is_one_pass(sign: str) -> None:
    assert len(find_keyphrases(clean_text(sign * 200_000), "es")) <= MOST
