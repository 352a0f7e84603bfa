"""What the page on which texts are tried says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "try_title": Message("Try the model", "Pruebe el modelo"),
    "try_text": Message("Text", "Texto"),
    "try_lang": Message("Language of the text", "Idioma del texto"),
    "try_lang_any": Message("let the model tell", "que lo diga el modelo"),
    "try_button": Message("Analyse", "Analizar"),
    "try_hint": Message(
        "At most {n} characters. The text stays on this server and is not kept; the address of the answer holds it, so "
        "share that with care.",
        "Como máximo {n} caracteres. El texto no sale de este servidor ni se guarda; la dirección de la respuesta lo "
        "contiene: compártala con cuidado.",
    ),
    "try_examples": Message("Examples", "Ejemplos"),
    "try_link": Message("Link to this answer", "Enlace a esta respuesta"),
    "try_too_long": Message(
        "Found a text of {n} characters; the most is {most}. Cut it, or send it to /v1/analyze.",
        "El texto tiene {n} caracteres; el máximo es {most}. Acórtelo o envíelo a /v1/analyze.",
    ),
    "try_refused": Message("The model does not take this text: {why}", "El modelo no admite este texto: {why}"),
    "try_no_model": Message(
        "The model cannot answer now: {why}", "El modelo no puede responder ahora: {why}"
    ),
    "try_busy": Message(
        "Too many texts are waiting; try again in a few seconds.",
        "Hay demasiados textos en espera; inténtelo de nuevo en unos segundos.",
    ),
    "try_entities": Message("Entities in the text", "Entidades en el texto"),
    "try_no_entities": Message("No entity found.", "No se ha encontrado ninguna entidad."),
    "try_sentiment": Message("Sentiment", "Sentimiento"),
    "try_flags_help": Message(
        "Probability that the text is so; in bold where the model says yes.",
        "Probabilidad de que lo sea; en negrita donde el modelo dice que sí.",
    ),
    "try_emotions_help": Message(
        "Probability of each; in bold those that the model finds present.",
        "Probabilidad de cada una; en negrita las que el modelo encuentra.",
    ),
    "try_present": Message("present", "presente"),
    "try_probability": Message("Probability", "Probabilidad"),
    "try_mentions": Message("Mentions", "Menciones"),
    "try_urls": Message("Links", "Enlaces"),
    "try_marks": Message("Found by rule", "Hallado por regla"),
    "try_truncated": Message(
        "The text is longer than the model reads; its end was not read.",
        "El texto es más largo de lo que lee el modelo; no se ha leído el final.",
    ),
    "try_caution": Message(
        "One answer alone is often wrong, irony and hate most of all. It says nothing of who wrote the text.",
        "Una respuesta aislada se equivoca a menudo, sobre todo en ironía y odio. No dice nada de quien escribió el "
        "texto.",
    ),
    "try_said_by": Message("Answered by {model}; language: {lang}", "Respondido por {model}; idioma: {lang}"),
}  # fmt: skip

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Taylor Swift is back in Chicago tonight and I have been crying happy tears since noon 😭💜 #ErasTour",
        "So the trains are off again. Great. Love waiting in the cold for an hour @TransportForLondon 🙃",
        "Storm Juniper reaches Boston by Friday night; schools close at noon. https://example.org/storm",
    ),
    "es": (
        "Me encanta @RealMadrid, ¡qué partidazo en el Bernabéu! 😍 #HalaMadrid",
        "Otra vez huelga de metro en Madrid y nadie avisa. Genial, llego tarde al trabajo, qué vergüenza 😡",
        "Lía Montero anuncia concierto en Buenos Aires el 12 de marzo; las entradas salen el lunes.",
    ),
}
"""Texts written for this page."""
