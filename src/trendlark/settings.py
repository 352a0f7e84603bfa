"""The one table of settings: the file, the environment, the flags and the reference page all come from it.

A value is looked for in this order: flag, environment (``TRENDLARK_`` and the name in capitals), the file
``trendlark.toml`` (or the one that ``TRENDLARK_CONFIG`` names), default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from trendlark.errors import SettingsError
from trendlark.records import PLACES, Place

PREFIX = "TRENDLARK_"
FILE = "trendlark.toml"
DEFAULT_TOKEN = "default"  # noqa: S105 - a name, not a token
_SLUG = re.compile(r"[a-z0-9-]+")
_TOKEN_NAME = re.compile(r"[a-z0-9-]{1,40}")
# Of these not even a wrong value is shown.
_SECRETS = {"x_bearer_token", "api_token", "api_tokens", "otlp_endpoint"}
SCOPES = ("read", "analyze", "admin")
_PLACEHOLDERS = {"changeme", "change-me", "secret", "token", "xxx", "your-token", "todo", "password"}


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def _secret(value: object) -> object:
    if isinstance(value, str):
        if not value.strip():
            return None
        if value.strip().lower() in _PLACEHOLDERS:
            raise ValueError("is a placeholder, not a secret; put the real one or leave the setting out")
        if not value.isascii() or any(c.isspace() for c in value.strip()):
            raise ValueError("holds blanks or non-ASCII characters; paste the token alone")
        return value.strip()
    return value


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token with its name, which logs and limits go by, and what it may do; ``admin`` may do all."""

    name: str
    scopes: frozenset[str]
    secret: SecretStr

    def may(self, scope: str) -> bool:
        """Whether the token opens what needs a scope."""
        return scope in self.scopes or "admin" in self.scopes


def _tokens(value: object) -> object:
    parts = _split(value)
    if not isinstance(parts, tuple) or any(not isinstance(part, str) for part in parts):
        return value
    found = [_named_token(part) for part in parts]
    for what, all_of in (
        ("name", [one.name for one in found]),
        ("token", [one.secret.get_secret_value() for one in found]),
    ):
        if len(set(all_of)) < len(all_of):
            raise ValueError(f"holds a {what} twice; give every token its own")
    return tuple(found)


def _named_token(text: str) -> ApiToken:
    name, _, rest = text.partition(":")
    listed, _, secret = rest.partition(":")
    scopes = frozenset(listed.split("+"))
    if not _TOKEN_NAME.fullmatch(name) or name == DEFAULT_TOKEN or not scopes <= set(SCOPES):
        raise ValueError(
            "holds an entry that is not name:scopes:token; a name is of a-z, 0-9 and - and is not "
            f"{DEFAULT_TOKEN}; scopes are {', '.join(SCOPES)}, joined by +"
        )
    kept = _secret(secret)
    if kept is None:
        raise ValueError(f"holds {name} without a token; write it behind the second colon")
    return ApiToken(name, scopes, SecretStr(str(kept)))


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Secret = Annotated[SecretStr | None, BeforeValidator(_secret)]
Tokens = Annotated[tuple[ApiToken, ...], BeforeValidator(_tokens)]


