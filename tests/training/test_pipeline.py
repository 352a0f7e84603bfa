"""The pipelines as data: what is committed is what the code compiles, and every step has its place on the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("kfp", reason="needs trendlark[pipeline]")

from tests.support.http_api import Api, Asked, serving
from trendlark import __version__
from trendlark.errors import InputError
from trendlark.training.pipeline.graphs import ROOT as CLAIM_ROOT
from trendlark.training.pipeline.graphs import Site, make_pipeline
from trendlark.training.pipeline.running import (
    PipelineError,
    Server,
    _runner,
    compile_pipeline,
    parse_parameters,
    submit,
)

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "deploy" / "kubeflow" / "compiled"
NAMES = ("train", "reanalyze")
_UNCACHED = {
    "prepare-data", "find-service", "plan-runs", "publish-model", "roll-out-model", "keep-service", "list-days",
    "analyze-day", "tell-days",
}  # fmt: skip


@cache
def committed(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A committed pipeline: its specification, and what Kubernetes adds."""
    spec, platform = yaml.safe_load_all((COMMITTED / f"{name}.yaml").read_text(encoding="utf-8"))
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def tasks(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All tasks of a pipeline that run a container, in loops and branches, too."""
    for dag in (spec["root"], *spec["components"].values()):
        for name, task in dag.get("dag", {}).get("tasks", {}).items():
            if "executorLabel" in spec["components"][task["componentRef"]["name"]]:
                yield name, task


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_compiles(name: str, tmp_path: Path) -> None:
    compile_pipeline(name, tmp_path / "made.yaml")
    assert (tmp_path / "made.yaml").read_text(encoding="utf-8") == (COMMITTED / f"{name}.yaml").read_text(
        encoding="utf-8"
    ), "run `make pipelines`"


@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_image_claim_user_resources_tries_and_time(name: str) -> None:
    spec, pods = committed(name)
    executors = spec["deploymentSpec"]["executors"]
    assert set(executors) == set(pods)
    for key, executor in executors.items():
        container = executor["container"]
        assert container["image"] == f"trendlark/train:{__version__}"
        # Nothing is installed when a step begins: its pod needs no package index.
        assert not any("pip install" in word for word in container["command"])
        assert {"cpuLimit", "cpuRequest", "memoryLimit", "memoryRequest"} <= {
            re.sub("^resource(.)", lambda found: found[1].lower(), one) for one in container["resources"]
        }
        [mount] = pods[key]["pvcMount"]
        assert (mount["constant"], mount["mountPath"]) == ("trendlark-lake", "/data")
        assert CLAIM_ROOT.startswith(mount["mountPath"])
        assert pods[key]["securityContext"] == {
            "runAsUser": "10001",
            "runAsGroup": "10001",
            "runAsNonRoot": True,
        }
        assert int(pods[key]["activeDeadlineSeconds"]) >= 3600
    for key, task in tasks(spec):
        tried = task.get("retryPolicy", {}).get("maxRetryCount", 0)
        assert tried == 0 if key == "roll-out-model" else tried >= 2, key
        assert bool(task["cachingOptions"].get("enableCache")) == (key not in _UNCACHED), key


def test_what_is_cached_is_cached_by_the_data() -> None:
    """A cached step gets the digest, or what was made from it, never the place that the data came from."""
    spec, _ = committed("train")
    for key, task in tasks(spec):
        if task["cachingOptions"].get("enableCache"):
            given = set(task["inputs"]["parameters"])
            assert "source" not in given, key
            assert given & {"digest", "plan", "run", "evaluations"}, key


def test_the_steps_stand_in_order() -> None:
    spec, _ = committed("train")
    outer = spec["root"]["dag"]["tasks"]
    loop = next(task for name, task in outer.items() if name.startswith("for-loop"))
    assert loop["iteratorPolicy"]["parallelismLimit"] == 2
    assert loop["dependentTasks"] == ["plan-runs"]
    assert outer["plan-runs"]["dependentTasks"] == ["prepare-data"]
    assert sorted(outer["gate-model"]["dependentTasks"]) == [
        "evaluate-service",
        next(n for n in outer if "loop" in n),
    ]
    passed = next(
        dag for dag in spec["components"].values() if "export-model" in dag.get("dag", {}).get("tasks", {})
    )
    branch = passed["dag"]["tasks"]
    assert branch["publish-model"]["dependentTasks"] == ["export-model"]
    assert branch["roll-out-model"]["dependentTasks"] == ["publish-model"]


def test_the_dashboard_is_given_pictures() -> None:
    spec, _ = committed("train")
    shown = {
        output["artifactType"]["schemaTitle"]
        for component in spec["components"].values()
        for output in component.get("outputDefinitions", {}).get("artifacts", {}).values()
    }
    assert {
        "system.Metrics",
        "system.ClassificationMetrics",
        "system.Markdown",
        "system.HTML",
        "system.Model",
    } <= shown


def test_a_site_is_written_into_the_pipeline(tmp_path: Path) -> None:
    site = Site("registry.example/train:2", "other", "8", "32Gi", 1, {"pool": "gpu"})
    compile_pipeline("train", tmp_path / "made.yaml", site)
    spec, platform = yaml.safe_load_all((tmp_path / "made.yaml").read_text(encoding="utf-8"))
    executors, pods = (
        spec["deploymentSpec"]["executors"],
        platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"],
    )
    assert {one["container"]["image"] for one in executors.values()} == {"registry.example/train:2"}
    assert {one["pvcMount"][0]["constant"] for one in pods.values()} == {"other"}
    resources = executors["exec-train-model"]["container"]["resources"]
    assert (resources["resourceCpuLimit"], resources["resourceMemoryLimit"]) == ("8", "32Gi")
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert pods["exec-train-model"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert pods["exec-train-model"]["tolerations"] == [
        {"key": "pool", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert not {"nodeSelector", "tolerations"} & set(pods["exec-export-model"])
    compile_pipeline("train", tmp_path / "made.yaml", Site(caching=False))
    assert "enableCache" not in (tmp_path / "made.yaml").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="there are train, reanalyze"):
        make_pipeline("other", site)


def test_what_cannot_be_written_is_said_before_anything_else(tmp_path: Path) -> None:
    compile_pipeline("reanalyze", tmp_path / "new" / "made.yaml")
    assert (tmp_path / "new" / "made.yaml").is_file()
    (tmp_path / "folder.yaml").mkdir()
    for wrong, told in (
        (tmp_path / "made.yml", "allowed is a name that ends in .yaml"),
        (tmp_path / "folder.yaml", "Could not write .*folder.yaml"),
        (tmp_path / "new" / "made.yaml" / "made.yaml", "allowed is a file in a folder"),
    ):
        with pytest.raises(InputError, match=told):
            compile_pipeline("reanalyze", wrong)


def test_a_token_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name in ("none", "bytes"):
        with pytest.raises(InputError, match=f"Could not read the token in .*{name}"):
            submit(
                Server("http://127.0.0.1:9", token_file=tmp_path / name),
                COMMITTED / "train.yaml",
                "train",
                {},
            )


def test_parameters_are_read_by_their_types() -> None:
    given = {"data": "/d", "seeds": "[0, 1]", "minutes": "1.5", "steps_of_training": "7", "models": ""}
    assert parse_parameters("train", given) == {
        "data": "/d",
        "seeds": [0, 1],
        "minutes": 1.5,
        "steps_of_training": 7,
        "models": "",
    }
    with pytest.raises(InputError) as caught:
        parse_parameters("train", {"seeds": "0", "limit": "many", "rounds": "3", "task_loss": "nan"})
    told = str(caught.value)
    assert all(
        part in told
        for part in (
            *("rounds is no parameter", "data is missing", "seeds is '0'", "limit is 'many'"),
            "task_loss is 'nan', not of the type Float",
        )
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_in_the_docs_with_its_default(name: str) -> None:
    inputs = make_pipeline(name, Site()).component_spec.inputs
    text = (
        (ROOT / "docs/pipeline.md")
        .read_text(encoding="utf-8")
        .split("## Past hours again")[NAMES.index(name)]
    )
    rows = re.findall(r"^\|([^|]*)\|([^|]*)\|", text, flags=re.M)
    told = {key: default.strip("` ") for names, default in rows for key in re.findall(r"`(\w+)`", names)}
    assert set(told) == set(inputs)
    for key, spec in inputs.items():
        if spec.default in (None, "", 0, 0.0) and key not in ("mean_gain",):
            continue  # told in words
        assert told[key] == (f"{spec.default:g}" if isinstance(spec.default, float) else str(spec.default)), (
            key
        )


def test_docker_gets_what_the_parameters_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "default").mkdir()
    (tmp_path / "mine.toml").touch()
    given = {"root": "claim", "data": "s3://bucket/sets", "models": "", "recipe": "mine.toml", "base": "e5"}
    runner = _runner("docker", given | {"service": "default", "lake": "steps"}, tmp_path / "steps")
    run = runner.container_run_args
    mounts = [(one["Source"], one["Target"]) for one in run["mounts"]]
    # kfp mounts the folder of the steps itself.
    assert mounts == [(str(place), str(place)) for place in (tmp_path / "claim", tmp_path / "mine.toml")]
    assert run["environment"]["AWS_REGION"] == "eu-west-1"
    assert all(key.startswith("AWS_") for key in run["environment"])
    assert (tmp_path / "claim").is_dir()


def _kfp(asked: Asked) -> tuple[int, Any]:
    """Kubeflow Pipelines' API, as far as a submission needs it."""
    path = asked.path.split("?")[0]
    if asked.method == "GET":
        return 200, {"experiments": []} if path.endswith("/experiments") else {"multi_user": False}
    made = {
        "experiments": {"experiment_id": "e1"},
        "runs": {"run_id": "r1"},
        "recurringruns": {"recurring_run_id": "c1"},
    }
    return 200, made[path.rsplit("/", 1)[1]] | {"display_name": "x"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api]:
    monkeypatch.setattr("kfp.client.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    with serving(_kfp) as running:
        yield running


def test_a_run_is_submitted_with_its_parameters(api: Api, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n", encoding="utf-8")
    server = Server(api.url, token_file=token)
    assert (
        submit(server, COMMITTED / "train.yaml", "train", {"data": "s3://bucket/sets", "seeds": [1, 2]})
        == "r1"
    )
    sent = api.of("POST")[-1]
    assert sent.path.split("?")[0] == "/apis/v2beta1/runs"
    assert sent.body["runtime_config"]["parameters"] == {"data": "s3://bucket/sets", "seeds": [1, 2]}
    assert sent.body["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "trendlark-train"
    assert "kubernetes" in sent.body["pipeline_spec"]["platform_spec"]["platforms"]
    assert {one.headers.get("authorization", one.headers.get("Authorization")) for one in api.asked} == {
        "Bearer s3cret"
    }


def test_a_recurring_run_is_submitted_by_its_schedule(api: Api) -> None:
    server = Server(api.url)
    assert submit(server, COMMITTED / "train.yaml", "train", {"data": "/data/sets"}, "0 3 * * 1") == "c1"
    sent = api.of("POST")[-1].body
    assert sent["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * 1"
    assert (int(sent["max_concurrency"]), sent["no_catchup"]) == (1, True)
    for wrong in ("daily", "0 3 * *", "0 3 * * 1 $(x)"):
        with pytest.raises(InputError, match="five fields"):
            submit(server, COMMITTED / "train.yaml", "train", {}, wrong)


def test_a_server_that_refuses_is_named(tmp_path: Path) -> None:
    with (
        serving(lambda _: (403, {"error": "no"})) as api,
        pytest.raises(PipelineError, match=re.escape(api.url) + " did not take the pipeline"),
    ):
        submit(Server(api.url), COMMITTED / "train.yaml", "train", {"data": "/d"})
