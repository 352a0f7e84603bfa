"""What is in a folder of training data, told before anything learns from it.

    trendlark data-report DATA

For every file of every set: rows, shares of labels, texts that occur twice or with two verdicts, lengths, languages,
and whatever texts it shares with files that are scored on. Two texts are the same when their letters and digits are,
mentions, links, case and accents aside: what annotators would call the same tweet.
"""

from __future__ import annotations

import gzip
import html
import json
import logging
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from trendlark.errors import InputError
from trendlark.nlu.artifact import TOKENIZER_FILE, default_folder
from trendlark.nlu.language import detect
from trendlark.nlu.marks import find_marks
from trendlark.nlu.text import normalise
from trendlark.training.data import Row, read_file
from trendlark.training.model import MAX_TOKENS
from trendlark.training.sets import EMOJI_SETS, SETS

_log = logging.getLogger(__name__)

# Tokens and languages are estimated on this many rows of a file, evenly spread; all else is counted on all rows.
SAMPLE = 400
_SHORTEST = 12
_MANY_TWICE = 0.05
_MANY_VERDICTS = 0.005
_SMALL_LEAK = 0.005
_MOSTLY = 0.8
_CUT_TOO_OFTEN = 0.01
_MARKS = re.compile(
    r"https?:\S+|www\.\S+|[@＠]\w+|\{\S+?\}|&\w+;|\\u[0-9a-fA-F]{4}|\bURL\d*\b|\bT?USER(?:USER)?\d*\b"
)

Table = dict[str, Any]


def compact(text: str) -> str:
    """Return the letters and digits of a text without case, accents, mentions and links."""
    plain = _MARKS.sub("", text)
    if not plain.isascii():
        plain = "".join(
            sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign)
        )
    return "".join(filter(str.isalnum, plain.casefold()))


def make_report(data: Path, tokenizer: Tokenizer | None = None) -> dict[str, Any]:
    """Return ``files`` (by ``set/file``), ``leaks``, ``other`` (line counts of what is no set) and ``warnings``.

    ``tokenizer`` counts tokens; the default model's where none is given. Raises InputError where there is nothing.
    """
    paths = sorted(path for path in data.glob("*/*.jsonl.gz") if path.parent.name != "unlabeled")
    if not paths:
        raise InputError(
            f"Found no set in {data}; allowed is a folder of sets in the form of docs/training.md. Check the path."
        )
    reader = tokenizer or Tokenizer.from_file(str(default_folder() / TOKENIZER_FILE))
    files: dict[str, Table] = {}
    owners: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        name = f"{path.parent.name}/{path.name.removesuffix('.jsonl.gz')}"
        rows = read_file(path) if _is_labelled(path) else []
        if not rows:
            continue
        texts = [compact(row.text) for row in rows]
        files[name] = _describe(path.parent.name, rows, texts, reader)
        for text in set(texts):
            if len(text) >= _SHORTEST:
                owners[text].add(name)
    leaks = _leaks(owners)
    return {
        "data": data.absolute().name or str(data),
        "files": files,
        "leaks": leaks,
        "other": _other(data),
        "warnings": list(_warnings(files, leaks)),
    }


def _is_labelled(path: Path) -> bool:
    try:
        read_file(path, 1)
    except InputError:
        _log.info("%s/%s: left out, because it is in another form", path.parent.name, path.name)
        return False
    return True


def _describe(folder: str, rows: Sequence[Row], texts: Sequence[str], tokenizer: Tokenizer) -> Table:
    verdicts: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for text, row in zip(texts, rows, strict=True):
        if len(text) >= _SHORTEST:
            verdicts[text].add(row.tags or tuple(sorted(row.labels)))
    long_enough = sum(len(text) >= _SHORTEST for text in texts)
    sample = [rows[at] for at in np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int)]
    encoded = tokenizer.encode_batch([normalise(row.text).text for row in sample])
    tokens = [len(one.ids) + sum(len(more.ids) for more in one.overflowing) for one in encoded]
    return {
        "use": _use(folder),
        "rows": len(rows),
        "labels": _shares(rows),
        "empty": sum(not row.text.strip() for row in rows),
        "twice": long_enough - len(verdicts),
        "two_verdicts": sum(len(said) > 1 for said in verdicts.values()),
        "characters": _spread([len(row.text) for row in rows]),
        "tokens": _spread(tokens),
        "cut": float(np.mean([count > MAX_TOKENS for count in tokens])),
        "languages": _languages(sample),
    }


def _use(folder: str) -> str:
    if folder in EMOJI_SETS:
        return "emoji"
    tasks = {entry.task for entry in SETS.values() if entry.name == folder}
    return ", ".join(sorted(tasks)) or "none"


def _shares(rows: Sequence[Row]) -> dict[str, float]:
    """The share of rows with each label, or of entities of each type, most frequent first."""
    if any(row.words for row in rows):
        counts = Counter(tag[2:] for row in rows for tag in row.tags if tag.startswith("B-"))
        total = sum(counts.values())
    else:
        counts = Counter(label for row in rows for label in set(row.labels))
        total = len(rows)
    return {label: round(count / total, 4) for label, count in counts.most_common()}


def _spread(values: Sequence[int]) -> dict[str, float]:
    middle, high = np.percentile(values, [50, 95])
    return {"median": float(middle), "p95": float(high), "most": int(max(values))}


def _languages(sample: Sequence[Row]) -> dict[str, float]:
    counts = Counter(detect(row.text, None, find_marks(row.text)) for row in sample)
    return {lang: round(count / len(sample), 3) for lang, count in counts.most_common(3)}


