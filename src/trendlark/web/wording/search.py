"""What the page that searches says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "search_title": Message("Search trends and tweets", "Buscar tendencias y tuits"),
    "search_words": Message("Words", "Palabras"),
    "search_hint": Message(
        "All words must be there; case and accents do not matter; \"quoted words\" stay together.",
        "Deben estar todas las palabras; no importan mayúsculas ni tildes; \"entre comillas\" van juntas.",
    ),
    "search_kind": Message("What to search", "Qué buscar"),
    "search_tweets": Message("Tweets", "Tuits"),
    "search_trends": Message("Trends", "Tendencias"),
    "search_place": Message("Place", "Lugar"),
    "search_hours": Message("Time", "Tiempo"),
    "search_hours_24": Message("last 24 hours", "últimas 24 horas"),
    "search_hours_168": Message("last 7 days", "últimos 7 días"),
    "search_hours_744": Message("last 31 days", "últimos 31 días"),
    "search_hours_one": Message("last hour", "última hora"),
    "search_hours_other": Message("last {n} hours", "últimas {n} horas"),
    "search_button": Message("Search", "Buscar"),
    "search_examples": Message("For example", "Por ejemplo"),
    "search_none": Message(
        "Nothing found for “{text}” from {first} to {last}. Try fewer words, another place or more time.",
        "No se ha encontrado nada con “{text}” desde el {first} hasta el {last}. Pruebe con menos palabras, otro "
        "lugar o más tiempo.",
    ),
    "search_none_yet": Message(
        "Nothing found yet: the search stopped at {hour} to keep its time.",
        "Aún no se ha encontrado nada: la búsqueda paró en el {hour} para no alargarse.",
    ),
    "search_found_tweets": Message("Tweets with “{text}”", "Tuits con “{text}”"),
    "search_found_trends": Message("Trends with “{text}”", "Tendencias con “{text}”"),
    "search_range": Message("{first} to {last}, newest first", "del {first} al {last}, lo más nuevo primero"),
    "search_next": Message("Older results", "Resultados anteriores"),
    "search_again": Message("Back to the newest", "Volver a los más nuevos"),
    "search_best": Message("Best rank", "Mejor puesto"),
    "search_hours_listed": Message("Hours", "Horas"),
    "search_newest": Message("Newest hour", "Hora más reciente"),
    "search_of": Message("in", "en"),
    "search_of_more": Message("and {n} more", "y {n} más"),
}  # fmt: skip
