"""The model's labels and the names of places and languages as people say them, in English and Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Message(NamedTuple):
    """One thing said, in each language of the pages."""

    en: str
    es: str


LABELS: Mapping[str, Mapping[str, Message]] = MappingProxyType({
    "sentiment": {
        "negative": Message("negative", "negativo"),
        "neutral": Message("neutral", "neutro"),
        "positive": Message("positive", "positivo"),
    },
    "emotions": {
        "anger": Message("anger", "ira"),
        "disgust": Message("disgust", "asco"),
        "fear": Message("fear", "miedo"),
        "joy": Message("joy", "alegría"),
        "love": Message("love", "amor"),
        "optimism": Message("optimism", "optimismo"),
        "sadness": Message("sadness", "tristeza"),
        "surprise": Message("surprise", "sorpresa"),
    },
    "flags": {
        "irony": Message("irony", "ironía"),
        "hate": Message("hate", "odio"),
        "offensive": Message("offensive", "ofensivo"),
    },
    "topics": {
        "arts_&_culture": Message("arts & culture", "arte y cultura"),
        "business_&_entrepreneurs": Message("business", "negocios"),
        "celebrity_&_pop_culture": Message("celebrities & pop culture", "famosos y cultura pop"),
        "diaries_&_daily_life": Message("daily life", "vida diaria"),
        "family": Message("family", "familia"),
        "fashion_&_style": Message("fashion & style", "moda y estilo"),
        "film_tv_&_video": Message("film, TV & video", "cine, TV y vídeo"),
        "fitness_&_health": Message("fitness & health", "salud y deporte personal"),
        "food_&_dining": Message("food & dining", "comida y restaurantes"),
        "gaming": Message("gaming", "videojuegos"),
        "learning_&_educational": Message("learning", "educación"),
        "music": Message("music", "música"),
        "news_&_social_concern": Message("news & society", "actualidad y sociedad"),
        "other_hobbies": Message("other hobbies", "otras aficiones"),
        "relationships": Message("relationships", "relaciones"),
        "science_&_technology": Message("science & technology", "ciencia y tecnología"),
        "sports": Message("sports", "deportes"),
        "travel_&_adventure": Message("travel & adventure", "viajes y aventura"),
        "youth_&_student_life": Message("youth & student life", "juventud y vida estudiantil"),
    },
    "entities": {
        "person": Message("person", "persona"),
        "organization": Message("organization", "organización"),
        "location": Message("location", "lugar"),
        "product": Message("product", "producto"),
        "work": Message("work", "obra"),
        "group": Message("group", "grupo"),
        "misc": Message("other", "otro"),
    },
    "tasks": {
        "sentiment": Message("sentiment", "sentimiento"),
        "emotions": Message("emotions", "emociones"),
        "irony": Message("irony", "ironía"),
        "hate": Message("hate", "odio"),
        "offensive": Message("offensiveness", "ofensa"),
        "topics": Message("topics", "temas"),
        "entities": Message("entities", "entidades"),
    },
    "kinds": {
        "one_of": Message("one of", "una de"),
        "many_of": Message("any of", "varias de"),
        "yes_no": Message("yes or no", "sí o no"),
        "spans": Message("spans of the text", "trozos del texto"),
    },
    "metrics": {
        "macro_f1": Message("macro F1", "F1 macro"),
        "macro_recall": Message("macro recall", "exhaustividad macro"),
        "f1_yes": Message("F1 of “yes”", "F1 de «sí»"),
        "macro_f1_labels": Message("macro F1 over labels", "F1 macro por etiquetas"),
        "entity_f1": Message("F1 of whole entities", "F1 de entidades enteras"),
    },
    "counted": {
        "trends": Message("trends", "tendencias"),
        "tweets": Message("tweets", "tuits"),
        "analyses": Message("analyses", "análisis"),
        "analysed by another meanwhile": Message(
            "analysed by another meanwhile", "analizados por otro entretanto"
        ),
    },
    "languages": {
        "ar": Message("Arabic", "árabe"),
        "ca": Message("Catalan", "catalán"),
        "de": Message("German", "alemán"),
        "en": Message("English", "inglés"),
        "es": Message("Spanish", "español"),
        "eu": Message("Basque", "euskera"),
        "fr": Message("French", "francés"),
        "gl": Message("Galician", "gallego"),
        "hi": Message("Hindi", "hindi"),
        "it": Message("Italian", "italiano"),
        "ja": Message("Japanese", "japonés"),
        "pt": Message("Portuguese", "portugués"),
        "und": Message("unclear", "sin determinar"),
    },
    "places": {
        "world": Message("World", "Mundo"),
        "ar": Message("Argentina", "Argentina"),
        "ca": Message("Canada", "Canadá"),
        "cl": Message("Chile", "Chile"),
        "co": Message("Colombia", "Colombia"),
        "ec": Message("Ecuador", "Ecuador"),
        "es": Message("Spain", "España"),
        "gb": Message("United Kingdom", "Reino Unido"),
        "ie": Message("Ireland", "Irlanda"),
        "mx": Message("Mexico", "México"),
        "pe": Message("Peru", "Perú"),
        "us": Message("United States", "Estados Unidos"),
        "ve": Message("Venezuela", "Venezuela"),
    },
    "sources": {
        "x": Message("X (Twitter)", "X (Twitter)"),
        "replay": Message("Replay", "Reproducción"),
        "sample": Message("Invented sample", "Muestra inventada"),
        "mastodon": Message("Mastodon", "Mastodon"),
        "bluesky": Message("Bluesky", "Bluesky"),
    },
    "tables": {
        "trends": Message("trends", "tendencias"),
        "hours": Message("hours", "horas"),
        "tweets": Message("tweets", "tuits"),
        "shares": Message("shares", "porcentajes"),
        "labels": Message("labels", "etiquetas"),
        "entities": Message("entities", "entidades"),
        "data": Message("data sets", "conjuntos de datos"),
        "scores": Message("scores", "puntuaciones"),
        "runs": Message("runs", "ejecuciones"),
        "failures": Message("failures", "fallos"),
        "days": Message("days", "días"),
        "lake": Message("lake", "lago de datos"),
        "words": Message("words", "palabras"),
        "windows": Message("windows", "ventanas"),
    },
})  # fmt: skip
