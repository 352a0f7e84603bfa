"""The data sets and what each of them supervises: the only place that knows their label names.

A set supervises what its people annotated and nothing else: a set that marks no products says nothing of
products, a set with four emotions nothing of the other four. To add a set: one row in ``SETS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from trendlark.nlu.tasks import TASKS

_SENTIMENT = {label: label for label in TASKS["sentiment"].labels}
_TOPICS = {label: label for label in TASKS["topics"].labels}
_SIX = {label: label for label in ("anger", "disgust", "fear", "joy", "sadness", "surprise")}


@dataclass(frozen=True, slots=True)
class DataSet:
    """A folder of data: its language, its task, and its labels in our words.

    ``labels`` maps a label of the set to ours; for yes/no tasks to "yes" or "no"; a label that maps to ""
    means "none of those annotated". ``annotated`` are our labels that the set decides on (those mapped to,
    when empty). ``single`` says that the set gives one label to a text. ``hate`` is a second yes/no mapping,
    for the sets that tell hate and offence apart. Entity labels map to every type of ours that may be meant.
    """

    name: str
    lang: str
    task: str
    labels: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    single: bool = True
    file: str = "train"
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hate: Mapping[str, str] = field(default_factory=dict)

    @property
    def annotated(self) -> tuple[str, ...]:
        """Our labels that the set decides on, in the order of the task."""
        if self.task == "entities":
            mapped = {label for labels in self.entities.values() for label in labels}
        else:
            mapped = set(self.labels.values())
        return tuple(label for label in TASKS[self.task].labels if label in mapped)

    @property
    def decides(self) -> tuple[bool, ...]:
        """For each label of the task whether the set decides on it."""
        task = TASKS[self.task]
        return tuple(task.kind == "yes_no" or label in self.annotated for label in task.labels)

    @property
    def key(self) -> str:
        """Name that tells the files of one folder apart."""
        return self.name if self.file == "train" else f"{self.name}_{self.file.removeprefix('train_')}"


def _sentiment(name: str, lang: str, metric: str = "macro_f1", file: str = "train") -> DataSet:
    return DataSet(name, lang, "sentiment", _SENTIMENT, metric, file=file)


def _emotions(
    name: str, lang: str, labels: Mapping[str, str], metric: str = "", single: bool = True
) -> DataSet:
    return DataSet(name, lang, "emotions", labels, metric, single)


def _yes_no(
    name: str, lang: str, task: str, yes: tuple[str, ...], no: tuple[str, ...], metric: str = ""
) -> DataSet:
    return DataSet(name, lang, task, dict.fromkeys(yes, "yes") | dict.fromkeys(no, "no"), metric)


def _entities(
    name: str, lang: str, types: Mapping[str, tuple[str, ...]], metric: str = "entity_f1"
) -> DataSet:
    return DataSet(name, lang, "entities", metric=metric, entities=types)


_ORGANISATION = ("organization", "group")
_COARSE = {"PER": ("person",), "LOC": ("location",), "ORG": _ORGANISATION}
_COARSE_MISC = {**_COARSE, "MISC": ("misc", "product", "work")}
_WNUT17 = {
    "corporation": ("organization",),
    "creative-work": ("work",),
    "group": ("group",),
    "location": ("location",),
    "person": ("person",),
    "product": ("product",),
}
_WNUT16 = {
    "company": ("organization",),
    "facility": ("location",),
    "geo-loc": ("location",),
    "movie": ("work",),
    "musicartist": ("person", "group"),
    "other": ("misc", "group", "organization"),
    "person": ("person",),
    "product": ("product",),
    "sportsteam": ("group",),
    "tvshow": ("work",),
}
# GoEmotions' finer emotions that plainly belong to one of ours; the others say nothing against ours.
_GOEMOTIONS = {
    "anger": "anger",
    "annoyance": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "nervousness": "fear",
    "joy": "joy",
    "amusement": "joy",
    "excitement": "joy",
    "love": "love",
    "optimism": "optimism",
    "sadness": "sadness",
    "grief": "sadness",
    "disappointment": "sadness",
    "remorse": "sadness",
    "surprise": "surprise",
    "neutral": "",
    "curiosity": "",
    "realization": "",
    "approval": "",
    "confusion": "",
}
_EMOTION_FOUR = {label: label for label in ("anger", "joy", "optimism", "sadness")}
_DAVIDSON_HATE = {"hate": "yes", "offensive": "no", "neither": "no"}

_ALL = (
    _sentiment("tweeteval_sentiment", "en", "macro_recall"),
    *(_sentiment(f"umsab_{lang}", lang) for lang in ("en", "es", "pt", "fr", "de", "it")),
    _sentiment("mozetic_sentiment", "es", "", "train_spa"),
    _sentiment("mozetic_sentiment", "pt", "", "train_por"),
    _sentiment("mozetic_sentiment", "de", "", "train_deu"),
    _sentiment("afrisenti_pt_mz", "pt", ""),
    _emotions("tweeteval_emotion", "en", _EMOTION_FOUR, "macro_f1"),
    _emotions("emoevent_en", "en", {**_SIX, "others": ""}, "macro_f1"),
    _emotions("emoevent_es", "es", {**_SIX, "others": ""}, "macro_f1"),
    _emotions("goemotions", "en", _GOEMOTIONS, "macro_f1_labels", single=False),
    _emotions("xed_es", "es", {**_SIX, "anticipation": "", "trust": ""}, single=False),
    _yes_no("tweeteval_irony", "en", "irony", ("irony",), ("non_irony",), "f1_yes"),
    _yes_no("tweeteval_hate", "en", "hate", ("hate",), ("not-hate",), "macro_f1"),
    _yes_no("tweeteval_offensive", "en", "offensive", ("offensive",), ("not-offensive",), "macro_f1"),
    _yes_no("offendes_es", "es", "offensive", ("OFG", "OFP"), ("NO", "NOE"), "macro_f1"),
    _yes_no("toldbr_pt", "pt", "offensive", ("toxic",), ("not_toxic",), "macro_f1"),
    _yes_no("goldtox_es", "es", "offensive", ("toxic",), ("not_toxic",)),
    DataSet(
        "davidson_en",
        "en",
        "offensive",
        {"hate": "yes", "offensive": "yes", "neither": "no"},
        hate=_DAVIDSON_HATE,
    ),
    DataSet("tweet_topicxl_en", "en", "topics", _TOPICS, "macro_f1_labels", single=False),
    DataSet("tweet_topicxl_es", "es", "topics", _TOPICS, "macro_f1_labels", single=False),
    _entities("ner_wnut17", "en", _WNUT17),
    # WNUT17's training data hold WNUT16's validation data, so WNUT16 trains and is not scored.
    _entities("ner_wnut16", "en", _WNUT16, metric=""),
    _entities("ner_btc", "en", _COARSE),
    _entities("ner_tweebank", "en", _COARSE_MISC),
    _entities("ner_xlime_es", "es", _COARSE_MISC),
    _entities("ner_xlime_it", "it", _COARSE_MISC),
    _entities("ner_xlime_de", "de", _COARSE_MISC),
)

SETS: Mapping[str, DataSet] = MappingProxyType({entry.key: entry for entry in _ALL})

# Sets whose label is an emoji: they help the encoder (above all in Spanish) and are exported as no task.
EMOJI_SETS: Mapping[str, str] = MappingProxyType({"emojispace_es": "es", "tweeteval_emoji": "en"})

# Tweets with the probabilities of teachers (``soft.py``), by language.
SOFT_SETS: Mapping[str, str] = MappingProxyType(
    {f"soft_{lang}": lang for lang in ("en", "es", "pt", "fr", "de", "it")}
)

# Tweets as they are, whose words are to be guessed (``masked.py``), by language.
TEXT_SETS: Mapping[str, str] = MappingProxyType(
    {key.replace("soft", "text"): lang for key, lang in SOFT_SETS.items()}
)
