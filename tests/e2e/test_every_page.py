"""Every page, in both languages, small and wide, light and dark: quiet, whole, on its own host, open to all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.browser import Watch, chromium, find_chromium, open_page
from tests.support.web_app import empty_lake, serving
from tests.support.web_sweep import PAGES, CardedFake, fill_hostile

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        find_chromium() is None, reason="no Chromium here; on Debian: apt-get install chromium"
    ),
]

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What would have been written had anything of a stranger run, and what would run at a click.
HACKED = "window.hacked === undefined ? null : window.hacked"
RUNNABLE = """() => [...document.querySelectorAll("*")].filter(one =>
    [...one.attributes].some(a => a.name.startsWith("on") || /^\\s*(javascript|vbscript|data:text)/i.test(a.value)
        && ["href", "src", "action", "formaction", "xlink:href", "srcdoc"].includes(a.name))
    || ["IFRAME", "OBJECT", "EMBED", "IMG", "BASE"].includes(one.tagName)
).map(one => one.outerHTML.slice(0, 200))"""
# Marks that turn text around must be held in an element that isolates them.
LOOSE_BIDI = """() => {
    const loose = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode;
        if (/[\\u202a-\\u202e\\u2066-\\u2069]/.test(node.data)
            && !node.parentElement.closest("bdi, script, option, textarea, title, [dir=auto]"))
            loose.push(node.parentElement.outerHTML.slice(0, 200));
    }
    return loose;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a lake of hostile words."""
    lake = empty_lake(tmp_path_factory.mktemp("sweep"))
    fill_hostile(lake)
    with serving(lake, CardedFake()) as url:
        yield url


def barriers(page: Page) -> list[str]:
    """What axe-core calls a serious or critical barrier."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def with_lang(path: str, lang: str) -> str:
    """An address in a language."""
    return f"{path}{'&' if '?' in path else '?'}lang={lang}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("scheme", "width", "lang"),
    [("light", 390, "en"), ("dark", 390, "es"), ("dark", 1440, "en"), ("light", 1440, "es")],
)
def test_every_page_is_quiet_whole_safe_and_open_to_all(
    browser: Browser, url: str, scheme: Literal["light", "dark"], width: int, lang: str
) -> None:
    wrong: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        for name, path in PAGES.items():
            watch = Watch(urlsplit(url).netloc)
            page = open_page(context, url + with_lang(path, lang), watch)
            if page.locator("html").get_attribute("lang") != lang:
                wrong.append(f"{name}: another language")
            if page.locator("h1").count() != 1:
                wrong.append(f"{name}: {page.locator('h1').count()} headings of the first level")
            if (over := page.evaluate(SIDEWAYS)) != 0:
                wrong.append(f"{name}: scrolls {over} pixels sideways")
            wrong += [f"{name}: {what}" for what in page.evaluate(RUNNABLE)]
            wrong += [f"{name}: loose mark: {what}" for what in page.evaluate(LOOSE_BIDI)]
            wrong += [f"{name}: {what}" for what in barriers(page)]
            if (ran := page.evaluate(HACKED)) is not None:
                wrong.append(f"{name}: a stranger's script ran: {ran}")
            wrong += [f"{name}: {what}" for what in watch.complaints]
            page.close()
    assert not wrong, "\n".join(wrong)


def test_the_checks_would_see_what_they_look_for(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 900}) as context:
        page = context.new_page()
        page.goto(url + "/try")
        page.evaluate("""() => {
            document.querySelector("main").innerHTML +=
                "<p onclick='1'>\\u202eevil</p><a href=' JavaScript:1'></a><img src='/x'><input>" +
                "<p class=wide>x";
            document.querySelector(".wide").style.width = "5000px";
        }""")
        assert page.evaluate(SIDEWAYS) > 0
        assert len(page.evaluate(RUNNABLE)) == 3
        assert len(page.evaluate(LOOSE_BIDI)) == 1
        assert any(one.startswith("label:") for one in barriers(page))
