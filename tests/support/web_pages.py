"""Reads pages as HTML and asserts what holds for every page of ours."""

from __future__ import annotations

from html.parser import HTMLParser


class Checker(HTMLParser):
    """Reads a page and notes what a strict policy or a screen reader would object to."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.objections: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, links, ids and forbidden attributes."""
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        self.objections += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]
        if tag == "th" and "scope" not in given:
            self.objections.append("<th> without scope")
        if tag == "script":
            self.scripts.append(given)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("href", "src", "action"):
            if given.get(name):
                self.links.append(str(given[name]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself holds nothing."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Every end must have its start."""
        if not self.open or self.open.pop() != tag:
            self.objections.append(f"</{tag}> without its start")


def check(html: str) -> Checker:
    """The page read, after all that holds for every page is asserted."""
    checker = Checker()
    checker.feed(html)
    assert checker.objections == []
    assert checker.open == []
    assert len(set(checker.ids)) == len(checker.ids)
    for link in checker.links:
        assert link.startswith(("/", "#", "https://")), link
        assert not link.startswith("//"), link
    for script in checker.scripts:
        assert script.get("src", "/static/").startswith("/static/")  # type: ignore[union-attr]
        assert "src" in script or script.get("type") == "application/json"
    return checker
