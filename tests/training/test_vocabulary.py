"""New words: which, and where they start."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.tiny import write_pairs
from trendlark.training.teach import prepare_network
from trendlark.training.vocabulary import (
    build,
    count_words,
    load_base_tokenizer,
    read_translations,
    start_embeddings,
)

TEXTS = [
    "¡Qué perros! http://t.co/x",
    "los perros y @ana",
    "perros gatazos",
    "gatazos, gatazos 12345",
    "Árbol",
] * 2


@pytest.fixture
def dictionaries(tmp_path: Path) -> Path:
    write_pairs(
        tmp_path / "dictionary_en_es.tsv.gz",
        [
            ("dog", "perro"),
            ("hound", "perro"),
            ("tree", "árbol"),
            ("give up", "rendirse"),
            ("hot dog", "perro caliente"),
        ],
    )
    write_pairs(tmp_path / "lemmas_es.tsv.gz", [("perros", "perro", "n", "9"), ("sin", "nada", "x", "1")])
    return tmp_path


def test_counts_fold_case_and_accents_and_leave_out_placeholders() -> None:
    counts = count_words(load_base_tokenizer(), TEXTS)
    assert counts["perros"] == 6
    assert counts["gatazos"] == 6
    assert counts["arbol"] == 2
    assert "12345" not in counts


def test_translations_reach_inflected_forms(dictionaries: Path) -> None:
    found = read_translations(dictionaries, load_base_tokenizer())
    assert found["perro"] == found["perros"] == ["dog", "hound"]
    assert found["arbol"] == ["tree"]
    assert "perro caliente" not in found
    assert "sin" not in found


def test_new_words_are_whole_and_start_from_their_translations(dictionaries: Path) -> None:
    base = load_base_tokenizer()
    known = base.get_vocab_size()
    counts = count_words(base, TEXTS)
    vocabulary = build(base, counts, read_translations(dictionaries, base), 2)
    assert vocabulary.new_words == ("gatazos", "perros")
    assert vocabulary.translated == 1
    assert vocabulary.tokenizer.encode("Perros", add_special_tokens=False).ids == [known + 1]
    assert vocabulary.tokenizer.encode("dog").ids == base.encode("dog").ids
    assert vocabulary.sources[1] == (base.token_to_id("dog"), base.token_to_id("hound"))
    pieces = base.encode("gatazos", add_special_tokens=False).ids
    assert vocabulary.sources[0] == tuple(pieces)


def test_a_start_is_the_mean_at_the_usual_length() -> None:
    base = torch.tensor([[3.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
    rows = start_embeddings(base, [(0, 1), (2,)])
    assert torch.allclose(rows, torch.tensor([[4.5**0.5, 4.5**0.5], [3.0, 0.0]]))


def test_the_prepared_network_holds_the_new_rows(data: Path) -> None:
    network, tokenizer = prepare_network(data, 3, 0)
    known = load_base_tokenizer().get_vocab_size()
    assert tokenizer.get_vocab_size() <= known + 3
    assert network.words.weight.shape[0] == tokenizer.get_vocab_size()
    base_length = network.words.weight[:known].norm(dim=1).mean()
    assert torch.allclose(network.words.weight[known:].norm(dim=1), base_length, rtol=1e-3)
