"""The pages in a real Chromium: whole at every width, quiet on the console, and nothing hostile runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Watch, chromium, find_chromium, open_page, save_picture
from tests.support.hours import settings_for
from tests.support.web_app import empty_lake, serving
from tests.support.web_lake import HOSTILE_STORY, HOSTILE_TEXT, HOSTILE_TREND, STORIES, TEXTS, fill

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        find_chromium() is None, reason="no Chromium here; on Debian: apt-get install chromium"
    ),
]

GAP = "/trends/sample/es/" + quote("Lía Montero")
HOSTILE = f"/trends/sample/us/{quote(HOSTILE_TREND, safe='')}"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a lake with hostile names and texts."""
    lake = empty_lake(tmp_path_factory.mktemp("browser"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY], [*TEXTS, HOSTILE_TEXT])
    fill(lake, "x", STORIES[:1], summarised=False)
    with serving(lake) as url:
        yield url


def hacked(page: Page) -> object:
    """What hostile text set, had it run."""
    return page.evaluate("window.hacked === undefined ? null : window.hacked")


def test_the_chart_is_drawn_with_its_gap(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = open_page(context, url + GAP, Watch(urlsplit(url).netloc))
        mood, amount = page.locator("#chart svg").all()
        # Two series of five known hours; a line, and a band, of two pieces each, for the hour between is not known.
        assert mood.locator(".mark-symbol path").count() == 10
        assert [line.count("M") for line in page_paths(page, "#chart .mark-line path")] == [2, 2]
        assert [band.count("M") for band in page_paths(page, "#chart .mark-area path")] == [2, 2]
        assert amount.locator(".mark-rect path").count() >= 5
        assert page.locator("#chart .mark-line path").first.bounding_box()["width"] > 500  # type: ignore[index]


def page_paths(page: Page, selector: str) -> list[str]:
    """The shapes drawn."""
    return [str(one.get_attribute("d")) for one in page.locator(selector).all()]


@pytest.mark.slow
def test_the_chart_follows_the_colour_scheme_and_the_width(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light") as context:
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + GAP, watch)
        line = page.locator("#chart .mark-line path").first
        light = line.get_attribute("stroke")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            "was => document.querySelector('#chart .mark-line path')?.getAttribute('stroke') !== was",
            arg=light,
        )
        page.set_viewport_size({"width": 390, "height": 900})
        page.wait_for_function("document.querySelector('#chart svg')?.clientWidth < 390")
        assert page.evaluate(SIDEWAYS) == 0
        assert watch.complaints == []


RESIZE = """async () => {
    const box = document.getElementById("chart");
    for (const width of [900, 600, 750, 420, 800]) {
        box.style.width = width + "px";
        window.dispatchEvent(new Event("resize"));
        await Promise.resolve();
    }
    for (let frame = 0; frame < 30; frame += 1) await new Promise(requestAnimationFrame);
}"""


def test_resizing_quickly_leaves_one_chart_of_the_last_width(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + GAP, watch)
        page.evaluate(RESIZE)
        page.wait_for_selector("#chart[data-drawn=true]")
        assert page.locator("#chart .chart-part").count() == 2
        assert page.locator("#chart .chart-label").count() == 1
        assert page.locator("#chart svg").count() == 2
        assert page.evaluate("document.querySelector('#chart svg').clientWidth") == 800
        assert watch.complaints == []


def test_a_point_tells_its_numbers(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = open_page(context, url + GAP + "?lang=es", Watch(urlsplit(url).netloc))
        page.locator("#chart .mark-symbol path").last.hover(force=True)
        tip = page.locator(".tip")
        tip.wait_for(state="visible")
        assert "positivo: 46\u00a0%" in tip.inner_text()
        assert "2026-11-23 07:00 UTC" in tip.inner_text()


def test_hostile_text_is_shown_as_text(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 900}) as context:
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + HOSTILE, watch)
        assert page.locator("h1").text_content() == HOSTILE_TREND
        assert HOSTILE_TEXT in [one.text_content() for one in page.locator("blockquote bdi").all()]
        assert page.locator("main img").count() == 0
        assert page.locator("main a[href^='javascript']").count() == 0
        assert json.loads(str(page.locator("#chart-data").text_content()))["hours"]
        assert hacked(page) is None
        assert watch.complaints == []


@pytest.mark.slow
def test_names_with_slashes_are_reached_by_their_links(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = open_page(context, url + "/?place=us", Watch(urlsplit(url).netloc))
        for name in ("AC/DC & friends", HOSTILE_TREND):
            page.get_by_role("link", name=name, exact=True).click()
            page.wait_for_selector("#chart[data-drawn=true]")
            assert page.locator("h1").text_content() == name
            page.go_back()


def test_the_page_works_by_keyboard_and_without_script(browser: Browser, url: str) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900}) as context:
        page = context.new_page()
        page.goto(url + "/")
        page.keyboard.press("Tab")
        assert page.locator(":focus").get_attribute("class") == "skip"
        page.get_by_label("Hour (UTC)").select_option("2026-11-23T03")
        page.get_by_role("button", name="Show").click()
        assert "03:00" in page.locator(".when").inner_text()
        page.goto(url + GAP)
        assert "needs JavaScript" in page.locator("noscript").inner_text()
        page.locator("summary").click()
        assert page.locator("details tbody tr").count() == 6
        assert page.evaluate(SIDEWAYS) == 0


def test_an_empty_lake_and_a_missing_trend_are_whole_pages(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(empty_lake(tmp_path)) as url,
        browser.new_context(viewport={"width": 390, "height": 900}) as context,
    ):
        page = open_page(context, url, Watch(urlsplit(url).netloc))
        assert page.locator("h1").inner_text() == "Nothing collected yet"
        page.goto(url + "/trends/sample/es/" + "x" * 400)
        assert page.locator("h1").inner_text() == "Not here"
        assert page.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("script", [True, False])
def test_a_server_with_a_token_is_opened_by_its_form(browser: Browser, tmp_path: Path, script: bool) -> None:
    lake = empty_lake(tmp_path)
    settings = settings_for(lake.uri, api_token="s3same-0pen")
    with (
        serving(lake, settings=settings) as url,
        browser.new_context(java_script_enabled=script, viewport={"width": 390, "height": 900}) as context,
    ):
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + "/?lang=es", watch)
        assert urlsplit(page.url).path == "/login"
        assert page.evaluate(SIDEWAYS) == 0
        page.get_by_role("link", name="English").click()
        page.get_by_label("Token of this server").press_sequentially("s3same-0pen")
        assert watch.complaints == []
        page.get_by_label("Token of this server").fill("wrong")
        page.keyboard.press("Enter")
        assert "Found another token" in page.get_by_role("alert").inner_text()
        page.get_by_label("Token of this server").fill("s3same-0pen")
        page.get_by_role("button", name="Log in").click()
        assert page.url == url + "/?lang=es"
        assert page.locator("h1").inner_text() == "Aún no hay nada recogido"
        page.get_by_role("button", name="Cerrar sesión").click()
        assert urlsplit(page.url).path == "/login"
        page.goto(url + "/")
        assert urlsplit(page.url).path == "/login"


def test_the_picture_of_the_dashboard_can_be_taken(browser: Browser, url: str, tmp_path: Path) -> None:
    path = save_picture(browser, url, tmp_path / "pictures" / "dashboard.png")
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert width == 1280
    assert 400 < height <= 720
