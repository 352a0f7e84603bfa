"""The examples of a trend: central, diverse, in proportion to the sentiments, and always the same ones."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trendlark.records import SENTIMENTS
from trendlark.reports.examples import Candidate, Pool, choose_examples, seats_for, share_out

# Another trend of the hour: it tells which words are everywhere.
_ELSEWHERE = Pool(
    [
        Candidate(f"e{n}", text, "neutral")
        for n, text in enumerate(
            (
                "el tiempo de la semana en la ciudad",
                "la lluvia de hoy en el norte",
                "el viento de la costa y la nieve de la sierra",
                "que frío hace en la calle de la plaza",
            )
        )
    ],
    {"neutral": 4},
)

_SMALL_THINGS = "sol mar luz pan sal col red paz voz ley fin rey flor tren mesa casa gato pera nube lago"


def _pool(*texts: str, sentiments: tuple[str, ...] = ()) -> Pool:
    labels = sentiments or ("neutral",) * len(texts)
    candidates = [
        Candidate(f"t{n:02d}", text, label) for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    return Pool(candidates, Counter(labels))


def _chosen(pool: Pool) -> tuple[str, ...]:
    return choose_examples([pool, _ELSEWHERE])[0]


@pytest.mark.parametrize(
    ("texts", "seats"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3), (10, 4), (19, 4), (20, 5), (2000, 5)]
)
def test_three_to_five_are_shown_and_all_of_fewer(texts: int, seats: int) -> None:
    assert seats_for(texts) == seats


def test_seats_go_by_largest_remainder() -> None:
    room = {"negative": 9, "neutral": 9, "positive": 9}
    # 5 seats of 100: quotas 2.65, 1.5 and 0.85: whole parts 2, 1, 0; the largest remainders get the rest.
    assert share_out({"negative": 53, "neutral": 30, "positive": 17}, 5, room) == {
        "negative": 3,
        "neutral": 1,
        "positive": 1,
    }


def test_seat_ties_go_to_the_larger_count_then_the_first_name() -> None:
    room = {"a": 9, "b": 9, "c": 9}
    assert share_out({"b": 1, "a": 1}, 3, room) == {"b": 1, "a": 2}
    assert share_out({"a": 1, "b": 3}, 2, room) == {"a": 0, "b": 2}


def test_seats_without_room_go_to_the_others() -> None:
    assert share_out({"a": 90, "b": 10}, 5, {"a": 2, "b": 9}) == {"a": 2, "b": 3}
    assert share_out({"a": 90, "b": 10}, 5, {"a": 1, "b": 1}) == {"a": 1, "b": 1}
    assert share_out({"a": 0, "b": 0}, 5, {"a": 1, "b": 1}) == {"a": 0, "b": 0}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1000)),
    st.integers(0, 9),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 5)),
)
def test_seats_never_exceed_what_there_is(counts: dict[str, int], seats: int, room: dict[str, int]) -> None:
    given_out = share_out(counts, seats, room)
    open_room = sum(room.get(name, 0) for name, count in counts.items() if count > 0)
    assert sum(given_out.values()) == min(seats, open_room)
    assert all(0 <= given_out[name] <= room.get(name, 0) for name in counts if counts[name] > 0)


def test_the_most_central_comes_first() -> None:
    pool = _pool(
        "el partido del domingo fue un desastre total del árbitro",
        "el árbitro arruinó el partido del domingo con ese penalti",
        "penalti inventado por el árbitro en el partido",
        "mi gata duerme encima del teclado mientras escribo poemas",
        "el penalti del árbitro decidió el partido del domingo",
    )
    chosen = _chosen(pool)
    assert chosen[0] in {"t01", "t02", "t04"}
    assert len(chosen) == 3


def test_a_text_that_is_repeated_is_shown_once_and_by_its_original() -> None:
    pool = _pool(
        "RT @ana: ¡Gana el equipo rojo la final de copa!",
        "Gana el equipo rojo la final de copa",
        "@luis gana el EQUIPO rojo la final de copa https://t.co/abc",
        "la afición celebra en la fuente hasta la madrugada",
        "vaya robo de final, el segundo gol fue con la mano",
    )
    assert set(_chosen(pool)) == {"t01", "t03", "t04"}


def test_near_duplicates_are_left_out_even_if_fewer_remain() -> None:
    common = "huelga indefinida de médicos de familia y pediatras en los centros de salud de la región desde"
    pool = _pool(
        f"{common} hoy", f"{common} ayer", f"{common} mañana", "gracias a quienes nos cuidan cada día"
    )
    chosen = _chosen(pool)
    assert len(chosen) == 2
    assert "t03" in chosen


def test_scraps_give_way_to_sentences() -> None:
    pool = _pool(
        "penalti",
        "penalti árbitro",
        "árbitro 😡",
        "el árbitro pitó un penalti que no era y el estadio entero protestó",
        "sin ese penalti el árbitro no habría decidido la final de anoche",
        "otro penalti dudoso: el árbitro ni siquiera miró la pantalla del campo",
    )
    assert set(_chosen(pool)) == {"t03", "t04", "t05"}


def test_sentiments_are_shown_in_proportion() -> None:
    things = _SMALL_THINGS.split()
    texts = [
        f"hablamos del {a} grande, del {b} viejo y del concierto"
        for a, b in zip(things, [*things[1:], things[0]], strict=True)
    ]
    labels = tuple(["negative"] * 12 + ["neutral"] * 4 + ["positive"] * 4)
    pool = _pool(*texts, sentiments=labels)
    shown = Counter(labels[int(tweet_id[1:])] for tweet_id in _chosen(pool))
    assert shown == {"negative": 3, "neutral": 1, "positive": 1}


def test_shares_of_the_whole_trend_count_not_those_of_the_pool() -> None:
    pool = _pool(
        "qué alegría tan grande ver otra vez el circo en la ciudad",
        "vergüenza de espectáculo con animales encerrados todo el año",
        "ojalá cierren pronto ese negocio tan cruel y tan triste",
        "mañana hay función doble con payasos y trapecistas rusos",
        sentiments=("positive", "negative", "negative", "positive"),
    )
    chosen = _chosen(Pool(pool.candidates, {"negative": 1, "positive": 999}))
    assert {"t00", "t03"} <= set(chosen)


def test_equals_go_by_tweet_id() -> None:
    texts = ["uno dos tres cuatro cinco", "seis siete ocho nueve diez", "once doce trece catorce quince"]
    candidates = [Candidate(name, text, "neutral") for name, text in zip("cab", texts, strict=True)]
    assert choose_examples([Pool(candidates, {"neutral": 3})]) == [("a", "b", "c")]


def test_empty_and_wordless_pools_are_no_trouble() -> None:
    wordless = _pool("https://t.co/a", "@ana @bea", "", "😀")
    chosen = choose_examples([Pool([], {}), wordless, _pool("solo una frase aquí")])
    assert chosen[0] == ()
    assert chosen[1] == ("t00", "t03")  # the three without any token are the same text
    assert chosen[2] == ("t00",)
    assert choose_examples([]) == []


def test_the_words_of_the_trend_matter_more_than_those_of_the_language() -> None:
    pool = _pool(
        "y de la que en el de la y el de la que en",
        "la erupción del volcán cubrió el pueblo de ceniza",
        "evacuado el pueblo por la erupción del volcán",
        "la ceniza del volcán llega hasta el aeropuerto",
    )
    assert _chosen(pool)[0] != "t00"


_VOCABULARY = "sol luna mar río volcán ceniza pueblo #sismo 😀 la de que http://a @b"
_WORDS = st.sampled_from(_VOCABULARY.split())
_TEXTS = st.lists(_WORDS, max_size=9).map(" ".join)
_CANDIDATES = st.lists(st.tuples(_TEXTS, st.sampled_from(SENTIMENTS)), max_size=30)


@settings(deadline=None)
@given(_CANDIDATES, _CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    first: list[tuple[str, str]], second: list[tuple[str, str]], random: Random
) -> None:
    pools = []
    for found in (first, second):
        candidates = [Candidate(f"{n}", text, label) for n, (text, label) in enumerate(found)]
        pools.append(Pool(candidates, Counter(label for _, label in found)))
    shuffled = [Pool(random.sample(pool.candidates, len(pool.candidates)), pool.sentiments) for pool in pools]
    chosen = choose_examples(pools)
    assert choose_examples(shuffled) == chosen
    for ids, pool in zip(chosen, pools, strict=True):
        assert len(set(ids)) == len(ids) <= 5
        assert set(ids) <= {candidate.tweet_id for candidate in pool.candidates}
        assert bool(ids) == bool(pool.candidates)
