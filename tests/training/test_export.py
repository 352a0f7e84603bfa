"""From a checkpoint to an artefact that serving accepts and evaluation scores."""

from __future__ import annotations

import json
import re
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import tiny_checkpoint, write_rows
from trendlark.errors import InputError, ModelError
from trendlark.nlu.artifact import MANIFEST_FILE, load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.training import baseline, checkpoint, evaluate, export
from trendlark.training.card import add_evaluation, licences, render_card, write_card
from trendlark.training.data import file_digest
from trendlark.training.evaluation.condense import condense
from trendlark.training.evaluation.report import spell, spell_rival
from trendlark.training.pools import POOLS
from trendlark.training.scoring import Calibration
from trendlark.training.sets import EMOJI_SETS, SETS


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "last.pt"
    state = tiny_checkpoint()
    before = [{"stage": "train", "step": 3}]
    state.more = {"recipe": {"name": "tiny"}, "step": 7, "seconds": 90.0, "history": before}
    state.save(path)
    return path


@pytest.fixture(scope="module")
def folder(checkpoint_path: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artefact") / "tiny"
    return export.run(checkpoint_path, data, out, "tiny-1", {"tweeteval_irony": 0.25}, core_hours=0.5)


@pytest.fixture
def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_serving_accepts_the_artefact(folder: Path) -> None:
    artifact = load_artifact(folder)
    assert artifact.manifest.name == "tiny-1"
    assert {name: task.labels for name, task in artifact.tasks.items()} == {
        name: task.labels for name, task in TASKS.items()
    }


def test_a_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "model.onnx").open("ab") as model:
        model.write(b"x")
    with pytest.raises(ModelError, match="checksum"):
        load_artifact(tmp_path)


def test_the_manifest_tells_where_the_model_comes_from(manifest: Any, data: Path) -> None:
    before = [{"stage": "train", "step": 3}]
    recipe = {"name": "tiny", "steps_done": 7, "seconds": 90, "core_hours": 0.5, "before": before}
    assert manifest["recipe"] == recipe
    assert set(manifest["data"]) >= {"tweeteval_irony", "ner_btc", "emojispace_es"}
    assert "tweeteval_offensive" not in manifest["data"]
    assert manifest["metrics"]["tweeteval_irony"]["baseline"] == 0.25
    assert "irony" in manifest["languages"]["en"]
    assert manifest["languages"]["es"][0] == "sentiment"
    assert manifest["base"]["licence"] == "MIT"
    for name, task in manifest["tasks"].items():
        assert ("thresholds" in task) == (TASKS[name].kind in ("many_of", "yes_no"))


@pytest.mark.parametrize(
    ("earlier", "taught"),
    [
        ({}, {"en": ["irony", "entities"]}),
        ({"boosts": {"umsab_es": 0, "ner_btc": 0}}, {"en": ["irony", "entities"]}),
        ({"boosts": {"ner_btc": 0}}, {"en": ["irony", "entities"], "es": ["sentiment"]}),
    ],
)
def test_languages_are_those_of_which_some_run_had_a_share(
    checkpoint_path: Path, tmp_path: Path, earlier: dict[str, Any], taught: dict[str, list[str]]
) -> None:
    for name in ("tweeteval_irony", "umsab_es", "ner_btc"):
        write_rows(tmp_path / name / "train.jsonl.gz", [{"text": name, "label": "irony"}])
    state = checkpoint.load(checkpoint_path)
    state.more["recipe"] = {"boosts": {"umsab_es": 0.0}}
    state.more["history"] = [{"stage": "train", "recipe": earlier}] if earlier else [{"stage": "wide"}]
    assert export.make_manifest("tiny-1", state, Calibration(), {}, tmp_path)["languages"] == taught


@pytest.mark.parametrize(
    ("earlier", "name"),
    [
        ([], "intfloat/multilingual-e5-small"),
        ([{"stage": "wide"}, {"stage": "train", "recipe": {"base": "/mpnet"}}], "/mpnet"),
    ],
)
def test_the_base_is_what_the_first_run_began_with(
    checkpoint_path: Path, tmp_path: Path, earlier: list[dict[str, Any]], name: str
) -> None:
    state = checkpoint.load(checkpoint_path)
    state.more["recipe"] = {"base": "e5"}
    state.more["history"] = earlier
    base = export.make_manifest("tiny-1", state, Calibration(), {}, tmp_path)["base"]
    assert base["name"] == name
    assert (base["licence"] == "MIT") == (not earlier)


