"""A stand-in for the Kubernetes API: objects that take merge patches, and workloads that roll over or never do."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.http_api import Api, Asked, serving

Object = dict[str, Any]
VARIABLE = "TRENDLARK_MODEL"


def deployment(name: str, model: str | None = None, replicas: int = 2) -> Object:
    """A Deployment that has rolled over, with other variables beside the model's."""
    env = [{"name": "TRENDLARK_THREADS", "value": "1"}]
    env += [{"name": VARIABLE, "value": model}] if model else []
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "trendlark/service:0.1.0", "env": env}]},
            },
        },
        "status": _rolled(1, replicas),
    }


def inference_service(name: str, predictor: Object) -> Object:
    """An InferenceService that is ready."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "generation": 1},
        "spec": {"predictor": predictor},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def _rolled(generation: int, replicas: int) -> Object:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), replicas)
    return {"observedGeneration": generation, "conditions": [], **counts}


@dataclass(slots=True)
class FakeCluster:
    """Objects by ``plural/name``; ``bad`` are models with which no pod becomes ready."""

    objects: dict[str, Object]
    bad: frozenset[str] = frozenset()
    pending: dict[str, int] = field(default_factory=dict)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Answer as an API server does."""
        key = "/".join(asked.path.split("?")[0].split("/")[-2:])
        if key not in self.objects:
            return 404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": f"{key} not found"}
        found = self.objects[key]
        if asked.method == "PATCH":
            assert asked.headers["Content-Type"] == "application/merge-patch+json"
            _merge(found, asked.body)
            found["metadata"]["generation"] += 1
            self.pending[key] = 1
            if key.startswith("inferenceservices/"):
                self._follow(found)
            return 200, found
        if self.pending.get(key, 0):
            self.pending[key] -= 1  # seen by its controller only at the next look
        else:
            self._settle(found)
        return 200, found

    def _follow(self, service: Object) -> None:
        """KServe lays an InferenceService's predictor over the Deployment behind it."""
        behind = self.objects[f"deployments/{service['metadata']['name']}-predictor"]
        predictor = service["spec"]["predictor"]
        containers = predictor.get("containers") or [
            {"name": "kserve-container", "args": [str(predictor["model"])]}
        ]
        behind["spec"]["template"]["spec"]["containers"] = copy.deepcopy(containers)
        behind["metadata"]["generation"] += 1
        service["status"]["observedGeneration"] = service["metadata"]["generation"]

    def _settle(self, found: Object) -> None:
        if found["kind"] != "Deployment":
            return
        template = str(found["spec"]["template"])
        status = _rolled(found["metadata"]["generation"], found["spec"]["replicas"])
        if any(model in template for model in self.bad):
            status |= {"updatedReplicas": 1, "availableReplicas": 1}
            status["conditions"] = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
        found["status"] = status

    def model_of(self, name: str) -> str | None:
        """The model that a Deployment's first container is told to load."""
        env = self.objects[f"deployments/{name}"]["spec"]["template"]["spec"]["containers"][0]["env"]
        return next((one["value"] for one in env if one["name"] == VARIABLE), None)


def _merge(target: Object, patch: Object) -> None:
    """JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


@contextmanager
def running(cluster: FakeCluster, kubeconfig: Path) -> Iterator[Api]:
    """Serve the cluster inside the block, and write the file that leads there."""
    with serving(cluster.answer) as api:
        named = {"name": "here"}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [named | {"cluster": {"server": api.url}}],
            "users": [named | {"user": {"token": "secret"}}],
            "contexts": [named | {"context": {"cluster": "here", "user": "here"}}],
        }
        kubeconfig.write_text(yaml.safe_dump(content), encoding="utf-8")
        yield api
