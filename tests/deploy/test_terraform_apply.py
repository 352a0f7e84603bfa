"""``dev`` made and unmade in a stand-in for AWS (moto's server), read back through boto3.

What moto lacks is switched off by a variable: EKS add-ons (``enable_addons``), tags of the Auto Scaling groups of
node groups (``enable_autoscaler_tags``), backup policies (``efs_backup``), budgets (``budget_usd_per_month``) and
Pod Identity (``pod_identity``). The native tests plan those with a mocked provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.commandline import run
from tests.support.s3_server import running_s3
from tests.support.terraform import Terraform, why_not
from trendlark.lake import open_lake

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or ""),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]
ACCESS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
STAND_IN = ("-var=enable_addons=false", "-var=enable_autoscaler_tags=false")
TRAINING = '-var=training={instance_types=["c7i.4xlarge"],maximum=2}'
FILES = ("-no-color", "-input=false", "-auto-approve", "-var-file=environments/dev.tfvars")
Client = Callable[[str], Any]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    with running_s3({"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield address


def test_dev_is_made_used_and_unmade(endpoint: str, tmp_path: Path) -> None:
    client: Client = partial(boto3.client, endpoint_url=endpoint)
    client("s3").create_bucket(Bucket="state")
    terraform = Terraform.copied_to(tmp_path / "terraform")
    terraform.write_override(endpoint)
    terraform.init("-backend-config=bucket=state", "-backend-config=region=us-east-1")
    terraform.run("workspace", "select", "-or-create", "dev")
    terraform.run("apply", *FILES, *STAND_IN, TRAINING)
    made = terraform.outputs()

    check_state(client)
    check_nodes(client)
    check_launch_templates(client)
    check_bucket(client, made["bucket"])
    check_files(client, made["file_system_id"])
    check_roles(client)
    check_policies(client, made["bucket"])
    check_registry_and_secrets(client)
    check_manifest(made)
    # The stand-in speaks plain HTTP, which this policy is there to refuse.
    client("s3").delete_bucket_policy(Bucket=made["bucket"])
    check_an_hour_is_kept(made["lake"], tmp_path)

    # Moto cannot delete this policy by itself; it goes with its file system.
    terraform.run("state", "rm", "module.storage.aws_efs_file_system_policy.this")
    terraform.run("destroy", *FILES, *STAND_IN, TRAINING)
    check_nothing_is_left(client)


def check_state(client: Client) -> None:
    names = [o["Key"] for o in client("s3").list_objects_v2(Bucket="state")["Contents"]]
    assert names == ["env:/dev/trendlark/terraform.tfstate"], (
        "the lock is given back, the state is in the bucket"
    )


def check_nodes(client: Client) -> None:
    eks = client("eks")
    cluster = eks.describe_cluster(name="trendlark-dev")["cluster"]
    assert cluster["encryptionConfig"][0]["resources"] == ["secrets"]
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert {kind for log in cluster["logging"]["clusterLogging"] for kind in log["types"] if log["enabled"]} == {
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    }  # fmt: skip

    def group(name: str) -> Any:
        return eks.describe_nodegroup(clusterName="trendlark-dev", nodegroupName=name)["nodegroup"]

    services, training = group("services"), group("training")
    assert services["scalingConfig"] == {"minSize": 1, "desiredSize": 2, "maxSize": 8}
    assert services["instanceTypes"] == ["t3.small", "t3a.small", "t2.small"]
    assert services["capacityType"] == "SPOT"
    assert services["tags"]["k8s.io/cluster-autoscaler/trendlark-dev"] == "owned"
    assert training["scalingConfig"] == {"minSize": 0, "desiredSize": 0, "maxSize": 2}
    assert training["taints"] == [{"key": "trendlark.io/training", "value": "true", "effect": "NO_SCHEDULE"}]


def check_launch_templates(client: Client) -> None:
    ec2 = client("ec2")
    templates = {t["LaunchTemplateName"] for t in ec2.describe_launch_templates()["LaunchTemplates"]}
    assert templates == {"trendlark-dev-services", "trendlark-dev-training"}
    for name in templates:
        versions = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"]
        data = versions[0]["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"][0]["ServiceName"] == "com.amazonaws.us-east-1.s3"


def check_bucket(client: Client, bucket: str) -> None:
    s3 = client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert (
        s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetBucket"]
        == "trendlark-dev-logs-123456789012"
    )
    denied = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(denied["Resource"]) == {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    rules = {r["ID"]: r for r in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["lake-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
    assert rules["models-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert not [r for r in rules.values() if "Days" in r.get("Expiration", {}) or "Transitions" in r], (
        "what is current is for Delta's log to say"
    )


def check_files(client: Client, file_system: str) -> None:
    efs = client("efs")
    (found,) = efs.describe_file_systems(FileSystemId=file_system)["FileSystems"]
    assert found["Encrypted"] is True
    targets = efs.describe_mount_targets(FileSystemId=file_system)["MountTargets"]
    assert len({target["AvailabilityZoneName"] for target in targets}) == 2
    (point,) = efs.describe_access_points(FileSystemId=file_system)["AccessPoints"]
    assert point["PosixUser"] == {"Uid": 10001, "Gid": 10001}
    statements = json.loads(efs.describe_file_system_policy(FileSystemId=file_system)["Policy"])["Statement"]
    assert statements[1]["Effect"] == "Deny"
    assert statements[1]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def check_roles(client: Client) -> None:
    iam = client("iam")
    accounts = {
        "collector": "trendlark:trendlark-collector",
        "analyzer": "trendlark:trendlark-analyzer",
        "web": "trendlark:trendlark-web",
        "pipeline": "trendlark:trendlark-pipeline",
        "secrets": "trendlark:trendlark-external-secrets",
        "efs-csi": "kube-system:efs-csi-controller-sa",
        "cluster-autoscaler": "kube-system:cluster-autoscaler",
    }
    for role, account in accounts.items():
        trust = iam.get_role(RoleName=f"trendlark-dev-{role}")["Role"]["AssumeRolePolicyDocument"][
            "Statement"
        ][0]
        assert trust["Action"] == ["sts:AssumeRoleWithWebIdentity"]
        wanted = {key.rsplit(":", 1)[1]: value for key, value in trust["Condition"]["StringEquals"].items()}
        assert wanted == {"aud": "sts.amazonaws.com", "sub": f"system:serviceaccount:{account}"}


def check_policies(client: Client, bucket: str) -> None:
    expected: dict[str, dict[str, set[str]]] = {
        "collector": {
            "s3:GetObject": {f"lake/{t}/*" for t in ("pages", "refusals", "runs", "trends", "tweets")},
            "s3:PutObject": {f"lake/{t}/*" for t in ("pages", "refusals", "runs", "trends", "tweets")},
            "s3:DeleteObject": {
                f"lake/{t}/_delta_log/*" for t in ("pages", "refusals", "runs", "trends", "tweets")
            },
        },
        "analyzer": {
            "s3:GetObject": {"lake/*", "models/*"},
            "s3:PutObject": {f"lake/{t}/*" for t in ("analyses", "runs", "trends")},
            "s3:DeleteObject": {f"lake/{t}/_delta_log/*" for t in ("analyses", "runs", "trends")},
        },
        "web": {"s3:GetObject": {"lake/*", "models/*"}},
        "pipeline": {
            "s3:GetObject": {"models/*", "pipelines/*"},
            "s3:PutObject": {"models/*", "pipelines/*"},
            "s3:DeleteObject": {"pipelines/*"},
        },
    }
    for role, allowed in expected.items():
        policy = client("iam").get_role_policy(RoleName=f"trendlark-dev-{role}", PolicyName=role)[
            "PolicyDocument"
        ]
        found: dict[str, set[str]] = {}
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in statement["Action"]:
                for resource in statement["Resource"]:
                    found.setdefault(action, set()).add(resource.removeprefix(f"arn:aws:s3:::{bucket}/"))
        if "s3:PutObject" in allowed:
            allowed["s3:AbortMultipartUpload"] = allowed["s3:PutObject"]
        assert {a: r for a, r in found.items() if not a.startswith("kms:")} == allowed | {
            "s3:ListBucket": {f"arn:aws:s3:::{bucket}"}
        }, role
        keys = {action for action in found if action.startswith("kms:")}
        assert keys == ({"kms:Decrypt"} if role == "web" else {"kms:Decrypt", "kms:GenerateDataKey"})


def check_registry_and_secrets(client: Client) -> None:
    repositories = client("ecr").describe_repositories()["repositories"]
    assert {r["repositoryName"] for r in repositories} == {"trendlark/service", "trendlark/train"}
    assert all(r["imageScanningConfiguration"]["scanOnPush"] for r in repositories)
    secrets = client("secretsmanager")
    names = {secret["Name"] for secret in secrets.list_secrets()["SecretList"]}
    assert names == {"trendlark-dev/x-bearer-token", "trendlark-dev/api-token"}
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="trendlark-dev/x-bearer-token")


def check_manifest(made: dict[str, Any]) -> None:
    text = made["kubernetes_manifest"]
    for account in ("collector", "analyzer", "web", "pipeline"):
        assert made["role_arns"][account] == f"arn:aws:iam::123456789012:role/trendlark-dev-{account}"
        assert f'"eks.amazonaws.com/role-arn": "{made["role_arns"][account]}"' in text
    assert f'"TRENDLARK_LAKE": "{made["lake"]}"' in text
    assert f'"fileSystemId": "{made["file_system_id"]}"' in text
    assert text.count('"kind":') == 8


def check_an_hour_is_kept(lake: str, folder: Path) -> None:
    done = run("run-hour", "--source", "sample", "--lake", lake, folder=folder)
    assert done.returncode == 0, done.stderr
    opened = open_lake(lake)
    (hour,) = opened.hours()
    assert sum(1 for _ in opened.tweets(hour)) > 0
    assert all(row.summary is not None for row in opened.trend_hours(hour))


def check_nothing_is_left(client: Client) -> None:
    assert client("eks").list_clusters()["clusters"] == []
    assert [b["Name"] for b in client("s3").list_buckets()["Buckets"]] == ["state"]
    assert client("efs").describe_file_systems()["FileSystems"] == []
    assert [r["RoleName"] for r in client("iam").list_roles()["Roles"] if "trendlark" in r["RoleName"]] == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []
