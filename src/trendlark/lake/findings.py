"""Records to Arrow rows and back: analyses and trends with their summaries.

Probabilities are stored as float32 and read back to six decimals. ``Analysis.topic_probabilities`` is not
stored: only the topics above their thresholds are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trendlark.errors import InputError
from trendlark.lake.rows import Row, clean, hour_of, hour_text, utc, whole
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Choice,
    Count,
    Entity,
    Flag,
    Label,
    Share,
    Summary,
    Trend,
    TrendHour,
)

_DECIMALS = 6


def analysis_row(analyzed: AnalyzedTweet) -> Row:
    """An analysed tweet as a row of ``analyses``."""
    found = analyzed.analysis
    row: Row = {
        "hour": hour_text(analyzed.hour),
        "source": clean(analyzed.source),
        "tweet_id": clean(analyzed.tweet_id),
        "model": clean(found.model),
        "lang": clean(found.lang),
        "sentiment": found.sentiment.label,
        "emotions_present": list(found.emotions_present),
        "topics": [{"label": clean(t.label), "probability": t.probability} for t in found.topics],
        "entities": [_entity_row(entity) for entity in found.entities],
        "hashtags": _cleaned(found.hashtags),
        "mentions": _cleaned(found.mentions),
        "urls": _cleaned(found.urls),
        "keyphrases": _cleaned(found.keyphrases),
        "truncated": found.truncated,
        "analyzed_at": utc(analyzed.analyzed_at),
    }
    row |= _named("sentiment_", found.sentiment.probabilities, SENTIMENTS)
    row |= _named("emotion_", found.emotions, EMOTIONS)
    for name in FLAGS:
        flag: Flag = getattr(found, name)
        row[name] = flag.value
        row[f"{name}_probability"] = flag.probability
    return row


def analysis_of(row: Mapping[str, Any]) -> AnalyzedTweet:
    """A row of ``analyses`` as an analysed tweet."""
    probabilities = _labelled("sentiment_", row, SENTIMENTS)
    label = row["sentiment"]
    analysis = Analysis(
        lang=row["lang"],
        sentiment=Choice(label, probabilities.get(label, 0.0), probabilities),
        emotions=_labelled("emotion_", row, EMOTIONS),
        emotions_present=tuple(row["emotions_present"] or ()),
        irony=_flag_of(row, "irony"),
        hate=_flag_of(row, "hate"),
        offensive=_flag_of(row, "offensive"),
        topics=tuple(Label(t["label"], _rounded(t["probability"])) for t in row["topics"] or ()),
        topic_probabilities={},
        entities=tuple(_entity_of(entity) for entity in row["entities"] or ()),
        hashtags=tuple(row["hashtags"] or ()),
        mentions=tuple(row["mentions"] or ()),
        urls=tuple(row["urls"] or ()),
        keyphrases=tuple(row["keyphrases"] or ()),
        truncated=bool(row["truncated"]),
        model=row["model"],
    )
    return AnalyzedTweet(hour_of(row["hour"]), row["source"], row["tweet_id"], analysis, row["analyzed_at"])


def trend_row(trend_hour: TrendHour) -> Row:
    """A trend's hour as a row of ``trends``; everything of the summary is null where there is none."""
    trend, summary = trend_hour.trend, trend_hour.summary
    row: Row = {
        "hour": hour_text(trend.hour),
        "source": clean(trend.source),
        "place": clean(trend.place),
        "trend": clean(trend.name),
        "rank": trend.rank,
        "volume": whole(trend.volume),
        "sampled": trend_hour.sampled,
        "requests": trend_hour.requests,
        "cost": trend_hour.cost,
        "note": clean(trend_hour.note),
    }
    return row if summary is None else row | _summary_row(summary)


def _summary_row(summary: Summary) -> Row:
    return {
        "analysed": summary.analysed,
        **_share_row("sentiment_", summary.sentiment, SENTIMENTS),
        **_share_row("emotion_", summary.emotions, EMOTIONS),
        **_share_row("", summary.flags, FLAGS),
        "entities": [
            {"name": clean(c.name), "type": clean(c.type), "count": c.count} for c in summary.entities
        ],
        "hashtags": _count_rows(summary.hashtags),
        "keyphrases": _count_rows(summary.keyphrases),
        "topics": _count_rows(summary.topics),
        "languages": _count_rows(summary.languages),
        "examples": _cleaned(summary.examples),
        "model": clean(summary.model),
        "summarised_at": utc(summary.summarised_at),
    }


def trend_of(row: Mapping[str, Any]) -> TrendHour:
    """A row of ``trends`` as a trend's hour, with its summary where it has one."""
    trend = Trend(hour_of(row["hour"]), row["source"], row["place"], row["trend"], row["rank"], row["volume"])
    summary = None if row["summarised_at"] is None else _summary_of(row)
    return TrendHour(trend, row["sampled"], row["requests"], row["cost"], row["note"], summary)


def _summary_of(row: Mapping[str, Any]) -> Summary:
    return Summary(
        analysed=row["analysed"],
        sentiment=_shares_of("sentiment_", row, SENTIMENTS),
        emotions=_shares_of("emotion_", row, EMOTIONS),
        flags=_shares_of("", row, FLAGS),
        entities=tuple(Count(c["name"], c["count"], c["type"]) for c in row["entities"] or ()),
        hashtags=_counts_of(row["hashtags"]),
        keyphrases=_counts_of(row["keyphrases"]),
        topics=_counts_of(row["topics"]),
        languages=_counts_of(row["languages"]),
        examples=tuple(row["examples"] or ()),
        model=row["model"],
        summarised_at=row["summarised_at"],
    )


def _cleaned(texts: Iterable[str]) -> list[str | None]:
    return [clean(text) for text in texts]


def _rounded(probability: float) -> float:
    return round(probability, _DECIMALS)


def _known(found: Iterable[str], labels: tuple[str, ...]) -> None:
    if strange := sorted(set(found) - set(labels)):
        raise InputError(
            f"Found the labels {', '.join(strange)}, for which the lake has no columns; it has "
            f"{', '.join(labels)}. Use a model with these labels."
        )


def _named(prefix: str, values: Mapping[str, float], labels: tuple[str, ...]) -> Row:
    _known(values, labels)
    return {prefix + label: values.get(label) for label in labels}


def _labelled(prefix: str, row: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, float]:
    return {label: _rounded(row[prefix + label]) for label in labels if row[prefix + label] is not None}


def _flag_of(row: Mapping[str, Any], name: str) -> Flag:
    return Flag(bool(row[name]), _rounded(row[f"{name}_probability"]))


def _entity_row(entity: Entity) -> Row:
    return {
        "text": clean(entity.text),
        "type": clean(entity.type),
        "start": entity.start,
        "end": entity.end,
        "probability": entity.probability,
    }


def _entity_of(item: Mapping[str, Any]) -> Entity:
    return Entity(item["text"], item["type"], item["start"], item["end"], _rounded(item["probability"]))


def _share_row(prefix: str, shares: Mapping[str, Share], labels: tuple[str, ...]) -> Row:
    _known(shares, labels)
    row: Row = {}
    for label, share in shares.items():
        name = prefix + label
        row |= {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
    return row


def _shares_of(prefix: str, row: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, Share]:
    return {
        label: Share(row[name], row[f"{name}_low"], row[f"{name}_high"])
        for label in labels
        if row[name := prefix + label] is not None
    }


def _count_rows(counts: Iterable[Count]) -> list[Row]:
    return [{"name": clean(count.name), "count": count.count} for count in counts]


def _counts_of(items: Iterable[Mapping[str, Any]] | None) -> tuple[Count, ...]:
    return tuple(Count(item["name"], item["count"]) for item in items or ())
