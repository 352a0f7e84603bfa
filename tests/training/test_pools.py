"""The texts that nobody labelled for what they are read for."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.training.tiny import write_data, write_rows
from trendlark.training import pools
from trendlark.training.data import digest, file_digest, read_rows
from trendlark.training.pools import Pool, pool_texts, text_digests
from trendlark.training.sets import SETS


def test_pools_give_no_text_twice_and_none_of_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data(tmp_path)
    held = read_rows(tmp_path, SETS["tweeteval_sentiment"], "val")[0].text
    unlabeled = tmp_path / "unlabeled"
    unlabeled.mkdir()
    texts = [held, f"@someone {held}", "short", *(f"an everyday tweet, number {at}" for at in range(30))]
    with gzip.open(unlabeled / "en.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([*texts, *texts]))
    rows = [
        {"text": "AN EVERYDAY tweet, number 3", "label": "x"},
        {"text": "one more of them, new", "label": "x"},
    ]
    write_rows(tmp_path / "crisislex_t6" / "train.jsonl.gz", rows)
    chosen = (
        Pool("unlabeled/en.txt.gz", "en", 30),
        Pool("crisislex_*/train.jsonl.gz", "en", 5),
        Pool("no/file", "en", 5),
    )
    monkeypatch.setattr(pools, "POOLS", chosen)
    found = pool_texts(tmp_path)
    assert sorted(row.text for row in found) == sorted([*texts[3:], "one more of them, new"])
    assert {row.origin for row in found} == {"unlabeled", "crisislex_t6"}
    monkeypatch.setattr(pools, "POOLS", (Pool("unlabeled/en.txt.gz", "en", 7),))
    assert len(pool_texts(tmp_path)) == 7
    assert pool_texts(tmp_path) == pool_texts(tmp_path)


def test_what_gives_its_texts_alone_is_told_by_its_digest(tmp_path: Path) -> None:
    write_data(tmp_path)
    unlabeled = tmp_path / "unlabeled"
    unlabeled.mkdir()
    # Of one of these files no text is ever taken, and a set that is labelled for us is told of with the others.
    for name in ("es2", "es_subtitles"):
        (unlabeled / f"{name}.txt.gz").write_bytes(gzip.compress(name.encode()))
    for name in ("crisislex_t6", "tweeteval_stance_climate", "tweeteval_stance_hillary"):
        write_rows(tmp_path / name / "train.jsonl.gz", [{"text": name, "label": "x"}])
    found = text_digests(tmp_path)
    assert found == {
        "tweeteval_stance_climate": digest(tmp_path / "tweeteval_stance_climate"),
        "tweeteval_stance_hillary": digest(tmp_path / "tweeteval_stance_hillary"),
        "crisislex_t6": digest(tmp_path / "crisislex_t6"),
        "unlabeled/es2": file_digest(unlabeled / "es2.txt.gz"),
    }
    (unlabeled / "es2.txt.gz").write_bytes(gzip.compress(b"another tweet"))
    changed = {name for name, told in text_digests(tmp_path).items() if told != found[name]}
    assert changed == {"unlabeled/es2"}
