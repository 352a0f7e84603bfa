"""What every page says: its frame, its states, and words that several pages use."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "tagline": Message("What is trending, and how people feel about it", "Qué es tendencia y cómo lo vive la gente"),
    "pages": Message("Pages", "Páginas"),
    "page_now": Message("Now", "Ahora"),
    "page_compare": Message("Compare", "Comparar"),
    "page_search": Message("Search", "Buscar"),
    "page_try": Message("Try it", "Probar"),
    "page_model": Message("Model", "Modelo"),
    "page_status": Message("Status", "Estado"),
    "as_data": Message("This page as data", "Esta página como datos"),
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
        "intervalo del 95\u00a0%. Horas en UTC.",
    ),
    "api": Message("API description", "Descripción de la API"),
    "from_to": Message("({low} to {high})", "(de {low} a {high})"),
    "all_trends": Message("All trends", "Todas las tendencias"),
    "source": Message("Source", "Fuente"),
    "places": Message("Places", "Lugares"),
    "sources": Message("Sources", "Fuentes"),
    "hour": Message("Hour (UTC)", "Hora (UTC)"),
    "all_places": Message("All places", "Todos los lugares"),
    "show": Message("Show", "Ver"),
    "earlier": Message("Hour before: {hour}", "Hora anterior: {hour}"),
    "later": Message("Hour after: {hour}", "Hora siguiente: {hour}"),
    "latest": Message("latest", "última"),
    "emotion": Message("Emotion", "Emoción"),
    "any": Message("any", "cualquiera"),
    "apply": Message("Apply", "Aplicar"),
    "clear": Message("Clear the filter", "Quitar el filtro"),
    # Charts
    "chart_waits": Message("Drawing …", "Dibujando…"),
    "chart_failed": Message(
        "The chart could not be drawn in this browser; the table has the same numbers.",
        "Este navegador no pudo dibujar el gráfico; la tabla tiene las mismas cifras.",
    ),
    "chart_unsaved": Message(
        "This browser could not save the chart; the table can be had as CSV at the foot of the page.",
        "Este navegador no pudo guardar el gráfico; la tabla está como CSV al pie de la página.",
    ),
    "save_chart": Message("Save the chart:", "Guardar el gráfico:"),
    # Tweets
    "author": Message("Author", "Autor"),
    "act_reply": Message("Reply", "Responder"),
    "act_repost": Message("Repost", "Repostear"),
    "act_like": Message("Like", "Me gusta"),
    "how_sure": Message("Probabilities", "Probabilidades"),
    "doubts_one": Message("1 reason to doubt", "1 motivo de duda"),
    "doubts_count": Message("{n} reasons to doubt", "{n} motivos de duda"),
    "doubt_close": Message(
        "A close call between {first} and {second}.", "Casi un empate entre {first} y {second}."
    ),
    "doubt_unsure": Message("No mood is likely enough to be sure.", "Ningún ánimo es lo bastante probable."),
    "doubt_irony": Message(
        "Read as ironic; irony often turns the mood around.", "Parece irónico; la ironía suele invertir el ánimo."
    ),
    "doubt_truncated": Message(
        "Longer than the model reads; its end was not seen.", "Más largo de lo que lee el modelo; no vio el final."
    ),
    "doubt_short": Message("Only a few words to go by.", "Muy pocas palabras en que basarse."),
    "doubt_language": Message(
        "In {lang}; the model learnt mostly from English and Spanish.",
        "En {lang}; el modelo aprendió sobre todo de inglés y español.",
    ),
    "doubt_unclear": Message("Its language is not clear.", "No está claro en qué idioma está."),
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
        "No hay tendencias del {hour}. Las hay desde el {first} hasta el {last}; elija una de esas horas.",
    ),
    "hour_wrong": Message(
        "Found “{hour}” as an hour; hours are written like 2026-11-23T07, in UTC.",
        "“{hour}” no es una hora; las horas se escriben así: 2026-11-23T07, en UTC.",
    ),
    "source_missing": Message(
        "Found nothing of the source “{source}” in {hour}; there is: {known}.",
        "No hay nada de la fuente “{source}” el {hour}; hay: {known}.",
    ),
    "trend_missing": Message(
        "Found no trend “{trend}” of {place}. See the list of trends for those that there are.",
        "No hay ninguna tendencia “{trend}” en {place}. En la lista están las que hay.",
    ),
    "address_missing": Message(
        "Found no such address here; / has the dashboard and /openapi.json lists the API.",
        "Esa dirección no existe aquí; el panel está en / y la API se describe en /openapi.json.",
    ),
    "problem_404": Message("Not here", "Aquí no está"),
    "problem_4xx": Message("That did not work", "Eso no ha funcionado"),
    "problem_5xx": Message("Out of order for now", "Fuera de servicio por ahora"),
    "back": Message("Back to the trends", "Volver a las tendencias"),
}  # fmt: skip
