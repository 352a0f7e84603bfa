"""What each role may do: tried with the program itself where the stand-in enforces policies, and simulated.

Moto's server enforces actions and resources, and reads no conditions; the simulator reads conditions, knows which
actions, resources and condition keys exist, and evaluates policies of roles, buckets and trust together.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_walk import ACCOUNT, REGION, Walk, why_no_walk
from tests.support.commandline import run
from tests.support.iam_simulator import ROLE, Policy, Request, answers, why_no_simulator
from tests.support.pod_credentials import irsa, pod_identity
from trendlark.lake.tables import TABLES

pytestmark = [
    pytest.mark.skipif(bool(why_no_walk()), reason=why_no_walk() or ""),
    pytest.mark.terraform,
    pytest.mark.timeout(3000),
]
simulated = pytest.mark.skipif(bool(why_no_simulator()), reason=why_no_simulator() or "")
PLACES = (*(f"lake/{table}" for table in TABLES), "models", "pipelines")
HOUR = "2026-11-20T09"
# What a role may read and write of the bucket.
COLLECTED = {f"lake/{table}" for table in ("pages", "refusals", "runs", "trends", "tweets")}
ANALYSED = {f"lake/{table}" for table in ("analyses", "runs", "trends")}
LOOKED_AT = {*PLACES} - {"pipelines"}
MADE = {"models", "pipelines"}
READS = {
    "collector": COLLECTED,
    "analyzer": LOOKED_AT,
    "web": LOOKED_AT,
    "pipeline": MADE,
    "model": {"models"},
}
WRITES = {
    "collector": COLLECTED,
    "analyzer": ANALYSED,
    "web": set[str](),
    "pipeline": MADE,
    "model": set[str](),
}
SERVICES = tuple(READS)
Way = Callable[[Mapping[str, str], str, Path], AbstractContextManager[dict[str, str]]]


@contextmanager
def enforced(walk: Walk) -> Iterator[None]:
    """The stand-in asks for every request whether it is allowed."""
    _enforce_after(walk, 0)
    try:
        yield
    finally:
        _enforce_after(walk, float("inf"))


def _enforce_after(walk: Walk, requests: float) -> None:
    # Moto takes the number from a body that is no form.
    call = urllib.request.Request(
        f"{walk.endpoint}/moto-api/reset-auth",
        data=str(requests).encode(),
        headers={"Content-Type": "text/plain"},
        method="POST",
    )
    with urllib.request.urlopen(call) as answer:
        assert answer.status == 200


def credentials(walk: Walk, role: str) -> dict[str, str]:
    """What a pod of this role has, given for the token of its ServiceAccount."""
    given = walk.client("sts").assume_role_with_web_identity(
        RoleArn=walk.made["role_arns"][role], RoleSessionName="pod", WebIdentityToken="token"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


@dataclass(frozen=True)
class Pod:
    """A process with the rights of a role and the settings that pods have."""

    walk: Walk
    credentials: Mapping[str, str]
    folder: Path

    def run(self, *words: str) -> Any:
        settings = {
            "AWS_ENDPOINT_URL": self.walk.endpoint,
            "AWS_REGION": REGION,
            "TRENDLARK_LAKE": self.walk.made["lake"],
            "TRENDLARK_SOURCE": "sample",
        }
        return run(*words, folder=self.folder, environment={**settings, **self.credentials})

    def may(self, *words: str) -> str:
        """Run a command that must succeed; what it wrote."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        told: str = done.stdout
        return told

    def may_not(self, *words: str, what: str) -> None:
        """Run a command that must be refused with a sentence that says which right it lacks."""
        done = self.run(*words)
        assert done.returncode == 5, (done.stdout, done.stderr)
        assert f"Found no permission to {what} the lake" in done.stderr
        assert "Traceback" not in done.stderr


def test_each_service_does_its_own_work_and_no_other(walk: Walk, tmp_path: Path) -> None:
    collector, analyzer, web, pipeline, model = (
        Pod(walk, credentials(walk, role), tmp_path) for role in SERVICES
    )
    at = ("--hour", HOUR)
    with enforced(walk):
        analyzer.may_not("collect", *at, what="write to")
        web.may_not("collect", *at, what="write to")
        collector.may("collect", *at)
        collector.may_not("analyze-hour", *at, what="read")
        web.may_not("analyze-hour", *at, what="write to")
        analyzer.may("analyze-hour", *at)
        web.may_not("summarise", *at, what="write to")
        analyzer.may("summarise", *at)
        counted = f"SELECT count(*) FROM trends WHERE hour = '{HOUR}' AND sentiment_negative IS NOT NULL"
        assert json.loads(web.may("query", counted, "--format", "jsonl"))["count(*)"] > 0
        for trainer in (pipeline, model):
            trainer.may_not("query", "SELECT count(*) FROM tweets", what="read")


