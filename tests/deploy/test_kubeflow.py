"""deploy/kubeflow and the dev container: pinned, locked down, in step with the rest, and the notebook's cells run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.asked import accept_environment
from tests.support.containers import answer, free_port, until
from tests.support.dockerfile import chain, stages_of
from tests.support.hours import command
from tests.support.manifests import VERSIONS
from trendlark import __version__

ROOT = Path(__file__).parents[2]
KUBEFLOW = ROOT / "deploy" / "kubeflow"
FOLDERS = ("pipelines", "kserve", "notebook")
_PINNED = re.compile(r"(\?ref=v?\d+\.\d+\.\d+|/releases/download/v\d+\.\d+\.\d+/[\w.-]+)$")

Manifest = dict[str, Any]


def read(name: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all((KUBEFLOW / name).read_text(encoding="utf-8")) if one]


@pytest.mark.parametrize("folder", FOLDERS)
def test_upstream_is_pinned(folder: str) -> None:
    [kustomization] = read(f"{folder}/kustomization.yaml")
    upstream = [one for one in kustomization["resources"] if "://" in one]
    assert upstream
    assert [one for one in upstream if not _PINNED.search(one)] == []


def test_nothing_of_upstream_needs_istio() -> None:
    """The controller's overlay `kubeflow` makes a VirtualService of each notebook, which no cluster of ours knows."""
    [kustomization] = read("notebook/kustomization.yaml")
    assert any("/config/overlays/standalone?" in one for one in kustomization["resources"])


def test_the_server_is_of_the_version_of_the_sdk() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    [version] = [one.removeprefix("kfp==") for one in wanted["pipeline"] if one.startswith("kfp==")]
    [kustomization] = read("pipelines/kustomization.yaml")
    refs = {one.rpartition("ref=")[2] for one in kustomization["resources"] if "://" in one}
    assert refs == {version}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_ours_renders_and_is_valid(folder: str, tmp_path: Path) -> None:
    """Without what is upstream's, which the patches and the network would need."""
    shutil.copytree(KUBEFLOW / folder, tmp_path / folder)
    path = tmp_path / folder / "kustomization.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["resources"] = [one for one in content["resources"] if "://" not in one]
    if not content["resources"]:
        config = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "inferenceservice-config"},
            "data": {"deploy": "{}", "ingress": "{}"},
        }
        (tmp_path / folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        content["resources"] = ["config.yaml"]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    made = subprocess.run(
        ["kubectl", "kustomize", str(path.parent)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    for manifest in yaml.safe_load_all(made.stdout):
        if manifest["kind"] == "Notebook":
            _check_notebook(manifest)
        else:
            _check_kind(manifest)
        if manifest["metadata"]["name"] == "inferenceservice-config":
            assert json.loads(manifest["data"]["deploy"]) == {"defaultDeploymentMode": "Standard"}


def _check_kind(manifest: Manifest) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def _check_notebook(manifest: Manifest) -> None:
    """A Notebook holds a Pod, so that is what is validated."""
    spec = manifest["spec"]["template"]["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "notebook"}, "spec": spec}
    _check_kind(pod)
    [container] = spec["containers"]
    assert container["image"] == f"trendlark/train:{__version__}"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["securityContext"]["runAsNonRoot"]
    [claim] = read("pipelines/claim.yaml")
    assert accept_environment({one["name"]: one["value"] for one in container["env"]}).lake == "/data/lake"
    volumes = {one["name"]: one for one in spec["volumes"]}
    assert volumes["lake"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert volumes["example"]["configMap"]["name"] == "trendlark-notebook"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.fixture
def port() -> Iterator[int]:
    with free_port() as free:
        yield free


@pytest.mark.skipif(find_spec("jupyterlab") is None, reason="needs trendlark[notebook]")
def test_jupyterlab_takes_the_words_of_the_notebook(tmp_path: Path, port: int) -> None:
    manifest, _ = read("notebook/notebook.yaml")
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    here = {"0.0.0.0": "127.0.0.1", "8888": str(port), "=/data": f"={tmp_path}", "$(NB_PREFIX)": "/"}
    words = [*container["command"], *container["args"], "--allow-root"]
    for old, new in here.items():
        words = [word.replace(old, new) for word in words]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, *words[1:]], env=environment) as server:
        try:
            until(lambda: answer(f"http://127.0.0.1:{port}/api/contents"), "JupyterLab, without a password")
            assert server.poll() is None
        finally:
            server.terminate()


@pytest.mark.parametrize("page", ["pipeline.md", "runbook.md"])
def test_what_is_submitted_names_the_image_in_a_registry_of_yours(page: str) -> None:
    """By itself it is `trendlark/train`, which nodes would ask a public registry for."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    submitted = re.findall(r"^\$ trendlark pipeline submit.*", text, re.M)
    assert submitted
    assert [one for one in submitted if f"--image REGISTRY/trendlark/train:{__version__} " not in one] == []


def test_no_pod_of_another_namespace_reaches_the_notebook_that_has_no_password() -> None:
    """Kubeflow's own policy, where its version has one, lets pods of the namespace in."""
    notebook, policy = read("notebook/notebook.yaml")
    assert "--IdentityProvider.token=" in notebook["spec"]["template"]["spec"]["containers"][0]["args"]
    assert policy["metadata"]["namespace"] == notebook["metadata"]["namespace"]
    # The controller of the pinned version labels the pod with the notebook's name.
    labels = {"notebook-name": notebook["metadata"]["name"]}
    assert policy["spec"] == {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"]}


def test_the_roll_out_may_patch_what_the_overlays_hold_and_no_more() -> None:
    role, binding = read("pipelines/rollout.yaml")
    patched = {name for rule in role["rules"] if "patch" in rule["verbs"] for name in rule["resourceNames"]}
    assert patched == {"trendlark-web", "trendlark-analyzer", "trendlark"}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "patch"}
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "pipeline-runner", "namespace": "kubeflow"}
    ]


def test_the_dev_container_is_the_train_image() -> None:
    found = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    build = found["build"]
    dockerfile = (ROOT / ".devcontainer" / build["dockerfile"]).resolve()
    assert dockerfile == ROOT / "deploy/docker/Dockerfile"
    assert build["target"] == "train"
    assert "train" in stages_of(dockerfile)
    assert (ROOT / ".devcontainer" / build["context"]).resolve() == ROOT
    # The user of the image has no shell to log in with; an editor asks for one by this variable.
    users = [
        rest for word, rest in chain(stages_of(dockerfile), "train") if word == "RUN" and "passwd" in rest
    ]
    assert any("nologin" in rest for rest in users) == ("SHELL" in found["containerEnv"])
    assert accept_environment(found["containerEnv"]).lake == "/tmp/lake"


def test_the_cells_of_the_notebook_run(tmp_path: Path) -> None:
    notebook = json.loads((KUBEFLOW / "notebook/an-hour.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"]), "commit it without outputs"
    environment = os.environ | {"TRENDLARK_MODEL": "fake", "TRENDLARK_LAKE": str(tmp_path / "lake")}
    hour = subprocess.run(
        command("run-hour", "--places", "es"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert hour.returncode == 0, hour.stderr
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    (tmp_path / "cells.py").write_text("\n\n".join(cells), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "cells.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1 hours in ")
    assert any(re.match(r"es 1 .* tweets: \{'negative': '\d+%'", line) for line in lines)
    assert sum(line.startswith(("negative [", "neutral [", "positive [")) for line in lines) == 5
