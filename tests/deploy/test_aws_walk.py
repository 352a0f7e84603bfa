"""``dev`` made and unmade by the commands of ``docs/aws.md`` in a stand-in for AWS, read back through boto3.

What moto lacks is switched off by a variable: EKS add-ons (``enable_addons``), tags of the Auto Scaling groups of
node groups (``enable_autoscaler_tags``), backup policies (``efs_backup``), budgets (``budget_usd_per_month``), access
entries (``admin_role_arns``), Cloud9 (``enable_cloud9``) and Pod Identity (``pod_identity``). The native tests plan
those with a mocked provider.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.support.aws_walk import ACCOUNT, REGION, STAND_IN, X_TOKEN, Walk, why_no_walk
from trendlark.lake import open_lake

pytestmark = [
    pytest.mark.skipif(bool(why_no_walk()), reason=why_no_walk() or ""),
    pytest.mark.terraform,
    pytest.mark.timeout(3000),
]
BUCKET = f"trendlark-dev-lake-{ACCOUNT}"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def test_the_state_is_locked_versioned_and_closed(walk: Walk) -> None:
    s3, state = walk.client("s3"), walk.shell.exported("STATE")
    names = [o["Key"] for o in s3.list_objects_v2(Bucket=state)["Contents"]]
    assert names == ["env:/dev/trendlark/terraform.tfstate"], (
        "the lock is given back, the state is in the bucket"
    )
    kept = s3.list_object_versions(Bucket=state)
    assert [m["Key"] for m in kept["DeleteMarkers"]][:1] == ["env:/dev/trendlark/terraform.tfstate.tflock"], (
        "there was a lock"
    )
    assert s3.get_bucket_versioning(Bucket=state)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=state)["PublicAccessBlockConfiguration"].values()) == {True}


def test_nodes_are_one_to_eight_and_training_begins_with_none(walk: Walk) -> None:
    eks = walk.client("eks")

    def group(name: str) -> Any:
        return eks.describe_nodegroup(clusterName="trendlark-dev", nodegroupName=name)["nodegroup"]

    # Terraform gives the first one a name of its own, so that another may be made beside it.
    names = sorted(eks.list_nodegroups(clusterName="trendlark-dev")["nodegroups"])
    assert [name.partition("-")[0] for name in names] == ["services", "training"]
    services, training = map(group, names)
    assert {services["version"], training["version"]} == {"1.35"}
    assert services["scalingConfig"] == {"minSize": 1, "desiredSize": 2, "maxSize": 8}
    assert services["instanceTypes"] == ["t3.small", "t3a.small", "t2.small"]
    assert services["capacityType"] == "SPOT"
    assert services["tags"]["k8s.io/cluster-autoscaler/trendlark-dev"] == "owned"
    assert training["scalingConfig"] == {"minSize": 0, "desiredSize": 0, "maxSize": 2}
    assert training["capacityType"] == "SPOT"
    assert training["taints"] == [{"key": "trendlark.io/training", "value": "true", "effect": "NO_SCHEDULE"}]


def test_the_cluster_is_logged_encrypted_and_reached_from_one_address(walk: Walk) -> None:
    cluster = walk.client("eks").describe_cluster(name="trendlark-dev")["cluster"]
    (encrypted,) = cluster["encryptionConfig"]
    assert encrypted["resources"] == ["secrets"]
    assert encrypted["provider"]["keyArn"] != walk.data_key
    for key in (encrypted["provider"]["keyArn"], walk.data_key):
        assert walk.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    network = cluster["resourcesVpcConfig"]
    assert network["endpointPrivateAccess"] is True
    assert network["publicAccessCidrs"] == ["203.0.113.7/32"]
    assert {kind for log in cluster["logging"]["clusterLogging"] for kind in log["types"] if log["enabled"]} == {
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    }  # fmt: skip
    (group,) = walk.client("logs").describe_log_groups(logGroupNamePrefix="/aws/eks/trendlark-dev")[
        "logGroups"
    ]
    assert group["retentionInDays"] == 7


def test_machines_have_encrypted_disks_and_the_new_metadata_service_only(walk: Walk) -> None:
    ec2 = walk.client("ec2")
    templates = {t["LaunchTemplateName"] for t in ec2.describe_launch_templates()["LaunchTemplates"]}
    assert templates == {"trendlark-dev-services", "trendlark-dev-training"}
    for name in templates:
        versions = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"]
        data = versions[0]["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_the_way_to_s3_stays_inside(walk: Walk) -> None:
    ec2 = walk.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (endpoint["ServiceName"], endpoint["VpcEndpointType"]) == (f"com.amazonaws.{REGION}.s3", "Gateway")
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["trendlark-dev-private-*"]}])
    private = {table["RouteTableId"] for table in tables["RouteTables"]}
    assert len(private) == 2
    assert set(endpoint["RouteTableIds"]) == private


def test_the_bucket_is_protected(walk: Walk) -> None:
    s3 = walk.client("s3")
    assert walk.made["bucket"] == BUCKET
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == walk.data_key
    logs = s3.get_bucket_logging(Bucket=BUCKET)["LoggingEnabled"]["TargetBucket"]
    assert logs == f"trendlark-dev-logs-{ACCOUNT}"
    for bucket in (BUCKET, logs):
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {
            True
        }
    of_logs = json.loads(s3.get_bucket_policy(Bucket=logs)["Policy"])
    delivered = of_logs["Statement"][1]
    assert delivered["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivered["Action"] == "s3:PutObject"
    assert delivered["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}
    for policy in (walk.bucket_policy, of_logs):
        denied = policy["Statement"][0]
        assert denied["Effect"] == "Deny"
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_lifecycle_takes_what_vacuum_deleted_and_nothing_current(walk: Walk) -> None:
    s3 = walk.client("s3")
    rules = {r["ID"]: r for r in s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]}
    assert rules["lake-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
    for kept in ("models-old-versions", "pipelines-old-versions"):
        assert rules[kept]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert not [r for r in rules.values() if "Days" in r.get("Expiration", {}) or "Transitions" in r], (
        "what is current is for Delta's log to say"
    )


def test_what_vacuum_deletes_is_an_old_version_under_that_lifecycle(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = reached(walk, monkeypatch)
    lake = open_lake(walk.made["lake"])
    rows = sum(1 for hour in lake.hours() for _ in lake.tweets(hour))
    before = current_keys(s3, "lake/")
    lake.compact()
    assert sum(lake.vacuum(retention_hours=0).values()) > 0
    gone = before - current_keys(s3, "lake/")
    assert any(key.endswith(".parquet") for key in gone)
    kept = s3.list_object_versions(Bucket=BUCKET, Prefix="lake/")
    assert gone <= {version["Key"] for version in kept["Versions"] if not version["IsLatest"]}
    assert gone <= {marker["Key"] for marker in kept["DeleteMarkers"] if marker["IsLatest"]}
    assert sum(1 for hour in lake.hours() for _ in lake.tweets(hour)) == rows > 0


def test_an_hour_is_in_the_bucket(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    reached(walk, monkeypatch)
    assert walk.made["lake"] == f"s3://{BUCKET}/lake"
    lake = open_lake(walk.made["lake"])
    hour = max(lake.hours())
    assert sum(1 for _ in lake.tweets(hour)) > 0
    assert all(row.summary is not None for row in lake.trend_hours(hour))


def reached(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client for S3; the lake opens in this process, too."""
    for name, value in walk.environment.items():
        monkeypatch.setenv(name, value)
    return walk.client("s3")


