"""What AWS would answer to a request, by its policies: a simulator from npm, installed by ``make test-terraform``."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "deploy" / "iam"
Policy = dict[str, Any]
# Somebody who has taken a role.
ROLE = "arn:aws:sts::123456789012:assumed-role/pod/session"


def why_no_simulator() -> str | None:
    """Why nothing can be simulated here; ``None`` where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (FOLDER / "node_modules").is_dir():
        return f"run `npm ci --prefix {FOLDER.relative_to(Path(__file__).parents[2])}`"
    return None


@dataclass(frozen=True)
class Request:
    """Somebody asks for something: an action on a resource, in a context of condition keys."""

    action: str
    resource: str
    identity: Policy | None = None
    on_resource: Policy | None = None
    context: dict[str, str] = field(default_factory=dict)
    principal: str = ROLE

    def simulation(self, account: str) -> dict[str, Any]:
        """As the simulator takes it."""
        asked = {
            "principal": self.principal,
            "action": self.action,
            "resource": {"resource": self.resource, "accountId": account},
            "contextVariables": self.context,
        }
        identities = [] if self.identity is None else [{"name": "role", "policy": self.identity}]
        orders: dict[str, Any] = {"serviceControlPolicies": [], "resourceControlPolicies": []}
        on_resource = {} if self.on_resource is None else {"resourcePolicy": self.on_resource}
        return {"request": asked, "identityPolicies": identities} | orders | on_resource


def answers(requests: Sequence[Request], account: str) -> list[str]:
    """``Allowed``, ``ImplicitlyDenied`` or ``ExplicitlyDenied`` for each request, in the order given."""
    done = subprocess.run(
        ["node", str(FOLDER / "simulate.mjs")],
        input=json.dumps([request.simulation(account) for request in requests]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: list[str] = json.loads(done.stdout)
    return told
