"""The steps of the pipeline as functions over a folder: each finds what was done before, and loses nothing."""

from __future__ import annotations

import json
import math
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

pytest.importorskip("tomli_w", reason="needs trendlark[pipeline]")

from tests.support.s3_server import running_s3
from tests.support.tiny_model import make_tiny_artifact
from tests.training.bases import write_base
from tests.training.tiny import tiny_checkpoint, write_rows
from trendlark.errors import InputError, ModelError, NotFoundError
from trendlark.nlu.artifact import load_artifact
from trendlark.training import checkpoint, export
from trendlark.training.examples import load_examples
from trendlark.training.steps import data as data_steps
from trendlark.training.steps import ship as ship_steps
from trendlark.training.steps.claim import Claim
from trendlark.training.steps.data import prepare
from trendlark.training.steps.judge import judge, judge_service
from trendlark.training.steps.learn import CHECKPOINT_FILE, Plan, data_of, learn, plan
from trendlark.training.steps.shelf import in_service, name_of, open_shelf
from trendlark.training.steps.ship import Difference, ship

RECIPE = 'name = "tiny"\nsteps = 2\ntokens_per_batch = 64\n'


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    return Claim(tmp_path / "claim")


@pytest.fixture
def wanted(claim: Claim, data: Path, tmp_path: Path) -> Plan:
    (tmp_path / "tiny.toml").write_text(RECIPE, encoding="utf-8")
    tiny_checkpoint().save(tmp_path / "start.pt")
    return Plan(prepare(claim, str(data)), str(tmp_path / "tiny.toml"), str(tmp_path / "start.pt"))


def test_data_are_kept_under_their_digest(claim: Claim, data: Path, tmp_path: Path) -> None:
    digest = prepare(claim, str(data))
    kept = claim.data(digest)
    names = sorted(path.relative_to(data) for path in data.rglob("*.gz"))
    assert sorted(path.relative_to(kept) for path in kept.rglob("*.gz")) == names
    assert all((kept / name).read_bytes() == (data / name).read_bytes() for name in names)
    # Another place with the same content is the same data, and other content is not.
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    assert prepare(claim, str(copy)) == digest
    write_rows(copy / "tweeteval_irony" / "train.jsonl.gz", [{"text": "well", "label": "irony"}])
    assert prepare(claim, str(copy)) != digest
    assert claim.data(digest) == kept
    assert not [path for path in (claim.root / "data").iterdir() if path.name.startswith(".")]


def test_data_come_from_s3_as_from_a_folder(
    claim: Claim, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_s3() as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="sets")
        for path in data.rglob("*.gz"):
            client.upload_file(str(path), "sets", f"tweets/{path.relative_to(data)}")
        assert prepare(claim, "s3://sets/tweets") == prepare(claim, str(data))


def test_data_that_cannot_be_used_are_refused_before_anything_is_kept(claim: Claim, tmp_path: Path) -> None:
    for source, told in (
        ("", "a folder and an s3://"),
        ("http://x", "a folder and an s3://"),
        ("/nowhere", "no .gz"),
    ):
        with pytest.raises(InputError, match=told):
            prepare(claim, source)
    folder = tmp_path / "sets"
    write_rows(folder / "tweeteval_irony" / "train.jsonl.gz", [{"text": "well", "label": "irony"}])
    with pytest.raises(InputError, match="no validation file"):
        prepare(claim, str(folder))
    write_rows(
        folder / "tweeteval_irony" / "val.jsonl.gz", [{"text": "well", "label": "irony"}, {"words": 1}]
    )
    with pytest.raises(InputError, match=r"tweeteval_irony/val.jsonl.gz, line 2"):
        prepare(claim, str(folder))
    assert list((claim.root / "data").iterdir()) == []


def test_the_report_tells_the_sets(claim: Claim, data: Path) -> None:
    told = data_steps.report(claim, prepare(claim, str(data)))
    assert "| tweeteval_irony/train | " in told
    assert "irony 50%, non_irony 50%" in told
    assert "| davidson_en/train | " in told


