"""The compose files: their commands and variables are accepted, and nothing runs with rights that it does not need."""

from __future__ import annotations

import re

import pytest

from tests.support.asked import accept_command, accept_environment
from tests.support.compose import OURS, ROOT, read, variables
from trendlark import __version__
from trendlark.errors import SettingsError


def environments() -> list[tuple[str, dict[str, str]]]:
    """Each service of ours with its variables, on the volume and on the store."""
    made = []
    for name in OURS:
        made.append((name, variables(name, "compose.yaml")))
        made.append((f"{name} on s3", variables(name, "compose.yaml", "compose.s3.yaml")))
    return made


def test_one_volume_holds_the_lake_for_all_three() -> None:
    compose = read("compose.yaml")
    assert set(compose["services"]) == set(OURS)
    assert set(compose["volumes"]) == {"lake"}
    for service in compose["services"].values():
        assert service["volumes"] == ["lake:/data"]
        assert service["image"] == f"trendlark/service:{__version__}"
        assert service["pull_policy"] == "build"
        assert (ROOT / service["build"]["dockerfile"]).exists()
        assert service["build"]["target"] == "service"


@pytest.mark.parametrize("setting", ["PLACES", "BUDGET_USD_PER_DAY", "MODEL"])
def test_all_three_go_by_the_same_settings(setting: str) -> None:
    """What the dashboard tells of the budget is what the collector stops at."""
    variable = f"TRENDLARK_{setting}"
    assert len({variables(name, "compose.yaml")[variable] for name in OURS}) == 1
    assert f"{variable}: ${{{variable}:-" in (ROOT / "compose.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_commands_are_accepted(name: str) -> None:
    service = read("compose.yaml")["services"][name]
    accept_command(service["command"])
    # The image's health check looks for the heartbeat in one place.
    if "--heartbeat" in service["command"]:
        assert service["command"][-1] == "/tmp/heartbeat"
        assert "/tmp" in service["tmpfs"]


@pytest.mark.parametrize(("name", "environment"), environments(), ids=lambda value: str(value)[:20])
def test_variables_are_accepted(name: str, environment: dict[str, str]) -> None:
    settings = accept_environment(environment)
    assert settings.lake == ("s3://trendlark/lake" if "s3" in name else "/data/lake")
    assert settings.host == "127.0.0.1"
    assert settings.x_bearer_token is None


@pytest.mark.parametrize("name", OURS)
def test_nothing_has_more_rights_than_it_needs(name: str) -> None:
    service = read("compose.yaml")["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] == "1g"
    assert "privileged" not in service
    assert "ports" not in service


def test_the_store_is_reached_from_this_machine_only_and_has_no_password_of_ours() -> None:
    services = read("compose.s3.yaml")["services"]
    assert services["store"]["ports"] == ["127.0.0.1:9000:9000"]
    raw = (ROOT / "compose.s3.yaml").read_text(encoding="utf-8")
    assert len(re.findall(r"\$\{S3_PASSWORD:\?", raw)) == 3
    for name in OURS:
        assert services[name]["depends_on"] == {"bucket": {"condition": "service_completed_successfully"}}
        assert services[name]["environment"]["AWS_ENDPOINT_URL"].startswith("http://")
    for name in ("store", "bucket"):
        assert re.fullmatch(r"[\w/]+:RELEASE\.[\w-]+", services[name]["image"])


@pytest.mark.parametrize(
    "words", [["colect"], ["collector", "--heart", "/tmp/x"], ["serve", "--port", "high"]]
)
def test_what_the_command_line_refuses_is_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|valid integer"):
        accept_command(words)


def test_a_variable_that_is_no_setting_is_noticed() -> None:
    with pytest.raises(SettingsError, match=r"laek .* did you mean lake"):
        accept_environment({"TRENDLARK_LAEK": "/data/lake"})
