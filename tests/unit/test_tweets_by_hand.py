"""Tweets as people write them, judged by hand: their language, marks and keyphrases, all found by rule."""

from __future__ import annotations

import pytest

from trendlark.nlu.fake import FakeAnalyzer
from trendlark.nlu.keyphrases import MOST, find_keyphrases
from trendlark.nlu.language import UNKNOWN, detect
from trendlark.nlu.marks import find_marks

# (text, its hashtags, mentions and links, its keyphrases from the weightiest down)
_Tweet = tuple[str, str, str]

ENGLISH: list[_Tweet] = [
    (
        "Just watched the new Dune movie and WOW, Timothée Chalamet killed it 🔥 #DunePartTwo",
        "#DunePartTwo",
        "Dune movie | Timothée Chalamet | watched | new | killed",
    ),
    (
        "BREAKING: Supreme Court rules 6-3 in favor of Jack Smith https://t.co/aBc123",
        "https://t.co/aBc123",
        "Supreme Court | rules 6-3 | Jack Smith | BREAKING | favor",
    ),
    (
        "can't believe the Lakers lost AGAIN smh 🤦🏽\u200d♂️ @KingJames pls retire",
        "@KingJames",
        "Lakers lost | believe | smh | retire",
    ),
    (
        "RT @nasa: Our James Webb Space Telescope has spotted water https://t.co/xyz",
        "@nasa https://t.co/xyz",
        "James Webb Space Telescope | spotted water",
    ),
    (
        "Happy birthday to my best friend @emma_w!! Love you to the moon and back 🎂❤️",
        "@emma_w",
        "Happy birthday | best friend | Love | moon",
    ),
    (
        "ok but why is nobody talking about Taylor Swift's new album??? #TSTTPD",
        "#TSTTPD",
        "Taylor Swift | new album | talking",
    ),
    ("I'm so tired of Elon Musk tweets in my feed tbh", "", "Elon Musk | tired | tweets | feed"),
    (
        "Manchester United 2-1 Chelsea. Bruno Fernandes with a last minute winner! #MUNCHE",
        "#MUNCHE",
        "Manchester United 2-1 Chelsea | Bruno Fernandes | minute winner",
    ),
    (
        "New blog post: How to deploy Kubernetes on bare metal → www.example.org/k8s",
        "www.example.org/k8s",
        "New blog post | bare metal | deploy | Kubernetes",
    ),
    ("Traffic on the M25 is a nightmare this morning 😩", "", "Traffic | M25 | nightmare | morning"),
    (
        "If you're in New York City tonight, come see us at Madison Square Garden! Tickets: https://t.co/tix",
        "https://t.co/tix",
        "New York City | Madison Square Garden | Tickets",
    ),
    (
        "Apple unveils iPhone 15 Pro Max with USB-C #AppleEvent #iPhone15",
        "#AppleEvent #iPhone15",
        "Apple unveils iPhone 15 | Pro Max | USB-C",
    ),
    ("Thoughts and prayers with everyone in Maui 🙏🏽 #MauiFires", "#MauiFires", "Thoughts | prayers | Maui"),
    (
        "Who else is watching the World Cup final between France and Argentina? 🇫🇷🇦🇷",
        "",
        "World Cup | watching | final | France | Argentina",
    ),
    (
        "Voting closes at 9:00 pm in Georgia, make sure you're in line by then!",
        "",
        "Voting closes | 9:00 pm | Georgia | line",
    ),
    (
        "Inflation falls to 3.2% in October, lower than the Federal Reserve expected",
        "",
        "Inflation falls | Federal Reserve | October | lower | expected",
    ),
    (
        "NASA's Perseverance rover just sent THIS from Mars 👀 https://t.co/mars…",
        "https://t.co/mars",
        "Perseverance rover | NASA | sent | Mars",
    ),
    (
        '"Barbie" made $1,442,000,000 worldwide. Greta Gerwig deserves an Oscar.',
        "",
        "1,442,000,000 worldwide | Greta Gerwig | Barbie | deserves | Oscar",
    ),
    (
        ".@GretaThunberg speaking live in Glasgow now → https://t.co/cop",
        "@GretaThunberg https://t.co/cop",
        "speaking live | Glasgow",
    ),
    (
        "(Thread) Why the Electoral College still matters 🧵👇 1/12",
        "",
        "Electoral College | Thread | matters",
    ),
    (
        "Shoutout to @ana.bsky.social and @joe@mastodon.social for the help",
        "@ana.bsky.social @joe@mastodon.social",
        "Shoutout | help",
    ),
    ("NOT THE DEAD BATTERY AGAIN 😭😭😭 i hate mondays", "", "DEAD BATTERY | hate mondays"),
    (
        "#NowPlaying Bohemian Rhapsody by Queen 🎶 #Rock #70s",
        "#NowPlaying #Rock #70s",
        "Bohemian Rhapsody | Queen",
    ),
    ("Wait... did Netflix just cancel Mindhunter?!?!", "", "Wait | Netflix | cancel | Mindhunter"),
    (
        "5 reasons to visit Costa Rica this winter: https://t.co/a https://t.co/b",
        "https://t.co/a https://t.co/b",
        "5 reasons | Costa Rica | visit | winter",
    ),
    ("Good morning ☀️", "", "Good morning"),
]