def current_keys(s3: Any, prefix: str) -> set[str]:
    """The keys that are not deleted."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {found["Key"] for page in pages for found in page.get("Contents", [])}


def test_the_file_system_is_encrypted_and_in_each_zone(walk: Walk) -> None:
    efs, file_system = walk.client("efs"), walk.made["file_system_id"]
    (found,) = efs.describe_file_systems(FileSystemId=file_system)["FileSystems"]
    assert found["Encrypted"] is True
    assert found["KmsKeyId"] == walk.data_key
    targets = efs.describe_mount_targets(FileSystemId=file_system)["MountTargets"]
    assert len({target["AvailabilityZoneName"] for target in targets}) == 2
    (point,) = efs.describe_access_points(FileSystemId=file_system)["AccessPoints"]
    assert point["AccessPointId"] == walk.made["access_point_id"]
    assert point["PosixUser"] == {"Uid": 10001, "Gid": 10001}
    groups = efs.describe_mount_target_security_groups(MountTargetId=targets[0]["MountTargetId"])
    (group,) = walk.client("ec2").describe_security_groups(GroupIds=groups["SecurityGroups"])[
        "SecurityGroups"
    ]
    assert group["IpPermissions"]
    for rule in group["IpPermissions"]:
        assert (rule["FromPort"], rule["ToPort"]) == (2049, 2049)
        assert "0.0.0.0/0" not in {each["CidrIp"] for each in rule["IpRanges"]}


def test_images_are_scanned_kept_and_not_overwritten(walk: Walk) -> None:
    ecr = walk.client("ecr")
    repositories = ecr.describe_repositories()["repositories"]
    assert {r["repositoryName"] for r in repositories} == {"trendlark/service", "trendlark/train"}
    for repository in repositories:
        assert repository["imageScanningConfiguration"]["scanOnPush"] is True
        assert repository["imageTagMutability"] == "IMMUTABLE"
        policy = ecr.get_lifecycle_policy(repositoryName=repository["repositoryName"])["lifecyclePolicyText"]
        kept = [r["selection"]["countNumber"] for r in json.loads(policy)["rules"]]
        assert kept == [7, 20]
    assert {name: walk.made["repositories"][name] for name in ("trendlark/service", "trendlark/train")} == {
        "trendlark/service": f"{HOST}/trendlark/service",
        "trendlark/train": f"{HOST}/trendlark/train",
    }


def test_the_tokens_are_in_secrets_manager_and_nowhere_else(walk: Walk) -> None:
    secrets = walk.client("secretsmanager")
    (found,) = secrets.list_secrets()["SecretList"]
    assert found["Name"] == walk.made["tokens"] == "trendlark-dev/tokens"
    assert found["KmsKeyId"] == walk.data_key
    tokens = json.loads(secrets.get_secret_value(SecretId=found["Name"])["SecretString"])
    assert tokens["x-bearer-token"] == X_TOKEN
    assert len(tokens["api-token"]) == 48
    assert set(tokens) == {"x-bearer-token", "api-token"}
    assert X_TOKEN not in (walk.folder / "exported").read_text(encoding="utf-8"), "the shell forgets it"


def test_other_nodes_come_before_the_old_ones_go(walk: Walk) -> None:
    """Only the order is looked at: what moto leaves out of its answers makes Terraform replace more than AWS would."""
    words = [*shlex.split(STAND_IN), '-var=node_instance_types=["t3.xlarge"]']
    walk.terraform.run("plan", "-input=false", "-out=next", "-var-file=environments/dev.tfvars", *words)
    planned = json.loads(walk.terraform.run("show", "-json", "next").stdout)["resource_changes"]
    actions = {change["address"]: change["change"]["actions"] for change in planned}
    assert actions["module.cluster.aws_eks_node_group.services"] == ["create", "delete"]


def test_undone_from_the_last_step_to_the_first(walk: Walk) -> None:
    """The last test of the walk: nothing is left, and no version of the state ever held a token."""
    tokens = json.loads(
        walk.client("secretsmanager").get_secret_value(SecretId=walk.made["tokens"])["SecretString"]
    )
    # Moto cannot delete this policy by itself; it goes with its file system. Nor can it delete the marker of a deleted
    # object once versioning is suspended, which Terraform does before it empties the bucket.
    for kept in ("aws_efs_file_system_policy.this", "aws_s3_bucket_versioning.lake"):
        walk.terraform.run("state", "rm", f"module.storage.{kept}")
    state = walk.shell.exported("STATE")
    for step in reversed(walk.steps.values()):
        if step.number == 1:
            check_states(walk, state, set(tokens.values()))
        walk.undo(step)
    assert walk.client("eks").list_clusters()["clusters"] == []
    assert walk.client("s3").list_buckets()["Buckets"] == []
    assert walk.client("efs").describe_file_systems()["FileSystems"] == []
    assert walk.client("ecr").describe_repositories()["repositories"] == []
    roles = [r["RoleName"] for r in walk.client("iam").list_roles()["Roles"]]
    assert [name for name in roles if "trendlark" in name] == []
    assert walk.client("secretsmanager").list_secrets()["SecretList"] == []
    vpcs = walk.client("ec2").describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["trendlark"]}])[
        "Vpcs"
    ]
    assert vpcs == []
    kms = walk.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    ours = [key["KeyState"] for key in keys if "trendlark-dev" in key["Description"]]
    assert ours == ["PendingDeletion"] * 2
    left = {path.name for path in (walk.folder / "repository" / "deploy" / "terraform").iterdir()}
    assert left & {".terraform", "mine.auto.tfvars", "kubernetes"} == set()


def check_states(walk: Walk, bucket: str, tokens: set[str]) -> None:
    """Terraform refreshed the secret while it destroyed, and still has not seen what is in it."""
    s3 = walk.client("s3")
    versions = [v for v in s3.list_object_versions(Bucket=bucket)["Versions"] if v["Key"].endswith("tfstate")]
    assert len(versions) > 2
    for version in versions:
        body = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        assert not [token for token in tokens if token.encode() in body]