def test_plans_are_checked_before_any_training(wanted: Plan, tmp_path: Path) -> None:
    seeds = plan(wanted.digest, wanted.recipe, wanted.base, [3, 1, 3], 5, 0.0)
    assert [(one.seed, one.settled().seed, one.settled().steps) for one in seeds] == [(3, 3, 5), (1, 1, 5)]
    assert plan(wanted.digest, wanted.recipe, "e5", [0], 0, 0.0)[0].settled().steps == 2
    [by_epochs] = plan(wanted.digest, wanted.recipe, wanted.base, [0], epochs=0.5)
    assert by_epochs.settled().epochs == 0.5
    (tmp_path / "epochs.toml").write_text(RECIPE + "epochs = 3\n", encoding="utf-8")
    [by_steps] = plan(wanted.digest, str(tmp_path / "epochs.toml"), wanted.base, [0], steps=7)
    assert (by_steps.settled().epochs, by_steps.settled().steps) == (0, 7)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{}", encoding="utf-8")
    for begun in ("old/last.pt", "default", str(tmp_path / "model")):
        on = replace(wanted, base=begun)
        assert (on.start, on.settled().base) == (Path(begun), by_epochs.settled().base)
    assert plan(wanted.digest, wanted.recipe, "e5", [0])[0].start is None
    assert plan(wanted.digest, wanted.recipe, "", [0])[0].start is None
    for change, told in (
        ({"recipe": "unknown"}, "No recipe 'unknown'"),
        ({"base": "gpt"}, "base is 'gpt', not one of"),
        ({"steps": -1}, "steps is -1"),
        ({"epochs": -0.5}, "epochs is -0.5"),
        ({"steps": 5, "epochs": 2.0}, "Found 5 steps and 2 epochs; allowed is one of them"),
        ({"seeds": []}, "no seed"),
        ({"seeds": [0, "a"]}, "a seed is 'a'. Allowed are 0 and more, of seeds whole numbers"),
        ({"seeds": [0.5]}, "a seed is 0.5"),
        ({"seeds": [[1]]}, r"a seed is \[1\]"),
        ({"seeds": [True]}, "a seed is True"),
        ({"seeds": [-1]}, "a seed is -1"),
        ({"minutes": -5.0}, "minutes is -5.0"),
        ({"minutes": math.nan, "epochs": math.inf}, "minutes is nan and epochs is inf"),
    ):
        given = {"digest": "d", "recipe": wanted.recipe, "base": "", "seeds": [0], "steps": 0, "minutes": 0.0}
        with pytest.raises(InputError, match=told):
            plan(**(given | change))  # type: ignore[arg-type]


def test_what_a_run_is_planned_with_is_in_its_plan(wanted: Plan, tmp_path: Path) -> None:
    """A plan is what answers are kept by: what lies under the same paths is told apart."""

    def planned(base: str = wanted.base) -> str:
        [one] = plan(wanted.digest, wanted.recipe, base, [0])
        return one.run

    first = planned()
    assert planned() == first
    tiny_checkpoint(3).save(tmp_path / "start.pt")
    second = planned()
    assert second != first
    (tmp_path / "tiny.toml").write_text(RECIPE.replace("2", "3"), encoding="utf-8")
    third = planned()
    assert third not in (first, second)
    base = write_base(tmp_path / "base")
    encoder = planned(base=str(base))
    assert encoder != third
    (base / "config.json").write_text((base / "config.json").read_text() + "\n", encoding="utf-8")
    assert planned(base=str(base)) != encoder
    with pytest.raises(NotFoundError, match=r"Found no checkpoint at .*gone.pt to go on from"):
        planned(base=str(tmp_path / "gone.pt"))


def test_a_run_is_trained_by_what_it_was_planned_with(claim: Claim, wanted: Plan, tmp_path: Path) -> None:
    [one] = plan(wanted.digest, wanted.recipe, wanted.base, [0])
    run = learn(claim, one)
    assert run == one.run
    (tmp_path / "tiny.toml").write_text(RECIPE.replace("2", "3"), encoding="utf-8")
    with pytest.raises(InputError, match=rf"changed after the run {run} was planned.*Run the pipeline again"):
        learn(claim, one)
    tiny_checkpoint(3).save(tmp_path / "start.pt")
    [other] = plan(wanted.digest, wanted.recipe, wanted.base, [0])
    # Another checkpoint under the same name is learnt from, not answered from what lies there.
    assert learn(claim, other) not in ("", run)