class Settings(BaseModel):
    """What is in force. Frozen; made by :func:`load_settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    lake: str = Field(
        "lake", description="Where the tables lie: a folder or s3://bucket/prefix.", min_length=1
    )
    source: Literal["auto", "sample", "replay", "x"] = Field(
        "auto", description="Where tweets come from; auto is x when a bearer token is set, else the sample."
    )
    places: Names = Field(
        ("es", "us"),
        description="Places to follow, by slug; others than the known ones as slug:WOEID, in recordings by slug alone.",
        min_length=1,
    )
    replay_folder: Path | None = Field(None, description="Folder of recorded tweets that replay plays.")
    trends_per_place: int = Field(10, ge=1, le=50, description="Trends taken from the top of each place.")
    tweets_per_trend: int = Field(20, ge=10, le=1000, description="Tweets drawn for a trend in an hour.")
    windows_per_hour: int = Field(
        4, ge=1, le=60, description="Windows into which the hour is cut for drawing."
    )
    budget_usd_per_day: float = Field(
        10.0,
        ge=0,
        le=100_000,
        description="US dollars that a UTC day of collecting may cost; 0 asks for nothing.",
    )
    x_bearer_token: Secret = Field(None, description="App-only bearer token of the X API v2. Secret.")
    x_base_url: str = Field(
        "https://api.x.com",
        pattern=r"^https?://[^\s/]+",
        description="Address of the X API (or of a stand-in); https, or http on this machine.",
    )
    request_timeout_seconds: float = Field(15.0, gt=0, le=120, description="Longest wait for one answer.")
    max_wait_seconds: float = Field(
        60.0, ge=0, le=900, description="Longest wait for a rate limit or between retries."
    )
    model: str = Field(
        "default", description="NLU model: default (in the package), fake, or a folder.", min_length=1
    )
    threads: int = Field(
        0, ge=0, le=256, description="Threads that run the model; 0 takes one for each core."
    )
    batch_size: int = Field(
        16, ge=1, le=1024, description="Most tweets of one length in a pass of the model."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; others than loopback need api_token.")
    port: int = Field(8600, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_token: Secret = Field(None, description="Token that programs send and people log in with. Secret.")
    api_tokens: Tokens = Field(
        (),
        description="More tokens as name:scopes:token, with commas between; scopes are read, analyze, admin, "
        "joined by +. Secret.",
    )
    rate_limit_per_minute: int = Field(
        1200, ge=0, le=1_000_000, description="Requests that a token may make in a minute; 0 sets no limit."
    )
    queue_texts: int = Field(
        256,
        ge=1,
        le=100_000,
        description="Texts that may wait for the model or be at work; more are answered 429.",
    )
    deadline_seconds: float = Field(
        10.0,
        gt=0,
        le=600,
        description="Longest wait of a request for the model; then it is answered 429 or 503.",
    )
    metrics_open: bool = Field(
        False, description="Answer /metrics without a token, for a Prometheus within the own network."
    )
    api_texts: bool = Field(
        False, description="Give texts and authors by /v1/tweets; X's policy gives third parties ids only."
    )
    query_rows: int = Field(10_000, ge=1, le=1_000_000, description="Most rows of an answer of /v1/query.")
    query_seconds: float = Field(10.0, gt=0, le=600, description="Longest time of a query of /v1/query.")
    query_memory_mb: int = Field(
        768, ge=256, le=1_000_000, description="Most memory of a query of /v1/query, in megabytes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least of what is logged; info has a line for every request."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Form of the log on standard error; json is one object a line."
    )
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="OpenTelemetry collector (OTLP over HTTP) such as http://127.0.0.1:4318; needs [otel].",
    )
    sample_hours: int = Field(6, ge=1, le=48, description="Past hours that `up` fills in from the sample.")

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        wrong = [place for place in self.places if not self._knows(place)]
        if wrong:
            raise ValueError(
                f"places holds {', '.join(map(repr, wrong))}; known are {', '.join(PLACES)}; "
                "others are written slug:WOEID, or with source = replay as the recording has them"
            )
        slugs = [place.slug for place in self.place_list()]
        if twice := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
            raise ValueError(f"places names {', '.join(twice)} more than once; name every place once")
        if self.source == "replay" and self.replay_folder is None:
            raise ValueError(
                "source is replay but replay_folder is not set; `trendlark import` makes such a folder"
            )
        address = urlsplit(self.x_base_url)
        if address.username or address.password:
            raise ValueError(
                "x_base_url holds a name or password; leave them out, the token is all that X takes"
            )
        if address.scheme == "http" and not _loopback(address.hostname or ""):
            raise ValueError("x_base_url is http, which would send the token in the clear; use https")
        if not _loopback(self.host) and not self.tokens():
            raise ValueError(
                f"host is {self.host}, which others can reach, but neither api_token nor api_tokens is set; "
                "set it or keep 127.0.0.1"
            )
        return self

    def _knows(self, place: str) -> bool:
        # Only X asks for the number of a place.
        recorded = self.source == "replay" and _SLUG.fullmatch(place) is not None
        return place in PLACES or recorded or _custom(place) is not None

    def place_list(self) -> tuple[Place, ...]:
        """The places to follow."""
        return tuple(PLACES.get(slug) or _custom(slug) or Place(slug, slug) for slug in self.places)

    def tokens(self) -> tuple[ApiToken, ...]:
        """Every token of the API: ``api_token``, which may do all, and those of ``api_tokens``."""
        first = (ApiToken(DEFAULT_TOKEN, frozenset({"admin"}), self.api_token),) if self.api_token else ()
        return (*first, *self.api_tokens)

    def source_name(self) -> str:
        """The source in force once ``auto`` is decided."""
        if self.source != "auto":
            return self.source
        return "x" if self.x_bearer_token else "sample"


def _custom(text: str) -> Place | None:
    slug, _, woeid = text.partition(":")
    if slug.replace("-", "").isalnum() and slug.islower() and woeid.isdecimal() and woeid.isascii():
        return Place(slug, slug, int(woeid))
    return None


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class InForce:
    """Settings and, for each, where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> list[tuple[str, str, str]]:
        """(name, value as it may be shown, origin) of every setting; secrets are only said to be set."""
        return [
            (name, _shown(getattr(self.settings, name)), self.origins.get(name, "default"))
            for name in Settings.model_fields
        ]


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set, not shown)"
    if isinstance(value, tuple):
        return ",".join(_shown_part(part) for part in value)
    return "" if value is None else str(value)


