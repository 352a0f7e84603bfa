"""The normaliser, case by case: what published data sets and people of each country really write.

Each case names a part of what comes out and the raw text that this part must lead back to.
"""

from __future__ import annotations

import pytest

from trendlark.nlu.text import normalise

# (raw, normalised, part of the normalised text, the raw text that the part stands for)
_Case = tuple[str, str, str, str]

ESCAPES_OF_TWEETEVAL: list[_Case] = [
    ("Thursday\\u002c Curtis", "Thursday, Curtis", "Curtis", "Curtis"),
    ("Iran can\\u2019t deal", "Iran can’t deal", "can’t", "can\\u2019t"),
    ('\\""""Ben Smith', '"""Ben Smith', "Ben", "Ben"),
    ("do &#039;1/2&#039; it", "do '1/2' it", "'1/2'", "&#039;1/2&#039;"),
    ("I &amp;hearts; U", "I heart suit U", "heart suit", "&amp;hearts;"),
    ("AT&T &T; &amp ok", "AT&T &T; &amp ok", "&T;", "&T;"),
    ("5 &euro; &copy; Sony", "5 € copyright Sony", "Sony", "Sony"),
    ("a&nbsp;&nbsp;b", "a b", "b", "b"),
    ("&#128169;!", "pile of poo !", "pile of poo", "&#128169;"),
    ("&#x1F602;", "face with tears of joy", "tears", "&#x1F602;"),
    ("&#0; &#xD83D;", "� �", "�", "&#0;"),
    ("\\ud83d\\udc4d Goya", "thumbs up Goya", "thumbs up", "\\ud83d\\udc4d"),
    ("\\ud83d alone", "� alone", "�", "\\ud83d"),
    ("\\\\u00e9l", "él", "él", "\\\\u00e9l"),
    ("\\u00zz", "\\u00zz", "zz", "zz"),
    ("line\\r\\nend \\/ x", "line end / x", "end", "end"),
    ("wow \\#Lupin", "wow \\ # Lupin", "Lupin", "Lupin"),
]

PLACEHOLDERS: list[_Case] = [
    ("@USER HASHTAG ya", "@user HASHTAG ya", "@user", "@USER"),
    ("{{URL}} {{USERNAME}}", "http {{USERNAME}}", "http", "{{URL}}"),
    ("USER12 va a URL1", "@user va a http", "@user", "USER12"),
    ("_usr en _url.", "@user en http .", "http", "_url"),
    ("<USER> [URL]", "< @user > [ http ]", "@user", "USER"),
    ("{@FC Barcelona@} {@ @}", "@user @user", "@user", "{@FC Barcelona@}"),
    ("TUSERUSER HTTPURL", "@user http", "http", "HTTPURL"),
    ("SUPERUSER con las URLS de curl", "SUPERUSER con las URLS de curl", "curl", "curl"),
    ("el usuario de la url", "el usuario de la url", "url", "url"),
    ("user@mail.com", "user@mail.com", "mail.com", "mail.com"),
]

SPANISH: list[_Case] = [
    ("Ni puta idea tío, xq no??? jajajaja", "Ni puta idea tío, xq no??? jajajaja", "jajajaja", "jajajaja"),
    ("FLIPOOOOOO en Vallekas", "FLIPOOO en Vallekas", "FLIPOOO", "FLIPOOOOOO"),
    ("no mames wey 🤣 Neza", "no mames wey rolling on the floor laughing Neza", "Neza", "Neza"),
    ("¡Arriba Perú! pe 🇵🇪", "¡Arriba Perú! pe Peru", "Peru", "🇵🇪"),
    ("Che boludo 🇦🇷❤️ ¿Messi?", "Che boludo Argentina red heart ¿Messi?", "¿Messi?", "¿Messi?"),
    ("holaaaaa Nin\u0303o", "holaaa Niño", "Niño", "Nin\u0303o"),
    ("ÑOÑOOOOO", "ÑOÑOOO", "ÑOÑOOO", "ÑOÑOOOOO"),
    ("a las 11:11 del 2000000", "a las 11:11 del 2000000", "2000000", "2000000"),
    ("ola k ase :) xD <3 ^^", "ola k ase :) xD <3 ^^", "<3", "<3"),
    ("¯\\_(ツ)_/¯ vale", "¯\\_(ツ)_/¯ vale", "vale", "vale"),
]

EMOJI: list[_Case] = [
    ("👨‍👩‍👧‍👦Ana", "family man woman girl boy Ana", "Ana", "Ana"),
    ("🏳️‍🌈", "rainbow flag", "rainbow flag", "🏳️‍🌈"),
    ("👩🏽‍💻 dev", "woman technologist dev", "woman technologist", "👩🏽‍💻"),
    (
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f!",
        "England !",
        "England",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),
    ("❤️‍🔥❤", "heart on fire red heart", "red heart", "❤"),
    ("👍👍🏻👍🏿", "thumbs up thumbs up thumbs up", "up", "👍"),
    ("🇪🇸🇲🇽 🇪", "Spain Mexico 🇪", "Mexico", "🇲🇽"),
    ("1️⃣ #️⃣ 1⃣", "keycap 1 keycap # keycap 1", "keycap #", "#️⃣"),
    ("0️⃣9️⃣", "keycap 0 keycap 9", "keycap 9", "9️⃣"),
    ("™ ‼️ ☀️", "trade mark double exclamation mark sun", "sun", "☀️"),
    ("😭 😭\n😭😭😭 fin", "loudly crying face " * 3 + "fin", "fin", "fin"),
    ("😭😂😭😂", ("loudly crying face face with tears of joy " * 2).strip(), "tears", "😂"),
    ("Fin😀.", "Fin grinning face .", "grinning face", "😀"),
]