def test_a_model_in_service_is_named_by_what_it_is(data: Path, tmp_path: Path) -> None:
    export.write_model(tiny_checkpoint(1), data, tmp_path / "model", "tiny")
    first = name_of(str(tmp_path / "model"))
    export.write_model(tiny_checkpoint(2), data, tmp_path / "model", "tiny")
    assert {first[:5], name_of(str(tmp_path / "model"))[:5]} == {"tiny-"}
    assert name_of(str(tmp_path / "model")) != first
    tiny_checkpoint(1).save(tmp_path / "last.pt")
    assert re.fullmatch(r"last-[0-9a-f]{8}", name_of(str(tmp_path / "last.pt")))
    assert (name_of("none"), name_of("fake")) == ("none", "fake")
    with pytest.raises(NotFoundError, match="no checkpoint"):
        name_of("gone.pt")


def test_another_model_in_the_same_folder_is_another_start(
    claim: Claim, wanted: Plan, data: Path, tmp_path: Path
) -> None:
    begun = replace(wanted, base=str(tmp_path / "model"))
    export.write_model(tiny_checkpoint(1), data, tmp_path / "model", "tiny")
    first = learn(claim, begun)
    assert learn(claim, begun) == first
    export.write_model(tiny_checkpoint(2), data, tmp_path / "model", "tiny")
    assert learn(claim, begun) != first


def test_a_finished_run_is_not_done_again(
    claim: Claim, wanted: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    with claim.logged("train-model"):
        run = learn(claim, wanted)
    last = claim.run(run) / CHECKPOINT_FILE
    written = last.stat().st_mtime_ns
    assert checkpoint.load(last).more["step"] == 2
    assert data_of(claim, run) == wanted.digest
    assert learn(claim, wanted) == run
    assert last.stat().st_mtime_ns == written
    assert learn(claim, Plan(**(wanted.to_dict() | {"seed": 1}))) != run
    # An epoch meets as many examples as there are, whatever the recipe says of steps.
    by_epochs = claim.run(learn(claim, Plan(**(wanted.to_dict() | {"epochs": 0.2}))))
    examples = load_examples(claim.data(wanted.digest), checkpoint.load(last).tokenizer, ())
    step = checkpoint.load(by_epochs / CHECKPOINT_FILE).more["step"]
    assert step > 2
    assert step * 12 > 0.2 * sum(map(len, examples.values())) > step  # 5 to 12 texts to a batch
    [log] = (claim.root / "logs").iterdir()
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("train-model ") for line in lines)
    assert "begins" in lines[0]
    assert "ends" in lines[-1]


def test_a_run_that_two_ask_for_at_once_is_done_once(
    claim: Claim, wanted: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: learn(claim, wanted), range(2))
    assert first == second
    told = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("schedule: ") for line in told) == 1
    assert f"waiting for another run, which is at work in {claim.run(first)}" in told
    assert told[-1] == f"run: {first} is finished, nothing to train"


def test_what_a_failed_step_said_is_kept(claim: Claim) -> None:
    with pytest.raises(NotFoundError, match="without caching"), claim.logged("evaluate-model"):
        judge(claim, "gone")
    [log] = (claim.root / "logs").iterdir()
    assert "evaluate-model" in log.read_text(encoding="utf-8")
    assert "fails: NotFoundError: Found no training run" in log.read_text(encoding="utf-8")


