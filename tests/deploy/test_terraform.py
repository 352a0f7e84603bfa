"""What can be said of ``deploy/terraform`` without a cloud: its form, its own tests, what the docs say of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.terraform import FOLDER, Terraform, why_not

ROOT = Path(__file__).parents[2]
needs_terraform = pytest.mark.skipif(bool(why_not()), reason=why_not() or "")
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.M | re.S)


@needs_terraform
@pytest.mark.slow
@pytest.mark.timeout(600)
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
    assert re.search(r"\. (`aws|[A-Z0-9])", message), "no sentence says what to do"


def test_every_variable_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    names = [name for name, _ in VARIABLE.findall((FOLDER / "variables.tf").read_text(encoding="utf-8"))]
    assert [name for name in names if f"`{name}`" not in guide] == []


def test_provider_and_terraform_are_pinned() -> None:
    versions = (FOLDER / "versions.tf").read_text(encoding="utf-8")
    lock = (FOLDER / ".terraform.lock.hcl").read_text(encoding="utf-8")
    assert 'required_version = ">= 1.11"' in versions
    assert 'version = "5.100.0"' in versions
    assert 'version     = "5.100.0"' in lock
    assert '"h1:' in lock
