"""Commands on texts: analyze and import."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trendlark.cli.options import ModelFlag, ThreadsFlag, in_force, load_analyzer, shape_of
from trendlark.errors import InputError

if TYPE_CHECKING:
    from trendlark.jobs.files import Result
    from trendlark.settings import Settings
    from trendlark.sources.imports import ImportCounts

_PANEL = "Texts"
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
    elif column is not None:
        raise InputError(
            f"Found --column {column!r} and no file; it names the column of a CSV, JSONL or Parquet file, and texts "
            "have none. Name a file, or leave --column out."
        )
    elif what and what != ["-"]:
        _analyze_texts(what, settings, out, wanted or "table")
    elif what == ["-"] or not sys.stdin.isatty():
        _analyze_texts(_lines(sys.stdin.buffer), settings, out, wanted or "jsonl")
    else:
        raise InputError("Found nothing to analyse; give texts, one file, or - and texts on standard input.")


def _lines(stream: Iterable[bytes]) -> Iterator[str]:
    # Only \n parts texts: other alphabets have line ends of their own, which belong to the text.
    for line in stream:
        yield line.decode("utf-8", errors="replace").removesuffix("\n").removesuffix("\r")


def _file_of(what: list[str] | None) -> Path | None:
    if not what or what == ["-"]:
        return None
    if len(what) > 1:
        files = [text for text in what if _is_file(text) or _is_named_like_data(text)]
        if files:
            raise InputError(
                f"Found {files[0]!r}, which names a file, among {len(what)} arguments; it is one file at a time, or "
                "texts. Give each file a run of its own, or put a text that ends so in more words."
            )
        return None
    text = what[0]
    if _is_file(text):
        return Path(text)
    if _is_path(text, Path.exists):
        raise InputError(
            f"Found {text!r}, which is a folder, a pipe or a device; it is one file at a time, or texts. Name a file, "
            "pipe texts into `trendlark analyze -`, or put a text of this name in more words."
        )
    if _is_named_like_data(text):
        raise InputError(
            f"Found no file {text}; name one that exists, or put a text that ends so in more words."
        )
    return None


def _is_file(text: str) -> bool:
    return _is_path(text, Path.is_file)


def _is_path(text: str, of_kind: Callable[[Path], bool]) -> bool:
    if not text or len(text) >= 4096 or "\x00" in text or "\n" in text:
        return False
    try:
        return of_kind(Path(text))
    except OSError:  # a long text is no path
        return False


def _is_named_like_data(text: str) -> bool:
    from trendlark.sources.rows import ENDINGS

    endings = tuple(end + zipped for end in ENDINGS for zipped in ("", ".gz"))
    return text.lower().endswith(endings) and not any(c.isspace() for c in text) and "\x00" not in text


def _analyze_texts(texts: Iterable[str], settings: Settings, out: Path | None, shape: str) -> None:
    from trendlark.jobs.files import GIVEN, analyze_rows, write_rows
    from trendlark.sources.rows import Row

    rows = (Row(number, {"text": text}) for number, text in enumerate(texts, start=1))
    with closing(load_analyzer(settings)) as analyzer:
        slices = analyze_rows(rows, analyzer, GIVEN)
        if out is None:
            _print_results(slices, shape, ["text"])
        else:
            write_rows((result.to_dict() for results in slices for result in results), out, shape)


def _print_results(slices: Iterable[Sequence[Result]], shape: str, columns: Sequence[str]) -> None:
    """Print results as they come, with one head, and columns that are settled before the first is known."""
    from trendlark.cli.tables import TableRows, screen
    from trendlark.jobs.forms import CsvRows, flatten, stream_columns, to_json

    stream = screen()
    table = TableRows()
    csv_rows = CsvRows(stream, stream_columns(columns)) if shape == "csv" else None
    for results in slices:
        if shape == "table":
            table.write([_row_of(result) for result in results])
        for result in results if shape != "table" else ():
            if csv_rows is not None:
                csv_rows.write(flatten(result.to_dict()))
            else:
                stream.write(to_json(result.to_dict()) + "\n")
        stream.flush()


def _row_of(result: Result) -> dict[str, str]:
    text = result.text if len(result.text) <= _SHOWN else result.text[: _SHOWN - 1] + "…"
    analysis = result.analysis
    if analysis is None:
        why = f"row {result.row} is not analysed: {result.error}"
        return {"text": text, "lang": "", "sentiment": "", "emotions": "", "information": why}
    flags = [name for name in ("irony", "hate", "offensive") if getattr(analysis, name).value]
    entities = [f"{entity.text} ({entity.type})" for entity in analysis.entities]
    return {
        "text": text,
        "lang": analysis.lang,
        "sentiment": f"{analysis.sentiment.label} {analysis.sentiment.probability:.2f}",
        "emotions": ", ".join(analysis.emotions_present[:3]),
        "information": ", ".join([*flags, *entities, *(topic.label for topic in analysis.topics[:2])]),
    }


def _analyze_file(
    file: Path, settings: Settings, column: str | None, out: Path | None, shape: str | None
) -> None:
    from trendlark.cli.bars import Bars
    from trendlark.jobs.files import analyze_file, analyze_rows, open_rows

    with closing(load_analyzer(settings)) as analyzer:
        if out is None:
            rows, chosen = open_rows(file, column)
            _print_results(analyze_rows(rows, analyzer, chosen), shape or "jsonl", rows.top_columns)
            return
        bars = Bars()
        try:
            outcome = analyze_file(file, out, analyzer, column=column, shape=shape or "jsonl", progress=bars)
        finally:
            bars.close()
    resumed = f", {outcome.resumed} of them by an earlier run" if outcome.resumed else ""
    refused = f"; {outcome.refused} without a text are kept with their reason" if outcome.refused else ""
    typer.echo(f"{outcome.rows} rows analysed into {out}{resumed}{refused}.", err=True)


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
    if not counts.taken:
        raise InputError(_told_of_none(counts, file, folder))
    typer.echo(_told(counts, file, folder), err=True)


def _told_of_none(counts: ImportCounts, file: Path, folder: Path) -> str:
    if counts.refused_file is None:
        return f"Found no row in {file}, so nothing is in {folder}; give a file with tweets in it."
    return (
        f"Found no tweet in the {counts.rows} rows of {file}, so {folder} has no new tweets; a tweet needs a text, "
        f"an hour, a place and a trend. {counts.refused_file} says of each row what it lacks; "
        "name the columns with --column."
    )


def _told(counts: ImportCounts, file: Path, folder: Path) -> str:
    parts = [f"{counts.taken} of {counts.rows} rows of {file.name} are in {folder}"]
    if counts.replaced:
        parts.append("in place of what an earlier import of it brought")
    if counts.refused:
        parts.append(
            f"{counts.refused} could not be taken and lie in {counts.refused_file} with their reason"
        )
    if counts.ids_made:
        parts.append(f"{counts.ids_made} had no id of their own and got one from their content")
    if counts.invalid_utf8:
        parts.append(f"{counts.invalid_utf8} were not valid UTF-8 and hold U+FFFD for it")
    return "; ".join(parts) + "."


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        raise InputError(f"Found --column {text!r}; it is written FIELD=COLUMN, such as text=tweet_body.")
    return field.strip(), column
