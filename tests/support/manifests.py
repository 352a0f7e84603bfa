"""The rendered overlays as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ROOT / "deploy" / "kubernetes" / "overlays"
RENDERED = ROOT / "tests" / "deploy" / "rendered"
NAMES = sorted(path.name for path in OVERLAYS.iterdir())
# Those that hold all three services, and those that stand beside one of them.
WHOLE = ("efs", "keda", "local", "s3")
BESIDE = ("kserve", "monitoring")
SERVICES = ("analyzer", "collector", "web")
OLDEST, NEWEST = 30, int(kubernetes_validate.latest_version().split(".")[1])
VERSIONS = [f"1.{minor}" for minor in range(OLDEST, NEWEST + 1)]

Manifest = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """What is committed of an overlay."""
    text = (RENDERED / f"{overlay}.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load_all(text))


def of_kind(overlay: str, kind: str) -> dict[str, Manifest]:
    """The manifests of a kind by name."""
    return {m["metadata"]["name"]: m for m in rendered(overlay) if m["kind"] == kind}


def pod_of(overlay: str, service: str) -> Manifest:
    """The pod of a service."""
    pod: Manifest = of_kind(overlay, "Deployment")[f"trendlark-{service}"]["spec"]["template"]["spec"]
    return pod


def container_of(overlay: str, service: str) -> Manifest:
    """The only container of a service."""
    (container,) = pod_of(overlay, service)["containers"]
    found: Manifest = container
    return found


def is_custom(manifest: Manifest) -> bool:
    """Whether the kind comes from an operator, so that Kubernetes' own schemas do not know it."""
    group = manifest["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")
