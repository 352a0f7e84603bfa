"""Rolling a model out over the Kubernetes API: all targets take it, or all get back what they had."""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes", reason="needs trendlark[pipeline]")

from tests.support.fake_cluster import FakeCluster, Object, deployment, inference_service, running
from tests.support.http_api import Api, Asked
from tests.support.tiny_model import make_tiny_artifact
from trendlark.errors import InputError, ModelError, NotFoundError
from trendlark.training.steps import rollout
from trendlark.training.steps.rollout import Cluster, Target, parse_targets, put_in_service, roll_out
from trendlark.training.steps.shelf import open_shelf

NEW, OLD = "/data/training/models/new-1", "/data/training/models/old-1"
Start = Callable[[FakeCluster], Api]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(rollout, "_POLL_SECONDS", 0.01)
    with ExitStack() as stack:
        yield lambda cluster: stack.enter_context(running(cluster, tmp_path / "kubeconfig"))


def two_services(bad: str = "(none)") -> FakeCluster:
    objects = {"deployments/web": deployment("web", OLD), "deployments/analyzer": deployment("analyzer")}
    return FakeCluster(objects, frozenset([bad]))


def test_targets_are_read() -> None:
    assert parse_targets(" deployment/web, inferenceservice/nlu ,") == (
        Target("deployment", "web"),
        Target("inferenceservice", "nlu"),
    )
    assert parse_targets("") == ()
    for wrong in ("web", "pod/web", "deployment/"):
        with pytest.raises(InputError, match="deployment/NAME and inferenceservice/NAME"):
            parse_targets(wrong)


def test_all_deployments_take_the_model_and_keep_their_other_variables(start: Start) -> None:
    cluster = two_services()
    api = start(cluster)
    roll_out(Cluster("trendlark"), parse_targets("deployment/web,deployment/analyzer"), NEW, 30)
    assert cluster.model_of("web") == cluster.model_of("analyzer") == NEW
    [container] = cluster.objects["deployments/web"]["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "TRENDLARK_THREADS", "value": "1"},
        {"name": "TRENDLARK_MODEL", "value": NEW},
    ]
    assert container["image"] == "trendlark/service:0.1.0"
    assert {one.path for one in api.of("PATCH")} == {
        f"/apis/apps/v1/namespaces/trendlark/deployments/{name}" for name in ("web", "analyzer")
    }
    # It waited: each was looked at again after the patch, until its new pods were there.
    assert api.asked[-1].method == "GET"


def test_when_one_does_not_become_ready_all_are_rolled_back(start: Start) -> None:
    cluster = two_services(bad=NEW)
    before = {name: found["spec"] for name, found in _copied(cluster).items()}
    start(cluster)
    with pytest.raises(ModelError, match=r"do not become ready.*given back the model that they had"):
        roll_out(Cluster("trendlark"), parse_targets("deployment/analyzer,deployment/web"), NEW, 30)
    assert cluster.model_of("web") == OLD
    assert cluster.model_of("analyzer") is None
    assert {name: found["spec"] for name, found in cluster.objects.items()} == before


def test_what_takes_too_long_is_rolled_back(start: Start) -> None:
    cluster = two_services()
    start(cluster)
    with pytest.raises(ModelError, match=r"has not seen the change.*given back"):
        roll_out(Cluster("trendlark"), parse_targets("deployment/web"), NEW, 0)
    assert cluster.model_of("web") == OLD


def test_a_target_that_is_missing_is_named_and_the_others_are_rolled_back(start: Start) -> None:
    cluster = two_services()
    start(cluster)
    with pytest.raises(ModelError, match=r"404.*about deployment/api in trendlark.*given back"):
        roll_out(Cluster("trendlark"), parse_targets("deployment/web,deployment/api"), NEW, 30)
    assert cluster.model_of("web") == OLD


@pytest.mark.parametrize(
    ("predictor", "wanted"),
    [
        (
            {"containers": [{"name": "kserve-container", "env": []}]},
            {
                "containers": [
                    {"name": "kserve-container", "env": [{"name": "TRENDLARK_MODEL", "value": NEW}]}
                ]
            },
        ),
        (
            {"model": {"modelFormat": {"name": "trendlark"}, "storageUri": OLD}},
            {"model": {"modelFormat": {"name": "trendlark"}, "storageUri": NEW}},
        ),
    ],
)
def test_an_inference_service_takes_it_as_it_holds_its_model(
    start: Start, predictor: Object, wanted: Object
) -> None:
    cluster = FakeCluster(
        {
            "inferenceservices/nlu": inference_service("nlu", predictor),
            "deployments/nlu-predictor": deployment("nlu-predictor"),
        }
    )
    api = start(cluster)
    roll_out(Cluster("trendlark"), parse_targets("inferenceservice/nlu"), NEW, 30)
    assert cluster.objects["inferenceservices/nlu"]["spec"]["predictor"] == wanted
    assert api.of("PATCH")[0].path.startswith("/apis/serving.kserve.io/v1beta1/")
    # Ready alone is not believed: the Deployment behind it was asked, too.
    assert any(one.path.endswith("/deployments/nlu-predictor") for one in api.of("GET"))


