"""Results: one answer in every format, hostile texts on a screen, upkeep that keeps rows, exit codes by error."""

from __future__ import annotations

import csv
import json
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.commandline import run
from tests.support.fake_x import (
    FORBIDDEN,
    NO_CREDITS,
    TOKEN,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    USAGE_CAP,
    FakeX,
    Reply,
    problem,
)
from tests.support.hours import HOUR, command, contents, jobs_for
from tests.support.inside import Said, call
from tests.support.recordings import listed, recorded, recording
from trendlark import errors
from trendlark.errors import OverloadError, TrendlarkError
from trendlark.hours import Hour
from trendlark.records import PLACES

HOSTILE = [
    "\x1b[2J\x1b[1;1Hyou are owned", "\x1b]0;title\x07", "\x9b31mred", "\x90qsixel\x9c", "a\rb", "a\nb", "a\x08\x08b",
    "\u202eright to left", "\u2066isolated", "\u2028line\u2029end", "\x00nul", "[bold]markup[/bold]", "[/]",
    "\ufeffbom", "=1+1", "@SUM(A1)", "-2", "+3", "\ttab", '"quoted", with comma', "'single",
    "emoji 👩‍👩‍👧 🇪🇸", "\U000e0041tag",
]  # fmt: skip
EVERY_QUERY = "SELECT * FROM tweets ORDER BY tweet_id"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    scratch = tmp_path_factory.mktemp("hostile")
    tweets = [recorded(f"{n:02d}", f"#t{n % 2}", text=text) for n, text in enumerate(HOSTILE)]
    tweets.append(recorded("99", "\x1b[31m#red", text="trend with an escape", likes=3))
    folder = recording(scratch / "replay", tweets, [listed("#t1")])
    jobs = jobs_for(scratch / "lake", source="replay", replay_folder=str(folder), places="es")
    jobs.run_hour(HOUR)
    return str(scratch / "lake")


@pytest.fixture(autouse=True)
def _settings_of_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TRENDLARK_MODEL", "fake")
    if "lake" in request.fixturenames:
        monkeypatch.setenv("TRENDLARK_LAKE", request.getfixturevalue("lake"))


def _jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in text.split("\n") if line]


@pytest.mark.parametrize(
    "query", [EVERY_QUERY, "SELECT * FROM analyses ORDER BY tweet_id", "SELECT * FROM trends"]
)
def test_one_answer_is_the_same_in_every_format(lake: str, tmp_path: Path, query: str) -> None:
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        assert call("query", query, "--out", name) == Said(0, "", "")
    rows = _jsonl((tmp_path / "a.jsonl").read_text(encoding="utf-8"))
    assert rows == _jsonl(call("query", query, "--format", "jsonl").out)
    table = pq.read_table(tmp_path / "a.parquet")
    packed = [{k: _as_json(v) for k, v in row.items()} for row in table.to_pylist()]
    assert packed == rows
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        listed_rows = list(csv.DictReader(stream))
    assert [list(row) for row in listed_rows] == [list(row) for row in rows]
    for plain, row in zip(listed_rows, rows, strict=True):
        for name, value in row.items():
            assert plain[name] == _as_csv(value, table.schema.field(name).type), name


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda moment: moment.isoformat()))