SPANISH: list[_Tweet] = [
    (
        "Me encanta el nuevo disco de Rosalía, es una obra maestra 😍 #MOTOMAMI",
        "#MOTOMAMI",
        "nuevo disco | obra maestra | encanta | Rosalía",
    ),
    ("no mames, se fue la luz otra vez en la Condesa 😤 @CFEmx", "@CFEmx", "mames | luz | Condesa"),
    (
        "Pedro Sánchez anuncia elecciones generales para el 23 de julio #23J",
        "#23J",
        "anuncia elecciones generales | Pedro Sánchez | julio",
    ),
    (
        "Feliz cumpleaños Leo Messi!!! El mejor de la historia 🐐🇦🇷",
        "",
        "Feliz cumpleaños | Leo Messi | historia",
    ),
    (
        "Qué vergüenza lo del Congreso de la República, que se vayan todos #PerúDespierta",
        "#PerúDespierta",
        "vergüenza | Congreso | República | vayan",
    ),
    ("che boludo alguien sabe si anda el subte línea B?", "", "che boludo | subte línea | anda"),
    (
        "La Selección Peruana empata 1-1 con Chile en el Estadio Nacional #Eliminatorias2026",
        "#Eliminatorias2026",
        "Selección Peruana | empata 1-1 | Estadio Nacional | Chile",
    ),
    ("Buenos días! Hoy toca paella en casa de mi abuela 🥘", "", "paella | casa | abuela"),
    ("jajajaja me muero con el meme de Bad Bunny", "", "Bad Bunny | muero | meme"),
    (
        "Terremoto de magnitud 6,8 sacude Marruecos: más de 2.000 muertos https://t.co/q",
        "https://t.co/q",
        "magnitud 6,8 sacude | 2.000 muertos | Terremoto | Marruecos",
    ),
    (
        "ESPAÑA CAMPEONA DEL MUNDO!!!! 🏆🇪🇸 #VamosEspaña @SEFutbol",
        "#VamosEspaña @SEFutbol",
        "ESPAÑA CAMPEONA | MUNDO",
    ),
    (
        "RT @el_pais: El Gobierno aprueba la reforma laboral https://t.co/z",
        "@el_pais https://t.co/z",
        "Gobierno aprueba | reforma laboral",
    ),
    (
        "Se viene el paro nacional del jueves, CGT y gremios confirman #ParoGeneral",
        "#ParoGeneral",
        "paro nacional | gremios confirman | viene | jueves | CGT",
    ),
    (
        "Que alguien le diga a @IberiaEs que llevo 5 horas en Barajas sin maleta 😡",
        "@IberiaEs",
        "llevo 5 horas | diga | Barajas | maleta",
    ),
    (
        "Mañana partidazo: Boca Juniors vs River Plate en La Bombonera",
        "",
        "Boca Juniors | River Plate | partidazo | Bombonera",
    ),
    ("xq nadie habla de la sequía en Cataluña??", "", "habla | sequía | Cataluña"),
    ("@ana @luis vamos al cine el viernes?", "@ana @luis", "cine | viernes"),
    (
        "La reina Letizia visita Oviedo por los Premios Princesa de Asturias",
        "",
        "Letizia visita | Premios Princesa | reina | Oviedo | Asturias",
    ),
    (
        "Atención!! Corte de agua en San Juan de Lurigancho hasta las 18:00 🚱 @SedapalOficial",
        "@SedapalOficial",
        "San Juan | Atención | Corte | agua | Lurigancho",
    ),
    ("A ver cuándo baja la gasolina, que ya está a 1,95 €/litro 🤬", "", "baja | gasolina | litro"),
    (
        "Últimas noticias: Lula y Milei se reúnen en Brasilia (vía @Reuters) https://t.co/r",
        "@Reuters https://t.co/r",
        "Últimas noticias | Lula | Milei | reúnen | Brasilia",
    ),
    ("Hoy se cumplen 40 años del 23-F. Nunca más. #23F", "#23F", "cumplen 40 años | 23-F"),
    ("El INE confirma: 47.400.798 habitantes en España", "", "INE confirma | 47.400.798 habitantes | España"),
    ("Mi perro no para de ladrar y son las 3 de la mañana 🐶😴", "", "perro | ladrar"),
    (
        "Jordi Alba se despide del Camp Nou entre lágrimas 💔 #GràciesJordi #FCB",
        "#GràciesJordi #FCB",
        "Jordi Alba | Camp Nou | despide | lágrimas",
    ),
    (
        "Vamos @Peru_FPF carajo!! 🇵🇪🇵🇪🇵🇪 #ContigoPerú #VamosPerú",
        "#ContigoPerú #VamosPerú @Peru_FPF",
        "carajo",
    ),
    ("@mediocre_usr @otra cállate ya, pesado", "@mediocre_usr @otra", "cállate | pesado"),
    (
        '¿Por qué la RAE no acepta "solo" con tilde? Debate eterno…',
        "",
        "Debate eterno | RAE | acepta | tilde",
    ),
    ("TREMENDO GOLAZO DE VINICIUS JR", "", "TREMENDO GOLAZO | VINICIUS JR"),
    (
        "Ley de vivienda: qué cambia desde mañana https://elpais.com/espana/2023-05-25/ley.html",
        "https://elpais.com/espana/2023-05-25/ley.html",
        "Ley | vivienda | cambia",
    ),
]

