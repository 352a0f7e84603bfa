"""Terraform as a user has it: a process in a copy of ``deploy/terraform``, its provider from a local folder."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy" / "terraform"
# Services that the configuration calls; each is led to the stand-in.
SERVICES = (
    "autoscaling", "budgets", "cloudwatchlogs", "ec2", "ecr", "efs", "eks", "iam", "kms", "s3",
    "secretsmanager", "sts",
)  # fmt: skip
_PLUGIN_HOMES = (
    "~/.terraform.d/plugins",
    "~/.terraform.d/plugin-cache",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/usr/share/terraform",
    "/usr/local/lib",
    "/opt",
)
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_VERSION = "5.100.0"


def why_not() -> str | None:
    """Why Terraform cannot be run here; ``None`` where it can."""
    if shutil.which("terraform") is None:
        return "terraform is not installed"
    if plugin_folder() is None:
        return "no folder of plugins holds hashicorp/aws 5.100.0 (TF_PLUGIN_DIR names one)"
    return None


def plugin_folder() -> Path | None:
    """The folder for ``-plugin-dir``: that of TF_PLUGIN_DIR, or one in a usual place."""
    if named := os.environ.get("TF_PLUGIN_DIR"):
        folders = [Path(named)]
    else:
        homes = [Path(home).expanduser() for home in _PLUGIN_HOMES]
        folders = [*homes, *(folder for home in homes for folder in _folders_in(home))]
    return next((folder for folder in folders if _holds_provider(folder)), None)


def _folders_in(home: Path) -> list[Path]:
    try:
        return sorted(path for path in home.iterdir() if path.is_dir())
    except OSError:
        return []


def system() -> str:
    """This machine as Terraform names it, such as ``linux_amd64``."""
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(platform.machine(), platform.machine())}"


def _holds_provider(folder: Path) -> bool:
    try:
        unpacked = (folder / _PROVIDER / _VERSION / system()).glob("terraform-provider-aws*")
        packed = folder / _PROVIDER / f"terraform-provider-aws_{_VERSION}_{system()}.zip"
        return packed.is_file() or any(unpacked)
    except OSError:
        return False


_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}


@dataclass
class Terraform:
    """The configuration, copied to a folder of its own so that nothing is left in the repository."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def copied_to(cls, folder: Path) -> Terraform:
        """A copy in a new folder."""
        shutil.copytree(
            FOLDER, folder, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.auto.tfvars")
        )
        return cls(folder)

    def run(
        self, *words: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``terraform`` with these words; raise with what it said where it fails and ``check`` is set."""
        quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        done = subprocess.run(
            ["terraform", *words],
            cwd=self.folder,
            env=os.environ | quiet | self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"terraform {' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}")
        return done

    def init(self, *words: str) -> None:
        """Initialise with the provider on the disk, whose hash must be in the lock file."""
        self.run(
            "init",
            "-no-color",
            "-input=false",
            "-lockfile=readonly",
            f"-plugin-dir={plugin_folder()}",
            *words,
        )

    def outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        return {name: o["value"] for name, o in json.loads(self.run("output", "-json").stdout).items()}

    def write_override(self, endpoint: str) -> None:
        """Lead provider and state to a stand-in for AWS."""
        services = "\n".join(f'    {service} = "{endpoint}"' for service in SERVICES)
        (self.folder / "stand_in_override.tf").write_text(
            _OVERRIDE.format(endpoint=endpoint, services=services)
        )


_OVERRIDE = """
terraform {{
  backend "s3" {{
    key                         = "trendlark/terraform.tfstate"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    endpoints                   = {{ s3 = "{endpoint}", iam = "{endpoint}", sts = "{endpoint}" }}
  }}
}}

provider "aws" {{
  region                      = var.region
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  skip_credentials_validation = true
  endpoints {{
{services}
  }}
}}
"""
