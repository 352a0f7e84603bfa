"""Flags, environment, file, default: each wins where it must, in every command that has it; help is complete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hours import HOUR
from tests.support.inside import call
from tests.support.recordings import recorded, recording
from trendlark.cli import app
from trendlark.settings import PREFIX, Settings, load_settings

GROUP: Any = typer.main.get_command(app)


def _commands() -> Iterator[tuple[str, ...]]:
    for name, command in sorted(GROUP.commands.items()):
        inner = getattr(command, "commands", None)
        yield (name,)
        for below in sorted(inner or ()):
            yield (name, below)


COMMANDS = list(_commands())


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TRENDLARK_MODEL", "fake")


def _options(words: tuple[str, ...]) -> list[Any]:
    command = GROUP
    for word in words:
        command = command.commands[word]
    return list(command.params)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_names_its_options_and_explains_each(words: tuple[str, ...]) -> None:
    said = call(*words, "--help")
    assert said.code == 0
    assert said.err == ""
    for option in _options(words):
        if option.param_type_name == "option":
            assert option.opts[0] in said.out
            assert option.help
        assert not (option.help or "x.").endswith(" ")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_exit_2_and_nothing_is_made(words: tuple[str, ...], tmp_path: Path) -> None:
    said = call(*words, "--no-such-option")
    assert said.code == 2
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


# For each setting that has a flag: a value for the file, one for the environment, one for the flag.
VALUES = {
    "lake": ("in-file", "in-environment", "in-flag"),
    "source": ("sample", "replay", "sample"),
    "places": ("es", "us", "mx,ar"),
    "replay_folder": ("in-file", "in-environment", "in-flag"),
    "budget_usd_per_day": (1.5, 2.5, 3.5),
    "model": ("in-file", "in-environment", "in-flag"),
    "threads": (1, 2, 3),
    "trends_per_place": (1, 2, 3),
    "tweets_per_trend": (11, 12, 13),
    "host": ("127.0.0.2", "127.0.0.3", "127.0.0.4"),
    "port": (1, 2, 3),
}


# The model that these judge or let teach, and the host that they talk to, are their own matter, not the ones in force.
_NOT_IN_FORCE = ("evaluate", "card", "teach", "pipeline")


def _flags() -> list[tuple[tuple[str, ...], str]]:
    return [
        (words, option.name)
        for words in COMMANDS
        for option in _options(words)
        if option.name in Settings.model_fields and words[0] not in _NOT_IN_FORCE
    ]


def test_every_flag_that_is_a_setting_is_tried_here() -> None:
    assert {name for _, name in _flags()} == set(VALUES)
    assert len(_flags()) > 40


@pytest.mark.parametrize(
    ("words", "name"), _flags(), ids=lambda part: part if isinstance(part, str) else " ".join(part)
)
def test_the_flag_of_every_command_wins_over_environment_and_file(
    words: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_file, in_environment, in_flag = VALUES[name]
    (tmp_path / "trendlark.toml").write_text(f"{name} = {json.dumps(in_file)}\n")
    monkeypatch.setenv(PREFIX + name.upper(), str(in_environment))
    seen: list[Settings] = []

    class EnoughError(Exception):
        """The settings are known; the command need not go on."""

    def look(flags: Any) -> Any:
        seen.append(load_settings(flags).settings)
        raise EnoughError

    monkeypatch.setattr("trendlark.cli.options.load_settings", look)
    arguments = {"analyze": ["hello"], "query": ["SELECT 1"], "backfill": [str(HOUR), str(HOUR)]}
    flag = "--" + name.replace("_", "-")
    with pytest.raises(EnoughError):
        call(*words, *arguments.get(words[0], []), flag, str(in_flag))
    wanted = getattr(Settings.model_validate({name: in_flag}), name)
    assert [getattr(settings, name) for settings in seen] == [wanted]


GOOD: dict[str, st.SearchStrategy[Any]] = {
    "lake": st.sampled_from(["a", "b/c", "s3://bucket/x"]),
    "places": st.sampled_from(["es", "us", "es,us", "mx"]),
    "trends_per_place": st.integers(1, 50),
    "tweets_per_trend": st.integers(10, 1000),
    "windows_per_hour": st.integers(1, 60),
    "budget_usd_per_day": st.integers(0, 100_000),
    "max_wait_seconds": st.integers(0, 900),
    "threads": st.integers(0, 256),
    "batch_size": st.integers(1, 1024),
    "port": st.integers(0, 65535),
    "sample_hours": st.integers(1, 48),
}
LAYER = st.fixed_dictionaries({}, optional=GOOD)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(in_file=LAYER, in_environment=LAYER, in_flags=LAYER)
def test_of_several_layers_the_nearest_wins_for_each_setting(
    in_file: dict[str, Any], in_environment: dict[str, Any], in_flags: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "trendlark.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in in_file.items()))
    environment = {PREFIX + name.upper(): str(value) for name, value in in_environment.items()}
    found = load_settings(in_flags, environment, tmp_path)
    shown = {name: (value, origin) for name, value, origin in found.rows()}
    layers = ((in_flags, "flag"), (in_environment, "environment"), (in_file, str(file)))
    for name in GOOD:
        origin = next((told for layer, told in layers if name in layer), "default")
        assert shown[name][1] == origin
        layer = next((layer for layer, _ in layers if name in layer), None)
        value = Settings.model_validate({}).model_dump()[name] if layer is None else layer[name]
        expected = getattr(Settings.model_validate({name: value}), name)
        assert getattr(found.settings, name) == expected


def test_a_file_that_notepad_saved_is_read(tmp_path: Path) -> None:
    (tmp_path / "trendlark.toml").write_bytes(b"\xef\xbb\xbfport = 8601\r\n")
    assert load_settings({}, {}, tmp_path).settings.port == 8601


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "-0.01", "ten", "١٠٠٠٠٠٠"])
def test_no_budget_is_beyond_measure(text: str) -> None:
    said = call("plan", "--budget-usd-per-day", text)
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hours = HOUR.until(HOUR + 2)
    tweets = [recorded(place, hour=hour, place=place) for hour in hours for place in ("es", "us")]
    recording(tmp_path / "replay", tweets)
    monkeypatch.setenv("TRENDLARK_REPLAY_FOLDER", "replay")
    monkeypatch.setenv("TRENDLARK_SOURCE", "replay")
    assert call("run-hour", "--hour", str(HOUR), "--json").code == 0
    return tmp_path


JSON_COMMANDS = [words for words in COMMANDS if any("--json" in option.opts for option in _options(words))]


def test_json_is_offered_by_all_that_report() -> None:
    assert {words[-1] for words in JSON_COMMANDS} >= {
        "run-hour", "collect", "analyze-hour", "summarise", "backfill", "plan", "runs", "config", "info"
    }  # fmt: skip


# These need data sets, and have tests of their own.
_NEED_DATA = ("evaluate", "data-report")


@pytest.mark.parametrize(
    "words", [words for words in JSON_COMMANDS if words[0] not in _NEED_DATA], ids=" ".join
)
def test_json_is_json_and_nothing_else_is_on_standard_output(words: tuple[str, ...], filled: Path) -> None:
    arguments = {"backfill": [str(HOUR), str(HOUR + 1)]}.get(words[0], [])
    if any(option.name == "hour" for option in _options(words)):
        arguments = ["--hour", str(HOUR + 2)]
    said = call(*words, *arguments, "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    rows = [json.loads(line, parse_constant=pytest.fail) for line in said.out.splitlines()]
    assert rows
    assert all(isinstance(row, dict | list) for row in rows)


def test_what_the_table_of_settings_shows_is_what_json_says(filled: Path) -> None:
    rows = json.loads(call("config", "--json").out)
    table = call("config").out
    assert [row["setting"] for row in rows] == list(Settings.model_fields)
    for row in rows:
        assert row["setting"] in table
        assert row["value"] in table
    assert {row["from"] for row in rows} == {"default", "environment"}
