"""Put pip into the virtual environment that runs this, from the package index, where Python came without it.

Debian's python3 has neither pip nor ensurepip, and `make up` should need no package of the system. The newest wheel of
pip is taken from the index (PIP_INDEX_URL, else PyPI), its checksum is compared, and it installs itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

_JSON = "application/vnd.pypi.simple.v1+json"  # https://peps.python.org/pep-0691/


def newest_wheel(index: str) -> tuple[str, str]:
    """The address and SHA-256 of the newest final wheel of pip in an index."""
    page = index.rstrip("/") + "/pip/"
    request = urllib.request.Request(page, headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    found = []
    for file in files:
        match = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", file["filename"])
        if match and not file.get("yanked"):
            version = tuple(int(part) for part in match.group(1).split("."))
            found.append((version, urljoin(page, file["url"]), file["hashes"]["sha256"]))
    if not found:
        sys.exit(f"Found no wheel of pip in {page}; set PIP_INDEX_URL to an index that has one.")
    _, address, digest = max(found)
    return address, digest


def main() -> None:
    """Fetch, compare and install."""
    address, digest = newest_wheel(os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple"))
    with urllib.request.urlopen(address, timeout=120) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != digest:
        sys.exit(f"Found {address} damaged on its way (its checksum differs); run this again.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / address.rsplit("/", 1)[1].partition("#")[0]
        path.write_bytes(wheel)
        command = [sys.executable, f"{path}/pip", "install", "--quiet", "--no-index", str(path)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
