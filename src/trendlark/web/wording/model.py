"""What the page of the model says."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.web.vocabulary import Message

MESSAGES: Mapping[str, Message] = {
    "model_title": Message("The model", "El modelo"),
    "model_what": Message(
        "One encoder, one head for each task, one pass for each tweet.",
        "Un codificador, una cabeza por tarea, una pasada por tuit.",
    ),
    "model_none": Message("The model is not here now: {why}", "El modelo no está disponible ahora: {why}"),
    "model_no_card": Message(
        "The model {name} has no card: it is not one that Trendlark trained.",
        "El modelo {name} no tiene ficha: no es uno entrenado por Trendlark.",
    ),
    "model_name": Message("Name", "Nombre"),
    "model_base": Message("Made from", "Hecho a partir de"),
    "model_trained": Message("Trained", "Entrenado"),
    "model_commit": Message("From commit", "Con el código"),
    "model_normaliser": Message("Normaliser", "Normalizador"),
    "model_tokens": Message("Reads at most", "Lee como máximo"),
    "model_tokens_n": Message("{n} tokens", "{n} piezas de palabra"),
    "model_words": Message("Word pieces", "Vocabulario"),
    "model_recipe": Message("Recipe", "Receta"),
    "model_recipe_text": Message("{name}, {steps} steps", "{name}, {steps} pasos"),
    "model_scores": Message("How good it is", "Qué tan bueno es"),
    "model_scores_help": Message(
        "Scores on validation, out of 100; thresholds and temperatures were chosen on the same files, so expect a "
        "little less on new tweets. The mark is a linear SVM trained on the same set alone.",
        "Puntuación en validación, sobre 100; los umbrales y temperaturas se eligieron con los mismos ficheros, así "
        "que con tuits nuevos será algo menor. La raya es una SVM lineal entrenada solo con el mismo conjunto.",
    ),
    "model_no_scores": Message("Its card has no scores.", "Su ficha no tiene puntuaciones."),
    "model_set": Message("Validation set", "Conjunto de validación"),
    "model_language": Message("Language", "Idioma"),
    "model_metric": Message("Metric", "Medida"),
    "model_score": Message("Score", "Puntuación"),
    "model_baseline": Message("SVM", "SVM lineal"),
    "model_calibration": Message("Calibration error", "Error de calibración"),
    "model_tasks": Message("What it answers", "Qué responde"),
    "model_langs": Message("Languages taught", "Idiomas enseñados"),
    "model_temperature": Message("Temperature", "Temperatura"),
    "model_limits": Message("Use and limits", "Uso y límites"),
    "model_limits_text": Message(
        "Made to sum up what many tweets say of a trend, not to judge a person: a single answer is often wrong, irony "
        "and hate most of all, and no answer is about who wrote the tweet. Languages that no task names get answers "
        "that mean nothing. Hate, offence and emotion follow the people who annotated the data, with their biases; "
        "words and events newer than the data are strange to it.",
        "Hecho para resumir lo que muchos tuits dicen de una tendencia, no para juzgar a una persona: una respuesta "
        "aislada se equivoca a menudo, sobre todo en ironía y odio, y ninguna trata de quien escribió el tuit. En los "
        "idiomas que ninguna tarea nombra, las respuestas no significan nada. Odio, ofensa y emoción siguen a quienes "
        "anotaron los datos, con sus sesgos; las palabras y los hechos posteriores a los datos le son ajenos.",
    ),
    "model_data": Message("Data and checksums", "Datos y sumas de control"),
    "model_data_set": Message("Set", "Conjunto"),
    "model_data_digest": Message("SHA-256 of its files", "SHA-256 de sus ficheros"),
}  # fmt: skip
