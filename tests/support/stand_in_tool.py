"""What ``make``, ``docker``, ``helm`` and ``kubectl`` do in a walk through the guide: they say what they were asked.

There is neither a cluster nor a registry. Manifests are rendered by the real ``kubectl kustomize``; ``make up`` runs
the hour for real. Called as ``python -m tests.support.stand_in_tool TOOL WORDS...``; RECORD names the file of notes.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.hours import command


def _render(folder: str) -> str:
    made = subprocess.run(
        [os.environ["REAL_KUBECTL"], "kustomize", folder], capture_output=True, text=True, check=True
    )
    return made.stdout


def _take_policy_away() -> None:
    """The stand-in speaks plain HTTP, which the bucket's policy is there to refuse."""
    bucket = os.environ["TRENDLARK_LAKE"].split("/")[2]
    s3api = ["aws", "s3api"]
    shown = [*s3api, "get-bucket-policy", "--bucket", bucket, "--query", "Policy", "--output", "text"]
    policy = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    Path(os.environ["RECORD"]).with_name("policy.json").write_text(policy, encoding="utf-8")
    subprocess.run([*s3api, "delete-bucket-policy", "--bucket", bucket], check=True)


def main(tool: str, words: list[str]) -> None:
    """Note the call, and answer where the guide reads the answer."""
    record: dict[str, object] = {"tool": tool, "words": words}
    if "-" in words or "--password-stdin" in words:
        record["stdin"] = sys.stdin.read()
    if tool == "kubectl" and words[0] in {"apply", "delete"} and "-k" in words:
        folder = words[words.index("-k") + 1]
        # KServe itself is other projects' manifests alone, out of reach without the internet.
        record["rendered"] = "" if folder == "../kubeflow/kserve" else _render(folder)
    with Path(os.environ["RECORD"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    if tool == "make" and words[-1] == "up":
        _take_policy_away()
        subprocess.run(command("run-hour", "--source", "sample"), check=True)
    if tool == "kubectl" and "secret" in words:
        sys.stdout.write(base64.b64encode(b"api-token-of-the-cluster").decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
