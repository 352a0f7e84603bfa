"""What the page of one trend says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "rank_in": Message("No. {rank} in {place}", "N.º {rank} en {place}"),
    "mood_over_hours": Message("Mood over the hours", "El ánimo hora a hora"),
    "mood_chart": Message(
        "Share of negative and positive tweets by hour; bands are 95% intervals, gaps are hours without data.",
        "Porcentaje de tuits negativos y positivos por hora; las bandas son intervalos del 95\u00a0% y los huecos, "
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
    "share": Message("Share", "Parte"),
    "entities": Message("Entities", "Entidades"),
    "hashtags": Message("Hashtags", "Etiquetas"),
    "keyphrases": Message("Keyphrases", "Expresiones clave"),
    "topics": Message("Topics", "Temas"),
    "talked_of": Message("What they talk about", "De qué se habla"),
    "languages": Message("Languages", "Idiomas"),
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
        "Del 95\u00a0%, para una muestra extraída del volumen indicado. Cubren el azar, no los errores del modelo.",
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
    "span": Message("Hours in the chart", "Horas del gráfico"),
    "span_day": Message("24 hours", "24 horas"),
    "span_three": Message("3 days", "3 días"),
    "span_week": Message("7 days", "7 días"),
    "usual_help": Message(
        "The mark and the last column are the average of all {n} trends of {place} in this hour; ▲ and ▼ stand where "
        "the intervals do not meet.",
        "La marca y la última columna son la media de las {n} tendencias de {place} en esta hora; ▲ y ▼ aparecen donde "
        "los intervalos no se tocan.",
    ),
    "above_usual": Message("clearly above the average", "claramente por encima de la media"),
    "below_usual": Message("clearly below the average", "claramente por debajo de la media"),
    "talked_help": Message("Each shows its tweets.", "Cada uno muestra sus tuits."),
    "all_tweets": Message("All tweets of the sample", "Todos los tuits de la muestra"),
    "tweets_of_all": Message("{n} of {all} tweets", "{n} de {all} tuits"),
    "entity": Message("Entity", "Entidad"),
    "remove": Message("Remove", "Quitar"),
    "no_tweet_matches": Message(
        "No tweet of this sample fits the filter.", "Ningún tuit de la muestra cumple el filtro."
    ),
    "paging": Message("Pages of tweets", "Páginas de tuits"),
    "newer": Message("Newer", "Más recientes"),
    "older": Message("Older", "Más antiguos"),
    "page_of": Message("Page {n} of {all}", "Página {n} de {all}"),
    "origin_windows": Message(
        "Drawn from (UTC), with the number of tweets", "Extraídos de (UTC), con el número de tuits"
    ),
}  # fmt: skip
