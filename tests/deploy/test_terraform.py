"""What can be said of ``deploy/terraform`` without a cloud: its form, its own tests, what the docs say of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.terraform import FOLDER, Terraform, plugin_folder, system, why_not
from trendlark import __version__
from trendlark.lake.tables import TABLES

needs_terraform = pytest.mark.skipif(bool(why_not()), reason=why_not() or "")
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.M | re.S)


@needs_terraform
@pytest.mark.terraform
@pytest.mark.timeout(1800)
def test_form_validity_and_native_tests(tmp_path: Path) -> None:
    terraform = Terraform.copied_to(tmp_path / "terraform")
    assert terraform.run("fmt", "-check", "-recursive", check=False).stdout == "", (
        "run `terraform fmt -recursive`"
    )
    terraform.init("-backend=false")
    terraform.run("validate", "-no-color")
    said = terraform.run("test", "-no-color", "-var-file=environments/prod.tfvars").stdout
    assert re.search(r"Success! (\d+) passed, 0 failed", said), said


@needs_terraform
@pytest.mark.terraform
@pytest.mark.timeout(1800)
def test_the_variables_of_the_other_environment_are_refused_in_a_workspace(tmp_path: Path) -> None:
    terraform = Terraform.copied_to(tmp_path / "terraform")
    (terraform.folder / "local_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    terraform.environment = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    (terraform.folder / "main.tf").write_text(
        (terraform.folder / "main.tf").read_text().split('module "network"')[0]
    )
    (terraform.folder / "outputs.tf").unlink()
    terraform.init()
    terraform.run("workspace", "select", "-or-create", "prod")
    done = terraform.run("plan", "-no-color", "-var-file=environments/dev.tfvars", check=False)
    assert done.returncode == 1
    assert "Found the workspace prod and the variables of dev" in " ".join(done.stderr.split())


@needs_terraform
@pytest.mark.terraform
@pytest.mark.timeout(1800)
def test_the_commands_that_lock_another_platform_run_before_init(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "aws.md").read_text(encoding="utf-8")
    told = re.search(
        r"before `terraform init`.*: `terraform (get) && terraform (providers lock) -platform=", page
    )
    assert told is not None
    terraform = Terraform.copied_to(tmp_path / "terraform")
    before = (terraform.folder / ".terraform.lock.hcl").read_text(encoding="utf-8")
    mirror = (f"-fs-mirror={plugin_folder()}", f"-platform={system()}")
    assert terraform.run(*told[2].split(), *mirror, check=False).returncode == 1, "modules are missing"
    terraform.run(told[1])
    terraform.run(*told[2].split(), *mirror)
    assert 'version     = "5.100.0"' in before
    if system() == "linux_amd64":
        assert (terraform.folder / ".terraform.lock.hcl").read_text(encoding="utf-8") == before


@pytest.mark.terraform
@pytest.mark.skipif(
    shutil.which("tflint") is None, reason="tflint is not installed; only its makers' releases have it"
)
def test_tflint_finds_nothing() -> None:
    done = subprocess.run(
        [
            "tflint",
            f"--chdir={FOLDER}",
            "--recursive",
            f"--config={FOLDER / '.tflint.hcl'}",
            "--format=compact",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# What of tflint's basic rules applies here, for where it is not installed.
FOLDERS = sorted({path.parent for path in FOLDER.rglob("versions.tf")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_everything_declared_is_used(folder: Path) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    used = set(re.findall(r"\b((?:var|local|data\.\w+)\.[\w-]+)", code))
    declared = {f"var.{name}" for name, _ in VARIABLE.findall(code)}
    declared |= {".".join(("data", *found)) for found in re.findall(r'^data "(\w+)" "(\w+)" \{', code, re.M)}
    for block in re.findall(r"^locals \{\n(.*?)^\}", code, re.M | re.S):
        declared |= {f"local.{name}" for name in re.findall(r"^  (\w+) += ", block, re.M)}
    assert len(declared) > 3
    assert declared - used == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_output_of_a_module_is_read(folder: Path) -> None:
    if folder == FOLDER:
        return
    outputs = re.findall(r'^output "(\w+)"', (folder / "outputs.tf").read_text(encoding="utf-8"), re.M)
    readers = [*FOLDER.glob("*.tf"), *FOLDER.glob("tests/*.hcl")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in readers)
    assert [name for name in outputs if f"module.{folder.name}.{name}" not in code] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_module_requires_its_versions(folder: Path) -> None:
    versions = (folder / "versions.tf").read_text(encoding="utf-8")
    assert 'required_version = "~> 1.11"' in versions
    assert 'source  = "hashicorp/aws"' in versions


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("variables.tf")), ids=lambda p: p.parent.name)
def test_variables_are_typed_and_described(path: Path) -> None:
    variables = VARIABLE.findall(path.read_text(encoding="utf-8"))
    assert len(variables) > 2
    for name, body in variables:
        assert re.search(r"^  type +=", body, re.M), f"{name} has no type"
        assert re.search(r'^  description += "[A-Z].*[^"]"$', body, re.M), f"{name} has no description"


@pytest.mark.parametrize(
    "message", re.findall(r"error_message = \"(.*)\"$", (FOLDER / "variables.tf").read_text(), re.M)
)
def test_refusals_say_what_was_found_what_is_allowed_and_what_to_do(message: str) -> None:
    assert message.startswith("Found ")
    assert re.search(r"allowed|allows|needed|needs|must be|outside", message)
    assert re.search(r"\. (`(aws|kubectl) |[A-Z0-9])", message), "no sentence says what to do"


def test_every_table_of_the_lake_has_a_role_that_writes_it() -> None:
    policies = (FOLDER / "modules" / "identity" / "policies.tf").read_text(encoding="utf-8")
    lists = dict(re.findall(r"^  (collected|analysed) += \[(.*)\]$", policies, re.M))
    written = {name for names in lists.values() for name in re.findall(r'"(\w+)"', names)}
    assert written == set(TABLES)


def test_the_tag_of_the_images_is_by_itself_that_of_the_release() -> None:
    code = (FOLDER / "variables.tf").read_text(encoding="utf-8")
    assert re.search(rf'^variable "image_tag" \{{\n.*\n.*\n  default     = "{__version__}"$', code, re.M)


def test_provider_and_terraform_are_pinned() -> None:
    versions = (FOLDER / "versions.tf").read_text(encoding="utf-8")
    lock = (FOLDER / ".terraform.lock.hcl").read_text(encoding="utf-8")
    assert 'version = "5.100.0"' in versions
    assert 'version     = "5.100.0"' in lock
    assert '"h1:' in lock
