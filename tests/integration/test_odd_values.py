"""One odd value, cell or file: a whole hour, an import and an analysis go on, also when they are started again."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.commandline import run
from tests.support.fake_x import TOKEN, FakeX, Reply
from tests.support.hours import HOUR, contents, jobs_for
from tests.support.mounts import small_disk
from tests.support.recordings import listed, recorded, recording
from trendlark.errors import ModelError, UnavailableError
from trendlark.hours import Hour, utc_now
from trendlark.jobs import files
from trendlark.jobs.files import analyze_file
from trendlark.jobs.hourly import Jobs
from trendlark.lake import open_lake
from trendlark.nlu.analyzer import load
from trendlark.records import PLACES, Analysis, Page
from trendlark.sources import recording as recordings
from trendlark.sources.replay import ReplaySource

HUGE = 10**400
ES = PLACES["es"]


def _jobs(tmp_path: Path) -> Jobs:
    folder = str(tmp_path / "replay")
    return jobs_for(tmp_path / "lake", source="replay", replay_folder=folder, places="es")


def test_an_hour_with_numbers_beyond_all_measure_is_collected(tmp_path: Path) -> None:
    counts = dict.fromkeys(("likes", "reposts", "replies", "quotes"), HUGE)
    tweets = [
        {**recorded("1", created_at=HUGE, author_id=HUGE), **counts},
        recorded("2"),
        recorded("3", "#b"),
    ]
    ranks = [{**listed("#a", 2**31), "volume": HUGE}, {**listed("#b", 2**31 - 1), "volume": 2**63 - 1}]
    recording(tmp_path / "replay", tweets, ranks)
    jobs = _jobs(tmp_path)
    assert not jobs.run_hour(HOUR).failed
    assert jobs.run_hour(HOUR).nothing
    found = contents(jobs.lake)
    assert [row["tweet_id"] for row in found["analyses"]] == ["1", "2", "3"]
    assert (found["tweets"][0]["created_at"], found["tweets"][0]["likes"]) == (None, None)
    assert [(row["trend"], row["rank"], row["volume"]) for row in found["trends"]] == [
        ("#a", 2**31 - 1, None),
        ("#b", 2**31 - 1, 2**63 - 1),
    ]
    (refused,) = jobs.lake.refused(HOUR)
    assert refused.reason == "trends.jsonl:1: rank is 2147483648; it is a whole number from 1 to 2147483647"


def test_a_collector_that_fell_over_a_stored_page_comes_up_again(tmp_path: Path) -> None:
    # As the lake looks after a collector of before, which died of what the page holds.
    odd = recorded("1", "#b", created_at=HUGE)
    recording(tmp_path / "replay", [odd, recorded("2", "#b")], [listed("#b")])
    jobs, source = _jobs(tmp_path), ReplaySource(tmp_path / "replay")
    pages = [source.trends(ES, HOUR)]
    body = json.loads(pages[0].body)
    body["trends"] = [{"rank": 2**63 - 1, "name": "#a", "volume": None}, *body["trends"]]
    pages[0] = Page(pages[0].request, json.dumps(body), pages[0].fetched_at)
    (trend,) = source.parse_trends(pages[0], ES, HOUR).items
    pages += source.pages(trend, 10, 1, {})
    for page in pages:
        jobs.lake.add_page(HOUR, "replay", "es", page)
    assert not jobs.run_hour(HOUR).failed
    assert [row["tweet_id"] for row in contents(jobs.lake)["tweets"]] == ["1", "2"]
    assert [refused.reason.split(";")[0] for refused in jobs.lake.refused(HOUR)] == [f"rank is {2**63 - 1}"]


def test_an_answer_of_x_with_odd_values_is_an_hour(tmp_path: Path) -> None:
    metrics = {"like_count": HUGE, "retweet_count": 2**63, "reply_count": [], "quote_count": 4}
    odd = {"id": "1", "text": "odd", "created_at": HUGE, "author_id": {}, "public_metrics": metrics}
    posts = [odd, {"id": HUGE, "text": "no id"}, {"id": "3", "text": "good"}]
    with FakeX() as fake:
        fake.script(Reply(body={"data": [{"trend_name": "#Gol", "tweet_count": HUGE}]}), path="/2/trends")
        fake.script(Reply(body={"data": posts}), path="/2/tweets/search/recent")
        options = {"x_bearer_token": TOKEN, "x_base_url": fake.url, "places": "es", "tweets_per_trend": 10}
        jobs = jobs_for(tmp_path / "lake", source="x", budget_usd_per_day=1000, **options)
        # X has the running hour and the one before: of these the one that is neither too young nor soon too old.
        hour = Hour.of(utc_now() - timedelta(minutes=30))
        assert not jobs.run_hour(hour).failed
        jobs.source.close()
    found = contents(jobs.lake)
    assert [(row["tweet_id"], row["likes"], row["quotes"]) for row in found["tweets"]] == [
        ("1", None, 4),
        ("3", None, None),
    ]
    assert json.loads(found["tweets"][0]["raw"]) == odd
    assert [row["volume"] for row in found["trends"]] == [None]
    assert [refused.reason for refused in jobs.lake.refused(hour)] == ["the post has no id or no text"]


def test_a_recorded_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    folder = recording(tmp_path / "replay", [recorded("1")])
    (folder / "tweets").mkdir()
    # A file that may be opened, and whose bytes nobody gets: as on a disk that is broken.
    (folder / "tweets" / "a.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(UnavailableError, match=r"replay cannot be read \(Input/output error\)") as caught:
        ReplaySource(folder).recorded_hours()
    assert "\n" not in str(caught.value)


def test_a_recorded_file_that_goes_away_while_the_folder_is_indexed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recording(tmp_path / "replay", [recorded("1")])
    (folder / "tweets").mkdir()
    late = folder / "tweets" / "late.jsonl"
    late.write_text(json.dumps(recorded("2")))

    def removing(text: str) -> object:
        late.unlink(missing_ok=True)
        return json.loads(text)

    monkeypatch.setattr(recordings, "read_json", removing)
    source = ReplaySource(folder)
    with pytest.raises(UnavailableError, match=r"late\.jsonl cannot be read \(No such file or directory\)"):
        source.recorded_hours()
    assert source.recorded_hours() == (HOUR,)


@pytest.mark.parametrize(
    "closed",
    ["replay/tweets.jsonl", "replay/tweets/b.jsonl", "replay/tweets/c.jsonl.gz", "replay/tweets", "replay"],
)
def test_what_may_not_be_read_is_one_sentence(tmp_path: Path, closed: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = recording(tmp_path / "replay", [recorded("1")])
    (folder / "tweets").mkdir()
    for name in ("b.jsonl", "c.jsonl.gz"):
        (folder / "tweets" / name).write_text(json.dumps(recorded(name)))
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == 0 and "pytest" in str(parent):
            parent.chmod(0o755)
    (tmp_path / closed).chmod(0)
    code = """
