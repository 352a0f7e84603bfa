"""A stand-in for Docker's API: one image, whose containers are processes of this machine.

It knows no walls, but it refuses what Docker refuses: another image, a folder that is not there, a place mounted twice.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.http_api import Asked, serving

_IMAGE_ID = "sha256:" + "0" * 64
_OUT = 1
# kfp gives every container a folder of this name; no step of ours looks at it.
_WORKSPACE = "/kfp-workspace"


@dataclass(slots=True)
class FakeDocker:
    """``made`` are the containers that were asked for, in their order."""

    image: str
    made: list[dict[str, Any]] = field(default_factory=list)
    _started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Answer as the daemon does."""
        path = asked.path.split("?")[0].removeprefix("/v1.44")
        known = {
            "/version": {"ApiVersion": "1.44", "MinAPIVersion": "1.24"},
            "/info": {"SecurityOptions": []},
            "/images/json": [self._image()],
            f"/images/{_IMAGE_ID}/json": self._image(),
        }
        if path in known:
            return 200, known[path]
        if path == "/containers/create":
            return self._create(asked.body)
        _, _, key, what = path.split("/")
        if what == "start":
            self._started[key] = self._start(self.made[int(key, 16)])
            return 204, b""
        if what == "logs":
            # The head at once, as Docker does: its client waits a minute for that, and for the rest as long as need be.
            return 200, lambda: _said(self._started[key])
        if what == "wait":
            return 200, {"StatusCode": self._started[key].wait()}
        return 200, {"Id": key, "Config": {"Tty": False}}

    def _image(self) -> dict[str, Any]:
        return {"Id": _IMAGE_ID, "RepoTags": [self.image], "RepoDigests": []}

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        places = mounted(body)
        missing = [place for place in places if place != _WORKSPACE and not Path(place).exists()]
        if body["Image"] != self.image:
            return 404, {"message": f"No such image: {body['Image']}"}
        if missing or len(set(places)) < len(places):
            return 400, {"message": f"Duplicate mount point, or no such folder: {places}"}
        self.made.append(body)
        return 201, {"Id": f"{len(self.made) - 1:064x}", "Warnings": []}

    def _start(self, body: dict[str, Any]) -> subprocess.Popen[bytes]:
        # Nothing of the caller's environment is there, nor its folder; Python is this one.
        own = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp"}
        own |= {key: os.environ[key] for key in ("PYTHONPATH", "OMP_NUM_THREADS") if key in os.environ}
        own |= dict(one.split("=", 1) for one in body.get("Env") or ())
        return subprocess.Popen(
            [*body["Entrypoint"], *body["Cmd"]],
            env=own,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def _said(container: subprocess.Popen[bytes]) -> bytes:
    """All that a container says until its end, in one frame."""
    said, _ = container.communicate()
    return struct.pack(">BxxxL", _OUT, len(said)) + said


def mounted(body: dict[str, Any]) -> list[str]:
    """Where a container that is asked for has something of this machine; ours is at the path that it has here."""
    host = body["HostConfig"]
    pairs = [tuple(one.split(":")[:2]) for one in host.get("Binds") or ()]
    pairs += [(one["Source"], one["Target"]) for one in host.get("Mounts") or ()]
    assert all(source == target for source, target in pairs if target != _WORKSPACE)
    return [target for _, target in pairs]


@contextmanager
def running(docker: FakeDocker) -> Iterator[str]:
    """Serve inside the block; what DOCKER_HOST has to be."""
    with serving(docker.answer) as api:
        yield api.url.replace("http://", "tcp://")
