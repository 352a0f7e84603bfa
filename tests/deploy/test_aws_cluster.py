"""What the guide puts onto the cluster: rendered from the outputs, with nothing copied by hand and no name made up."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.aws_walk import ACCOUNT, REGION, TAG, Walk, why_no_walk

pytestmark = [
    pytest.mark.skipif(bool(why_no_walk()), reason=why_no_walk() or ""),
    pytest.mark.terraform,
    pytest.mark.timeout(3000),
]
BUCKET = f"trendlark-dev-lake-{ACCOUNT}"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/trendlark-dev-"
ARN = "eks.amazonaws.com/role-arn"
SERVICES = ("analyzer", "collector", "web")
Manifest = dict[str, Any]


def of(text: str) -> dict[tuple[str, str], Manifest]:
    """Manifests by kind and name."""
    found = [manifest for manifest in yaml.safe_load_all(text) if manifest]
    return {(m["kind"], m["metadata"]["name"]): m for m in found}


@cache
def rendered(walk: Walk, overlay: str) -> dict[tuple[str, str], Manifest]:
    """What the kustomization that the guide wrote makes of an overlay."""
    return of(walk.render(f"kubernetes/{overlay}"))


@pytest.mark.parametrize("overlay", ["s3", "efs", "kserve", "pipelines", "notebook"])
def test_no_placeholder_is_left_and_all_is_valid(walk: Walk, overlay: str) -> None:
    text = walk.render(f"kubernetes/{overlay}")
    assert "00000000" not in text
    assert "eu-west-1" not in text
    of_others = {"InferenceService", "Notebook"}
    for (kind, _), manifest in of(text).items():
        if kind not in of_others:
            kubernetes_validate.validate(manifest, "1.35", strict=True)


@pytest.mark.parametrize("overlay", ["s3", "efs"])
def test_every_pod_runs_the_image_that_was_pushed(walk: Walk, overlay: str) -> None:
    pods = [
        m["spec"]["template"]["spec"]
        for (kind, _), m in rendered(walk, overlay).items()
        if kind == "Deployment"
    ]
    images = {container["image"] for pod in pods for container in pod["containers"]}
    pushed = {call["words"][1] for call in walk.calls("docker") if call["words"][0] == "push"}
    assert images == {f"{REGISTRY}/trendlark/service:{TAG}"}
    assert images <= pushed
    (built,) = [call["words"] for call in walk.calls("make") if "images" in call["words"]]
    assert f"IMAGES={REGISTRY}/trendlark" in built
    assert f"VERSION={TAG}" in built


def test_accounts_name_the_roles_that_were_made(walk: Walk) -> None:
    made = rendered(walk, "s3") | rendered(walk, "kserve") | of(walk.made["manifests"]["account"])
    roles = {role["Arn"] for role in walk.client("iam").list_roles()["Roles"]}
    named = {
        name: manifest["metadata"].get("annotations", {}).get(ARN)
        for (kind, name), manifest in made.items()
        if kind == "ServiceAccount"
    }
    assert named == {f"trendlark-{service}": f"{ROLE}{service}" for service in (*SERVICES, "model")} | {
        "trendlark-external-secrets": f"{ROLE}secrets"
    }
    assert set(named.values()) <= roles
    for (kind, name), manifest in made.items():
        if kind == "Deployment":
            assert manifest["spec"]["template"]["spec"]["serviceAccountName"] == name


def test_the_placeholders_of_the_overlay_name_the_same_roles(walk: Walk) -> None:
    """Who fills the overlay in by hand finds roles of these names, too."""
    by_hand = of(walk.render("../kubernetes/overlays/s3"))
    for service in SERVICES:
        arn = by_hand["ServiceAccount", f"trendlark-{service}"]["metadata"]["annotations"][ARN]
        assert arn.rsplit("/")[-1] == walk.made["role_arns"][service].rsplit("/")[-1]


def test_settings_point_at_the_bucket_that_was_made(walk: Walk) -> None:
    settings = rendered(walk, "s3")["ConfigMap", "trendlark-settings"]["data"]
    assert settings["TRENDLARK_LAKE"] == walk.made["lake"] == f"s3://{BUCKET}/lake"
    assert settings["AWS_REGION"] == REGION
    assert settings["TRENDLARK_PLACES"], "the overlay's own settings stay"


def test_the_claim_of_the_efs_overlay_is_on_the_file_system_that_was_made(walk: Walk) -> None:
    made = rendered(walk, "efs")
    claim = made["PersistentVolumeClaim", "trendlark-lake"]["spec"]
    assert claim["accessModes"] == ["ReadWriteMany"]
    storage = made["StorageClass", claim["storageClassName"]]
    assert storage["parameters"]["fileSystemId"] == walk.made["file_system_id"]
    # Both are applied, and the parameters of a StorageClass cannot be changed.
    assert storage == of(walk.made["manifests"]["account"])["StorageClass", "efs-sc"]


def test_the_secret_has_the_keys_that_pods_read(walk: Walk) -> None:
    made = of(walk.made["manifests"]["secrets"])
    secret = made["ExternalSecret", "trendlark-secrets"]["spec"]
    store = made["SecretStore", secret["secretStoreRef"]["name"]]["spec"]["provider"]["aws"]
    assert store == {
        "service": "SecretsManager",
        "region": REGION,
        "auth": {"jwt": {"serviceAccountRef": {"name": "trendlark-external-secrets"}}},
    }
    (source,) = secret["dataFrom"]
    kept = walk.client("secretsmanager").get_secret_value(SecretId=source["extract"]["key"])["SecretString"]
    references = [
        variable["valueFrom"]["secretKeyRef"]
        for (kind, _), manifest in rendered(walk, "s3").items()
        if kind == "Deployment"
        for variable in manifest["spec"]["template"]["spec"]["containers"][0]["env"]
        if "valueFrom" in variable
    ]
    assert {reference["name"] for reference in references} == {secret["target"]["name"]}
    assert {reference["key"] for reference in references} == set(json.loads(kept))


def test_the_model_and_the_notebook_run_the_images_that_were_pushed(walk: Walk) -> None:
    model = rendered(walk, "kserve")["InferenceService", "trendlark"]["spec"]["predictor"]
    assert [c["image"] for c in model["containers"]] == [f"{REGISTRY}/trendlark/service:{TAG}"]
    assert model["serviceAccountName"] == "trendlark-model"
    notebook = rendered(walk, "notebook")["Notebook", "trendlark"]["spec"]["template"]["spec"]
    assert [c["image"] for c in notebook["containers"]] == [f"{REGISTRY}/trendlark/train:{TAG}"]


def test_pipelines_share_a_claim_on_the_file_system(walk: Walk) -> None:
    """The default class is of EBS, which no two nodes may write."""
    claim = rendered(walk, "pipelines")["PersistentVolumeClaim", "trendlark-lake"]
    assert claim["metadata"]["namespace"] == "kubeflow"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["spec"]["storageClassName"] == "efs-sc"


def test_kubeflow_keeps_artefacts_in_the_bucket_by_the_pipeline_role(walk: Walk) -> None:
    made = of(walk.made["manifests"]["pipelines"])
    launcher = made["ConfigMap", "kfp-launcher"]
    assert launcher["metadata"]["namespace"] == "kubeflow"
    assert launcher["data"]["defaultPipelineRoot"] == walk.made["pipelines"] == f"s3://{BUCKET}/pipelines"
    assert yaml.safe_load(launcher["data"]["providers"])["s3"]["default"] == {
        "endpoint": f"s3.{REGION}.amazonaws.com",
        "region": REGION,
        "disableSSL": False,
        "credentials": {"fromEnv": True},
    }
    accounts = {name: m["metadata"] for (kind, name), m in made.items() if kind == "ServiceAccount"}
    assert set(accounts) == {"pipeline-runner", "ml-pipeline", "ml-pipeline-ui"}
    for account in accounts.values():
        assert account["namespace"] == "kubeflow"
        assert account["annotations"] == {ARN: f"{ROLE}pipeline"}
    for manifest in made.values():
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_databases_of_kubeflow_get_an_encrypted_disk_without_asking(walk: Walk) -> None:
    classes = {
        name: m for (kind, name), m in of(walk.made["manifests"]["account"]).items() if kind == "StorageClass"
    }
    default = "storageclass.kubernetes.io/is-default-class"
    chosen = [
        name for name, m in classes.items() if m["metadata"].get("annotations", {}).get(default) == "true"
    ]
    assert chosen == ["gp3"]
    assert classes["gp3"]["parameters"] == {"type": "gp3", "encrypted": "true"}


@pytest.mark.parametrize("driver", ["EBS", "EFS"])
def test_each_driver_has_the_rights_that_its_maker_names(walk: Walk, driver: str) -> None:
    role = f"trendlark-dev-{driver.lower()}-csi"
    attached = walk.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == [f"Amazon{driver}CSIDriverPolicy"]
    assert walk.client("iam").list_role_policies(RoleName=role)["PolicyNames"] == []


def test_what_was_applied_is_what_the_outputs_say(walk: Walk) -> None:
    applied = [call for call in walk.calls("kubectl") if call["words"][0] == "apply"]
    texts = [of(call.get("stdin") or call["rendered"]) for call in applied]
    manifests = walk.made["manifests"]
    assert all(of(manifests[part]) in texts for part in ("account", "secrets", "pipelines"))
    assert rendered(walk, "s3") in texts
    assert all("--server-side" in call["words"] for call in applied)
    for manifest in of(manifests["account"]).values():
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_the_autoscaler_is_given_its_cluster_and_its_role(walk: Walk) -> None:
    (install,) = [
        call for call in walk.calls("helm") if "cluster-autoscaler" in call["words"] and call.get("stdin")
    ]
    values = yaml.safe_load(install["stdin"])
    assert values["autoDiscovery"] == {"clusterName": "trendlark-dev"}
    account = values["rbac"]["serviceAccount"]
    assert account == {"name": "cluster-autoscaler", "annotations": {ARN: f"{ROLE}cluster-autoscaler"}}


def test_the_device_plugin_runs_where_training_runs(walk: Walk) -> None:
    values = yaml.safe_load(walk.made["helm_values"]["nvidia-device-plugin"])
    group = walk.client("eks").describe_nodegroup(clusterName="trendlark-dev", nodegroupName="training")
    assert values["nodeSelector"] == group["nodegroup"]["labels"]
    (taint,) = group["nodegroup"]["taints"]
    assert values["tolerations"] == [{"key": taint["key"], "operator": "Exists", "effect": "NoSchedule"}]


def test_kubectl_was_led_to_the_cluster(walk: Walk) -> None:
    config = yaml.safe_load((walk.folder / "kubeconfig").read_text(encoding="utf-8"))
    assert config["current-context"].endswith(":cluster/trendlark-dev")
