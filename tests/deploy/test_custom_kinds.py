"""What the operators read: KServe's service, KEDA's scaling, and what Prometheus and Grafana are given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.support.asked import accept_command, accept_environment
from tests.support.custom_kinds import KINDS, PREDICTOR
from tests.support.dockerfile import environment_of, stages_of
from tests.support.hours import settings_for
from tests.support.manifests import (
    BESIDE,
    NAMES,
    ROOT,
    VERSIONS,
    WHOLE,
    Manifest,
    is_custom,
    of_kind,
    pod_of,
    rendered,
)
from trendlark import __version__
from trendlark.lake import open_lake
from trendlark.web.metrics import LakeMetrics, Metrics

# Of kube-state-metrics, the kubelet and cAdvisor.
FOREIGN = {
    "kube_deployment_status_replicas_available",
    "kube_pod_container_status_restarts_total",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "kubelet_volume_stats_used_bytes",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
}
# What Prometheus adds to every sample, and the bucket of a histogram.
ADDED = {"namespace", "pod", "le"}
CUSTOM = [(overlay, m) for overlay in NAMES for m in rendered(overlay) if is_custom(m)]


def predictor() -> Manifest:
    """What KServe makes a Deployment of."""
    found: Manifest = of_kind("kserve", "InferenceService")["trendlark"]["spec"]["predictor"]
    return found


def model() -> Manifest:
    """The container with the model."""
    (container,) = predictor()["containers"]
    found: Manifest = container
    return found


def dashboard() -> list[Manifest]:
    """The panels of the Grafana dashboard."""
    board = of_kind("monitoring", "ConfigMap")["trendlark-dashboard"]
    panels: list[Manifest] = json.loads(board["data"]["dashboard.json"])["panels"]
    return panels


def alerts() -> list[Manifest]:
    """The alerts."""
    (rules,) = of_kind("monitoring", "PrometheusRule").values()
    return [rule for group in rules["spec"]["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """Everything that Prometheus is asked."""
    asked = [target["expr"] for panel in dashboard() for target in panel["targets"]]
    asked += [alert["expr"] for alert in alerts()]
    for overlay in NAMES:
        for scaled in of_kind(overlay, "ScaledObject").values():
            asked += [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
    return asked


def told(folder: Path) -> dict[str, set[str]]:
    """Every sample that /metrics tells, with its labels."""
    metrics = Metrics()
    LakeMetrics(metrics, open_lake(str(folder / "lake")), settings_for(folder / "lake"))
    found: dict[str, set[str]] = {}
    for collector, names in metrics.registry._collector_to_names.items():
        for name in names:
            found[name] = set(getattr(collector, "_labelnames", ()))
    return found


def test_every_overlay_is_whole_or_stands_beside_one() -> None:
    assert sorted((*WHOLE, *BESIDE)) == NAMES


@pytest.mark.parametrize(("overlay", "manifest"), CUSTOM, ids=lambda found: str(found)[:12])
def test_the_operators_kinds_are_valid_strictly(overlay: str, manifest: Manifest) -> None:
    jsonschema.validate(manifest, KINDS[manifest["kind"]])
    assert manifest["metadata"]["namespace"] == "trendlark", overlay


def test_all_kinds_that_have_a_schema_are_used() -> None:
    assert {manifest["kind"] for _, manifest in CUSTOM} == set(KINDS)


def test_the_strict_validation_notices_a_typing_error() -> None:
    broken = json.loads(json.dumps(of_kind("keda", "ScaledObject")["trendlark-analyzer"]))
    broken["spec"]["maxReplicas"] = 8
    with pytest.raises(jsonschema.ValidationError, match="maxReplicas"):
        jsonschema.validate(broken, KINDS["ScaledObject"])


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_model_runs_in_is_a_valid_pod(version: str) -> None:
    spec = {key: value for key, value in predictor().items() if key not in PREDICTOR}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "model"}, "spec": spec}
    kubernetes_validate.validate(pod, version, strict=True)
    strategy = {"replicas": 1, "strategy": predictor()["deploymentStrategy"], "template": {"spec": spec}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "model"}}
    deployment |= {"spec": strategy | {"selector": {"matchLabels": {"a": "b"}}}}
    kubernetes_validate.validate(deployment, version, strict=True)


def test_the_model_runs_as_the_web_server_does() -> None:
    found, web = predictor(), pod_of("efs", "web")
    for field in ("automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds"):
        assert found[field] == web[field]
    wanted = {k: v for k, v in web["securityContext"].items() if k != "fsGroupChangePolicy"}
    assert found["securityContext"] == wanted
    assert model()["securityContext"] == web["containers"][0]["securityContext"]
    assert {spread["topologyKey"] for spread in found["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert model()["resources"]["limits"] == web["containers"][0]["resources"]["limits"]
    assert model()["image"].endswith(f"trendlark/service:{__version__}")
    assert [volume["name"] for volume in found["volumes"]] == ["tmp"]


def test_the_model_is_served_by_our_image_in_standard_mode_and_scales() -> None:
    annotations = of_kind("kserve", "InferenceService")["trendlark"]["metadata"]["annotations"]
    assert annotations["serving.kserve.io/deploymentMode"] == "Standard"
    assert annotations["serving.kserve.io/autoscalerClass"] == "hpa"
    assert 1 < predictor()["minReplicas"] < predictor()["maxReplicas"]
    # KServe looks for its container by this name.
    assert model()["name"] == "kserve-container"
    accept_command(model()["args"])
    environment = environment_of(stages_of(ROOT / "deploy" / "docker" / "Dockerfile"), "service")
    environment |= {v["name"]: v.get("value", "b2f0c4d6e8a1") for v in model()["env"]}
    settings = accept_environment(environment)
    assert (settings.host, settings.port) == ("0.0.0.0", model()["ports"][0]["containerPort"])
    (secret,) = (v["valueFrom"]["secretKeyRef"] for v in model()["env"] if "valueFrom" in v)
    assert secret == {"name": "trendlark-secrets", "key": "api-token"}


def test_the_model_is_asked_three_questions_that_the_server_answers_without_a_token() -> None:
    api = json.loads((ROOT / "tests" / "contract" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    asked = {
        name: model()[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {
        "startupProbe": "/v2/models/trendlark/ready",
        "livenessProbe": "/v2/health/live",
        "readinessProbe": "/v2/health/ready",
    }
    for path in asked.values():
        assert path.replace("/trendlark/", "/{model_name}/") in api
    for name in asked:
        assert model()[name]["httpGet"]["port"] == model()["ports"][0]["containerPort"]


def test_the_model_is_reached_on_its_port_only() -> None:
    policy = of_kind("kserve", "NetworkPolicy")["trendlark-model"]["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["podSelector"]["matchLabels"].items() <= predictor()["labels"].items()
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": model()["ports"][0]["containerPort"], "protocol": "TCP"}]
    budget = of_kind("kserve", "PodDisruptionBudget")["trendlark-model"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= predictor()["labels"].items()
    assert predictor()["serviceAccountName"] in of_kind("kserve", "ServiceAccount")


def test_keda_takes_the_place_of_the_analyzers_autoscaler() -> None:
    assert set(of_kind("efs", "HorizontalPodAutoscaler")) == {"trendlark-analyzer", "trendlark-web"}
    assert set(of_kind("keda", "HorizontalPodAutoscaler")) == {"trendlark-web"}
    spec = of_kind("keda", "ScaledObject")["trendlark-analyzer"]["spec"]
    # None at all would leave an hour unfinished whose tweets are analysed and not summed up.
    assert spec["minReplicaCount"] == 1
    plain = of_kind("efs", "HorizontalPodAutoscaler")["trendlark-analyzer"]["spec"]
    assert spec["maxReplicaCount"] == plain["maxReplicas"]
    (trigger,) = spec["triggers"]
    assert "trendlark_backlog_tweets" in trigger["metadata"]["query"]
    assert int(trigger["metadata"]["threshold"]) > 0
    # KEDA takes an empty answer for 0 unless told otherwise, and only an error leads to the fallback.
    assert (trigger["metadata"]["ignoreNullValues"], spec["fallback"]["replicas"]) == ("false", 2)


def test_prometheus_reads_both_servers_with_the_token_of_the_secret() -> None:
    (web,) = of_kind("monitoring", "ServiceMonitor").values()
    service = of_kind("efs", "Service")["trendlark-web"]
    assert web["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = web["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    (pods,) = of_kind("monitoring", "PodMonitor").values()
    assert pods["spec"]["selector"]["matchLabels"].items() <= predictor()["labels"].items()
    (other,) = pods["spec"]["podMetricsEndpoints"]
    assert other["port"] == model()["ports"][0]["name"]
    for found in (endpoint, other):
        assert found["authorization"]["credentials"] == {"name": "trendlark-secrets", "key": "api-token"}
        assert int(found["scrapeTimeout"][:-1]) < int(found["interval"][:-1])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_what_prometheus_is_asked_is_there(expression: str, tmp_path: Path) -> None:
    ours = told(tmp_path)
    named = re.findall(r"\b((?:trendlark|kube|kubelet|container)_\w+)(?:\{([^}]*)\})?", expression)
    assert named
    grouped = {label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(", ")}
    for name, selector in named:
        assert 'namespace="trendlark"' in selector, f"{name} of every namespace"
        if name in FOREIGN:
            continue
        labels = set(re.findall(r"(\w+)=", selector))
        assert labels <= ours[name] | ADDED, f"{name} has no {labels - ours[name] - ADDED}"
    known = {label for name, _ in named for label in ours.get(name, grouped)} | ADDED
    assert grouped <= known, f"{grouped - known} is no label of {expression}"


def test_the_label_that_a_chart_asks_for_is_put_on_all_that_prometheus_reads() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    (labelled,) = re.findall(r"kubectl label (servicemonitor/.*) release=", page)
    read = {f"{m['kind'].lower()}/{m['metadata']['name']}" for m in rendered("monitoring") if is_custom(m)}
    assert set(labelled.split()) == read


def test_of_the_lake_only_the_web_servers_are_asked(tmp_path: Path) -> None:
    """The model's own service tells the same numbers, of an empty lake and of a budget that nobody set."""
    anywhere = {name for names in Metrics().registry._collector_to_names.values() for name in names}
    of_lake = told(tmp_path).keys() - anywhere
    assert {"trendlark_lake_up", "trendlark_budget_usd_per_day", "trendlark_hour_lag_hours"} <= of_lake
    web = 'namespace="trendlark", pod=~"trendlark-web-.*"'
    named = [pair for one in expressions() for pair in re.findall(r"\b(trendlark_\w+)\{([^}]*)\}", one)]
    assert of_lake <= {name for name, _ in named}
    assert {selector for name, selector in named if name in of_lake} == {web}
    (unseen,) = (alert["expr"] for alert in alerts() if alert["alert"] == "TrendlarkUnseen")
    assert unseen == f"absent(trendlark_info{{{web}}})"


