"""The settings choose the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trendlark.errors import SettingsError
from trendlark.hours import Hour
from trendlark.records import Place, Trend
from trendlark.settings import Settings, load_settings
from trendlark.sources import SAMPLE, make_source
from trendlark.sources.replay import ReplaySource


def in_force(**flags: object) -> Settings:
    """Settings without file or environment."""
    return load_settings(flags, {}).settings


def test_replay_plays_the_folder_of_the_settings(tmp_path: Path) -> None:
    source = make_source(in_force(source="replay", replay_folder=tmp_path))
    assert isinstance(source, ReplaySource)
    assert (source.name, source.folder, source.loop) == ("replay", tmp_path, False)
    source.close()


def test_without_a_token_the_sample_is_played_again_and_again() -> None:
    source = make_source(in_force())
    assert isinstance(source, ReplaySource)
    assert (source.name, source.folder, source.loop) == ("sample", SAMPLE, True)
    source.close()


def test_replay_without_a_folder_is_refused() -> None:
    settings = in_force(source="replay", replay_folder="x").model_copy(update={"replay_folder": None})
    with pytest.raises(SettingsError, match="trendlark import"):
        make_source(settings)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample is not in this checkout")
def test_the_sample_has_every_hour() -> None:
    source = ReplaySource(SAMPLE, name="sample", loop=True)
    seen: set[str] = set()
    texts: set[str] = set()
    for hour in Hour.parse("2026-11-23T00").until(Hour.parse("2026-11-23T05")):
        tweets = 0
        for slug in source.recorded_places():
            for trend in _trends(source, slug, hour):
                for page in source.pages(trend, 20, 4, {}):
                    parsed = source.parse_tweets(page, trend)
                    assert not parsed.refusals
                    assert not seen & {f"{trend.name} {tweet.tweet_id}" for tweet in parsed.items}
                    seen |= {f"{trend.name} {tweet.tweet_id}" for tweet in parsed.items}
                    texts |= {tweet.text for tweet in parsed.items}
                    tweets += len(parsed.items)
                    assert all(tweet.created_at is None or tweet.created_at in hour for tweet in parsed.items)
        assert tweets > 0
    assert len(texts) >= 300


def _trends(source: ReplaySource, slug: str, hour: Hour) -> list[Trend]:
    place = Place(slug, slug)
    parsed = source.parse_trends(source.trends(place, hour), place, hour)
    assert parsed.items
    assert not parsed.refusals
    return list(parsed.items)


def test_playing_recordings_needs_no_http_client() -> None:
    code = (
        "import sys, trendlark.sources.replay, trendlark.sources.plan;"
        "sys.exit('httpx2' in sys.modules or 'pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