# Too like another language to tell: here the source must say.
STATED_SPANISH: list[_Tweet] = [
    (
        "El Real Madrid gana la Champions en Wembley https://t.co/aBc",
        "https://t.co/aBc",
        "Real Madrid | gana | Champions | Wembley",
    ),
    ("#FelizMartes gente linda!! A romperla ✨", "#FelizMartes", "gente linda | romperla"),
]

WORDLESS: list[_Tweet] = [
    ("lol", "", ""),
    ("😂😂😂😂", "", ""),
    ("#GranHermano #GH2024", "#GranHermano #GH2024", ""),
    ("https://t.co/solo", "https://t.co/solo", ""),
    ("@ana 12:30 2-1", "@ana", ""),
]

JUDGED = [
    *(("en", None, *tweet) for tweet in ENGLISH),
    *(("es", None, *tweet) for tweet in SPANISH),
    *(("es", "es", *tweet) for tweet in STATED_SPANISH),
    *((UNKNOWN, None, *tweet) for tweet in WORDLESS),
]


def _marks(text: str) -> str:
    found = find_marks(text)
    return " ".join(
        [*(f"#{tag}" for tag in found.hashtags), *(f"@{name}" for name in found.mentions), *found.urls]
    )


@pytest.mark.parametrize(("lang", "stated", "text", "marks", "phrases"), JUDGED)
def test_a_tweet_is_read_as_people_read_it(
    lang: str, stated: str | None, text: str, marks: str, phrases: str
) -> None:
    assert detect(text, stated) == lang
    assert _marks(text) == marks
    assert " | ".join(find_keyphrases(text, lang)) == phrases


def test_a_word_is_a_phrase_or_a_mark_and_never_both() -> None:
    for _, _, text, marks, phrases in JUDGED:
        blank = find_marks(text).blank(text)
        assert all(phrase in blank for phrase in phrases.split(" | "))
        assert not any(mark in blank for mark in marks.split())


def test_an_analyzer_tells_what_the_rules_find() -> None:
    found = FakeAnalyzer().analyze([text for _, _, text, *_ in JUDGED], [lang for lang, *_ in JUDGED])
    assert [one.lang for one in found] == [lang for lang, *_ in JUDGED]
    assert [" | ".join(one.keyphrases) for one in found] == [phrases for *_, phrases in JUDGED]
    assert [one.urls for one in found] == [find_marks(text).urls for _, _, text, *_ in JUDGED]


@pytest.mark.parametrize("tweets", [ENGLISH, SPANISH], ids=["en", "es"])
def test_a_day_of_tweets_in_one_text_is_of_their_language_and_keeps_every_mark(tweets: list[_Tweet]) -> None:
    together = "\n".join(text for text, _, _ in tweets)
    assert detect(together) == ("en" if tweets is ENGLISH else "es")
    every = {mark.casefold() for _, marks, _ in tweets for mark in marks.split()}
    assert {mark.casefold() for mark in _marks(together).split()} == every
    assert len(find_keyphrases(together, "en")) == MOST


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("2.000 muertos", ("2.000 muertos",)),
        ("sube 1,95 euros a las 18:30 horas", ("sube 1,95 euros", "18:30 horas")),
        ("1.2.3.4.5", ()),
        ("versión 2.0beta", ("versión 2.0", "beta")),
        ("gol.Messi corre", ("Messi corre", "gol")),
        ("son 3, Messi corre", ("Messi corre",)),
    ],
)
def test_a_number_holds_its_separators_and_a_sentence_does_not(text: str, phrases: tuple[str, ...]) -> None:
    assert find_keyphrases(text, "es") == phrases


@pytest.mark.parametrize(
    ("text", "lang", "phrases"),
    [
        ("आज हिन्दी दिवस है।", "hi", ("आज हिन्दी दिवस है",)),
        ("كيف حالك؟ مباراة ريال مدريد،", "ar", ("مباراة ريال مدريد", "كيف حالك")),
        ("Nin\u0303o de A\u0301vila", "es", ("Nin\u0303o", "A\u0301vila")),
    ],
)
def test_signs_inside_a_word_are_of_it_and_full_stops_are_not(
    text: str, lang: str, phrases: tuple[str, ...]
) -> None:
    assert find_keyphrases(text, lang) == phrases


@pytest.mark.timeout(60)
@pytest.mark.parametrize("sign", ["1.", "1", "1.1a", "9,", "1..", "1.a"])
def test_numbers_without_end_are_one_pass(sign: str) -> None:
    assert len(find_keyphrases(sign * 200_000, "es")) <= MOST