def test_an_hour_is_late_when_no_source_has_it() -> None:
    """Where X took the place of the sample, the sample falls back for ever; where nothing came yet, none is told of."""
    (late,) = (alert["expr"] for alert in alerts() if alert["alert"] == "TrendlarkHourLate")
    followed, never = late.split(" or ")
    assert re.fullmatch(r"min\(max by \(source\) \(trendlark_hour_lag_hours\{[^}]*\}\)\) > 1", followed)
    assert re.match(
        r"absent\(trendlark_hour_lag_hours\{[^}]*\}\) and on \(\) max\(trendlark_lake_up\{", never
    )


def test_every_alert_has_its_paragraph_and_names_what_exists() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert len({alert["alert"] for alert in alerts()}) == len(alerts()) > 10
    for alert in alerts():
        assert f"**{alert['alert']}**" in page
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["labels"]["severity"] in {"critical", "warning"}
    board = of_kind("monitoring", "ConfigMap")["trendlark-dashboard"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    there = {m["metadata"]["name"] for m in rendered("efs")}
    pattern = r'(?:deployment|horizontalpodautoscaler|persistentvolumeclaim)="([^"]+)"'
    named = {name for expression in expressions() for name in re.findall(pattern, expression)}
    assert named <= there
    assert len(named) == 4


def test_the_page_names_the_reasons_that_are_counted() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/trendlark/web").glob("*.py"))
    counted = set(re.findall(r'refused\.labels\("(\w+)"\)', code))
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    paragraph = page.split("**TrendlarkRefuses**")[1].split("\n- ")[0]
    assert set(re.findall(r"\(`(\w+)`\)", paragraph)) == counted


def test_every_panel_has_a_place_of_its_own() -> None:
    panels = dashboard()
    assert len({panel["id"] for panel in panels}) == len(panels) > 12
    places: set[Any] = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    # A number that an alert watches is on the dashboard, so that one sees how it came to it.
    shown = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    watched = {name for alert in alerts() for name in re.findall(r"trendlark_\w+", alert["expr"])}
    assert {name for name in watched if name not in shown} == {"trendlark_lake_up"}