SIGNS_AND_SCRIPTS: list[_Case] = [
    ("x\u0349a\u0337b", "x\u0349a\u0337b", "a\u0337", "a\u0337"),
    ("A\u030angstro\u0308m", "Ångström", "Ångström", "A\u030angstro\u0308m"),
    ("\u1112\u1161\u11ab국", "한국", "한국", "\u1112\u1161\u11ab국"),
    ("soft\u00adhyphen", "softhyphen", "softhyphen", "soft\u00adhyphen"),
    ("rtl\u202eabc\u202c z", "rtlabc z", "abc", "abc"),
    ("\ufeffBOM", "BOM", "BOM", "BOM"),
    ("می\u200cخواهم", "میخواهم", "میخواهم", "می\u200cخواهم"),
    ("مرحبا العربيةةةةةة", "مرحبا العربيةةة", "العربيةةة", "العربيةةةةةة"),
    ("ｗｗｗｗｗｗ 世界", "ｗｗｗ 世界", "世界", "世界"),
    ("ㅋㅋㅋㅋㅋ ㅠㅠ", "ㅋㅋㅋ ㅠㅠ", "ㅋㅋㅋ", "ㅋㅋㅋㅋㅋ"),
    ("ﷺ ﬁn ½", "ﷺ ﬁn ½", "ﬁn", "ﬁn"),
    ("a\u2028b\u00a0c\u3000\x0bd", "a b c d", "d", "d"),
    ("İstanbul ı ß ẞ", "İstanbul ı ß ẞ", "İstanbul", "İstanbul"),
]

HASHTAGS: list[_Case] = [
    ("#Año2024", "# Año 2024", "2024", "2024"),
    ("#EspañaVsPerú", "# España Vs Perú", "Perú", "Perú"),
    ("#ÑoñosUnidos", "# Ñoños Unidos", "Ñoños", "Ñoños"),
    ("#ElNin\u0303o", "# El Niño", "Niño", "Nin\u0303o"),
    ("#COVID19España", "# COVID 19 España", "19", "19"),
    ("#iPhone15Pro", "# i Phone 15 Pro", "Phone", "Phone"),
    ("#FIFAWorldCup", "# FIFA World Cup", "FIFA", "FIFA"),
    ("#BTS_Butter #__x__ #_", "# BTS Butter # x #", "Butter", "Butter"),
    ("#8M #1 ## #!", "# 8 M # 1 ## #!", "8 M", "8M"),
    ("#tres,#cuatro (#cinco)", "# tres , # cuatro ( # cinco )", "cuatro", "cuatro"),
    ("a#b &#35;tag", "a#b # tag", "tag", "tag"),
    ("＃全角 #日本代表", "# 全角 # 日本代表", "日本代表", "日本代表"),
    ("#السعودية_اليوم", "# السعودية اليوم", "اليوم", "اليوم"),
    ("#madrid", "# madrid", "# madrid", "#madrid"),
]

LINKS_AND_MENTIONS: list[_Case] = [
    ("http://t.co/abc. Fin", "http Fin", "http", "http://t.co/abc."),
    ("https://t.co/x?y=1&amp;z=2 w", "http w", "http", "https://t.co/x?y=1&amp;z=2"),
    ("pic.twitter.com/Z t.co/q", "http http", "http", "pic.twitter.com/Z"),
    ("httpsx http http:/x", "httpsx http http:/x", "httpsx", "httpsx"),
    ("visita https…", "visita http", "http", "https…"),
    ("@ana_b: hola @ANA's", "@user : hola @user 's", "@user", "@ana_b"),
    (".@bea ＠japón", ". @user @user", ". @user", ".@bea"),
    ("@carl@mas.to @d.bsky.social", "@user @user", "@user @user", "@carl@mas.to @d.bsky.social"),
    ("e@f.gh @ tres", "e@f.gh @ tres", "e@f.gh", "e@f.gh"),
]

CASES = (
    ESCAPES_OF_TWEETEVAL + PLACEHOLDERS + SPANISH + EMOJI + SIGNS_AND_SCRIPTS + HASHTAGS + LINKS_AND_MENTIONS
)


@pytest.mark.parametrize(("raw", "expected", "part", "origin"), CASES)
def test_what_the_model_reads_and_where_it_stands(raw: str, expected: str, part: str, origin: str) -> None:
    found = normalise(raw)
    assert found.text == expected
    at = found.text.index(part)
    start, end = found.span(at, at + len(part))
    assert raw[start:end] == origin


@pytest.mark.parametrize("case", CASES)
def test_the_same_in_the_midst_of_a_tweet(case: _Case) -> None:
    raw, expected, part, origin = case
    found = normalise(f"Ayer, {raw} ¿eh?")
    assert found.text == f"Ayer, {expected} ¿eh?"
    at = found.text.index(expected) + expected.index(part)
    start, end = found.span(at, at + len(part))
    assert f"Ayer, {raw} ¿eh?"[start:end] == origin


def test_no_case_stands_twice() -> None:
    assert len({raw for raw, *_ in CASES}) == len(CASES)
