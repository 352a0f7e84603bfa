"""Commands on texts: analyze and import."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trendlark.cli.options import ModelFlag, ThreadsFlag, in_force, load_analyzer, shape_of
from trendlark.errors import InputError

if TYPE_CHECKING:
    from trendlark.jobs.engines import Engine
    from trendlark.records import Analysis
    from trendlark.settings import Settings
    from trendlark.sources.imports import ImportCounts

_PANEL = "Texts"
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_SHOWN = 100


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("analyze", rich_help_panel=_PANEL)(analyze)
    app.command("import", rich_help_panel=_PANEL)(import_tweets)


def analyze(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT... | FILE | -]", help="Texts, or one CSV/JSONL/Parquet file, or - for stdin."
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Column that holds the text; guessed if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; its ending decides the format.")] = None,
    shape: Annotated[str | None, typer.Option("--format", help="table, jsonl, csv or parquet.")] = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
) -> None:
    """Tell sentiment, emotions and information of texts; large files go on where they were cut off."""
    settings = in_force(model=model, threads=threads).settings
    wanted = shape_of(shape, out)
    file = _file_of(what)
    if file is not None:
        _analyze_file(file, settings, column, out, wanted)
    elif what and what != ["-"]:
        _analyze_texts(what, settings, out, wanted or "table")
    elif what == ["-"] or not sys.stdin.isatty():
        _analyze_texts(_lines(sys.stdin.buffer.read()), settings, out, wanted or "jsonl")
    else:
        raise InputError("Found nothing to analyse; give texts, one file, or - and texts on standard input.")


def _lines(data: bytes) -> list[str]:
    # Not splitlines(), which also parts a text at the line ends of other alphabets inside it.
    lines = data.decode("utf-8", errors="replace").split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _file_of(what: list[str] | None) -> Path | None:
    if not what or len(what) != 1 or what == ["-"]:
        return None
    text = what[0]
    looks = len(text) < 4096 and "\x00" not in text and "\n" not in text
    path = Path(text) if looks else None
    if path is None:
        return None
    named = any(text.lower().endswith(end + zipped) for end in _SUFFIXES for zipped in ("", ".gz"))
    try:
        exists = path.is_file()
    except OSError:  # a long text is no path
        exists = False
    if named and " " not in text and not exists:
        raise InputError(
            f"Found no file {text}; name one that exists, or put a text that ends so in more words."
        )
    return path if exists else None


def _analyze_texts(texts: list[str], settings: Settings, out: Path | None, shape: str) -> None:
    with closing(load_analyzer(settings)) as analyzer:
        analyses = analyzer.analyze(texts)
    if shape == "table" and out is None:
        _print_table(texts, analyses)
        return
    rows = [
        {"row": number, "input": {"text": text}, "analysis": analysis.to_dict(), "error": None}
        for number, (text, analysis) in enumerate(zip(texts, analyses, strict=True), start=1)
    ]
    _write_rows(rows, shape, out)


def _write_rows(rows: Iterable[dict[str, Any]], shape: str, out: Path | None) -> None:
    from trendlark.jobs.files import CsvRows, flatten, to_json, write_rows

    if out is not None:
        write_rows(rows, out, shape)
    elif shape == "csv":
        flat = [flatten(row) for row in rows]
        names = dict.fromkeys(name for row in flat for name in row)
        writer = CsvRows(sys.stdout, list(names))
        for row in flat:
            writer.write(row)
    else:
        for row in rows:
            print(to_json(row))


def _print_table(texts: list[str], analyses: list[Analysis]) -> None:
    from trendlark.cli.tables import print_rows

    print_rows([_row_of(text, analysis) for text, analysis in zip(texts, analyses, strict=True)], "table")


def _row_of(text: str, analysis: Analysis) -> dict[str, str]:
    flags = [name for name in ("irony", "hate", "offensive") if getattr(analysis, name).value]
    entities = [f"{entity.text} ({entity.type})" for entity in analysis.entities]
    return {
        "text": text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…",
        "lang": analysis.lang,
        "sentiment": f"{analysis.sentiment.label} {analysis.sentiment.probability:.2f}",
        "emotions": ", ".join(analysis.emotions_present[:3]),
        "information": ", ".join([*flags, *entities, *(topic.label for topic in analysis.topics[:2])]),
    }


def _analyze_file(
    file: Path, settings: Settings, column: str | None, out: Path | None, shape: str | None
) -> None:
    from trendlark.cli.bars import Bars
    from trendlark.jobs.files import analyze_file

    with closing(load_analyzer(settings)) as analyzer:
        if out is None:
            _stream_file(file, analyzer, column, shape or "jsonl")
            return
        bars = Bars()
        try:
            outcome = analyze_file(file, out, analyzer, column=column, shape=shape or "jsonl", progress=bars)
        finally:
            bars.close()
    resumed = f", {outcome.resumed} of them by an earlier run" if outcome.resumed else ""
    refused = f"; {outcome.refused} without a text are kept with their reason" if outcome.refused else ""
    typer.echo(f"{outcome.rows} rows analysed into {out}{resumed}{refused}.", err=True)


def _stream_file(file: Path, analyzer: Engine, column: str | None, shape: str) -> None:
    from trendlark.jobs.files import analyze_rows, open_rows

    rows, chosen = open_rows(file, column)
    for results in analyze_rows(rows, analyzer, chosen):
        if shape == "table":
            pairs = [(str(r.input.get(chosen, "")), r.analysis) for r in results if r.analysis]
            _print_table([text for text, _ in pairs], [analysis for _, analysis in pairs])
        else:
            _write_rows((result.to_dict() for result in results), shape, None)


def import_tweets(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet file of tweets.")],
    folder: Annotated[Path, typer.Option("--to", help="Replay folder to add them to.")] = Path("replay"),
    place: Annotated[
        str | None, typer.Option(help="Place of all tweets, unless --column place= names a column.")
    ] = None,
    trend: Annotated[
        str | None, typer.Option(help="Trend of all tweets, unless --column trend= names a column.")
    ] = None,
    hour: Annotated[
        str | None, typer.Option(help="UTC hour of all tweets, unless --column hour= names a column.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="FIELD=COLUMN, such as text=tweet_body; repeatable.")
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, jsonl or parquet, where the ending does not tell.")
    ] = None,
) -> None:
    """Bring tweets of your own into a replay folder; importing a file again replaces what it brought."""
    from trendlark.cli.bars import Bars
    from trendlark.hours import Hour
    from trendlark.sources.imports import import_file

    bars = Bars()
    shown = 0

    def _advance(_: int, share: float) -> None:
        nonlocal shown
        if not shown:
            bars.start(f"import {file.name}", 1000)
        bars.advance(int(share * 1000) - shown)
        shown = int(share * 1000)

    try:
        counts = import_file(
            file,
            folder,
            columns=dict(_pair(text) for text in columns or ()),
            place=place,
            trend=trend,
            hour=Hour.parse(hour) if hour else None,
            file_format=file_format,
            progress=_advance,
        )
    finally:
        bars.close()
    typer.echo(_told(counts, file, folder), err=True)


def _told(counts: ImportCounts, file: Path, folder: Path) -> str:
    parts = [f"{counts.taken} of {counts.rows} rows of {file.name} are in {folder}"]
    if counts.replaced:
        parts.append("in place of what an earlier import of it brought")
    if counts.refused:
        parts.append(
            f"{counts.refused} could not be taken and lie in {folder / 'refused.jsonl'} with their reason"
        )
    if counts.ids_made:
        parts.append(f"{counts.ids_made} had no id and got one from their content")
    if counts.invalid_utf8:
        parts.append(f"{counts.invalid_utf8} were not valid UTF-8 and hold U+FFFD for it")
    return "; ".join(parts) + "."


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        raise InputError(f"Found --column {text!r}; it is written FIELD=COLUMN, such as text=tweet_body.")
    return field.strip(), column
