"""A walk through ``docs/aws.md`` in a stand-in for AWS: its commands as they stand, in a copy of what they need.

Terraform and the AWS command line are real, and so is the service that they reach, moto's server. What has no stand-in
(a cluster, a registry, an address of one's own on the internet) is a tool that notes how it was called.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml

from tests.support.guide import Shell, Step, steps_of
from tests.support.s3_server import running_s3
from tests.support.terraform import Terraform, plugin_folder, why_not

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
TAG = "0123456789ab"
X_TOKEN = "the-bearer-token-of-x"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
# What moto lacks is off; a group for training is on, so that it is made, too.
STAND_IN = (
    "-var=enable_addons=false -var=enable_autoscaler_tags=false "
    "'-var=training={instance_types=[\"c7i.4xlarge\"],maximum=2}'"
)
NOTED = ("make", "docker", "helm", "kubectl")
ANSWERED = {"curl": "echo 203.0.113.7", "git": f"echo {TAG}"}
_TERRAFORM = """#!/bin/sh
verb=$1; shift
case $verb in
  init) exec {real} init -input=false -no-color -lockfile=readonly -plugin-dir={plugins} "$@" ;;
  apply|destroy) exec {real} $verb -input=false -no-color -auto-approve {options} "$@" ;;
  *) exec {real} $verb "$@" ;;
esac
"""
Call = dict[str, Any]


def why_no_walk() -> str | None:
    """Why the guide cannot be walked here; ``None`` where it can."""
    missing = [tool for tool in ("bash", "jq", "openssl", "kubectl") if shutil.which(tool) is None]
    if not Path(sys.executable).with_name("aws").exists():
        missing.append("aws (the package awscli)")
    return why_not() or (f"not installed: {', '.join(missing)}" if missing else None)


@dataclass(eq=False)
class Walk:
    """The guide's steps, the shell they run in, and the stand-in that they reach."""

    folder: Path
    endpoint: str
    shell: Shell
    steps: dict[int, Step]

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach the stand-in."""
        return ACCESS | {"AWS_ENDPOINT_URL": self.endpoint}

    @property
    def terraform(self) -> Terraform:
        """Terraform where the guide ran it."""
        return Terraform(self.folder / "repository" / "deploy" / "terraform", self.environment)

    @cached_property
    def made(self) -> dict[str, Any]:
        """The outputs by name."""
        return self.terraform.outputs()

    @cached_property
    def bucket_policy(self) -> dict[str, Any]:
        """What the bucket's policy was before it was taken off."""
        found: dict[str, Any] = json.loads((self.folder / "policy.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def tokens(self) -> str:
        """The ARN of the secret that holds the tokens."""
        arn: str = self.client("secretsmanager").describe_secret(SecretId=self.made["tokens"])["ARN"]
        return arn

    @cached_property
    def data_key(self) -> str:
        """The ARN of the key that encrypts the data."""
        aliases = self.client("kms").list_aliases()["Aliases"]
        (key,) = [
            alias["TargetKeyId"] for alias in aliases if alias["AliasName"] == "alias/trendlark-dev-data"
        ]
        arn: str = self.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        return arn

    @cached_property
    def key_policy(self) -> dict[str, Any]:
        """The policy of that key: it leaves the word to IAM."""
        found: dict[str, Any] = json.loads(
            self.client("kms").get_key_policy(KeyId=self.data_key, PolicyName="default")["Policy"]
        )
        return found

    def client(self, service: str) -> Any:
        """A client of boto3 for the stand-in."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def calls(self, tool: str | None = None) -> list[Call]:
        """How tools without a stand-in were called."""
        lines = (self.folder / "record").read_text(encoding="utf-8").splitlines()
        return [call for call in map(json.loads, lines) if tool in (None, call["tool"])]

    def render(self, folder: str) -> str:
        """What kustomize makes of a folder, named as the guide names it."""
        return self.shell.run(f'"$REAL_KUBECTL" kustomize {folder}')

    def do(self) -> None:
        """All steps, each in its turn."""
        for step in self.steps.values():
            for block in step.do:
                self.shell.run(block, stdin=f"{X_TOKEN}\n")

    def undo(self, step: Step) -> None:
        """Undo one step."""
        for block in step.undo:
            self.shell.run(block)


def _tool(path: Path, script: str) -> None:
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


def _tools(folder: Path) -> None:
    folder.mkdir()
    real = shutil.which("terraform")
    _tool(folder / "terraform", _TERRAFORM.format(real=real, plugins=plugin_folder(), options=STAND_IN))
    for name in NOTED:
        run = f"exec env PYTHONPATH={ROOT} {sys.executable} -m tests.support.stand_in_tool {name}"
        _tool(folder / name, f'#!/bin/sh\n{run} "$@"\n')
    for name, answer in ANSWERED.items():
        _tool(folder / name, f"#!/bin/sh\n{answer}\n")
    (folder / "aws").symlink_to(Path(sys.executable).with_name("aws"))


def _leave_remote_manifests_out(kubeflow: Path) -> None:
    """Keep what is ours of kustomizations that refer to other projects' repositories."""
    for path in kubeflow.glob("*/kustomization.yaml"):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        said["resources"] = [r for r in said["resources"] if not r.startswith("https://")]
        path.write_text(yaml.safe_dump(said), encoding="utf-8")


@contextmanager
def walking(folder: Path) -> Iterator[Walk]:
    """A walk that has not begun, with its stand-in running."""
    _tools(folder / "tools")
    copied = folder / "repository"
    unwanted = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.auto.tfvars")
    shutil.copytree(ROOT / "deploy", copied / "deploy", ignore=unwanted)
    _leave_remote_manifests_out(copied / "deploy" / "kubeflow")
    with running_s3({"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}) as endpoint:
        Terraform(copied / "deploy" / "terraform").write_override(endpoint)
        (folder / "record").touch()
        environment = ACCESS | {
            "AWS_ENDPOINT_URL": endpoint,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": "/dev/null",
            "KUBECONFIG": str(folder / "kubeconfig"),
            "RECORD": str(folder / "record"),
            "REAL_KUBECTL": shutil.which("kubectl") or "kubectl",
            "TRENDLARK_MODEL": "fake",
            "PATH": f"{folder / 'tools'}:/usr/bin:/bin",
        }
        page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
        steps = {step.number: step for step in steps_of(page)}
        yield Walk(folder, endpoint, Shell(copied, folder, environment), steps)