def _as_csv(value: Any, kind: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    text = str(value).replace("\x00", "\ufffd")
    if str(kind).startswith("timestamp"):
        return text.replace("T", " ")
    formula = isinstance(value, str) and text not in ("-2", "+3")
    return "'" + text if formula and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def test_csv_on_the_screen_and_in_a_file_are_the_same_bytes(lake: str, tmp_path: Path) -> None:
    said = call("query", EVERY_QUERY, "--format", "csv")
    assert call("query", EVERY_QUERY, "--out", "b.csv").code == 0
    assert (tmp_path / "b.csv").read_bytes() == said.out.encode()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--out", "x.txt"), "ending"),
        (("--format", "table", "--out", "x.csv"), "Leave one of the two out"),
        (("--format", "parquet"), "Add --out"),
        (("--format", "jsonl", "--out", "no/such/folder/x"), "cannot be written"),
        (("--out", "/dev/null/x.csv"), "cannot be written"),
    ],
)
def test_outputs_that_cannot_be_are_one_sentence_and_leave_nothing(
    lake: str, tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    for asked in (("query", "SELECT 1 AS a"), ("analyze", "hola")):
        said = call(*asked, *words)
        assert said.code == 2
        assert part in said.err
        assert said.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_a_format_that_is_named_beats_the_ending(lake: str, tmp_path: Path) -> None:
    assert call("query", "SELECT 1 AS a", "--format", "jsonl", "--out", "x.csv").code == 0
    assert (tmp_path / "x.csv").read_text() == '{"a": 1}\n'


def test_a_query_that_fails_on_its_way_leaves_the_file_as_it_was(lake: str, tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text("before\n")
    said = call("query", "SELECT CAST(text AS INT) AS n FROM tweets", "--out", "kept.csv")
    assert said.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
    assert (tmp_path / "kept.csv").read_text() == "before\n"


def test_columns_of_one_name_are_all_given(lake: str) -> None:
    query = "SELECT * FROM tweets JOIN analyses ON tweets.tweet_id = analyses.tweet_id LIMIT 1"
    (row,) = _jsonl(call("query", query, "--format", "jsonl").out)
    assert {"lang", "lang_2", "tweet_id", "tweet_id_2", "hour", "hour_2"} <= set(row)
    assert row["tweet_id"] == row["tweet_id_2"]
    header = call("query", query, "--format", "csv").out.splitlines()[0].split(",")
    assert len(header) == len(set(header)) == len(row)


def test_numbers_that_json_does_not_have_are_null(lake: str) -> None:
    query = (
        "SELECT CAST('NaN' AS DOUBLE) AS a, CAST('-inf' AS DOUBLE) AS b, [CAST('NaN' AS DOUBLE), 1.5] AS c"
    )
    assert _jsonl(call("query", query, "--format", "jsonl").out) == [{"a": None, "b": None, "c": [None, 1.5]}]


@pytest.mark.parametrize("shape", ["table", "jsonl", "csv"])
def test_what_time_it_is_may_be_asked_in_every_format(lake: str, shape: str) -> None:
    said = call("query", "SELECT to_timestamp('2026-11-23T07:00:00.123456789') AS at", "--format", shape)
    assert (said.code, said.err) == (0, "")
    assert "07:00:00.123456" in said.out


@pytest.mark.parametrize("words", [(), ("--format", "jsonl"), ("--format", "csv"), ("--out", "a.parquet")])
def test_a_time_beyond_all_calendars_is_one_sentence(
    lake: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = call("query", "SELECT arrow_cast(9223372036854775807, 'Timestamp(Second, None)') AS at", *words)
    assert said.code == 2
    assert "CAST(... AS BIGINT)" in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def _steers(text: str) -> list[str]:
    """What of a text a terminal would obey, or what would hide what is really there."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.mark.parametrize(
    "words",
    [
        ("query", EVERY_QUERY),
        ("query", "SELECT trend, raw FROM tweets"),
        ("query", "SELECT * FROM trends"),
        ("query", "SELECT make_array(text) AS list, named_struct('a', text) AS pair FROM tweets"),
        ("query", "SELECT '\x1b[31m' AS \"\x1b[32mname\""),
        ("query", "SELECT \x1b[31m FROM tweets"),
        ("query", "SELECT no_such_column FROM tweets WHERE text = '\x1b[31m'"),
        ("analyze", *HOSTILE),
        ("analyze", "no-\x1b[31m-file.csv"),
        ("runs",),
        ("lake", "info"),
    ],
    ids=lambda words: " ".join(words)[:24].encode("ascii", "replace").decode(),
)
def test_nothing_of_a_tweet_steers_the_terminal(lake: str, words: tuple[str, ...]) -> None:
    said = call(*words)
    assert _steers(said.out + said.err) == []
    assert said.out or said.err


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=30))
def test_no_text_steers_the_terminal(text: str) -> None:
    said = call("analyze", "--", text, "and another")
    assert said.code == 0, said.err
    assert _steers(said.out) == []


def test_what_x_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\nsecond line\u202e"
    with FakeX() as server:
        server.script(problem(401, evil, "about:blank", evil))
        said = run("run-hour", folder=tmp_path, environment=_x(server))
    assert said.returncode == 4
    assert _steers(said.stderr) == []
    assert "second line" in said.stderr
    assert "\nsecond line" not in said.stderr


def _x(server: FakeX, **more: str) -> dict[str, str]:
    environment = {"X_BEARER_TOKEN": TOKEN, "X_BASE_URL": server.url, "PLACES": "es", "MAX_WAIT_SECONDS": "0"}
    return {f"TRENDLARK_{name}": value for name, value in (environment | more).items()}


ANSWERS = {
    "CredentialsError": UNAUTHORIZED,
    "CredentialsError, forbidden": FORBIDDEN,
    "CreditsError": NO_CREDITS,
    "RateLimitError": TOO_MANY,
    "CreditsError, cap": USAGE_CAP,
    "UnavailableError": UNAVAILABLE,
    "UnavailableError, hung up": Reply(hang_up=True),
    "BadAnswerError": Reply(200, b"<html>"),
    "BadAnswerError, cut off": Reply(200, b'{"data": []}', cut=3),
    "BadAnswerError, redirect": Reply(302, {}, {"location": "https://example.org"}),
    "SourceError": problem(400, "Invalid Request", "about:blank"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_refusal_of_x_is_exit_4_one_sentence_and_a_record_of_its_run(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeX() as server:
        server.script(*[ANSWERS[name]] * 5)
        for variable, value in _x(server).items():
            monkeypatch.setenv(variable, value)
        said = call("collect")
        assert TOKEN not in said.out + said.err
    assert said.code == getattr(errors, name.partition(",")[0]).exit_code == 4
    assert said.err.count("trendlark: ") == 1
    assert "Traceback" not in said.err
    runs = _jsonl(call("runs", "--json").out)
    assert [row["status"] for row in runs] == ["failed"]
    assert runs[0]["error"] in said.err


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TrendlarkError]]:
    """Whatever is put here is raised by the next command that looks at the settings."""
    waiting: list[TrendlarkError] = []

    def raise_it(*_: object) -> None:
        raise waiting.pop()

    monkeypatch.setattr("trendlark.cli.options.load_settings", raise_it)
    yield waiting
    assert waiting == []


def _tree(root: type[TrendlarkError]) -> list[type[TrendlarkError]]:
    return [root, *(below for child in root.__subclasses__() for below in _tree(child))]


@pytest.mark.parametrize("kind", _tree(TrendlarkError), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_ends_with_its_code_and_its_sentence(
    kind: type[TrendlarkError], raising: list[TrendlarkError]
) -> None:
    raising.append(kind("Found it; that is allowed; do this."))
    assert call("config") == Said(kind.exit_code, "", "trendlark: Found it; that is allowed; do this.\n")
    assert 1 <= kind.exit_code <= 7
    assert isinstance(raising, list)


def test_an_overload_says_when_to_come_back(raising: list[TrendlarkError]) -> None:
    raising.append(OverloadError("Found a queue.", retry_after_seconds=9))
    assert call("config").code == 7


def test_places_that_fail_alike_are_told_once_with_the_code_of_their_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeX() as server:
        for variable, value in _x(server, PLACES="es,us,mx").items():
            monkeypatch.setenv(variable, value)
        said = call("collect", "--hour", str(Hour.last_complete() - 30))
        assert server.asked == []
    assert said.code == errors.NotFoundError.exit_code == 3
    _, found, told = said.err.partition("trendlark: ")
    assert found
    assert told.count("tells only what trends now") == told.count("\n") == 1


def test_places_that_fail_differently_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeX() as server:
        server.script(NO_CREDITS, path=str(PLACES["es"].woeid))
        server.script(UNAUTHORIZED, path=str(PLACES["us"].woeid))
        for variable, value in _x(server, PLACES="es,us").items():
            monkeypatch.setenv(variable, value)
        said = call("collect")
    assert said.code == 4
    assert "no credits" in said.err
    assert "does not accept the token" in said.err


def test_upkeep_by_the_command_line_keeps_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRENDLARK_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("TRENDLARK_SOURCE", "sample")
    for hour in HOUR.until(HOUR + 1):
        assert call("run-hour", "--hour", str(hour), "--json").code == 0
    before, first = contents(tmp_path / "lake"), _info()
    assert call("lake", "compact") == Said(0, "", "Compacted.\n")
    second = _info()
    assert call("lake", "vacuum") == Said(0, "", "Vacuumed.\n")
    assert contents(tmp_path / "lake") == before
    assert {name: row["rows"] for name, row in _info().items()} == {n: r["rows"] for n, r in first.items()}
    assert second["pages"]["files"] < first["pages"]["files"]
    assert first["trends"]["rows"] == len(before["trends"])
    assert "Nothing to do" in call("run-hour", "--hour", str(HOUR)).err


def _info() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(call("lake", "info", "--json").out)}


def test_upkeep_of_a_lake_that_is_not_there_makes_none(tmp_path: Path) -> None:
    for words in (
        ("lake", "compact"),
        ("lake", "vacuum"),
        ("lake", "info"),
        ("runs",),
        ("query", "SELECT 1"),
    ):
        assert call(*words).code == 0
    assert not (tmp_path / "lake").exists()


def test_texts_on_standard_input_are_parted_at_line_ends_only(tmp_path: Path) -> None:
    texts = ["one\u2028text", "form\x0cfeed", "next\x85line", "", "windows", "last without an end"]
    stdin = "\n".join(texts).replace("windows", "windows\r").encode()
    rows = _jsonl(run("analyze", "-", folder=tmp_path, stdin=stdin).stdout)
    assert [row["input"]["text"] for row in rows] == texts


@pytest.mark.parametrize("out", ["in.jsonl", "./in.jsonl", "link.jsonl"])
def test_an_input_is_never_its_own_output(tmp_path: Path, out: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "hola"}\n')
    (tmp_path / "link.jsonl").symlink_to(path)
    said = call("analyze", "in.jsonl", "--out", out)
    assert (said.code, path.read_text()) == (2, '{"text": "hola"}\n')
    assert "Name another --out" in said.err


def test_a_disk_that_takes_no_output_is_no_traceback(lake: str, tmp_path: Path) -> None:
    words = " ".join(f"'{word}'" for word in command("query", "SELECT text FROM tweets", "--lake", lake))
    done = subprocess.run(
        ["bash", "-c", f"{words} >/dev/full"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
