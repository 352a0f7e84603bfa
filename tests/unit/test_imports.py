"""An import brings every row into a replay folder or says why not; twice is the same as once."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.records import PLACES, Place, Tweet
from trendlark.sources.imports import USUAL_NAMES, ImportCounts, import_file
from trendlark.sources.replay import ReplaySource

HOUR = Hour.parse("2026-11-23T07")
ES = PLACES["es"]


def played(folder: Path, place: Place = ES) -> list[Tweet]:
    """All tweets of a folder as replay plays them."""
    source = ReplaySource(folder)
    tweets: list[Tweet] = []
    for hour in source.recorded_hours():
        for trend in source.parse_trends(source.trends(place, hour), place, hour).items:
            for page in source.pages(trend, 10, 1, {}):
                parsed = source.parse_tweets(page, trend)
                assert not parsed.refusals
                tweets += parsed.items
    return tweets


def refused(folder: Path) -> list[dict[str, Any]]:
    """The refused rows of a folder."""
    paths = sorted((folder / "refused").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def bring(path: Path, data: str | bytes, folder: Path, **options: Any) -> ImportCounts:
    """Write a file and import it."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    given_options: dict[str, Any] = {"place": "es", "trend": "#Lluvia", "hour": HOUR} | options
    return import_file(path, folder, **given_options)


def test_usual_columns_of_a_csv_are_found(tmp_path: Path) -> None:
    data = (
        "Tweet_ID;Content;Date;Language;Username;user_id;Like_Count;Retweets;replies;URL\n"
        '17;"¡Hola; qué tal!";2026-11-23 07:05:09+00:00;es;ana;9;3;0;;https://x.com/ana/status/17\n'
        "18;segundo;1795417500;und;;;muchos;;2.0;\n"
    )
    counts = bring(tmp_path / "t.csv", data, tmp_path / "f", hour=None)
    assert (counts.rows, counts.taken, counts.refused, counts.replaced) == (2, 2, 0, False)
    first, second = played(tmp_path / "f")
    assert (first.tweet_id, first.text, first.lang) == ("17", "¡Hola; qué tal!", "es")
    assert (first.author_id, first.author_handle) == ("9", "ana")
    assert (first.likes, first.reposts, first.replies) == (3, 0, None)
    assert first.created_at is not None
    assert first.created_at.isoformat() == "2026-11-23T07:05:09+00:00"
    assert (second.hour, second.lang, second.likes, second.replies) == (HOUR, None, None, 2)


V2: dict[str, Any] = {
    "data": [
        {
            "id": "1",
            "text": "corto…",
            "note_tweet": {"text": "el texto entero"},
            "author_id": "7",
            "created_at": "2026-11-23T07:01:00.000Z",
            "lang": "es",
            "public_metrics": {"like_count": 4, "retweet_count": 0, "reply_count": 1, "quote_count": 2},
        }
    ],
    "includes": {"users": [{"id": "7", "username": "ana"}]},
}
V1 = {
    "id": 1461000000000000001,
    "id_str": "1461000000000000001",
    "text": "corto…",
    "full_text": "el texto entero",
    "created_at": "Mon Nov 23 07:01:00 +0000 2026",
    "lang": "es",
    "user": {"id_str": "7", "screen_name": "ana"},
    "favorite_count": 4,
    "retweet_count": 0,
    "reply_count": 1,
    "quote_count": 2,
    "place": {"country_code": "ES"},
}


@pytest.mark.parametrize("line", [V2, {**V2, "data": V2["data"][0]}, V1], ids=["v2 page", "v2", "v1.1"])
def test_tweets_of_the_apis_of_x_are_read(tmp_path: Path, line: Mapping[str, Any]) -> None:
    bring(tmp_path / "t.jsonl", json.dumps(line), tmp_path / "f", hour=None)
    (tweet,) = played(tmp_path / "f")
    assert (tweet.text, tweet.author_id, tweet.author_handle) == ("el texto entero", "7", "ana")
    assert (tweet.likes, tweet.reposts, tweet.replies, tweet.quotes) == (4, 0, 1, 2)
    assert tweet.created_at is not None
    assert tweet.created_at.minute == 1
    assert tweet.tweet_id in {"1", "1461000000000000001"}