def _leaks(owners: Mapping[str, set[str]]) -> list[Table]:
    """Pairs of files that share texts, one of which is scored on (``val`` or ``test``), most texts first."""
    pairs: Counter[tuple[str, str]] = Counter()
    for names in owners.values():
        scored = [name for name in names if name.endswith(("/val", "/test"))]
        for one in scored if len(names) > 1 else []:
            # Of two files that are scored on, the pair counts once.
            pairs.update(
                (one, other) for other in names if other != one and (other not in scored or one < other)
            )
    return [{"scored": one, "in": other, "texts": count} for (one, other), count in pairs.most_common()]


def _other(data: Path) -> dict[str, int]:
    """Lines of gzipped text beside the sets: unlabelled tweets, parallel sentences, dictionaries."""
    found = {}
    for pattern in ("*.tsv.gz", "*/*.tsv.gz", "*/*.txt.gz"):
        for path in sorted(data.glob(pattern)):
            found[str(path.relative_to(data))] = _count_lines(path)
    return found


def _count_lines(path: Path) -> int:
    with gzip.open(path) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _warnings(files: Mapping[str, Table], leaks: Sequence[Table]) -> Iterator[str]:
    small = 0
    for one in leaks:
        share = one["texts"] / files[one["scored"]]["rows"]
        if share < _SMALL_LEAK:
            small += one["texts"]
            continue
        yield f"{one['in']} holds {one['texts']:,} texts of {one['scored']} ({share:.1%} of what is scored there)"
    if small:
        yield f"files share {small:,} more texts with files that are scored on, under {_SMALL_LEAK:.1%} of any"
    for name, one in files.items():
        if one["empty"]:
            yield f"{name}: {one['empty']:,} rows have no text"
        if one["twice"] > _MANY_TWICE * one["rows"]:
            yield f"{name}: {one['twice']:,} of {one['rows']:,} rows repeat a text"
        if one["two_verdicts"] > _MANY_VERDICTS * one["rows"]:
            yield f"{name}: {one['two_verdicts']:,} texts have two verdicts"
        if one["cut"] > _CUT_TOO_OFTEN:
            yield f"{name}: about {one['cut']:.0%} of the texts are longer than the {MAX_TOKENS} tokens that are read"
        stated = {entry.lang for entry in SETS.values() if f"{entry.name}/{entry.file}" == name}
        best = next(iter(one["languages"]))
        if stated and best not in stated and one["languages"][best] > _MOSTLY:
            yield f"{name}: stated as {', '.join(sorted(stated))}, reads as {best}"


def render_text(report: Mapping[str, Any]) -> str:
    """Return the report for a terminal or a log: a line for each file, then the warnings."""
    lines = [f"{'file':<34}{'use':<11}{'rows':>8}{'twice':>7}{'chars':>7}{'tokens':>8}  language, labels"]
    for name, one in report["files"].items():
        langs = " ".join(f"{lang} {share:.0%}" for lang, share in one["languages"].items())
        lines.append(
            f"{name:<34}{one['use']:<11}{one['rows']:>8,}{one['twice']:>7,}{one['characters']['median']:>7.0f}"
            f"{one['tokens']['median']:>8.0f}  {langs}; {_told(one['labels'])}"
        )
    lines += [f"{name:<45}{count:>8,} lines" for name, count in report["other"].items()]
    lines += [f"warning: {one}" for one in report["warnings"]]
    return "\n".join(lines)


def _told(shares: Mapping[str, float], most: int = 6) -> str:
    told = [f"{label} {share:.0%}" for label, share in list(shares.items())[:most]]
    return ", ".join(told) + (f" and {len(shares) - most} more" if len(shares) > most else "")


def render_markdown(report: Mapping[str, Any]) -> str:
    """Return the report as a page."""
    names = (
        "file",
        "use",
        "rows",
        "twice",
        "two verdicts",
        "characters",
        "tokens",
        "cut",
        "languages",
        "labels",
    )
    lines = [f"# Data in {report['data']}", "", f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for name, one in report["files"].items():
        langs = ", ".join(f"{lang} {share:.0%}" for lang, share in one["languages"].items())
        spreads = [
            f"{one[kind]['median']:.0f} ({one[kind]['p95']:.0f}, {one[kind]['most']:.0f})"
            for kind in ("characters", "tokens")
        ]
        cut = f"{one['cut']:.1%}"
        cells = [
            name,
            one["use"],
            f"{one['rows']:,}",
            f"{one['twice']:,}",
            f"{one['two_verdicts']:,}",
            *spreads,
        ]
        lines.append(f"| {' | '.join(map(_cell, [*cells, cut, langs, _told(one['labels'], 20)]))} |")
    lines += [
        "",
        "Lengths are the median, in brackets the 95th percentile and the longest. Tokens and languages are",
    ]
    lines += [f"estimated on {SAMPLE} rows of each file."]
    if report["other"]:
        lines += ["", "## Beside the sets", "", "| file | lines |", "|---|---|"]
        lines += [f"| {_cell(name)} | {count:,} |" for name, count in report["other"].items()]
    lines += ["", "## Warnings", "", *([f"- {_cell(one)}" for one in report["warnings"]] or ["None."])]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    # Labels are whatever a file holds: none of them may end a cell or be taken for HTML.
    return " ".join(html.escape(text, quote=False).replace("|", "&#124;").split())


def save_report(report: Mapping[str, Any], out: Path) -> None:
    """Write ``data.json`` and ``data.md`` to the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "data.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "data.md").write_text(render_markdown(report), encoding="utf-8")


def write_report(data: Path, out: Path, tokenizer: Tokenizer | None = None) -> dict[str, Any]:
    """Make the report, log it line by line, save it in ``out`` and return it: what a run does before it trains."""
    report = make_report(data, tokenizer)
    for line in render_text(report).splitlines():
        _log.info("%s", line)
    save_report(report, out)
    return report