def test_the_card_says_what_the_manifest_says(folder: Path, manifest: Any) -> None:
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# tiny-1\n")
    assert "0.5 core-hours" in card
    score = manifest["metrics"]["tweeteval_irony"]["f1_yes"]
    assert f"| tweeteval_irony | en | F1 of yes | {100 * score:.1f} | 25.0 |" in card
    for key, digest in manifest["data"].items():
        assert f"| {key} | " in card
        assert f" | {digest[:16]} |" in card
    assert "| ner_btc | GateNLP/broad_twitter_corpus | CC BY 4.0 |" in card


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([], " minutes;"),
        (["train", "beside", "train"], " minutes;"),
        (["train", "beside"], " minutes, averaged with 1 more run of the same start;"),
        (["beside", "beside"], " minutes, averaged with 2 more runs of the same start;"),
    ],
)
def test_the_card_counts_the_runs_that_were_averaged_last(
    manifest: Any, stages: list[str], said: str
) -> None:
    recipe = manifest["recipe"] | {"before": [{"stage": stage} for stage in stages]}
    line = next(
        line
        for line in render_card(manifest | {"recipe": recipe}).splitlines()
        if line.startswith("- Recipe")
    )
    assert said in line


def test_evaluating_the_artefact_finds_the_metrics_of_its_manifest(
    folder: Path, manifest: Any, data: Path
) -> None:
    found = evaluate.judge(folder, data, evaluate.Options(draws=10, threads=1))
    assert set(found["sets"]) == set(manifest["metrics"])
    assert found["model"].startswith("tiny-1-")
    for key, one in found["sets"].items():
        # Entities are cut at signs by the analyzer, as no score of raw tags is.
        if one["task"] != "entities":
            known = manifest["metrics"][key]
            assert one["score"]["value"] == pytest.approx(known[one["metric"]], abs=1e-4)
            assert one["calibration_error"]["value"] == pytest.approx(known["calibration_error"], abs=1e-3)


def test_a_gate_is_given_what_users_get(
    checkpoint_path: Path, folder: Path, manifest: Any, data: Path
) -> None:
    found = evaluate.run(folder, data)
    assert set(found) == set(manifest["metrics"])
    judged = evaluate.judge(folder, data, evaluate.Options(draws=1))["sets"]
    for key, scores in found.items():
        assert scores[SETS[key].metric] == judged[key]["score"]["value"]
        assert scores["calibration_error"] == judged[key]["calibration_error"]["value"]
    assert 0 <= evaluate.run(checkpoint_path, data, limit=2)["ner_btc"]["entity_f1"] <= 1