def test_later_lines_may_have_fuller_fields(tmp_path: Path) -> None:
    lines = [{"id": n, "text": "corto"} for n in range(200)] + [{"id": 200, "full_text": "entero"}]
    bring(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)), tmp_path / "f")
    assert played(tmp_path / "f")[200].text == "entero"


def test_parquet_is_imported_in_batches(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [f"t{n}" for n in range(2500)],
            "when": pa.array([1795417500_000_000] * 2500, pa.timestamp("us")),
            "user": [{"username": "ana"}] * 2500,
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    seen: list[tuple[int, float]] = []
    counts = import_file(
        tmp_path / "t.parquet",
        tmp_path / "f",
        columns={"created_at": "when"},
        place="es",
        trend="x",
        progress=lambda rows, share: seen.append((rows, share)),
    )
    assert (counts.taken, counts.ids_made) == (2500, 2500)
    assert [rows for rows, _ in seen] == [1000, 2000, 2500]
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert seen[-1][1] == 1.0
    tweets = played(tmp_path / "f")
    assert len({tweet.tweet_id for tweet in tweets}) == 2500
    assert {(tweet.hour, tweet.author_handle) for tweet in tweets} == {(HOUR, "ana")}


@pytest.mark.parametrize("rounded", ["1.59301E+18", "1,59301E+18", "1.5930100000000003e+18"])
def test_ids_that_a_spreadsheet_has_rounded_make_no_two_tweets_one(tmp_path: Path, rounded: str) -> None:
    data = (
        f'tweet_id;author_id;text\n"{rounded}";"{rounded}";uno\n"{rounded}";"{rounded}";dos\n3e10;4e10;tres\n'
    )
    counts = bring(tmp_path / "t.csv", data, tmp_path / "f")
    assert (counts.taken, counts.ids_made) == (3, 2)
    tweets = {tweet.text: tweet for tweet in played(tmp_path / "f")}
    assert len({tweet.tweet_id for tweet in tweets.values()}) == 3
    assert [tweets[text].author_id for text in ("uno", "dos", "tres")] == [None, None, "4e10"]
    assert tweets["tres"].tweet_id == "3e10"


def test_columns_can_be_named_and_beat_the_given_values(tmp_path: Path) -> None:
    data = "cuerpo,tema,sitio,text\nhola,#A,mx,no\nadiós,,,no\n"
    columns = {"text": "cuerpo", "trend": "tema", "place": "sitio"}
    bring(tmp_path / "t.csv", data, tmp_path / "f", columns=columns)
    (here,) = played(tmp_path / "f")
    (there,) = played(tmp_path / "f", PLACES["mx"])
    assert (here.text, here.trend, here.place) == ("adiós", "#Lluvia", "es")
    assert (there.text, there.trend, there.place) == ("hola", "#A", "mx")


def test_given_values_beat_columns_that_were_not_named(tmp_path: Path) -> None:
    data = "text,trend,place,hour,created_at\nhola,#A,mx,2020-01-01T00,2020-01-01\n"
    bring(tmp_path / "t.csv", data, tmp_path / "f")
    (tweet,) = played(tmp_path / "f")
    assert (tweet.trend, tweet.place, tweet.hour) == ("#Lluvia", "es", HOUR)
    import_file(tmp_path / "t.csv", tmp_path / "g")
    (own,) = played(tmp_path / "g", PLACES["mx"])
    assert (own.trend, str(own.hour)) == ("#A", "2020-01-01T00")


def test_twice_is_once_and_other_options_are_another_import(tmp_path: Path) -> None:
    data = 'text\nuno\nuno\n\ndos\n""\n'
    first = bring(tmp_path / "t.csv", data, tmp_path / "f")
    before = (first.file or tmp_path).read_bytes()
    again = bring(tmp_path / "t.csv", data, tmp_path / "f")
    assert (first.replaced, again.replaced) == (False, True)
    assert (again.file or tmp_path).read_bytes() == before
    assert [tweet.text for tweet in played(tmp_path / "f")] == ["uno", "uno", "dos"]
    assert len({tweet.tweet_id for tweet in played(tmp_path / "f")}) == 3
    assert len(refused(tmp_path / "f")) == 1
    bring(tmp_path / "t.csv", data, tmp_path / "f", trend="otro")
    assert len(played(tmp_path / "f")) == 6
    assert len(refused(tmp_path / "f")) == 2
    assert not list((tmp_path / "f").rglob("*.tmp"))


def test_made_ids_stay_when_a_file_grows(tmp_path: Path) -> None:
    bring(tmp_path / "t.csv", "text\nuno\nuno\n", tmp_path / "f")
    bring(tmp_path / "t.csv", "text\nuno\nuno\ndos\n", tmp_path / "g")
    assert [t.tweet_id for t in played(tmp_path / "f")] == [t.tweet_id for t in played(tmp_path / "g")][:2]


def test_refused_rows_are_kept_with_their_reason(tmp_path: Path) -> None:
    data = "id,text,created_at\n1,  ,2026-11-23\n2,ok,someday\n3,a,b,c\n4,fine,2026-11-23T07:00:00Z\n"
    counts = bring(tmp_path / "t.csv", data, tmp_path / "f", hour=None)
    assert (counts.rows, counts.taken, counts.refused) == (4, 1, 3)
    notes = refused(tmp_path / "f")
    a_time = "a time is written like 2026-11-23T07:05:00Z"
    assert [(note["line"], note["reason"]) for note in notes] == [
        (2, "the row has no text"),
        (3, f"the row has no usable hour and no usable time: 'someday' is none, {a_time}"),
        (4, "the row has 4 cells, the file has 3 columns; is a text not quoted?"),
    ]
    assert notes[2]["raw"] == "3,a,b,c\n"


def test_an_import_of_nothing_leaves_no_tweets_file(tmp_path: Path) -> None:
    counts = bring(tmp_path / "t.csv", 'text\n""\n', tmp_path / "f")
    assert (counts.file, counts.refused) == (None, 1)
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["refused"]


def test_an_import_of_nothing_leaves_what_an_earlier_one_brought(tmp_path: Path) -> None:
    data = "text,other\nuno,\n"
    first = bring(tmp_path / "t.csv", data, tmp_path / "f")
    again = bring(tmp_path / "t.csv", data, tmp_path / "f", columns={"text": "other"})
    assert (again.taken, again.replaced, again.file) == (0, False, None)
    assert first.file is not None
    assert [tweet.text for tweet in played(tmp_path / "f")] == ["uno"]
    assert again.refused_file is not None
    assert bring(tmp_path / "t.csv", data, tmp_path / "f").refused_file is None
    assert not again.refused_file.exists()


def test_a_place_is_a_slug_in_small_letters(tmp_path: Path) -> None:
    data = "text,place\na,ES\nb, es \nc,Perú\nd,../up\ne,buenos-aires\n"
    counts = bring(tmp_path / "t.csv", data, tmp_path / "f", place=None)
    assert (counts.taken, counts.refused) == (3, 2)
    assert [note["reason"] for note in refused(tmp_path / "f")] == [
        "the place 'Perú' is not of the letters a-z, digits and hyphens",
        "the place '../up' is not of the letters a-z, digits and hyphens",
    ]
    assert set(ReplaySource(tmp_path / "f").recorded_places()) == {"es", "buenos-aires"}
    bring(tmp_path / "u.csv", "text\nx\n", tmp_path / "g", place="Es")
    assert ReplaySource(tmp_path / "g").recorded_places() == ("es",)
    for wrong in ("São Paulo", "", "a/b"):
        with pytest.raises(InputError, match="letters a-z, digits and hyphens"):
            bring(tmp_path / "u.csv", "text\nx\n", tmp_path / "h", place=wrong)
    assert not (tmp_path / "h").exists()


def test_two_imports_at_once_keep_all_their_refused_rows(tmp_path: Path) -> None:
    def one(number: int) -> ImportCounts:
        rows = "".join(f'{number},"{"" if n % 2 else n}"\n' for n in range(300))
        return bring(tmp_path / f"{number}.csv", "who,text\n" + rows, tmp_path / "f")

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(one, range(8)))
    assert {(count.taken, count.refused) for count in counts} == {(150, 150)}
    assert len(refused(tmp_path / "f")) == 8 * 150
    assert len(played(tmp_path / "f")) == 8 * 150


