"""Step 9: let the services take a published model, and give them back the one before where they cannot.

A Deployment gets the variable ``TRENDLARK_MODEL`` in its containers, a KServe InferenceService the same, or
another ``storageUri`` where its predictor has one. Every target is patched, then waited for; when one does not
become ready in time, all are given back what they had.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from trendlark.errors import InputError, ModelError
from trendlark.training.steps.shelf import Shelf

_log = logging.getLogger(__name__)

VARIABLE = "TRENDLARK_MODEL"
_KINDS = {
    "deployment": ("apps", "v1", "deployments"),
    "inferenceservice": ("serving.kserve.io", "v1beta1", "inferenceservices"),
}
_POLL_SECONDS = 2.0
# How often a target is given back what it had before a person is asked.
_TRIES = 5
_TIME = {"_request_timeout": 30}
# KServe in Standard mode runs a predictor as a Deployment of this name.
_PREDICTOR = "{}-predictor"

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A workload that serves a model."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def parse_targets(text: str) -> tuple[Target, ...]:
    """Read ``deployment/NAME,inferenceservice/NAME``; raises InputError for anything else."""
    targets = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        kind, _, name = part.partition("/")
        if kind not in _KINDS or not name:
            raise InputError(
                f"Found the target {part!r}. Allowed are {' and '.join(f'{kind}/NAME' for kind in _KINDS)}, several "
                "with commas between. Correct it."
            )
        targets.append(Target(kind, name))
    return tuple(targets)


class Cluster:
    """The workloads of a namespace, over the Kubernetes API."""

    def __init__(self, namespace: str) -> None:
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config()
            else:
                config.load_kube_config(os.environ.get("KUBECONFIG"))
        except config.ConfigException as error:
            raise ModelError(
                f"Found no cluster to roll out to ({error}). Allowed is a pod with a service account, or KUBECONFIG. "
                "Give one, or leave the targets empty."
            ) from error
        self._api = client.CustomObjectsApi()
        self._namespace = namespace

    def get(self, target: Target) -> Object:
        """The object as it is; raises ModelError where the cluster does not give it."""
        found: Object = self._ask(target, partial(self._api.get_namespaced_custom_object, **_TIME))
        return found

    def patch(self, target: Target, spec: Object) -> None:
        """Lay a merge patch over the object's spec."""
        change = partial(self._api.patch_namespaced_custom_object, body={"spec": spec}, **_TIME)
        self._ask(target, change)

    def _ask(self, target: Target, call: Callable[..., Any]) -> Any:
        group, version, plural = _KINDS[target.kind]
        try:
            return call(
                group=group, version=version, namespace=self._namespace, plural=plural, name=target.name
            )
        except client.ApiException as error:
            raise ModelError(
                f"The cluster answered {error.status} {error.reason} about {target} in {self._namespace}; allowed is a "
                "workload that this service account may get and patch. Check its name and the role trendlark-rollout."
            ) from error
        except HTTPError as error:
            raise ModelError(
                f"The cluster did not answer about {target} ({error}). Allowed is an API server that this pod reaches. "
                "Check the network policy and the address."
            ) from error


def roll_out(cluster: Cluster, targets: Sequence[Target], address: str, timeout_seconds: float) -> None:
    """Let all targets serve the model at ``address``, or none of them: what fails is rolled back and raised."""
    before: list[tuple[Target, Object]] = []
    try:
        for target in targets:
            found = cluster.get(target)
            before.append((target, _place(target, found)))
            cluster.patch(target, _with_model(target, found, address))
            _log.info("roll-out: %s is to serve %s", target, address)
        deadline = time.monotonic() + timeout_seconds
        for target in targets:
            _wait(cluster, target, address, deadline)
    except KeyboardInterrupt:
        _log.warning("roll-out: stopped. %s", _roll_back(cluster, before))
        raise
    except ModelError as error:
        told = _roll_back(cluster, before)
        raise ModelError(f"{error} {told}") from error


