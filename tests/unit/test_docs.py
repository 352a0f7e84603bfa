"""The docs say what the code does: generated pages are fresh, links lead somewhere, examples are true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from docs.generate_reference import FOLDER, pages

from trendlark.cli import app
from trendlark.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = sorted(
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if "node_modules" not in path.parts
)


def test_reference_pages_are_those_of_the_code() -> None:
    made = pages()
    stale = [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `python docs/generate_reference.py`"
    assert {path.name for path in FOLDER.glob("*.md")} == set(made)


def test_every_command_and_setting_is_in_the_reference() -> None:
    commands = (FOLDER / "cli.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"`trendlark {command.name}`" in commands
    settings = (FOLDER / "settings.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in settings for name in Settings.model_fields)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [t for t in targets if "://" not in t and not (path.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_that_the_docs_name_exist(path: Path) -> None:
    known = {one.name for one in app.registered_groups}
    known |= {command.name for command in app.registered_commands}
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:console|sh|bash)\n(.*?)```", text, flags=re.S)
    blocks += re.findall(r"`(trendlark [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    used = {name for block in blocks for name in re.findall(r"\btrendlark ([a-z-]+)(?=\s|$)", block)}
    assert used - known - {"trendlark"} == set()


@pytest.mark.skipif(
    not (ROOT / "src/trendlark/nlu/default/manifest.json").exists(),
    reason="the default model is not in this checkout",
)
@pytest.mark.parametrize("name", ["README.md", "README.es.md"])
def test_the_python_example_tells_its_true_output(name: str) -> None:
    failed, tried = doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8")
    assert tried > 3
    assert failed == 0