def _shown_part(part: object) -> str:
    return f"{part.name}:{'+'.join(sorted(part.scopes))}" if isinstance(part, ApiToken) else str(part)


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> InForce:
    """Gather the settings; raises SettingsError that lists every unknown or bad one at once."""
    environment = os.environ if environment is None else environment
    layers = [
        _file_layer(environment, folder or Path()),
        ("environment", {k[len(PREFIX) :].lower(): v for k, v in environment.items() if _is_ours(k)}),
        ("flag", {k: v for k, v in (flags or {}).items() if v is not None}),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wrong: list[str] = []
    for origin, layer in layers:
        for key, value in layer.items():
            if key in Settings.model_fields:
                values[key] = value
                origins[key] = origin
            else:
                wrong.append(_unknown(key, origin))
    settings = None
    try:
        settings = Settings(**values)
    except ValidationError as error:
        wrong += [_bad(problem, origins) for problem in error.errors(include_url=False)]
    if wrong or settings is None:
        raise SettingsError(
            f"{len(wrong)} setting{'s are' if len(wrong) > 1 else ' is'} wrong:\n"
            + "\n".join(f"  - {line}" for line in wrong)
            + f"\nKnown settings: {', '.join(Settings.model_fields)} (docs/reference/settings.md explains them)."
        )
    return InForce(settings, origins)


def _is_ours(key: str) -> bool:
    return key.startswith(PREFIX) and key != PREFIX + "CONFIG"


def _file_layer(environment: Mapping[str, str], folder: Path) -> tuple[str, dict[str, Any]]:
    named = environment.get(PREFIX + "CONFIG")
    path = Path(named) if named else folder / FILE
    if not named and not path.exists():
        return FILE, {}
    try:
        return str(path), tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Found no readable settings in {path} ({error}); give a UTF-8 TOML file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"Found {path}, which is not TOML: {error}. Write lines like `port = 8600`."
        ) from error


def _unknown(key: str, origin: str) -> str:
    near = get_close_matches(key, Settings.model_fields, n=1)
    hint = f"did you mean {near[0]}?" if near else "take it out"
    return f"{key} ({origin}) is not a setting; {hint}"


def _bad(problem: Any, origins: Mapping[str, str]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = str(problem["loc"][0])
    origin = origins.get(name, "default")
    if name in _SECRETS:
        return f"{name} ({origin}): {message}"
    return f"{name} ({origin}) is {str(problem['input'])[:60]!r}: {message}"