import os, sys
from trendlark.errors import UnavailableError
from trendlark.sources.replay import ReplaySource
ReplaySource(sys.argv[1]).recorded_hours()  # root may, and all modules are loaded now
os.setgid(65534); os.setuid(65534)
try:
    print(ReplaySource(sys.argv[1]).recorded_hours())
except UnavailableError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.startswith(f"Found that {tmp_path}/replay")
    assert said.count("\n") == 1
    assert "cannot be read (Permission denied)" in said
    assert closed in said


def test_a_recording_that_finds_no_room_to_unpack_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    folder = recording(tmp_path / "replay", [])
    lines = "".join(json.dumps(recorded(str(number))) + "\n" for number in range(2000))
    (folder / "tweets.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    with small_disk(tmp_path / "full", 64) as full:
        monkeypatch.setattr(tempfile, "tempdir", str(full))
        with pytest.raises(UnavailableError, match=r"tweets\.jsonl\.gz cannot be unpacked \(No space left"):
            ReplaySource(folder).recorded_hours()
        assert list(full.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(UnavailableError, match=r"replay cannot be unpacked \(No such file.*set TMPDIR"):
        ReplaySource(folder).recorded_hours()


class _Cut:
    """The fake model, which fails at its second slice."""

    def __init__(self) -> None:
        self._fake = load("fake")
        self.name = self._fake.name
        self._slices = 0

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        self._slices += 1
        if self._slices == 2:
            raise ModelError("Found the model broken; load another.")
        return self._fake.analyze(texts, langs)

    def close(self) -> None:
        """Nothing to let go of."""


def _odd_parquet(path: Path) -> int:
    count = 40
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"ni\xf1o"], pa.binary()).buffers())
    texts = pa.array([f"texto {number}" for number in range(count)])
    columns: dict[str, Any] = {
        "text": pa.DictionaryArray.from_arrays(
            pa.array(range(count), pa.int32()), pa.concat_arrays([bad, texts[1:]])
        ),
        "at": pa.array([1795417509123456789 + n for n in range(count)], pa.timestamp("ns")),
        "far": pa.array([2**62 if n % 3 else 0 for n in range(count)], pa.timestamp("us", "UTC")),
        "user": pa.StructArray.from_arrays([pa.concat_arrays([bad] * count)], ["name"]),
    }
    pq.write_table(pa.table(columns), path)
    return count


