"""What a folder of recordings may hold, played through the whole hour; and imports that come back as they went in."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hours import HOUR, contents, jobs_for
from tests.support.inside import call
from tests.support.recordings import listed, recorded, recording
from trendlark.hours import Hour
from trendlark.jobs.hourly import HourOutcome, Jobs
from trendlark.records import clean_text
from trendlark.sources.imports import import_file

Play = Callable[..., tuple[Jobs, HourOutcome]]
# Few examples: each is a whole hour on a real lake.
FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.lists(st.text(max_size=60).filter(lambda text: bool(text.strip())), min_size=1, max_size=8)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run the hour of the folder ``replay`` into a new lake."""
    played: list[Jobs] = []

    def run(hour: Hour = HOUR, **flags: Any) -> tuple[Jobs, HourOutcome]:
        wanted = {"source": "replay", "replay_folder": str(tmp_path / "replay"), "places": "es"} | flags
        jobs = jobs_for(tmp_path / f"lake-{len(played)}", **wanted)
        played.append(jobs)
        return jobs, jobs.run_hour(hour)

    return run


def _lines(*records: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_of_two_lines_with_one_id_the_first_counts_across_files(tmp_path: Path, play: Play) -> None:
    folder = recording(tmp_path / "replay", [recorded("1", text="first"), recorded("1", text="second")])
    (folder / "tweets").mkdir()
    (folder / "tweets" / "b.jsonl").write_bytes(_lines(recorded("1", text="third"), recorded("2")))
    jobs, _ = play()
    assert [row["text"] for row in contents(jobs.lake)["tweets"]] == ["first", "the words of 2"]
    (row,) = jobs.lake.trend_hours()
    assert row.sampled == 2
    assert row.summary is not None
    assert row.summary.analysed == 2


def test_numbers_and_texts_as_ids_are_one_id(tmp_path: Path, play: Play) -> None:
    recording(
        tmp_path / "replay", [recorded("7"), {**recorded("x"), "id": 7}, recorded(" 7 "), recorded("07")]
    )
    jobs, _ = play()
    assert [row["tweet_id"] for row in contents(jobs.lake)["tweets"]] == ["07", "7"]


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.jsonl", b"tab\there.jsonl", b"line\nend.jsonl", "niño 😀.jsonl".encode(), b"\x1b[31m.jsonl"],
)
def test_files_of_any_name_are_played(tmp_path: Path, play: Play, name: bytes) -> None:
    folder = recording(tmp_path / "replay", [recorded("1")]) / "tweets"
    folder.mkdir()
    path = os.path.join(os.fsencode(folder), name)  # noqa: PTH118 - Path takes no bytes
    with open(path, "wb") as stream:  # noqa: PTH123
        stream.write(_lines(recorded("2"), {**recorded("3"), "text": None}))
    jobs, outcome = play()
    assert not outcome.failed
    assert [row["tweet_id"] for row in contents(jobs.lake)["tweets"]] == ["1", "2"]
    (refused,) = jobs.lake.refused(HOUR)
    assert refused.reason.endswith(":2: the tweet has no text")
    assert refused.reason.isprintable()


def test_gzipped_and_plain_files_are_one_recording(tmp_path: Path, play: Play) -> None:
    folder = recording(tmp_path / "replay", [recorded("1")], [listed("#b"), listed("#a", 2)])
    (folder / "tweets").mkdir()
    packed = gzip.compress(_lines(*(recorded(f"z{n}", "#b") for n in range(2500))))
    (folder / "tweets" / "more.jsonl.gz").write_bytes(packed)
    jobs, outcome = play()
    assert outcome.runs[0].counts == {"trends": 2, "tweets": 2501}
    assert [(row.trend.name, row.sampled, row.requests) for row in jobs.lake.trend_hours()] == [
        ("#b", 2500, 3),
        ("#a", 1, 1),
    ]
    assert len(contents(jobs.lake)["analyses"]) == 2501


def test_a_gzip_file_that_breaks_off_gives_what_it_has_and_says_so(tmp_path: Path, play: Play) -> None:
    folder = recording(tmp_path / "replay", [])
    lines = _lines(*(recorded(str(n), text=os.urandom(40).hex()) for n in range(500)))
    (folder / "tweets.jsonl").unlink()
    packed = gzip.compress(lines)
    (folder / "tweets.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    jobs, outcome = play()
    assert 100 < outcome.runs[0].counts["tweets"] < 500
    assert any("the gzip file is broken" in refused.reason for refused in jobs.lake.refused(HOUR))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"[1, 2]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (
            b'{"hour": "9999-12-31T23", "place": "es", "trend": "#a", "id": "x", "text": "y"}',
            "no usable hour",
        ),
        (
            b'{"hour": "0001-01-01T00", "place": "es", "trend": "#a", "id": "x", "text": "y"}',
            "no usable hour",
        ),
        (_lines({**recorded("x"), "trend": "  "}).strip(), "it has no trend"),
        (_lines({**recorded("x"), "place": {"slug": "es"}}).strip(), "it has no place"),
        (_lines({**recorded("x"), "id": 1.5}).strip(), "the tweet has no id"),
        (_lines({**recorded("x"), "id": 2**70}).strip(), "the tweet has no id"),
        (_lines({**recorded("x"), "text": ["a"]}).strip(), "the tweet has no text"),
        (b"\xff\xfe{\x00", "Expecting value"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_once_and_the_rest_is_there(
    tmp_path: Path, play: Play, line: bytes, reason: str
) -> None:
    folder = recording(tmp_path / "replay", [])
    (folder / "tweets.jsonl").write_bytes(_lines(recorded("1")) + line + b"\n" + _lines(recorded("2")))
    jobs, outcome = play()
    assert [row["tweet_id"] for row in contents(jobs.lake)["tweets"]] == ["1", "2"]
    (refused,) = jobs.lake.refused(HOUR)
    assert reason in refused.reason
    assert refused.reason.startswith("tweets.jsonl:2: ")
    assert outcome.runs[0].refused == 1


def test_values_that_no_column_holds_are_absent_and_the_raw_line_keeps_them(
    tmp_path: Path, play: Play
) -> None:
    odd = recorded(
        "1", likes=-1, reposts=2**63, replies="many", quotes=True, lang="x" * 99, created_at="noon"
    )
    recording(tmp_path / "replay", [odd])
    jobs, _ = play()
    (tweet,) = jobs.lake.tweets(HOUR)
    assert (tweet.likes, tweet.reposts, tweet.replies, tweet.quotes) == (None,) * 4
    assert (tweet.lang, tweet.created_at) == (None, None)
    assert json.loads(tweet.raw or "")["reposts"] == 2**63


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b=c", "x' OR '1'='1", "%2F", "\u202ereversed", "n" * 5000, "\\N"]
)
def test_names_of_trends_and_places_are_only_names(tmp_path: Path, play: Play, name: str) -> None:
    recording(tmp_path / "replay", [recorded("1", name), recorded("2", "#b", place="es")])
    jobs, _ = play()
    assert {row.trend.name for row in jobs.lake.trend_hours(trend=name)} == {name}
    assert [tweet.tweet_id for tweet in jobs.lake.tweets(HOUR, trend=name)] == ["1"]
    assert {path.name for path in tmp_path.iterdir()} == {"replay", "lake-0"}


@FEW
@given(TEXTS)
def test_any_text_is_played_to_the_letter(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    scratch = tmp_path_factory.mktemp("played")
    lines = [recorded(str(number), text=text) for number, text in enumerate(texts)]
    folder = recording(scratch / "replay", lines)
    jobs = jobs_for(scratch / "lake", source="replay", replay_folder=str(folder), places="es")
    jobs.run_hour(HOUR)
    found = {tweet.tweet_id: tweet.text for tweet in jobs.lake.tweets(HOUR)}
    assert found == {str(number): clean_text(text) for number, text in enumerate(texts)}
    assert len(contents(jobs.lake)["analyses"]) == len(texts)


def _write(path: Path, texts: Sequence[str]) -> Path:
    rows = [{"id": f"r{number}", "text": text} for number, text in enumerate(texts)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_bytes(_lines(*rows))
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["id", "text"], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    return path


# CSV readers end at NUL, and text without surrogates is all that CSV and Parquet can hold.
WRITTEN = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
    ).filter(lambda text: bool(text.strip())),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@FEW
@given(texts=WRITTEN)
def test_import_replay_hour_and_query_give_back_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, ending: str, texts: list[str]
) -> None:
    scratch = tmp_path_factory.mktemp("imported")
    path = _write(scratch / f"mine.{ending}", texts)
    counts = import_file(path, scratch / "replay", place="es", trend="#mine", hour=HOUR)
    assert (counts.rows, counts.taken, counts.refused) == (len(texts), len(texts), 0)
    lake = str(scratch / "lake")
    jobs = jobs_for(lake, source="replay", replay_folder=str(scratch / "replay"), places="es")
    jobs.run_hour(HOUR)
    words = ("--lake", lake, "--format", "jsonl")
    asked = call("query", "SELECT tweet_id, text FROM tweets ORDER BY tweet_id", *words)
    assert asked.code == 0, asked.err
    rows = [json.loads(line) for line in asked.out.split("\n") if line]
    assert {row["tweet_id"]: row["text"] for row in rows} == {
        f"r{number}": text for number, text in enumerate(texts)
    }


def test_an_import_into_an_hour_that_is_collected_changes_nothing_of_it(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1")])
    jobs, _ = play()
    before = contents(jobs.lake)
    import_file(
        _write(tmp_path / "late.csv", ["late"]), tmp_path / "replay", place="es", trend="#l", hour=HOUR
    )
    assert jobs.run_hour(HOUR).nothing
    assert contents(jobs.lake) == before
    fresh, _ = play()
    assert {row["trend"] for row in contents(fresh.lake)["tweets"]} == {"#a", "#l"}


def test_imports_of_two_files_and_one_of_them_again_are_two(tmp_path: Path, play: Play) -> None:
    for texts, name in ((["uno", "dos"], "a.csv"), (["tres"], "b.csv"), (["uno", "dos"], "a.csv")):
        import_file(_write(tmp_path / name, texts), tmp_path / "replay", place="es", trend="#x", hour=HOUR)
    jobs, _ = play()
    # The files number their rows alike: of the two tweets r0 the first counts.
    assert Counter(row["tweet_id"] for row in contents(jobs.lake)["tweets"]) == {"r0": 1, "r1": 1}


def test_rows_without_a_place_are_refused_and_the_rest_is_an_hour(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "mixed.jsonl"
    good = {"text": "hola", "created_at": f"{HOUR}:10:00Z", "place": "es", "trend": "#x"}
    path.write_bytes(_lines(good, {**good, "place": ""}, {**good, "text": " "}, {**good, "created_at": "?"}))
    counts = import_file(path, tmp_path / "replay")
    assert (counts.taken, counts.refused, counts.ids_made) == (1, 3, 1)
    jobs, _ = play()
    (tweet,) = jobs.lake.tweets(HOUR)
    assert tweet.text == "hola"
    assert tweet.created_at is not None
    assert str(Hour.of(tweet.created_at)) == str(HOUR)
