"""The settings: where they come from, what is refused, and that secrets stay secret."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import SettingsError
from trendlark.settings import Settings, load_settings
from trendlark.sources import make_source

TOKEN = "AAAA-very-secret-BBBB"


def test_defaults_need_nothing(tmp_path: Path) -> None:
    found = load_settings({}, {}, tmp_path)
    assert found.settings.lake == "lake"
    assert found.settings.source_name() == "sample"
    assert [place.slug for place in found.settings.place_list()] == ["es", "us"]
    assert {origin for _, _, origin in found.rows()} == {"default"}


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "trendlark.toml").write_text('lake = "from-file"\nport = 1\nplaces = ["mx"]\n')
    environment = {"TRENDLARK_PORT": "2", "TRENDLARK_HOST": "localhost"}
    found = load_settings({"host": "127.0.0.2", "lake": None}, environment, tmp_path)
    assert (found.settings.lake, found.settings.port, found.settings.host) == ("from-file", 2, "127.0.0.2")
    assert found.settings.places == ("mx",)
    origins = {name: origin for name, _, origin in found.rows()}
    assert origins["lake"].endswith("trendlark.toml")
    assert (origins["port"], origins["host"], origins["batch_size"]) == ("environment", "flag", "default")


def test_the_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("port = 3")
    assert load_settings({}, {"TRENDLARK_CONFIG": str(path)}, tmp_path).settings.port == 3


def test_everything_wrong_is_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "trendlark.toml").write_text("prot = 1\nbudget_usd_per_day = -2\n")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"TRENDLARK_LAKEE": "x", "TRENDLARK_PORT": "many"}, tmp_path)
    message = str(caught.value)
    assert message.startswith("4 settings are wrong")
    for part in (
        "prot (",
        "did you mean port?",
        "lakee (environment)",
        "did you mean lake?",
        "port (environment)",
    ):
        assert part in message
    assert "budget_usd_per_day" in message
    assert "greater than or equal to 0" in message
    assert "is 'many'" in message


@pytest.mark.parametrize("text", ["port = ", "\xff\xfe"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "trendlark.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"trendlark\.toml"):
        load_settings({}, {}, tmp_path)


def test_a_named_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no readable settings"):
        load_settings({}, {"TRENDLARK_CONFIG": str(tmp_path / "none.toml")}, tmp_path)


def test_secrets_show_in_no_text(tmp_path: Path) -> None:
    found = load_settings({}, {"TRENDLARK_X_BEARER_TOKEN": TOKEN, "TRENDLARK_API_TOKEN": TOKEN}, tmp_path)
    assert found.settings.x_bearer_token is not None
    assert found.settings.x_bearer_token.get_secret_value() == TOKEN
    assert found.settings.source_name() == "x"
    assert TOKEN not in f"{found!r} {found.settings!r} {found.rows()} {found.settings.model_dump_json()}"
    assert "(set, not shown)" in {value for _, value, _ in found.rows()}


@pytest.mark.parametrize("value", ["changeme", "TODO", "two words", "clé"])
def test_a_placeholder_is_no_secret_and_is_not_repeated(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="x_bearer_token") as caught:
        load_settings({}, {"TRENDLARK_X_BEARER_TOKEN": value}, tmp_path)
    assert value not in str(caught.value)


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    assert load_settings({}, {"TRENDLARK_X_BEARER_TOKEN": " "}, tmp_path).settings.x_bearer_token is None


def test_others_may_only_reach_it_with_a_token(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neither api_token nor api_tokens is set"):
        load_settings({}, {"TRENDLARK_HOST": "0.0.0.0"}, tmp_path)
    allowed = load_settings({}, {"TRENDLARK_HOST": "0.0.0.0", "TRENDLARK_API_TOKEN": TOKEN}, tmp_path)
    assert allowed.settings.host == "0.0.0.0"
    assert load_settings({}, {"TRENDLARK_HOST": "::1"}, tmp_path).settings.host == "::1"


def test_sources_need_what_they_stand_on(tmp_path: Path) -> None:
    # Who only reads what another process collects has no token.
    wanted = load_settings({"source": "x"}, {}, tmp_path).settings
    with pytest.raises(SettingsError, match="TRENDLARK_X_BEARER_TOKEN"):
        make_source(wanted)
    with pytest.raises(SettingsError, match="replay_folder"):
        load_settings({"source": "replay"}, {}, tmp_path)
    with pytest.raises(SettingsError, match="source"):
        load_settings({"source": "telepathy"}, {}, tmp_path)


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("https://me:pw@api.x.com", "name or password"),
        ("http://api.x.com", "in the clear"),
        ("ftp://x", "x_base_url"),
    ],
)
def test_the_token_goes_to_no_careless_address(tmp_path: Path, address: str, part: str) -> None:
    with pytest.raises(SettingsError, match=part) as caught:
        load_settings({}, {"TRENDLARK_X_BASE_URL": address}, tmp_path)
    assert ":pw@" not in str(caught.value)
    assert load_settings({}, {"TRENDLARK_X_BASE_URL": "http://127.0.0.1:9"}, tmp_path).settings.x_base_url


@pytest.mark.parametrize("places", ["es,us,es", "lima:418440,lima:418441", "es,es:766273"])
def test_a_place_named_twice_is_refused(tmp_path: Path, places: str) -> None:
    with pytest.raises(SettingsError, match=r"places names (es|lima) more than once"):
        load_settings({"places": places}, {}, tmp_path)


def test_other_places_come_with_their_woeid(tmp_path: Path) -> None:
    settings = load_settings({"places": "pe,lima:418440"}, {}, tmp_path).settings
    assert [(place.slug, place.woeid) for place in settings.place_list()] == [
        ("pe", 23424919),
        ("lima", 418440),
    ]
    with pytest.raises(SettingsError, match="'Lima'"):
        load_settings({"places": "Lima"}, {}, tmp_path)


def test_recordings_have_places_without_a_woeid_and_x_has_not(tmp_path: Path) -> None:
    replay = {"source": "replay", "replay_folder": "f"}
    (place,) = load_settings({**replay, "places": "buenos-aires"}, {}, tmp_path).settings.place_list()
    assert (place.slug, place.woeid) == ("buenos-aires", None)
    for wrong in ({**replay, "places": "Buenos Aires"}, {"source": "x", "places": "buenos-aires"}):
        with pytest.raises(SettingsError, match="slug:WOEID, or with source = replay"):
            load_settings(wrong, {}, tmp_path)


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=20), max_size=4))
def test_no_environment_breaks_it(environment: dict[str, str]) -> None:
    prefixed = {f"TRENDLARK_{name.upper()}": value for name, value in environment.items()}
    prefixed.pop("TRENDLARK_CONFIG", None)
    with contextlib.suppress(SettingsError):
        load_settings({}, prefixed, Path("/nonexistent"))


def test_every_setting_has_a_line_of_help() -> None:
    assert all(info.description and len(info.description) < 110 for info in Settings.model_fields.values())


def test_named_tokens_are_read_from_one_line_or_a_list(tmp_path: Path) -> None:
    line = "grafana:read:abc123,app:read+analyze:def:456"
    (tmp_path / "trendlark.toml").write_text(f"api_tokens = {line.split(',')}\n")
    for found in (
        load_settings({}, {"TRENDLARK_API_TOKENS": line}, tmp_path),
        load_settings({}, {}, tmp_path),
    ):
        first, second = found.settings.api_tokens
        assert (first.name, first.scopes) == ("grafana", frozenset({"read"}))
        assert (second.name, second.scopes) == ("app", frozenset({"read", "analyze"}))
        assert second.secret.get_secret_value() == "def:456"
        assert second.may("analyze")
        assert not second.may("admin")
        shown = {name: value for name, value, _ in found.rows()}["api_tokens"]
        assert shown == "grafana:read,app:analyze+read"
        assert "abc123" not in repr(found.settings)
    opened = load_settings({}, {"TRENDLARK_API_TOKENS": line, "TRENDLARK_HOST": "0.0.0.0"}, tmp_path).settings
    assert [token.name for token in opened.tokens()] == ["grafana", "app"]
    whole = load_settings({"api_token": "xyz"}, {}, tmp_path).settings.tokens()
    assert [token.name for token in whole] == ["default", "grafana", "app"]
    assert whole[0].may("admin")
    assert whole[0].may("read")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("abc123", "not name:scopes:token"),
        ("Name:read:abc123", "not name:scopes:token"),
        ("default:read:abc123", "is not default"),
        ("a:write:abc123", "read, analyze, admin"),
        ("a::abc123", "not name:scopes:token"),
        ("a:read:", "a without a token"),
        ("a:read:changeme", "placeholder"),
        ("a:read:abc 123", "blanks"),
        ("a:read:abc123,a:read:def456", "a name twice"),
        ("a:read:abc123,b:read:abc123", "a token twice"),
    ],
)
def test_named_tokens_that_are_wrong_are_told_without_the_token(
    tmp_path: Path, line: str, found: str
) -> None:
    with pytest.raises(SettingsError, match=found) as caught:
        load_settings({}, {"TRENDLARK_API_TOKENS": line}, tmp_path)
    assert "abc" not in str(caught.value)
