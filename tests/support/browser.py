"""Debian's Chromium for the tests, what it complains of, and the pictures of the pages for the docs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome; None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; it is closed at the end."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError("Found no Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Watch:
    """What went wrong on a page: words on the console, errors of scripts, requests to other hosts."""

    host: str
    complaints: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Note everything that the page does from now on."""
        page.on("console", lambda message: self._note(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._note(f"script: {error}"))
        page.on("dialog", lambda dialog: self._note(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self.host:
            self._note(f"other host: {url}")

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)


def open_page(context: BrowserContext, url: str, watch: Watch) -> Page:
    """Load an address and wait until a chart, if there is one, is drawn."""
    page = context.new_page()
    watch.follow(page)
    page.goto(url)
    if page.locator("#chart").count():
        page.wait_for_selector("#chart[data-drawn=true]")
    return page


def save_picture(browser: Browser, url: str, path: Path) -> Path:
    """Write a picture of a page: light, 1280 pixels wide, at most the first 720 of its height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB"
    ) as context:
        page = open_page(context, url, Watch(urlsplit(url).netloc))
        page.evaluate("document.fonts.ready.then(() => true)")
        height = min(720, page.evaluate("Math.ceil(document.body.getBoundingClientRect().height)"))
        page.screenshot(path=path, clip={"x": 0, "y": 0, "width": 1280, "height": height})
    return path


def take_pictures(pages: Mapping[Path, str]) -> None:
    """Write a picture of each address, in a browser of its own."""
    with chromium() as browser:
        for path, url in pages.items():
            save_picture(browser, url, path)