def test_bytes_that_are_not_utf8_are_counted(tmp_path: Path) -> None:
    counts = bring(tmp_path / "t.csv.gz", gzip.compress(b"text\nni\xf1o\nni\xc3\xb1o\n"), tmp_path / "f")
    assert counts.invalid_utf8 == 1
    assert [tweet.text for tweet in played(tmp_path / "f")] == ["ni\ufffdo", "niño"]


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("a,b\n1,2\n", {}, "it has a, b. Name the right one with --column text=COLUMN"),
        ("text\nx\n", {"columns": {"lang": "sprache"}}, "no column 'sprache'.*--column lang=COLUMN"),
        ("text\nx\n", {"columns": {"txt": "text"}}, "'txt' as a field.*fields are text, id"),
        ("text\nx\n", {"trend": None}, "--trend NAME or --column trend=COLUMN"),
        ("text\nx\n", {"place": None}, "--place NAME or --column place=COLUMN"),
        ("text\nx\n", {"hour": None}, "--hour 2026-11-23T07"),
        (",".join(f"c{n}" for n in range(30)) + "\n", {}, "c19 and 10 more"),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(
    tmp_path: Path, data: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        bring(tmp_path / "t.csv", data, tmp_path / "f", **options)
    assert not (tmp_path / "f").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        bring(tmp_path / "t.csv", "text\nx\n", tmp_path / "f")


def test_a_file_that_breaks_off_changes_nothing(tmp_path: Path) -> None:
    bring(tmp_path / "t.csv", "text\nuno\n", tmp_path / "f")
    whole = gzip.compress("".join(f"text {n} {n * n}\n" for n in range(50_000)).encode())
    with pytest.raises(InputError, match="cannot be read"):
        bring(tmp_path / "t.csv.gz", whole[: len(whole) // 2], tmp_path / "f", columns={"text": "text 0 0"})
    assert [tweet.text for tweet in played(tmp_path / "f")] == ["uno"]
    assert not list((tmp_path / "f").rglob("*.tmp"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=50), min_size=1, max_size=30), st.booleans())
def test_every_row_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], as_json: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["text", "n"], *([text, "0"] for text in texts)])
    lines = "\n".join(json.dumps({"text": text, "n": 0}) for text in texts)
    data = (lines if as_json else written.getvalue()).encode("utf-8", "replace")
    counts = bring(folder / ("t.jsonl" if as_json else "t.csv"), data, folder / "f")
    blank = sum(not text.strip() for text in texts)
    assert (counts.rows, counts.refused) == (len(texts), blank)
    assert len(refused(folder / "f")) == blank
    if blank < len(texts):
        assert len(played(folder / "f")) == len(texts) - blank


def test_the_page_on_sources_names_every_field_and_usual_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| `")}
    for field, names in USUAL_NAMES.items():
        if len(names) > 1:
            assert rows[f"`{field}`"].split("|")[2].strip() == ", ".join(f"`{name}`" for name in names)
        else:
            assert f"`{field}`" in rows["`hour`, `place`, `trend`"]
