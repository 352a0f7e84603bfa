"""The pages in a real Chromium: whole at every width, quiet on the console, and nothing hostile runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Watch, chromium, find_chromium, open_page, save_picture
from tests.support.hours import settings_for
from tests.support.web_app import empty_lake, serving
from tests.support.web_lake import FIRST, HOSTILE_STORY, HOSTILE_TEXT, HOSTILE_TREND, STORIES, TEXTS, fill
from trendlark.records import Trend, TrendHour

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


def test_the_chart_of_single_tweets_has_no_parts_of_tweets_on_its_axis(
    browser: Browser, tmp_path: Path
) -> None:
    lake = empty_lake(tmp_path)
    for step in range(3):
        row = TrendHour(Trend(FIRST + step, "x", "es", "rare", 1), 1, 1, 0.0)
        lake.commit_collection(FIRST + step, "x", "es", [], [row], [], "run")
    with serving(lake) as url, browser.new_context(viewport={"width": 390, "height": 900}) as context:
        page = open_page(context, url + "/trends/x/es/rare", Watch(urlsplit(url).netloc))
        axis = page.locator("#chart svg").nth(1).locator(".role-axis-label text")
        assert [one for one in axis.all_text_contents() if ":" not in one and "/" not in one] == ["0", "1"]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "scheme"), [("svg", "dark"), ("png", "light")])
def test_a_chart_is_saved_as_a_picture_that_stands_alone(
    browser: Browser, url: str, tmp_path: Path, kind: str, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport={"width": 1000, "height": 900}, color_scheme=scheme) as context:
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + GAP + "?lang=es", watch)
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind.upper()).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.name == f"trendlark-Lia-Montero-Espana-Muestra-inventada.{kind}"
        assert watch.complaints == []
    if kind == "png":
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert int.from_bytes(head[16:20]) > 1500
        return
    drawing = ElementTree.parse(path)
    said = " ".join(one.text or "" for one in drawing.iter("{http://www.w3.org/2000/svg}text"))
    for text in (
        "Lía Montero · España",
        "negativo",
        "intervalo del 95\u00a0%",
        "Volumen",
        "100%",
        "Trendlark",
    ):
        assert text in said
    assert not [one for one in drawing.iter() if one.tag.endswith("}script")]


def test_a_chart_that_cannot_be_saved_says_so(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = open_page(context, url + GAP + "?lang=es", Watch(urlsplit(url).netloc))
        page.evaluate("window.URL.createObjectURL = () => { throw new Error('full') }; null")
        page.get_by_role("button", name="SVG").click()
        page.get_by_role("alert").wait_for()
        assert "no pudo guardar el gráfico" in page.get_by_role("alert").inner_text()
        assert page.locator("#chart svg").count() == 2


def test_headers_of_the_table_do_not_run_into_each_other(browser: Browser, url: str) -> None:
    beyond = """() => [...document.querySelectorAll(".trends thead th, .shares thead th")]
        .filter(one => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflow === "visible")
        .map(one => one.textContent)"""
    for width in (1000, 1280, 1440):
        with browser.new_context(viewport={"width": width, "height": 900}) as context:
            for path in ("/", GAP):
                page = open_page(context, f"{url}{path}?lang=es", Watch(urlsplit(url).netloc))
                assert page.evaluate(beyond) == [], (width, path)


def test_without_the_chart_library_the_page_says_so_and_has_its_table(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.route("**/vega.min.js*", lambda route: route.abort())
        page.goto(url + GAP)
        page.get_by_role("alert").wait_for()
        assert "could not be drawn" in page.get_by_role("alert").inner_text()
        assert not page.locator("#chart").is_visible()
        assert not page.get_by_role("button", name="SVG").is_visible()


@pytest.mark.slow
def test_trends_are_ordered_filtered_and_opened_by_keyboard_alone(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = open_page(context, url + "/?place=es", Watch(urlsplit(url).netloc))
        page.get_by_role("link", name="Volume").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("th[aria-sort=descending] a:has-text('Volume')")
        page.get_by_label("Find a trend").focus()
        page.keyboard.type("montero")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=montero**")
        assert "sort=volume" in page.url
        rows = page.locator(".trends tbody tr")
        assert rows.count() == 1
        assert "24 hours, 5 with data" in str(rows.locator("svg.spark title").text_content())
        page.keyboard.press("Tab")
        page.get_by_role("link", name="Lía Montero").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#chart[data-drawn=true]")


@pytest.mark.slow
def test_what_a_trend_talks_about_leads_to_its_tweets(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 900}) as context:
        watch = Watch(urlsplit(url).netloc)
        page = open_page(context, url + "/trends/sample/es/%23MiraflorValdoro", watch)
        page.get_by_role("link", name="sports", exact=True).click()
        page.wait_for_url("**topic=sports#tweets")
        shown = page.locator(".tweets.all .tweet")
        assert shown.count() == 4
        shown.first.locator("summary").click()
        assert shown.first.locator(".probabilities div").count() >= 14
        assert "Read as ironic" in shown.first.locator(".doubts").inner_text()
        assert page.evaluate(SIDEWAYS) == 0
        page.locator(".tweets.all").get_by_role("link", name="Clear the filter").or_(
            page.get_by_role("link", name="Clear the filter")
        ).first.click()
        page.wait_for_url(lambda address: "topic" not in address)
        assert watch.complaints == []


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
        # A form is sent a moment after the click, and the page before has its hour in the same place.
        page.wait_for_url("**hour=2026-11-23T03**")
        assert "03:00" in page.locator(".when").inner_text()
        page.goto(url + GAP)
        assert "needs JavaScript" in page.locator("noscript").inner_text()
        page.locator("summary", has_text="The same as a table").click()
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
        page.wait_for_url(lambda address: address == url + "/?lang=es")
        assert page.locator("h1").inner_text() == "Aún no hay nada recogido"
        page.get_by_role("button", name="Cerrar sesión").click()
        page.wait_for_url(lambda address: urlsplit(address).path == "/login")
        page.goto(url + "/")
        assert urlsplit(page.url).path == "/login"


def test_the_picture_of_the_dashboard_can_be_taken(browser: Browser, url: str, tmp_path: Path) -> None:
    path = save_picture(browser, url, tmp_path / "pictures" / "dashboard.png")
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert width == 1280
    assert 400 < height <= 720


@pytest.mark.parametrize("touch", [True, False])
def test_where_nothing_hovers_every_number_of_now_has_its_interval_beside_it(
    browser: Browser, url: str, touch: bool
) -> None:
    for width in (390, 1024, 1280):
        size = {"width": width, "height": 900}
        with browser.new_context(viewport=size, is_mobile=touch, has_touch=touch) as context:  # type: ignore[arg-type]
            page = open_page(context, f"{url}/?lang=en", Watch(urlsplit(url).netloc))
            changes = page.locator(".c-change > .real, .c-change > .noise")
            assert all("chance" in one for one in changes.all_inner_texts())
            shares = page.locator(".c-emotions .emotion, .c-flag > span").or_(changes)
            widths = page.evaluate(
                "[...document.querySelectorAll('.ci')].map(one => one.getBoundingClientRect().width)"
            )
            assert len(widths) == shares.count() > 10
            assert min(widths) > 15 if touch else max(widths) <= 1
            assert page.evaluate(SIDEWAYS) == 0


def test_on_paper_every_share_has_its_interval_and_the_key_its_colours(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 718, "height": 900}) as context:
        page = open_page(context, f"{url}/?lang=en", Watch(urlsplit(url).netloc))
        assert page.locator(".ci").first.evaluate("one => one.getBoundingClientRect().width") <= 1
        page.emulate_media(media="print")
        widths = page.evaluate(
            "[...document.querySelectorAll('.ci')].map(one => one.getBoundingClientRect().width)"
        )
        assert min(widths) > 15
        kept = "[...document.querySelectorAll('.swatch')].map(one => getComputedStyle(one).printColorAdjust)"
        assert set(page.evaluate(kept)) == {"exact"}


@pytest.mark.parametrize(("width", "trends"), [(390, 2), (1280, 2), (1280, 5)])
def test_a_screen_reader_is_told_the_interval_of_every_share_that_is_compared(
    browser: Browser, url: str, width: int, trends: int
) -> None:
    names = [f"sample/{one.place}/{one.name}" for one in STORIES[:trends]]
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        asked = urlencode([("of", one) for one in names])
        page = open_page(context, f"{url}/compare?{asked}", Watch(urlsplit(url).netloc))
        assert page.locator("table.versus").inner_text().count("\u2013") == 14 * trends
        assert page.evaluate(SIDEWAYS) == 0
