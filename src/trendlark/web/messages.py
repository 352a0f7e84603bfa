"""What the pages say, in English and in Spanish, side by side: a message cannot lack a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from fastapi import Request

from trendlark.web import messages_compare, messages_model, messages_search, messages_status, messages_try
from trendlark.web.vocabulary import LABELS, Message

Lang = Literal["en", "es"]
LANGS: Mapping[Lang, str] = MappingProxyType({"en": "English", "es": "Español"})

MESSAGES: Mapping[str, Message] = MappingProxyType({
    # Every page
    "tagline": Message("What is trending, and how people feel about it", "Qué es tendencia y cómo lo vive la gente"),
    "skip": Message("Skip to the content", "Saltar al contenido"),
    "language": Message("Language", "Idioma"),
    "invented": Message("Invented sample", "Muestra inventada"),
    "invented_why": Message(
        "These tweets were written for Trendlark to show what it does. Nobody posted them; no number here is news.",
        "Estos tuits se escribieron para mostrar qué hace Trendlark. Nadie los publicó; ninguna cifra es noticia.",
    ),
    "footer": Message(
        "Estimates by a language model from a sample of tweets. Every share has its 95% interval. Times are UTC.",
        "Estimaciones de un modelo de lenguaje a partir de una muestra de tuits. Cada porcentaje lleva su "
        "intervalo del 95 %. Horas en UTC.",
    ),
    "api": Message("API description", "Descripción de la API"),
    "all_trends": Message("All trends", "Todas las tendencias"),
    # Choosers
    "source": Message("Source", "Fuente"),
    "places": Message("Places", "Lugares"),
    "sources": Message("Sources", "Fuentes"),
    "hour": Message("Hour (UTC)", "Hora (UTC)"),
    "all_places": Message("All places", "Todos los lugares"),
    "show": Message("Show", "Ver"),
    "earlier": Message("Hour before: {hour}", "Hora anterior: {hour}"),
    "later": Message("Hour after: {hour}", "Hora siguiente: {hour}"),
    "latest": Message("latest", "última"),
    # The table of trends
    "trends_title": Message("Trends of the hour", "Tendencias de la hora"),
    "trends_of": Message("Trends of {place}, {hour}", "Tendencias de {place}, {hour}"),
    "trends_count": Message("{n} trends", "{n} tendencias"),
    "trends_one": Message("1 trend", "1 tendencia"),
    "tweets_sampled": Message("{n} tweets sampled", "{n} tuits en la muestra"),
    "show_all": Message("Show all {n} trends", "Ver las {n} tendencias"),
    "rank": Message("Rank", "Puesto"),
    "trend": Message("Trend", "Tendencia"),
    "volume": Message("Volume", "Volumen"),
    "volume_help": Message("Tweets, as the source states them", "Tuits, según la fuente"),
    "sample": Message("Sample", "Muestra"),
    "sample_help": Message("Tweets drawn and analysed", "Tuits extraídos y analizados"),
    "mood": Message("Mood", "Ánimo"),
    "change": Message("Mood change", "Cambio de ánimo"),
    "change_help": Message(
        "Positive minus negative, in points, against the hour before",
        "Positivos menos negativos, en puntos, frente a la hora anterior",
    ),
    "emotions_leading": Message("Leading emotions", "Emociones destacadas"),
    "no_emotion": Message("none stands out", "ninguna destaca"),
    "rank_up": Message("up {n} since the hour before", "sube {n} desde la hora anterior"),
    "rank_down": Message("down {n} since the hour before", "baja {n} desde la hora anterior"),
    "rank_same": Message("same rank as the hour before", "mismo puesto que la hora anterior"),
    "rank_new": Message("new", "nueva"),
    "mood_real": Message("more than chance would explain", "más de lo que explica el azar"),
    "mood_noise": Message("within the intervals: may be chance", "dentro de los intervalos: puede ser azar"),
    "mood_bar": Message(
        "Negative {neg} ({neg_low} to {neg_high}), neutral {neu}, positive {pos} ({pos_low} to {pos_high})",
        "Negativos {neg} (de {neg_low} a {neg_high}), neutros {neu}, positivos {pos} (de {pos_low} a {pos_high})",
    ),
    "interval_key": Message("95% interval", "intervalo del 95 %"),
    "not_summarised": Message("Collected, not analysed yet", "Recogida, aún sin analizar"),
    "not_sampled": Message("Listed without tweets", "Sin tuits en la muestra"),
    "unknown": Message("not stated", "no consta"),
    # Nothing to show
    "empty_title": Message("Nothing collected yet", "Aún no hay nada recogido"),
    "empty_text": Message(
        "The lake is empty. The first hour appears here as soon as it is collected; start that with:",
        "El lago de datos está vacío. La primera hora aparecerá aquí en cuanto se recoja; para empezar:",
    ),
    "empty_place": Message(
        "Nothing was collected for this place in this hour.", "En esta hora no se recogió nada de este lugar."
    ),
    "hour_missing": Message(
        "Found no trends of {hour}. There are trends from {first} to {last}; choose one of these hours.",
        "No hay tendencias de {hour}. Las hay desde {first} hasta {last}; elija una de esas horas.",
    ),
    "hour_wrong": Message(
        "Found “{hour}” as an hour; hours are written like 2026-11-23T07, in UTC.",
        "“{hour}” no es una hora; las horas se escriben así: 2026-11-23T07, en UTC.",
    ),
    "source_missing": Message(
        "Found nothing of the source “{source}” in {hour}; there is: {known}.",
        "No hay nada de la fuente “{source}” en {hour}; hay: {known}.",
    ),
    "trend_missing": Message(
        "Found no trend “{trend}” of {place}. See the list of trends for those that there are.",
        "No hay ninguna tendencia “{trend}” en {place}. En la lista están las que hay.",
    ),
    "problem_404": Message("Not here", "Aquí no está"),
    "problem_4xx": Message("That did not work", "Eso no ha funcionado"),
    "problem_5xx": Message("Out of order for now", "Fuera de servicio por ahora"),
    "back": Message("Back to the trends", "Volver a las tendencias"),
    # Logging in
    "login": Message("Log in", "Iniciar sesión"),
    "login_text": Message(
        "This server is open to those who have its token, which is api_token in its settings. "
        "The login lasts thirty days.",
        "Este servidor está abierto a quien tenga su token, que es api_token en su configuración. "
        "La sesión dura treinta días.",
    ),
    "login_token": Message("Token of this server", "Token de este servidor"),
    "login_wrong": Message(
        "Found another token than this server's. Copy it whole from the settings and try again.",
        "Ese no es el token de este servidor. Cópielo entero de la configuración e inténtelo de nuevo.",
    ),
    "logout": Message("Log out", "Cerrar sesión"),
    # One trend
    "rank_in": Message("No. {rank} in {place}", "N.º {rank} en {place}"),
    "mood_over_hours": Message("Mood over the hours", "El ánimo hora a hora"),
    "mood_chart": Message(
        "Share of negative and positive tweets by hour; bands are 95% intervals, gaps are hours without data.",
        "Porcentaje de tuits negativos y positivos por hora; las bandas son intervalos del 95 % y los huecos, "
        "horas sin datos.",
    ),
    "chart_off": Message(
        "The chart needs JavaScript; the table below has the same numbers.",
        "El gráfico necesita JavaScript; la tabla de abajo tiene las mismas cifras.",
    ),
    "chart_table": Message("The same as a table", "Lo mismo en una tabla"),
    "net": Message("Positive − negative", "Positivos − negativos"),
    "emotions": Message("Emotions", "Emociones"),
    "emotions_help": Message(
        "Share of tweets in which each emotion is present; a tweet may hold several.",
        "Porcentaje de tuits en que está presente cada emoción; un tuit puede tener varias.",
    ),
    "flags": Message("Irony and harm", "Ironía y daño"),
    "share": Message("Share", "Porcentaje"),
    "entities": Message("Entities", "Entidades"),
    "hashtags": Message("Hashtags", "Etiquetas"),
    "keyphrases": Message("Keyphrases", "Expresiones clave"),
    "topics": Message("Topics", "Temas"),
        "talked_of": Message("What they talk about", "De qué se habla"),
    "languages": Message("Languages", "Idiomas"),
    "tweets": Message("tweets", "tuits"),
    "none_found": Message("None found in this sample.", "Ninguno en esta muestra."),
    "examples": Message("Tweets that stand for the trend", "Tuits que representan la tendencia"),
    "examples_help": Message(
        "Chosen to be typical and different from each other. Below each, what the model said and how sure it was.",
        "Elegidos por ser típicos y distintos entre sí. Debajo, lo que dijo el modelo y con qué seguridad.",
    ),
    "no_examples": Message("No example was chosen for this hour.", "No se eligió ningún ejemplo en esta hora."),
    "not_analysed": Message("not analysed", "sin analizar"),
    "open_original": Message("Original", "Original"),
    "origin": Message("Where these numbers come from", "De dónde salen estas cifras"),
    "origin_sampled": Message("Tweets in the sample", "Tuits en la muestra"),
    "origin_analysed": Message("of which analysed", "de ellos, analizados"),
    "origin_requests": Message("Requests to the source", "Peticiones a la fuente"),
    "origin_refused": Message("Records refused", "Registros rechazados"),
    "origin_refused_of": Message(
        "{n} of this trend, {all} of {place} in this hour", "{n} de esta tendencia, {all} de {place} en esta hora"
    ),
    "origin_refused_more": Message("{n} for other reasons", "{n} por otros motivos"),
    "origin_cost": Message("Cost of asking", "Coste de pedirlos"),
    "origin_model": Message("Model", "Modelo"),
    "origin_when": Message("Summed up", "Resumido"),
    "origin_note": Message("Note", "Nota"),
    "origin_method": Message("Intervals", "Intervalos"),
    "origin_method_text": Message(
        "95%, for a sample drawn from the volume stated. They cover chance in drawing, not errors of the model.",
        "Del 95 %, para una muestra extraída del volumen indicado. Cubren el azar, no los errores del modelo.",
    ),
    "waiting_title": Message("Not summed up yet", "Aún sin resumen"),
    "waiting_text": Message(
        "The tweets of this hour are collected; their analysis is still to come. Reload in a while.",
        "Los tuits de esta hora ya están recogidos; falta analizarlos. Vuelva a cargar en un rato.",
    ),
    "waiting_none": Message(
        "No tweets were drawn for this trend in this hour, so nothing can be said of its mood.",
        "En esta hora no se extrajo ningún tuit de esta tendencia, así que no se puede decir nada de su ánimo.",
    ),
    **messages_compare.MESSAGES,
    **messages_search.MESSAGES,
    **messages_try.MESSAGES,
    **messages_model.MESSAGES,
    **messages_status.MESSAGES,
})  # fmt: skip


class Accepted(NamedTuple):
    """A language of the Accept-Language header and how much it is wanted, 0 to 1."""

    lang: str
    weight: float


@dataclass(frozen=True, slots=True)
class Words:
    """The messages and labels of one language; templates call it as ``t``."""

    lang: Lang

    def __call__(self, key: str, **values: object) -> str:
        """The message, its places filled in; KeyError when there is no such message."""
        text: str = getattr(MESSAGES[key], self.lang)
        return text.format(**values) if values else text

    def label(self, kind: str, name: str) -> str:
        """A label of the model as people say it; a label that nobody translated is shown as it is."""
        message = LABELS.get(kind, {}).get(name)
        return str(getattr(message, self.lang)) if message else name.replace("_", " ")


def words_of(request: Request) -> Words:
    """The language of a request: ``?lang=``, else the browser's wish, else English."""
    asked = request.query_params.get("lang", "")
    if asked == "es":
        return Words("es")
    if asked == "en":
        return Words("en")
    return Words(wanted_language(request.headers.get("accept-language", "")))


def wanted_language(header: str) -> Lang:
    """The better of our languages for an Accept-Language header (RFC 9110, 12.5.4); English when none fits."""
    best: dict[str, float] = {}
    for part in header[:500].split(","):
        tag, _, quality = part.partition(";")
        lang = tag.strip().lower().partition("-")[0]
        best[lang] = max(best.get(lang, 0.0), _quality(quality))
    english, spanish = (best.get(lang, best.get("*", 0.0)) for lang in ("en", "es"))
    return "es" if spanish > english else "en"


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