def _odd_jsonl(path: Path) -> int:
    odd = [
        {"data": [{"id": "1", "text": "x", "author_id": []}, {"id": "2", "text": "y"}]},
        {"data": {"id": "3", "text": "z"}, "includes": {"users": [{"id": {}}]}},
        {"data": {"id": "4", "text": "w"}, "includes": {"users": 5}},
        {"text": "huge", "created_at": HUGE, "likes": HUGE},
    ]
    deep = [f'{{"text": "deep", "x": {"[" * depth}{"]" * depth}}}' for depth in range(900, 1000)]
    lines = [*map(json.dumps, odd), *deep, '{"text": "last"}']
    path.write_text("\n".join(lines))
    return len(lines) + 1  # the first line holds two


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
@pytest.mark.parametrize("shape", ["jsonl", "csv", "parquet"])
def test_an_analysis_that_was_cut_off_goes_on_over_odd_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, shape: str
) -> None:
    monkeypatch.setattr(files, "_SLICE", 3)
    source, out, whole = (tmp_path / name for name in (f"in.{ending}", f"out.{shape}", f"whole.{shape}"))
    count = _odd_parquet(source) if ending == "parquet" else _odd_jsonl(source)
    with pytest.raises(ModelError):
        analyze_file(source, out, _Cut(), shape=shape)
    outcome = analyze_file(source, out, load("fake"), shape=shape)
    assert (outcome.rows, outcome.resumed) == (count, 3)
    assert outcome.refused == (0 if ending == "parquet" else 100)
    assert analyze_file(source, whole, load("fake"), shape=shape).resumed == 0
    if shape == "parquet":
        assert pq.read_table(out).num_rows == count
        assert pq.read_table(out).equals(pq.read_table(whole))
    else:
        assert out.read_bytes() == whole.read_bytes()


def test_the_commands_take_an_odd_file_and_say_what_they_refused(tmp_path: Path) -> None:
    count = _odd_parquet(tmp_path / "in.parquet")
    done = run("analyze", "in.parquet", "--out", "out.jsonl", folder=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == count
    assert rows[0]["input"] == {
        "text": "ni\ufffdo",
        "at": "2026-11-23 07:05:09.123456",
        "far": "1970-01-01 00:00:00+00:00",
        "user": {"name": "ni\ufffdo"},
    }
    assert rows[1]["input"]["far"] is None
    count = _odd_jsonl(tmp_path / "in.jsonl")
    words = ("--to", "mine", "--place", "es", "--trend", "#x", "--hour", str(HOUR))
    done = run("import", "in.jsonl", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{count - 100} of {count} rows" in done.stderr
    environment = {"TRENDLARK_SOURCE": "replay", "TRENDLARK_REPLAY_FOLDER": "mine", "TRENDLARK_PLACES": "es"}
    done = run("run-hour", "--hour", str(HOUR), folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    assert sum(1 for _ in open_lake(str(tmp_path / "lake")).tweets(HOUR)) == count - 100
