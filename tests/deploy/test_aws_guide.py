"""What can be said of ``docs/aws.md`` without a cloud: each step says what it must, and names what there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.aws_walk import ANSWERED, NOTED
from tests.support.guide import Step, steps_of

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "deploy" / "terraform"
PAGE = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
STEPS = steps_of(PAGE)
EACH = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
ACCOUNT = re.compile(r'(?:^ +([\w-]+) += )?\[?\{ namespace = "([\w-]+)", name = "([\w-]+)" \}', re.M)


def test_steps_are_numbered_without_a_gap() -> None:
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert len(STEPS) >= 10


@EACH
def test_each_step_says_what_it_makes_how_long_what_it_costs_and_how_to_undo_it(step: Step) -> None:
    for word in ("Makes", "Takes", "Costs", "Undo"):
        assert len(re.findall(rf"^- {word}\b.*[:,]", step.text, re.M)) == 1, word
    assert step.do


def test_a_destroyed_environment_can_be_made_again() -> None:
    """The last logs of a cluster arrive after it is gone, in a group that the next apply would have to make."""
    (step,) = [step for step in STEPS if step.title == "The cloud"]
    code = (TERRAFORM / "modules" / "cluster" / "main.tf").read_text(encoding="utf-8")
    (named,) = re.findall(r'name += "(/aws/eks/.*/cluster)"', code)
    group = named.replace("${var.name}", "trendlark-dev")
    assert f"aws logs delete-log-group --log-group-name {group} || true" in "".join(step.undo)


def test_a_step_can_be_taken_again_after_another_hand_wrote_the_same_fields() -> None:
    """Without force a second time is refused: the guide writes where artefacts go, a pipeline which model serves."""
    (step,) = [step for step in STEPS if "kubernetes/pipelines" in "".join(step.do)]
    applied = [line for block in step.do for line in block.splitlines() if "kubectl apply" in line]
    shared = [line for line in applied if re.search(r"kubernetes/(pipelines|kserve)$|field-manager", line)]
    assert len(shared) == 3
    assert all("--force-conflicts" in line for line in shared)


def test_undoing_tells_what_goes_with_the_namespace() -> None:
    (step,) = [step for step in STEPS if "kubectl delete --ignore-not-found -k kubernetes/s3\n" in step.undo]
    made = [
        one.number
        for one in STEPS
        if "jq -r .account" in "".join(one.do) or "jq -r .secrets" in "".join(one.do)
    ]
    assert f"steps {made[0]} and {made[1]} made in it" in step.text


def test_what_was_not_run_is_named() -> None:
    said = PAGE.split("\n## What was run, and what was not\n")[1].split("\n## ")[0]
    assert all(f"`{tool}" in said for tool in (*NOTED, *ANSWERED))


def test_the_overlay_for_s3_names_the_roles_that_terraform_makes() -> None:
    code = (TERRAFORM / "modules" / "identity" / "main.tf").read_text(encoding="utf-8")
    accounts = {role: f"{namespace}:{name}" for role, namespace, name in ACCOUNT.findall(code) if role}
    assert {"collector", "analyzer", "web"} <= set(accounts)
    text = (ROOT / "tests" / "deploy" / "rendered" / "s3.yaml").read_text(encoding="utf-8")
    named = {
        f"{m['metadata']['namespace']}:{m['metadata']['name']}": next(
            iter(m["metadata"].get("annotations", {}).values()), None
        )
        for m in yaml.safe_load_all(text)
        if m["kind"] == "ServiceAccount"
    }
    for role in ("collector", "analyzer", "web"):
        assert named[accounts[role]] == f"arn:aws:iam::000000000000:role/trendlark-dev-{role}"


def test_the_overlay_for_efs_asks_for_the_class_that_terraform_makes() -> None:
    code = (TERRAFORM / "modules" / "workloads" / "manifest.tf").read_text(encoding="utf-8")
    made = re.search(r'efs_class = \{.*?metadata += \{ name = "([\w-]+)" \}', code, re.S)
    text = (ROOT / "tests" / "deploy" / "rendered" / "efs.yaml").read_text(encoding="utf-8")
    (claim,) = [m["spec"] for m in yaml.safe_load_all(text) if m["kind"] == "PersistentVolumeClaim"]
    assert made is not None
    assert claim["storageClassName"] == made[1] == "efs-sc"
    assert claim["accessModes"] == ["ReadWriteMany"]


def test_the_table_of_variables_is_that_of_the_code() -> None:
    code = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
    rows = []
    for name, body in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', code, re.M | re.S):
        described = re.search(r'^  description += "(.*)"$', body, re.M)
        default = re.search(r"^  default += (.*)$", body, re.M)
        assert described is not None
        rows.append(f"| `{name}` | {f'`{default[1]}`' if default else 'none'} | {described[1]} |")
    table = PAGE.split("\n## Variables\n")[1].split("\n## ")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows


def test_images_are_built_under_the_names_that_are_pushed() -> None:
    (step,) = [step for step in STEPS if step.title == "Images"]
    (line,) = [line for block in step.do for line in block.splitlines() if line.startswith("make ")]
    words = line.replace('"$REGISTRY/', '"registry.example/').replace("$TAG", "tag").replace('"', "").split()
    told = subprocess.run(
        ["make", "--dry-run", *words[3:]], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for image in re.findall(r'docker push "\$REGISTRY/(.+):\$TAG"', step.text):
        target = image.removeprefix("trendlark/")
        assert target in told
        assert "registry.example/trendlark/$target:tag" in told