def test_a_run_is_judged_exported_and_shelved(claim: Claim, wanted: Plan) -> None:
    run = learn(claim, wanted)
    evaluation, pictures = judge(claim, run)
    assert json.loads((claim.run(run) / "evaluation.json").read_bytes()) == evaluation.to_dict()
    assert {"tweeteval_irony", "umsab_es", "ner_btc"} <= set(evaluation.sets)
    assert sum(map(sum, pictures.confusion)) == 12  # all validation rows of sentiment
    false, true, threshold = pictures.roc["irony"]
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert max(threshold) <= 1

    folder, difference = ship(claim, run, "tiny", 0.05)
    assert difference.exact < 1e-4
    assert 0 < max(one["mean"] for one in difference.tasks.values()) < 0.05
    told = ship_steps.told(difference, 0.05)
    assert "| irony |" in told
    assert "On 200 tweets of no data set." in told
    # The artefact says so itself.
    compared = json.loads((folder / "manifest.json").read_bytes())["equality"]
    assert compared["texts"] == difference.texts == 200
    assert set(compared["tasks"]) == set(difference.tasks)
    assert "PyTorch on 200 tweets" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    with pytest.raises(ModelError, match=r"not the model that was trained.*Nothing was published"):
        ship(claim, run, "tiny", 0.0)

    shelf = open_shelf(str(claim.models))
    assert in_service(shelf, "current") == "default"
    version = shelf.publish(folder, {"run": run})
    # Asked for again it is the same model, not another one of a later hour; by another name it is another.
    assert ship(claim, run, "tiny", 0.05) == (folder, difference)
    assert load_artifact(folder).name == version
    (folder / "model.onnx").write_bytes(b"torn")
    assert load_artifact(ship(claim, run, "tiny", 0.05)[0]).name != version
    assert load_artifact(ship(claim, run, "other", 0.05)[0]).name.startswith("other-")
    assert version == load_artifact(claim.models / version).name
    assert shelf.publish(claim.models / version, {"run": "again"}) == version
    [entry] = shelf.read()["models"]
    assert entry["run"] == run
    assert entry["files"] == load_artifact(claim.models / version).manifest.files
    shelf.set_current(version)
    assert in_service(shelf, "current") == str(claim.models / version)
    # Candidate and model in service are judged by one rule: the same model is as good in either place.
    address = in_service(shelf, "current")
    serving = judge_service(claim, wanted.digest, address, name_of(address))
    assert (serving.model, serving.sets, serving.mean) == (version, evaluation.sets, evaluation.mean)
    nothing = judge_service(claim, wanted.digest, "none", name_of("none"))
    assert (nothing.model, nothing.sets) == ("none", {})


def test_an_export_that_is_another_model_is_refused() -> None:
    wrong = Difference(0.5, {"irony": {"mean": 0.001}})
    with pytest.raises(ModelError, match=r"in single precision differ by 0.5"):
        ship_steps._check(wrong, 0.02)
    nothing = Difference(float("nan"), {"irony": {"mean": float("nan")}})
    with pytest.raises(ModelError, match="differ by nan"):
        ship_steps._check(nothing, 0.02)
    late = Difference(0.0, {"irony": {"mean": 0.001}, "hate": {"mean": float("nan")}})
    with pytest.raises(ModelError, match="probabilities of hate with 8 bits differ by nan"):
        ship_steps._check(late, 0.02)


def test_a_shelf_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3() as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="models")
        shelf = open_shelf("s3://models/shelf/")
        version = shelf.publish(make_tiny_artifact(tmp_path / "model"), {"run": "one"})
        shelf.set_current(version)
        assert in_service(shelf, "current") == f"s3://models/shelf/{version}"
        assert load_artifact(in_service(shelf, "current")).name == version


def test_runs_that_publish_at_once_lose_nothing(tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "shelf"))
    made = [make_tiny_artifact(tmp_path / name, name=name) for name in ("a", "b", "c", "d", "e", "f")]

    def publish(artefact: Path) -> str:
        version = shelf.publish(artefact, {})
        shelf.set_current(version)
        return version

    with ThreadPoolExecutor(len(made) * 2) as pool:
        versions = list(pool.map(publish, made * 2))
    content = shelf.read()
    assert sorted(one["version"] for one in content["models"]) == sorted(set(versions))
    assert {content["current"], content["previous"]} <= set(versions)
    assert [load_artifact(shelf.of(one)).name for one in versions] == versions


def test_a_shelf_without_an_earlier_model_says_so(tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "shelf"))
    version = shelf.publish(make_tiny_artifact(tmp_path / "model"), {})
    shelf.set_current(version)
    with pytest.raises(NotFoundError, match=rf"Found no model 'previous' at .*; published are: {version}"):
        shelf.find("previous")


def test_a_shelf_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text('{"models": []}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"Could not read .*models.json"):
        open_shelf(str(tmp_path)).read()
    for wrong in ("", "gs://bucket"):
        with pytest.raises(ModelError, match="allowed are a folder and an s3://"):
            open_shelf(wrong)