def _roll_back(cluster: Cluster, before: Sequence[tuple[Target, Object]]) -> str:
    failed = []
    for target, spec in reversed(before):
        try:
            _give_back(cluster, target, spec)
        except ModelError as error:
            failed.append(f"{target} ({error})")
    if failed:
        return f"Rolled back all but {'; '.join(failed)}: set {VARIABLE} there by hand."
    return "All targets were given back the model that they had."


def _give_back(cluster: Cluster, target: Target, spec: Object) -> None:
    for left in reversed(range(_TRIES)):
        try:
            cluster.patch(target, spec)
        except ModelError:
            # What made the roll-out fail may be a moment without an API server.
            if not left:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            _log.warning("roll-back: %s has its former model again", target)
            return


def _place(target: Target, found: Object) -> Object:
    """Return the part of the spec that a roll-out changes."""
    if target.kind == "deployment":
        containers = found["spec"]["template"]["spec"]["containers"]
        return {"template": {"spec": {"containers": deepcopy(containers)}}}
    predictor = found["spec"]["predictor"]
    if "model" in predictor:
        # None takes out of an object what a merge patch brought in.
        return {"predictor": {"model": {"storageUri": predictor["model"].get("storageUri")}}}
    return {"predictor": {"containers": deepcopy(predictor["containers"])}}


def _with_model(target: Target, found: Object, address: str) -> Object:
    spec = _place(target, found)
    inner = spec["template"]["spec"] if target.kind == "deployment" else spec["predictor"]
    if "model" in inner:
        inner["model"]["storageUri"] = address
        return spec
    for container in inner["containers"]:
        others = [one for one in container.get("env", []) if one["name"] != VARIABLE]
        container["env"] = [*others, {"name": VARIABLE, "value": address}]
    return spec


def _wait(cluster: Cluster, target: Target, address: str, deadline: float) -> None:
    while True:
        try:
            reason = _unready(cluster, target, address)
        except ModelError as error:
            # An API server that is away for a moment says nothing of the pods.
            reason = str(error)
        if not reason:
            _log.info("roll-out: %s serves %s", target, address)
            return
        if time.monotonic() > deadline or reason.startswith("gave up"):
            raise ModelError(f"Found {target} not ready with {address}: {reason}. Its pods' logs say why.")
        time.sleep(_POLL_SECONDS)


def _unready(cluster: Cluster, target: Target, address: str) -> str:
    """Say why a target does not serve the model yet; empty when it does."""
    found = cluster.get(target)
    if target.kind == "deployment":
        return _deployment_unready(found)
    status = found.get("status", {})
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return "KServe has not seen the change"
    if not any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", [])):
        return "the InferenceService is not Ready"
    predictor = cluster.get(Target("deployment", _PREDICTOR.format(target.name)))
    # Ready may still be the old pods' answer: the Deployment behind it must have taken the address over.
    if address not in str(predictor["spec"]["template"]):
        return "its Deployment has not taken the model over"
    return _deployment_unready(predictor)


def _deployment_unready(found: Object) -> str:
    status, wanted = found.get("status", {}), found["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return "the Deployment has not seen the change"
    if any(one.get("reason") == "ProgressDeadlineExceeded" for one in status.get("conditions", [])):
        return "gave up: its new pods do not become ready"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or status.get("replicas", 0) > updated or available < updated:
        return f"{updated} of {wanted} pods are new, {available} available"
    return ""


def put_in_service(shelf: Shelf, version: str, targets: str, namespace: str, timeout_seconds: float) -> str:
    """Roll a published version out to ``targets`` (none is allowed) and note it as current; return what was done.

    ``version`` may be ``previous``: that is how a model is taken back by hand.
    """
    version = shelf.find(version)
    parsed = parse_targets(targets)
    if parsed:
        roll_out(Cluster(namespace), parsed, shelf.of(version), timeout_seconds)
    shelf.set_current(version)
    where = ", ".join(map(str, parsed)) or "the shelf; no target was named"
    return f"in service: {version} ({where})"
