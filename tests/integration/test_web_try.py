"""The page on which texts are tried: entities in place, all chances, every state of the model."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from urllib.parse import quote, urlencode

import httpx2 as httpx
import pytest

from tests.support.web_app import client_of, empty_lake
from tests.support.web_pages import check
from trendlark.errors import InputError, ModelError, OverloadError
from trendlark.lake import Lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import Analysis
from trendlark.web.wording.try_it import EXAMPLES

TEXT = "Ana vive en Lima <b>#Perú</b> @bob https://example.org/a?b=c&d"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that nothing was written to: the page needs none."""
    return empty_lake(tmp_path_factory.mktemp("try"))


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server with the fake model."""
    with client_of(lake) as client:
        yield client


def test_the_form_comes_with_examples_in_both_languages(client: httpx.Client) -> None:
    html = client.get("/try").text
    links = check(html).links
    for lang, texts in EXAMPLES.items():
        assert len(texts) >= 3
        assert f'<ul class="samples" lang="{lang}">' in html
        for text in texts:
            assert "/try?" + urlencode({"text": text, "lang": "en"}) in links
    assert "Pruebe el modelo" in client.get("/try?lang=es").text


def test_a_text_is_answered_with_its_entities_in_place(client: httpx.Client) -> None:
    answer = client.get("/try", params={"text": TEXT})
    html = answer.text
    check(html)
    assert answer.headers["cache-control"] == "no-store"
    said = FakeAnalyzer()(TEXT)
    assert html.count('<mark class="entity') == len(said.entities) > 0
    assert "<b>#Perú" not in html
    for text in ("#Perú", "@bob", "https://example.org/a?b=c&amp;d", "sentiment", "joy", "hate"):
        assert text in html.replace("Sentiment", "sentiment")
    # The link to the answer carries the text and brings the same page.
    here = "/try?" + urlencode({"text": TEXT, "lang": "en"})
    assert here in check(html).links
    assert '<mark class="entity' in client.get(here).text


def test_the_data_hold_the_whole_analysis(client: httpx.Client) -> None:
    said = client.get("/try.json", params={"text": TEXT}).json()
    assert said["analysis"] == client.post("/v1/analyze", json={"text": TEXT}).json()["items"][0]
    assert (said["text"], said["error"]) == (TEXT, None)
    rows = list(csv.DictReader(io.StringIO(client.get("/try.csv", params={"text": TEXT}).text)))
    assert len(rows) == 3 + 8 + 3 + 19
    entities = csv.DictReader(
        io.StringIO(client.get("/try.csv", params={"text": TEXT, "table": "entities"}).text)
    )
    assert [row["text"] for row in entities] == [one["text"] for one in said["analysis"]["entities"]]
    assert client.get("/try.json").json() == {"text": "", "analysis": None, "error": None}


def test_the_stated_language_reaches_the_model(client: httpx.Client) -> None:
    assert (
        client.get("/try.json", params={"text": "hola", "text_lang": "pt"}).json()["analysis"]["lang"] == "pt"
    )
    for lang in ("pt", "ja"):
        html = client.get("/try", params={"text": "hola", "text_lang": lang}).text
        assert f'value="{lang}" selected' in html
        assert html.count(f'value="{lang}"') == 1


def test_line_ends_of_forms_are_one_character(client: httpx.Client) -> None:
    said = client.get("/try.json", params={"text": "uno\r\ndos"}).json()
    assert said["text"] == "uno\ndos"


def test_a_long_text_is_kept_in_the_form_and_told(client: httpx.Client) -> None:
    answer = client.get("/try", params={"text": "😀" * 2001})
    assert answer.status_code == 400
    check(answer.text)
    assert "Found a text of 2001 characters; the most is 2000" in answer.text
    assert "😀" * 2001 in answer.text
    assert client.get("/try", params={"text": "😀" * 2000}).status_code == 200


@pytest.mark.parametrize("text", ["   ", "\n", ""])
def test_nothing_is_not_analysed(client: httpx.Client, text: str) -> None:
    answer = client.get("/try", params={"text": text})
    assert answer.status_code == 200
    assert "<mark" not in answer.text


class Refuses(FakeAnalyzer):
    """A model that fails in a given way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def analyze(self, texts: Sequence[str], *args: object, **more: object) -> list[Analysis]:  # type: ignore[override]
        """Raise."""
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (ModelError("Found a broken graph."), 503, "The model cannot answer now: Found a broken graph."),
        (
            InputError("Found a <b>strange</b> text."),
            400,
            "does not take this text: Found a &lt;b&gt;strange",
        ),
        (OverloadError("full", retry_after_seconds=7), 429, "Too many texts are waiting"),
    ],
)
def test_a_model_that_fails_leaves_a_whole_page(lake: Lake, error: Exception, status: int, told: str) -> None:
    with client_of(lake, Refuses(error)) as client:
        answer = client.get("/try?text=hola")
        assert answer.status_code == status
        check(answer.text)
        assert told in answer.text
        assert ">hola</textarea>" in answer.text
        assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
        said = client.get("/try.json?text=hola")
        assert said.status_code == status
        assert said.json()["analysis"] is None


def test_a_model_that_is_loading_or_absent_is_told(lake: Lake) -> None:
    for analyzer, told in ((None, "Found no model"), (Future(), "still loading")):
        with client_of(lake, analyzer) as client:
            answer = client.get("/try?text=" + quote("qué tal") + "&lang=es")
            assert answer.status_code == 503
            check(answer.text)
            assert "El modelo no puede responder ahora" in answer.text
            assert told in answer.text
