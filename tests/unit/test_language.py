"""The language: what the source states wins, else the words decide, and no words give ``und``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.language import LANGUAGES, UNKNOWN, detect, stated_language


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        *(("es", "es"), ("ES", "es"), ("pt-BR", "pt"), ("zh_Hant", "zh"), (" en ", "en"), ("gl", "gl")),
        *(("in", "id"), ("iw", "he"), ("und", None), ("qme", None), ("zxx", None), ("art", None), ("", None)),
        *((None, None), ("e", None), ("english", None), ("e5", None), ("es\x00", None)),
    ],
)
def test_what_the_source_states(hint: str | None, expected: str | None) -> None:
    assert stated_language(hint) == expected


def test_what_the_source_states_wins() -> None:
    assert detect("This is plainly English", "es") == "es"
    assert detect("This is plainly English", "und") == "en"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Me encanta @RealMadrid, que partidazo en el Bernabeu", "es"),
        ("I can't believe they won the cup 😭😭 #Champions", "en"),
        ("RT @ana: não acredito que o jogo acabou assim https://t.co/x", "pt"),
        ("Je ne sais pas pourquoi il pleut encore", "fr"),
        ("Das war heute ein wirklich schöner Tag", "de"),
        ("Non ci posso credere, che bella giornata", "it"),
        ("Bon dia a tothom, avui fa molt bon temps", "ca"),
        ("今日はとても楽しかった", "ja"),
        ("Сегодня хорошая погода", "ru"),
        ("صباح الخير يا أصدقائي", "ar"),
        ("𝗕𝘂𝗲𝗻𝗼𝘀 𝗱í𝗮𝘀 𝗮 𝘁𝗼𝗱𝗼𝘀 𝗹𝗼𝘀 𝗾𝘂𝗲 𝗺𝗲 𝘀𝗶𝗴𝘂𝗲𝗻", "es"),
        ("𝓖𝓸𝓸𝓭 𝓶𝓸𝓻𝓷𝓲𝓷𝓰 𝓮𝓿𝓮𝓻𝔂𝓸𝓷𝓮, 𝓱𝓪𝓿𝓮 𝓪 𝓷𝓲𝓬𝓮 𝓭𝓪𝔂", "en"),
        ("ｔｈｉｓ ｉｓ ａｅｓｔｈｅｔｉｃ ｔｅｘｔ ｆｏｒ ｙｏｕ", "en"),
    ],
)
def test_the_words_decide(text: str, expected: str) -> None:
    assert detect(text) == expected


@pytest.mark.parametrize(
    "text", ["", " \n", "😭😭😭", "@ana #gol https://t.co/x", "12:30 2-1 !!", "\x00\u202e", "xd", "ok"]
)
def test_too_little_to_tell(text: str) -> None:
    assert detect(text) == UNKNOWN


def test_marks_do_not_count() -> None:
    words = "qué partido tan bonito vimos ayer"
    noise = "#TheGreatestGameOfTheYear @the_england_team https://bbc.co.uk/the-news-of-the-day"
    assert detect(f"{noise} {words}") == detect(words) == "es"


@pytest.mark.parametrize(
    "before", ["@the_england_team " * 50, f"https://bbc.co.uk/{'news-' * 60} ", "... " * 80]
)
def test_what_says_nothing_does_not_hide_the_words_behind_it(before: str) -> None:
    assert detect(f"{before}me encanta este partido, muchas gracias a todos") == "es"
    assert detect(before) == UNKNOWN


@given(st.text(), st.one_of(st.none(), st.text(max_size=6)))
def test_always_a_code(text: str, hint: str | None) -> None:
    found = detect(text, hint)
    assert found in {*LANGUAGES, UNKNOWN} or found == stated_language(hint)
    assert found == detect(text, hint)


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert detect("esto es lo que pasa cuando llueve " * 10_000) == "es"


@pytest.mark.parametrize(
    "text", ["hola que tal", "que asco", "qué partidazo", "gracias a todos", "no puede ser"]
)
def test_short_spanish_is_no_neighbour_of_it(text: str) -> None:
    assert detect(text) == "es"


@pytest.mark.parametrize("text", ["jajaja", "hola", "lol", "xd", "omg"])
def test_what_could_be_many_languages_is_left_open(text: str) -> None:
    assert detect(text) in {"und", "es", "en"}
