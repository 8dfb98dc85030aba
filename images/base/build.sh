#!/usr/bin/env bash
# Builds enclave/base from Debian packages, without any image registry. Usage: build.sh [TAG [LABEL=VALUE]]
set -euo pipefail
tag="${1:-enclave/base:latest}"
label="${2:-enclave.inputs=unknown}"
suite="${ENCLAVE_SUITE:-bookworm}"
mirror="${ENCLAVE_MIRROR:-http://deb.debian.org/debian}"
archive="$(mktemp --suffix .tar)"
trap 'rm -f "$archive"' EXIT
# Python 3.11 with venv. Nothing of documentation, mail or compilers.
mmdebstrap --variant=minbase --quiet \
  --include=python3,python3-venv,ca-certificates,libgomp1 \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/etc/machine-id' \
  "$suite" "$archive" "$mirror"
docker import --change "LABEL ${label}" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$archive" "$tag" >/dev/null
