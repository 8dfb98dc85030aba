#!/usr/bin/env bash
# Builds enclave/base-pixels from Debian packages: a display without a screen and a browser to show in it, for tiers
# with `pixels_only`. Usage: build.sh [TAG [LABEL=VALUE]]
set -euo pipefail
tag="${1:-enclave/base-pixels:latest}"
label="${2:-enclave.inputs=unknown}"
suite="${ENCLAVE_SUITE:-bookworm}"
mirror="${ENCLAVE_MIRROR:-http://deb.debian.org/debian}"
archive="$(mktemp --suffix .tar)"
trap 'rm -f "$archive"' EXIT
# The first line is what enclave/base has: the session image is laid below this one and must find the same there.
mmdebstrap --variant=minbase --quiet \
  --include=python3,python3-venv,ca-certificates,libgomp1 \
  --include=tigervnc-standalone-server,chromium,fonts-dejavu-core,fonts-liberation \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/etc/machine-id' \
  "$suite" "$archive" "$mirror"
docker import --change "LABEL ${label}" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$archive" "$tag" >/dev/null
