"""The Kubernetes overlays: rendered as committed, valid from 1.30 on, locked down, and accepted by our own program."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.asked import accept_command, accept_environment
from tests.support.dockerfile import environment_of, stages_of
from tests.support.manifests import (
    NAMES,
    OVERLAYS,
    RENDERED,
    ROOT,
    SERVICES,
    VERSIONS,
    WHOLE,
    container_of,
    is_custom,
    of_kind,
    pod_of,
    rendered,
)
from trendlark import __version__

SECRET = {"x-bearer-token": "TRENDLARK_X_BEARER_TOKEN", "api-token": "TRENDLARK_API_TOKEN"}

EACH = pytest.mark.parametrize(("overlay", "service"), [(o, s) for o in WHOLE for s in SERVICES])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", NAMES)
def test_what_is_committed_is_what_kustomize_renders(overlay: str) -> None:
    made = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAYS / overlay)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    # Compared as data: another version of kustomize may write another order.
    assert list(yaml.safe_load_all(made.stdout)) == list(rendered(overlay)), "run `make manifests`"


def test_every_overlay_is_committed() -> None:
    assert sorted(path.stem for path in RENDERED.glob("*.yaml")) == NAMES


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", NAMES)
def test_manifests_are_valid_strictly(overlay: str, version: str) -> None:
    for manifest in rendered(overlay):
        if not is_custom(manifest):
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_strict_validation_notices_a_typing_error() -> None:
    broken = json.loads(json.dumps(of_kind("local", "Deployment")["trendlark-web"]))
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


@EACH
def test_commands_are_accepted(overlay: str, service: str) -> None:
    container = container_of(overlay, service)
    assert "command" not in container
    accept_command(container["args"])
    for probe in ("startupProbe", "livenessProbe"):
        asked = container[probe]
        if "exec" in asked:
            program, *words = asked["exec"]["command"]
            assert program == "trendlark"
            assert accept_command(words)["heartbeat"] == accept_command(container["args"])["heartbeat"]


@EACH
def test_variables_are_accepted(overlay: str, service: str) -> None:
    container = container_of(overlay, service)
    environment = environment_of(stages_of(ROOT / "deploy" / "docker" / "Dockerfile"), "service")
    (source,) = container["envFrom"]
    environment |= of_kind(overlay, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for variable in container["env"]:
        if "valueFrom" in variable:
            reference = variable["valueFrom"]["secretKeyRef"]
            assert reference["name"] == "trendlark-secrets"
            assert SECRET[reference["key"]] == variable["name"]
            environment[variable["name"]] = "abcdef0123456789"
        else:
            environment[variable["name"]] = variable["value"]
    settings = accept_environment(environment)
    assert settings.lake.startswith("s3://" if overlay == "s3" else "/data/")
    assert (settings.host == "0.0.0.0") == (service == "web")


@EACH
def test_services_of_the_namespace_add_no_variables(overlay: str, service: str) -> None:
    # TRENDLARK_WEB_PORT and its like would be refused as unknown settings.
    assert pod_of(overlay, service)["enableServiceLinks"] is False


@EACH
def test_pods_keep_to_restricted_pod_security(overlay: str, service: str) -> None:
    pod, container = pod_of(overlay, service), container_of(overlay, service)
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == f"trendlark-{service}"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    allowed = {"persistentVolumeClaim", "emptyDir", "name"}
    assert {key for volume in pod["volumes"] for key in volume} <= allowed
    assert {mount["mountPath"] for mount in container["volumeMounts"]} <= {"/data", "/tmp"}


@pytest.mark.parametrize("overlay", WHOLE)
def test_the_namespace_refuses_more_rights(overlay: str) -> None:
    labels = of_kind(overlay, "Namespace")["trendlark"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for manifest in rendered(overlay):
        if manifest["kind"] not in {"Namespace", "StorageClass"}:
            assert manifest["metadata"]["namespace"] == "trendlark", manifest["metadata"]["name"]


@EACH
def test_every_pod_says_what_it_needs_and_may_take(overlay: str, service: str) -> None:
    container = container_of(overlay, service)
    resources = container["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    # A t3.small node has 2 GiB; two of the services stand on it.
    assert resources["limits"]["memory"] in {"512Mi", "768Mi"}
    assert int(resources["requests"]["memory"][:-2]) <= int(resources["limits"]["memory"][:-2])
    assert container["image"].endswith(f"trendlark/service:{__version__}")
    # Nothing is taken from a public registry, where anybody might have the name.
    assert container.get("imagePullPolicy") == "Never" or ".ecr." in container["image"]
    keys = {spread["topologyKey"] for spread in pod_of(overlay, service)["topologySpreadConstraints"]}
    assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def _measured() -> dict[str, tuple[int, int, str, str]]:
    """What docs/kubernetes.md says of each service: MiB at rest and at most, asked for, allowed."""
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| `[^`]+` \| (\d+) MiB \| (\d+) MiB \| (.+?) \| (.+?) \|$", page, re.M)
    return {name: (int(rest), int(most), asked, allowed) for name, rest, most, asked, allowed in rows}


def _told(amounts: dict[str, str]) -> str:
    cpu = amounts.get("cpu", "")
    parts = [f"{amounts['memory'][:-2]} MiB"]
    if cpu:
        parts.append(f"{int(cpu[:-1]) / 1000:g} CPU" if cpu.endswith("m") else f"{cpu} CPU")
    return ", ".join(parts)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_asked_for_follows_what_was_measured(service: str) -> None:
    at_rest, most, asked, allowed = _measured()[service]
    resources = container_of("efs", service)["resources"]
    assert (_told(resources["requests"]), _told(resources["limits"])) == (asked, allowed)
    # A pod is placed where all that it took at most has room, and may take more before it is ended.
    assert at_rest <= most <= int(resources["requests"]["memory"][:-2])
    assert 1.5 * most <= int(resources["limits"]["memory"][:-2])
    assert at_rest < 512


@pytest.mark.parametrize("overlay", WHOLE)
def test_the_web_server_is_asked_three_questions(overlay: str) -> None:
    web = container_of(overlay, "web")
    assert web["startupProbe"]["httpGet"] == {"path": "/v2/models/trendlark/ready", "port": "http"}
    assert web["livenessProbe"]["httpGet"] == {"path": "/live", "port": "http"}
    assert web["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}
    # The server itself gives up asking its lake and model after ten seconds.
    assert web["readinessProbe"]["timeoutSeconds"] > 10
    assert web["ports"] == [{"containerPort": 8600, "name": "http"}]
    grace = pod_of(overlay, "web")["terminationGracePeriodSeconds"]
    assert grace > web["lifecycle"]["preStop"]["sleep"]["seconds"] + 10


@pytest.mark.parametrize("overlay", WHOLE)
def test_selectors_meet_the_pods(overlay: str) -> None:
    labels = {
        name: deployment["spec"]["template"]["metadata"]["labels"]
        for name, deployment in of_kind(overlay, "Deployment").items()
    }
    selectors = [
        (name, found["spec"]["selector"]["matchLabels"])
        for kind in ("Deployment", "PodDisruptionBudget")
        for name, found in of_kind(overlay, kind).items()
    ]
    selectors += [(name, found["spec"]["selector"]) for name, found in of_kind(overlay, "Service").items()]
    assert len(selectors) == 7
    for name, selector in selectors:
        meets = {pod for pod, pod_labels in labels.items() if selector.items() <= pod_labels.items()}
        assert meets == {name}
    scaled = {found["spec"]["scaleTargetRef"]["name"] for found in _scalers(overlay)}
    assert scaled == {"trendlark-analyzer", "trendlark-web"}
    for name in scaled:
        assert "replicas" not in of_kind(overlay, "Deployment")[name]["spec"], "the autoscaler decides"


@pytest.mark.parametrize("overlay", [*WHOLE, "kserve"])
def test_a_node_can_always_be_drained(overlay: str) -> None:
    """Neither a pod that is alone nor pods that do not become ready keep it: upgrades would wait in vain."""
    budgets = of_kind(overlay, "PodDisruptionBudget")
    assert budgets
    for budget in budgets.values():
        spec = {key: value for key, value in budget["spec"].items() if key != "selector"}
        assert spec == {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}


def _scalers(overlay: str) -> list[dict[str, Any]]:
    kinds = ("HorizontalPodAutoscaler", "ScaledObject")
    return [found for kind in kinds for found in of_kind(overlay, kind).values()]


@pytest.mark.parametrize("overlay", WHOLE)
def test_one_collector_that_ends_before_the_next_begins(overlay: str) -> None:
    spec = of_kind(overlay, "Deployment")["trendlark-collector"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("overlay", WHOLE)
def test_the_network_denies_by_default(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy")
    assert policies["trendlark-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    incoming = [name for name, policy in policies.items() if policy["spec"].get("ingress")]
    assert incoming == ["trendlark-web"]
    (rule,) = policies["trendlark-web"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": 8600, "protocol": "TCP"}]
    assert all("ipBlock" not in peer for peer in rule["from"])
    for policy in policies.values():
        for out in policy["spec"].get("egress", ()):
            for peer in out["to"]:
                # The machine's metadata would hand out the node's own role.
                assert "169.254.0.0/16" in peer.get("ipBlock", {}).get("except", ["169.254.0.0/16"])


def test_the_lake_lies_where_the_overlay_says() -> None:
    claims = {overlay: of_kind(overlay, "PersistentVolumeClaim") for overlay in WHOLE}
    assert claims["s3"] == {}
    assert claims["efs"]["trendlark-lake"]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claims["efs"]["trendlark-lake"]["spec"]["storageClassName"] == "efs-sc"
    assert "efs-sc" in of_kind("efs", "StorageClass")
    assert claims["local"]["trendlark-lake"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    for service in SERVICES:
        assert [mount["mountPath"] for mount in container_of("s3", service)["volumeMounts"]] == ["/tmp"]


def test_no_secret_is_in_the_manifests() -> None:
    for overlay in NAMES:
        assert not of_kind(overlay, "Secret")


def test_on_s3_every_account_has_a_role_of_its_own() -> None:
    roles = {
        name: account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for name, account in of_kind("s3", "ServiceAccount").items()
    }
    assert {role.rsplit("/", 1)[1] for role in roles.values()} == {f"trendlark-dev-{s}" for s in SERVICES}
    assert all(role.endswith(name.removeprefix("trendlark-")) for name, role in roles.items())


def test_the_page_names_every_overlay() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    for overlay in NAMES:
        assert f"deploy/kubernetes/overlays/{overlay}" in page


def test_the_page_says_where_settings_outlast_the_next_apply() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    (named,) = re.findall(r"Change them in\n`([\w/.]+)`", page)
    held = yaml.safe_load((ROOT / named).read_text(encoding="utf-8"))
    assert held["metadata"]["name"] in page
    assert of_kind("efs", "ConfigMap")[held["metadata"]["name"]]["data"] == held["data"]
