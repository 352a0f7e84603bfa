#!/usr/bin/env bash
# A base image with Python, made of Debian's packages: for machines that reach no registry of images, as in the tests.
#
#     tools/make_base_image.sh [NAME]          (default localhost/python:3.11; root; needs mmdebstrap)
#     make images BASE_IMAGE=localhost/python:3.11
#
# ENGINE=docker imports it there instead of into podman. The certificates that this machine trusts are trusted in it.
set -euo pipefail
name="${1:-localhost/python:3.11}"
trusted=/etc/ssl/certs/ca-certificates.crt
hooks=()
[ -r "$trusted" ] && hooks+=("--customize-hook=copy-in $trusted ${trusted%/*}")
archive="$(mktemp --suffix=.tar)"
trap 'rm -f "$archive"' EXIT
mmdebstrap --quiet --variant=essential --include=python3-venv,libstdc++6,ca-certificates "${hooks[@]}" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$archive"
"${ENGINE:-podman}" import "$archive" "$name"