@pytest.mark.parametrize("way", [irsa, pod_identity])
def test_a_pod_comes_by_its_credentials_in_both_ways(walk: Walk, way: Way, tmp_path: Path) -> None:
    role = walk.made["role_arns"]["web"]
    with way(credentials(walk, "web"), role, tmp_path) as variables, enforced(walk):
        Pod(walk, variables, tmp_path).may("query", "SELECT count(*) FROM tweets")


def role_policy(walk: Walk, role: str) -> Policy:
    """The policy that was put on a role, as the stand-in tells it."""
    found: Policy = walk.client("iam").get_role_policy(RoleName=f"trendlark-dev-{role}", PolicyName=role)[
        "PolicyDocument"
    ]
    return found


class Asked:
    """Requests with whether they must be allowed; asked all at once.

    Policies on resources are given by the service that they belong to, as ``s3``.
    """

    def __init__(
        self,
        identity: Policy | None = None,
        on_resources: Mapping[str, Policy] | None = None,
        principal: str = ROLE,
        **always: str,
    ) -> None:
        self._identity, self._on_resources, self._principal = identity, dict(on_resources or {}), principal
        self._always = always
        self._asked: list[tuple[Request, bool]] = []

    def may(self, allowed: bool, action: str, resource: str, **context: str) -> None:
        """Note a request; ``aws_Name`` is the condition key ``aws:Name``."""
        told = {
            name if ":" in name else name.replace("_", ":", 1): value
            for name, value in {**self._always, **context}.items()
        }
        on_resource = self._on_resources.get(action.split(":", maxsplit=1)[0])
        request = Request(action, resource, self._identity, on_resource, told, self._principal)
        self._asked.append((request, allowed))

    def check(self) -> None:
        """Every request must be answered as it should be."""
        told = answers([request for request, _ in self._asked], ACCOUNT)
        denied = {"ImplicitlyDenied", "ExplicitlyDenied"}
        wrong = [
            (request.action, request.resource, request.context, answer)
            for (request, allowed), answer in zip(self._asked, told, strict=True)
            if answer not in ({"Allowed"} if allowed else denied)
        ]
        assert wrong == []
        assert {allowed for _, allowed in self._asked} == {True, False}


@simulated
@pytest.mark.parametrize("role", SERVICES)
def test_a_role_reaches_its_part_of_the_bucket_only(walk: Walk, role: str) -> None:
    bucket = f"arn:aws:s3:::{walk.made['bucket']}"
    asked = Asked(
        role_policy(walk, role),
        {"s3": walk.bucket_policy, "kms": walk.key_policy},
        aws_SecureTransport="true",
    )
    for place in PLACES:
        reads, writes = place in READS[role], place in WRITES[role]
        asked.may(reads, "s3:GetObject", f"{bucket}/{place}/file")
        asked.may(reads, "s3:ListBucket", bucket, s3_prefix=f"{place}/")
        # What S3 asks to tell "missing" from "forbidden": whether the caller may list this key.
        asked.may(reads, "s3:ListBucket", bucket, s3_prefix=f"{place}/_delta_log/_last_checkpoint")
        asked.may(writes, "s3:PutObject", f"{bucket}/{place}/file")
        asked.may(writes, "s3:AbortMultipartUpload", f"{bucket}/{place}/file")
        # Data files go only by the hand of a person (`lake vacuum`); Delta clears its own log.
        asked.may(writes and place == "pipelines", "s3:DeleteObject", f"{bucket}/{place}/file")
        asked.may(writes and place != "models", "s3:DeleteObject", f"{bucket}/{place}/_delta_log/1.json")
        for never in ("s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:PutObjectAcl"):
            asked.may(False, never, f"{bucket}/{place}/file")
    asked.may(False, "s3:ListBucket", bucket, s3_prefix="")
    for never in ("s3:PutBucketPolicy", "s3:DeleteBucket", "s3:PutLifecycleConfiguration"):
        asked.may(False, never, bucket)
    asked.may(
        False, "s3:GetObject", f"arn:aws:s3:::{walk.shell.exported('STATE')}/trendlark/terraform.tfstate"
    )
    asked.may(True, "kms:Decrypt", walk.data_key)
    asked.may(bool(WRITES[role]), "kms:GenerateDataKey", walk.data_key)
    asked.may(False, "kms:ScheduleKeyDeletion", walk.data_key)
    asked.may(False, "secretsmanager:GetSecretValue", walk.tokens)
    asked.check()


