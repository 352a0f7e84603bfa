"""What the page of the trends of an hour says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "trends_title": Message("Trends of the hour", "Tendencias de la hora"),
    "trends_of": Message("Trends of {place}, {hour}", "Tendencias de {place}, {hour}"),
    "trends_count": Message("{n} trends", "{n} tendencias"),
    "trends_one": Message("1 trend", "1 tendencia"),
    "tweets_sampled": Message("{n} tweets sampled", "{n} tuits en la muestra"),
    "tweets_sampled_one": Message("1 tweet sampled", "1 tuit en la muestra"),
    "show_all": Message("Show all {n} trends", "Ver las {n} tendencias"),
    "rank": Message("Rank", "Puesto"),
    "trend": Message("Trend", "Tendencia"),
    "volume": Message("Volume", "Volumen"),
    "volume_help": Message("Tweets, as the source states them", "Tuits, según la fuente"),
    "sample": Message("Sample", "Muestra"),
    "sample_help": Message("Tweets drawn for the trend", "Tuits extraídos para la tendencia"),
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
    "mood_models": Message(
        "not marked: two models read these hours", "sin marcar: dos modelos leyeron estas horas"
    ),
    "mood_bar": Message(
        "Negative {neg} ({neg_low} to {neg_high}), neutral {neu}, positive {pos} ({pos_low} to {pos_high})",
        "Negativos {neg} (de {neg_low} a {neg_high}), neutros {neu}, positivos {pos} (de {pos_low} a {pos_high})",
    ),
    "interval_key": Message("95% interval", "intervalo del 95\u00a0%"),
    "not_summarised": Message("Collected, not analysed yet", "Recogida, aún sin analizar"),
    "not_sampled": Message("Listed without tweets", "Sin tuits en la muestra"),
    "unknown": Message("not stated", "no consta"),
    "find": Message("Find a trend", "Buscar una tendencia"),
    "find_example": Message("part of its name", "parte de su nombre"),
    "only_all": Message("all", "todos"),
    "only_negative": Message("clearly more negative", "claramente más negativo"),
    "only_positive": Message("clearly more positive", "claramente más positivo"),
    "only_moved": Message("clearly changed in an hour", "cambio claro en una hora"),
    "only_new": Message("new in this hour", "nuevas en esta hora"),
    "sort": Message("Order by", "Ordenar por"),
    "sort_climbed": Message("ranks climbed", "puestos ganados"),
    "sort_positive": Message("positive share", "porcentaje positivo"),
    "sort_negative": Message("negative share", "porcentaje negativo"),
    "day": Message("24 hours", "24 horas"),
    "spark_says": Message(
        "Last 24 hours, {n} with data: negative {neg_low} to {neg_high}, positive {pos_low} to {pos_high}",
        "Últimas 24 horas, {n} con datos: negativos de {neg_low} a {neg_high}, positivos de {pos_low} a {pos_high}",
    ),
    "spark_none": Message("only this hour", "solo esta hora"),
    "trends_of_all": Message("{n} of {all} trends", "{n} de {all} tendencias"),
    "none_match": Message(
        "No trend of this place fits the filter.", "Ninguna tendencia de este lugar cumple el filtro."
    ),
}  # fmt: skip