def test_a_gate_hears_the_thresholds_of_a_language(folder: Path, data: Path, tmp_path: Path) -> None:
    """All Spanish tweets get every emotion, or none, by thresholds that hold for Spanish alone."""

    def scored(threshold: float) -> dict[str, dict[str, float]]:
        changed = tmp_path / str(threshold)
        shutil.copytree(folder, changed)
        manifest = json.loads((changed / MANIFEST_FILE).read_bytes())
        stated = dict.fromkeys(TASKS["emotions"].labels, threshold)
        manifest["tasks"]["emotions"]["languages"] = {"es": {"temperature": 1.0, "thresholds": stated}}
        (changed / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
        return evaluate.run(changed, spanish)

    spanish = tmp_path / "data"
    texts = ["qué asco me da todo esto, de verdad", "esta mañana el tren llega tarde otra vez a la ciudad"]
    rows = [{"text": text, "label": "others"} for text in texts]
    write_rows(spanish / "emoevent_es" / "val.jsonl.gz", rows)
    english = [{"text": "so angry at this whole thing today", "label": "anger"}]
    write_rows(spanish / "tweeteval_emotion" / "val.jsonl.gz", english)
    all_said, none_said = scored(0.0), scored(1.0)
    assert all_said["emoevent_es"]["macro_f1"] == 0.0
    assert none_said["emoevent_es"]["macro_f1"] == 1.0
    assert all_said["tweeteval_emotion"] == none_said["tweeteval_emotion"]


def test_a_checkpoint_is_judged_beside_its_artefact(checkpoint_path: Path, folder: Path, data: Path) -> None:
    options = evaluate.Options(limit=2, draws=10, baselines=("majority",), threads=1)
    found = evaluate.judge(checkpoint_path, data, options, [folder])
    assert found["model"].startswith("last-")
    against, majority = found["rivals"]
    assert (against[:7], majority) == ("tiny-1-", "majority")
    assert set(found["sets"]["umsab_es"]["rivals"]) == {against, "majority"}
    assert set(found["sets"]["ner_btc"]["rivals"]) == {against}
    assert found["sets"]["umsab_es"]["rows"] == 2


def test_results_go_into_the_card(folder: Path, data: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    options = evaluate.Options(draws=10, baselines=("svm",), behaviour=True, robustness=True, threads=1)
    found = evaluate.judge(tmp_path, data, options)
    add_evaluation(tmp_path, found)
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    one = found["sets"]["tweeteval_irony"]
    assert (
        f"| tweeteval_irony | en | F1 of yes | {spell(one['score'])} | {spell_rival(one['rivals']['svm'])} |"
        in card
    )
    assert f"{found['behaviour']['passed']} of {found['behaviour']['cases']} cases passed" in card
    for part in (
        "By task and language",
        "Behaviour",
        "Calibration",
        "Intended use",
        "Limits",
        "What it cost",
        "Data",
    ):
        assert f"## {part}\n" in card
    # 0.5 core-hours of 12 W, and 1.3 times that with the building.
    assert "0.5 core-hours, about 0.01 kWh and 0.00 kg of CO2" in card
    # The card shows the picture that lies beside it, with words for whoever does not see it.
    assert _pictures(card) == ["reliability.svg"]
    assert "![Reliability of each task in each language" in card
    assert "<svg" in (tmp_path / "reliability.svg").read_text(encoding="utf-8")
    # The checksums hold, so the model still loads; what it says of itself can be written again and changes nothing.
    artifact = load_artifact(tmp_path)
    assert set(artifact.manifest.files) == {
        "model.onnx",
        "tokenizer.json",
        "MODEL_CARD.md",
        "reliability.svg",
    }
    add_evaluation(tmp_path, found)
    assert load_artifact(tmp_path).name == artifact.name


def test_the_card_says_why_entities_have_no_rival(manifest: Any) -> None:
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    compared = {"value": 0.2, "difference": {"value": 0.3, "low": 0.2, "high": 0.4}}
    one = {"lang": "en", "rows": 9, "score": score, "rivals": {}}
    irony = one | {"metric": "f1_yes", "rivals": dict.fromkeys(("majority", "svm", "older-1"), compared)}
    sets = {"tweeteval_irony": irony, "ner_btc": one | {"metric": "entity_f1"}}

    def lines(*rivals: str) -> list[str]:
        found = {"rivals": rivals, "draws": 10, "sets": sets, "tasks": {}, "mean": {"score": score}}
        return render_card(manifest | {"evaluation": found}).splitlines()

    why = '"-" here, and nothing in the tables below, is where a rival has no answer: entities are tagged {}.'
    assert why.format("by none of the rivals") in lines("majority", "svm")
    assert "| ner_btc | en | entity F1 | 50.0 [40.0, 60.0] | - | - |" in "\n".join(lines("majority", "svm"))
    assert why.format("not by majority and svm") in lines("majority", "svm", "older-1")
    assert "has no answer" not in "\n".join(lines("older-1"))
    assert any(line.endswith("; it tags no entities.") for line in render_card(manifest).splitlines())


def test_the_card_says_which_files_were_scored(
    folder: Path, data: Path, manifest: Any, tmp_path: Path
) -> None:
    shutil.copytree(data / "umsab_es", tmp_path / "umsab_es")
    (tmp_path / "umsab_es" / "val.jsonl.gz").rename(tmp_path / "umsab_es" / "test.jsonl.gz")
    found = evaluate.judge(folder, tmp_path, evaluate.Options(split="test", draws=10, threads=1))
    card = render_card(manifest | {"evaluation": condense(found)})
    assert "\n## Scores on the files `test`\n" in card
    assert "chosen on validation; what 8 bits cost" in card
    assert "on these files too" not in card
    plain = render_card(manifest)
    assert (
        "\n\n## Scores on validation\n\nThresholds and temperatures were chosen on these files too, so"
        in plain
    )


def _pictures(card: str) -> list[str]:
    return re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", card)


def test_a_card_without_an_evaluation_shows_no_picture(folder: Path) -> None:
    assert "![" not in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert not (folder / "reliability.svg").exists()


def test_whoever_writes_a_card_writes_its_picture(manifest: Any, tmp_path: Path) -> None:
    bins = [{"confidence": 0.7, "accuracy": 0.6, "answers": 9}]
    evaluation = {"tasks": {"irony": {"languages": {"en": {"reliability": bins}}}}}
    names = write_card(tmp_path, manifest | {"evaluation": evaluation})
    assert (
        sorted(names)
        == sorted(one.name for one in tmp_path.iterdir())
        == ["MODEL_CARD.md", "reliability.svg"]
    )
    assert "irony, en" in (tmp_path / "reliability.svg").read_text(encoding="utf-8")
    assert _pictures((tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")) == ["reliability.svg"]


def test_a_card_takes_no_results_of_another_model(folder: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="results of 'other-1-aabbccdd' for the model tiny-1"):
        add_evaluation(folder, {"model": "other-1-aabbccdd", "rivals": []})
    # Models of two trainings have one name where nobody gives them another.
    export.write_model(tiny_checkpoint(seed=9), data, tmp_path, "tiny-1")
    other = evaluate.judge(tmp_path, None, evaluate.Options(behaviour=True, threads=1))
    before = (folder / "MODEL_CARD.md").read_bytes()
    with pytest.raises(
        InputError, match=f"results of '{other['model']}' for the model {load_artifact(folder).name}"
    ):
        add_evaluation(folder, other)
    assert (folder / "MODEL_CARD.md").read_bytes() == before


def test_what_cannot_be_judged_is_refused(folder: Path, data: Path) -> None:
    with pytest.raises(InputError, match="baselines luck"):
        evaluate.judge(folder, data, evaluate.Options(baselines=("luck",)))
    with pytest.raises(InputError, match="0 draws"):
        evaluate.judge(folder, data, evaluate.Options(draws=0))
    with pytest.raises(InputError, match="no folder of data"):
        evaluate.judge(folder, None)


def test_the_suite_needs_no_data(folder: Path) -> None:
    found = evaluate.judge(folder, None, evaluate.Options(behaviour=True, threads=1))
    assert set(found) == {"model", "rivals", "behaviour", "graph"}
    assert found["graph"] == load_artifact(folder).manifest.files["model.onnx"]
    assert found["behaviour"]["cases"] > 300


def test_every_set_has_a_source_and_a_licence() -> None:
    known = licences()
    used = {entry.name for entry in SETS.values()} | set(EMOJI_SETS)
    for pool in POOLS:
        given = [name for name in known if fnmatch(_file_of(name), pool.pattern)]
        assert given or pool.pattern.partition("/")[0] in used, pool.pattern
        used |= set(given)
    assert used - set(known) == set()
    guide = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for name in sorted(used):
        told = [line for line in guide.splitlines() if line.startswith(f"| `{name}` |")]
        assert [line.endswith(" | {} | {} |".format(*known[name])) for line in told] == [True], name


def _file_of(name: str) -> str:
    return f"{name}.txt.gz" if "/" in name else f"{name}/train.jsonl.gz"


def test_texts_without_labels_are_in_the_manifest_and_the_card(
    checkpoint_path: Path, manifest: Any, tmp_path: Path
) -> None:
    for name in ("tweeteval_irony", "emojispace_es", "trend_events_es"):
        write_rows(tmp_path / name / "train.jsonl.gz", [{"text": name, "label": "irony"}])
    (tmp_path / "unlabeled").mkdir()
    (tmp_path / "unlabeled" / "es.txt.gz").write_bytes(b"not read here")
    state = checkpoint.load(checkpoint_path)
    found = export.make_manifest("tiny-1", state, Calibration(), {}, tmp_path)["data"]
    assert set(found) == {"tweeteval_irony", "emojispace_es", "trend_events_es", "unlabeled/es"}
    assert found["unlabeled/es"] == file_digest(tmp_path / "unlabeled" / "es.txt.gz")
    card = render_card(manifest | {"data": found})
    assert 'Of a set whose "text" is taken no label was used' in card
    assert '"text" is taken' not in render_card(manifest | {"data": {"tweeteval_irony": "0" * 64}})
    known = licences()
    for name, taken in (
        ("tweeteval_irony", "labels"),
        ("emojispace_es", "emoji"),
        ("trend_events_es", "text"),
        ("unlabeled/es", "text"),
    ):
        assert " | ".join(("| " + name, *known[name], taken, found[name][:16])) + " |\n" in card


def test_checksums_are_of_the_files(folder: Path, manifest: Any) -> None:
    assert set(manifest["files"]) == {"model.onnx", "tokenizer.json", "MODEL_CARD.md"}
    assert manifest["files"]["tokenizer.json"] == file_digest(folder / "tokenizer.json")


def test_the_baseline_learns_what_words_tell(data: Path) -> None:
    found = baseline.run(data)
    assert set(found) == {
        "tweeteval_sentiment",
        "umsab_es",
        "tweeteval_emotion",
        "emoevent_es",
        "tweeteval_irony",
        "tweeteval_hate",
        "tweet_topicxl_en",
    }
    # The invented sets repeat their sentences with another ending: words are enough.
    assert min(found.values()) > 0.9