@pytest.mark.parametrize(
    "predictor",
    [
        {"model": {"modelFormat": {"name": "trendlark"}, "storageUri": OLD}},
        {"model": {"modelFormat": {"name": "trendlark"}, "args": ["--threads=1"]}},
        {"containers": [{"name": "kserve-container", "env": []}]},
    ],
)
def test_an_inference_service_gets_back_what_it_had(start: Start, predictor: Object) -> None:
    objects = {
        "inferenceservices/nlu": inference_service("nlu", copy.deepcopy(predictor)),
        "deployments/nlu-predictor": deployment("nlu-predictor"),
    }
    cluster = FakeCluster(objects, frozenset([NEW]))
    start(cluster)
    with pytest.raises(ModelError, match="given back the model that they had"):
        roll_out(Cluster("trendlark"), parse_targets("inferenceservice/nlu"), NEW, 30)
    assert cluster.objects["inferenceservices/nlu"]["spec"]["predictor"] == predictor


@dataclass(slots=True)
class ShakyCluster(FakeCluster):
    """A cluster whose API server is away for so many requests of a method, after the first of them."""

    away: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.asked.append(asked.method)
        if self.asked.count(asked.method) > 1 and self.away.get(asked.method, 0):
            self.away[asked.method] -= 1
            return 503, {"kind": "Status", "code": 503, "reason": "ServiceUnavailable"}
        return FakeCluster.answer(self, asked)


def test_an_api_server_that_is_away_for_a_moment_rolls_nothing_back(start: Start) -> None:
    cluster = ShakyCluster({"deployments/web": deployment("web", OLD)}, away={"GET": 3})
    start(cluster)
    roll_out(Cluster("trendlark"), parse_targets("deployment/web"), NEW, 30)
    assert cluster.model_of("web") == NEW


def test_what_was_rolled_out_is_given_back_when_the_api_server_is_there_again(start: Start) -> None:
    cluster = ShakyCluster({"deployments/web": deployment("web", OLD)}, frozenset([NEW]), away={"PATCH": 2})
    start(cluster)
    with pytest.raises(ModelError, match="All targets were given back the model that they had"):
        roll_out(Cluster("trendlark"), parse_targets("deployment/web"), NEW, 30)
    assert cluster.model_of("web") == OLD
    cluster.away = {"PATCH": 99}
    cluster.asked.clear()
    with pytest.raises(
        ModelError, match=r"Rolled back all but deployment/web .*set TRENDLARK_MODEL there by hand"
    ):
        roll_out(Cluster("trendlark"), parse_targets("deployment/web"), NEW, 30)


@dataclass(slots=True)
class StoppedCluster(FakeCluster):
    """A cluster at whose second answer to a look somebody presses Ctrl-C."""

    looks: int = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        self.looks += asked.method == "GET"
        if asked.method == "GET" and self.looks == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return FakeCluster.answer(self, asked)


def test_a_roll_out_that_is_stopped_gives_back_what_there_was(start: Start) -> None:
    cluster = StoppedCluster({"deployments/web": deployment("web", OLD)})
    api = start(cluster)
    with pytest.raises(KeyboardInterrupt):
        roll_out(Cluster("trendlark"), parse_targets("deployment/web"), NEW, 30)
    assert len(api.of("PATCH")) == 2
    assert cluster.model_of("web") == OLD


def test_without_a_cluster_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(ModelError, match="leave the targets empty"):
        Cluster("trendlark")


def test_a_model_is_put_in_service_and_taken_back(start: Start, tmp_path: Path) -> None:
    shelf = open_shelf(str(tmp_path / "models"))
    one, two = (
        shelf.publish(make_tiny_artifact(tmp_path / name, name=name), {"run": name})
        for name in ("first", "second")
    )
    cluster = two_services(bad=shelf.of(two))
    start(cluster)
    told = put_in_service(shelf, one, "deployment/web", "trendlark", 30)
    assert told == f"in service: {one} (deployment/web)"
    assert cluster.model_of("web") == shelf.of(one)
    with pytest.raises(ModelError, match="given back"):
        put_in_service(shelf, two, "deployment/web", "trendlark", 30)
    assert shelf.read()["current"] == one, "what was rolled back is not in service"
    cluster.bad = frozenset()
    put_in_service(shelf, two, "deployment/web", "trendlark", 30)
    put_in_service(shelf, "previous", "deployment/web", "trendlark", 30)
    assert shelf.read()["current"] == one
    assert cluster.model_of("web") == shelf.of(one)
    with pytest.raises(NotFoundError, match=f"published are: {two}, {one}"):
        put_in_service(shelf, "third", "deployment/web", "trendlark", 30)


def _copied(cluster: FakeCluster) -> dict[str, Object]:
    return copy.deepcopy(cluster.objects)