@simulated
def test_the_bucket_refuses_plain_http_whoever_asks(walk: Walk) -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    asked = Asked(everything, {"s3": walk.bucket_policy})
    for encrypted in ("true", "false"):
        for action, part in (
            ("s3:GetObject", "/lake/tweets/file"),
            ("s3:PutObject", "/models/x"),
            ("s3:ListBucket", ""),
        ):
            arn = f"arn:aws:s3:::{walk.made['bucket']}{part}"
            asked.may(encrypted == "true", action, arn, aws_SecureTransport=encrypted)
    asked.check()


@simulated
def test_the_file_system_is_mounted_encrypted_and_through_its_targets_only(walk: Walk) -> None:
    efs = walk.client("efs")
    (found,) = efs.describe_file_systems(FileSystemId=walk.made["file_system_id"])["FileSystems"]
    policy = json.loads(efs.describe_file_system_policy(FileSystemId=found["FileSystemId"])["Policy"])
    asked = Asked(None, {"elasticfilesystem": policy})
    for encrypted in ("true", "false"):
        for mounted in ("true", "false"):
            for action in ("ClientMount", "ClientWrite", "ClientRootAccess"):
                asked.may(
                    encrypted == mounted == "true" and action != "ClientRootAccess",
                    f"elasticfilesystem:{action}",
                    found["FileSystemArn"],
                    aws_SecureTransport=encrypted,
                    elasticfilesystem_AccessedViaMountTarget=mounted,
                )
    asked.check()


def test_a_role_is_given_to_its_service_accounts_only(walk: Walk) -> None:
    """Compared word for word: the simulator knows no keys of an identity provider."""
    issuer = walk.client("eks").describe_cluster(name="trendlark-dev")["cluster"]["identity"]["oidc"][
        "issuer"
    ]
    host = issuer.removeprefix("https://")
    kubeflow = ("pipeline-runner", "ml-pipeline", "ml-pipeline-ui")
    accounts = {role: [f"trendlark:trendlark-{role}"] for role in ("collector", "analyzer", "web")} | {
        "model": ["trendlark:trendlark-model"],
        "pipeline": [f"kubeflow:{name}" for name in kubeflow],
        "secrets": ["trendlark:trendlark-external-secrets"],
        "efs-csi": ["kube-system:efs-csi-controller-sa", "kube-system:efs-csi-node-sa"],
        "ebs-csi": ["kube-system:ebs-csi-controller-sa"],
        "cluster-autoscaler": ["kube-system:cluster-autoscaler"],
    }
    assert set(accounts) == set(walk.made["role_arns"])
    for role, own in accounts.items():
        found = walk.client("iam").get_role(RoleName=f"trendlark-dev-{role}")["Role"][
            "AssumeRolePolicyDocument"
        ]
        subjects = [f"system:serviceaccount:{account}" for account in own]
        assert found["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
                "Action": ["sts:AssumeRoleWithWebIdentity"],
                "Condition": {"StringEquals": {f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": subjects}},
            }
        ]


@simulated
def test_the_secrets_role_reads_one_secret_and_the_autoscaler_scales_one_cluster(walk: Walk) -> None:
    asked = Asked(role_policy(walk, "secrets"), {"kms": walk.key_policy})
    asked.may(True, "secretsmanager:GetSecretValue", walk.tokens)
    asked.may(True, "kms:Decrypt", walk.data_key)
    asked.may(False, "secretsmanager:PutSecretValue", walk.tokens)
    asked.may(False, "secretsmanager:GetSecretValue", walk.tokens.replace("trendlark-dev", "trendlark-prod"))
    asked.may(False, "kms:Decrypt", walk.data_key[:-1] + ("0" if walk.data_key[-1] != "0" else "1"))
    asked.check()
    group = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/services"
    asked = Asked(role_policy(walk, "cluster-autoscaler"))
    for cluster in ("trendlark-dev", "trendlark-prod"):
        tag = {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}
        asked.may(cluster == "trendlark-dev", "autoscaling:SetDesiredCapacity", group, **tag)
        asked.may(False, "autoscaling:DeleteAutoScalingGroup", group, **tag)
    asked.may(True, "autoscaling:DescribeAutoScalingGroups", "*")
    asked.check()
