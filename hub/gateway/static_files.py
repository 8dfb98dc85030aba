"""JupyterLab's own files, from a copy that the enclave took out of the image: compressed once, never from a container.

`prepare` copies `share/jupyter` of the image (or of a folder) below the data root, keeps what is smaller with gzip
and Zstandard, and writes a manifest with each file's SHA-256. `TrustedFiles` reads the manifest and refuses a file
that no longer matches.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from access_control.errors import Refused
from access_control.settings import Settings

IMAGE_PREFIX = "/opt/venv/share/jupyter"
_TYPES = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
    ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".eot": "application/vnd.ms-fontobject",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".wasm": "application/wasm",
    ".txt": "text/plain",
    ".mjs": "text/javascript; charset=utf-8", ".gif": "image/gif",
}  # fmt: skip
_COMPRESS = {".js", ".mjs", ".css", ".json", ".svg", ".wasm", ".ttf", ".txt"}
_HASHED = re.compile(r"[.-]?[0-9a-f]{16,}\.")
_YEAR = "private, max-age=31536000, immutable"
_HOUR = "private, max-age=3600"


@dataclass(frozen=True)
class File:
    """One file of the copy: where it lies, its type, its digest and which compressed forms there are."""

    path: Path
    media_type: str
    sha256: str
    immutable: bool
    encodings: dict[str, str]  # content encoding -> SHA-256 of that form


@dataclass(frozen=True)
class Body:
    """Bytes to send and the encoding they are in; empty for as they are."""

    data: bytes
    encoding: str
    media_type: str
    cache: str


def folder_of(settings: Settings) -> Path:
    """Where the trusted copy lies."""
    return settings.data_root / "jupyterlab"


def prepare(source: Path, target: Path, *, made_from: str) -> int:
    """Copies JupyterLab's files from a `share/jupyter` folder, whole or not at all; returns their number."""
    static = source / "lab" / "static"
    if not (static / "index.html").is_file():
        raise Refused(f"{source} holds no JupyterLab (lab/static/index.html). Build the session image first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".jupyterlab-", dir=target.parent))
    try:
        places = [(static, "/static/lab"), (source / "lab" / "themes", "/lab/api/themes")]
        places += [(package, f"/lab/extensions/{name}") for name, package in _extensions(source / "labextensions")]
        files: dict[str, dict[str, Any]] = {}
        for folder, url in places:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
                if path.is_file() and not path.is_symlink() and path.suffix in _TYPES:
                    files[f"{url}/{path.relative_to(folder).as_posix()}"] = _keep(path, staging)
        main = _main_script(static / "index.html")
        package = static / "package.json"
        if not package.is_file():
            package = static.parent / "package.json"
        version = (
            json.loads(package.read_text()).get("jupyterlab", {}).get("version", "4") if package.is_file() else "4"
        )
        manifest = {
            "made_from": made_from,
            "version": version,
            "main": main,
            "extensions": [_federated(package, name) for name, package in _extensions(source / "labextensions")],
            "files": files,
        }
        (staging / "manifest.json").write_text(json.dumps(manifest))
        staging.chmod(0o755)
        old = target.with_name(target.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        staging.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return len(files)


def prepare_from_image(settings: Settings, image: str | None = None) -> bool:
    """Takes the copy out of the session image unless that was done from this very image; True when it was made anew."""
    import docker  # slow, and only needed here
    from docker.errors import DockerException

    image = image or settings.session.image
    try:
        client = docker.from_env(timeout=120)
        digest = str(client.images.get(image).id)
        if made_from(folder_of(settings)) == digest:
            return False
        container = client.containers.create(
            image, command=["true"], network_disabled=True, labels={"enclave.copy": "1"}
        )
        try:
            with tempfile.TemporaryDirectory() as scratch:
                for part in ("lab", "labextensions"):
                    chunks, _ = container.get_archive(f"{IMAGE_PREFIX}/{part}")
                    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                        _extract(archive, Path(scratch))
                prepare(Path(scratch), folder_of(settings), made_from=digest)
        finally:
            container.remove(force=True)
    except DockerException as error:
        raise Refused(
            f"JupyterLab's files cannot be taken out of the image {image}: {error}. Run: make images"
        ) from error
    return True


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Writes the regular files of an archive below `folder`; Debian 12's Python has no extraction filter yet."""
    for member in archive:
        target = Path(os.path.normpath(folder / member.name))
        source = archive.extractfile(member) if member.isfile() else None
        if source is None or not target.is_relative_to(folder):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)


def _main_script(page: Path) -> str:
    found = re.search(r"\}\}/(main\.[0-9a-f]+\.js)", page.read_text())
    if found is None:
        raise Refused(f"{page} names no main script; this JupyterLab is not one that the gateway knows.")
    return found.group(1)


def made_from(folder: Path) -> str:
    """Digest of the image that a copy was made from; empty when there is no whole copy."""
    try:
        return str(json.loads((folder / "manifest.json").read_text())["made_from"])
    except (OSError, ValueError, KeyError):
        return ""


class TrustedFiles:
    """The trusted copy, read once; bodies stay in memory after their first use (some megabytes, compressed)."""

    def __init__(self, folder: Path) -> None:
        try:
            manifest = json.loads((folder / "manifest.json").read_text())
        except (OSError, ValueError) as error:
            raise Refused(f"{folder} holds no copy of JupyterLab's files ({error}). `enclave run` makes it.") from error
        self._folder = folder
        self._files: dict[str, dict[str, Any]] = manifest["files"]
        self._bodies: dict[tuple[str, str], Body] = {}
        self.version: str = manifest["version"]
        self.main: str = manifest["main"]
        self.extensions: list[dict[str, Any]] = manifest["extensions"]

    def find(self, url: str, accepted: str) -> Body | None:
        """The file at a path of the address, in the best encoding that `accepted` names; None when there is none."""
        entry = self._files.get(url)
        if entry is None:
            return None
        offered = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
        encoding = next((name for name in ("zstd", "gzip") if name in offered and name in entry["encodings"]), "")
        known = self._bodies.get((url, encoding))
        if known is not None:
            return known
        digest = entry["encodings"][encoding] if encoding else entry["sha256"]
        data = (self._folder / "bodies" / digest).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise Refused(f"The copy of {url} was altered. Remove {self._folder} and start the enclave again.")
        cache = _YEAR if entry["immutable"] else _HOUR
        body = self._bodies[url, encoding] = Body(data, encoding, entry["type"], cache)
        return body


def _extensions(folder: Path) -> list[tuple[str, Path]]:
    """Name and folder of each prebuilt extension; a scope such as @org is a folder of its own."""
    found = []
    for package in sorted(folder.glob("*/package.json")) + sorted(folder.glob("@*/*/package.json")):
        found.append((package.parent.relative_to(folder).as_posix(), package.parent))
    return found


def _federated(package: Path, name: str) -> dict[str, Any]:
    build = json.loads((package / "package.json").read_text())["jupyterlab"]["_build"]
    return {"name": name, "entrypoints": None} | {
        key: build[key] for key in ("load", "extension", "style") if key in build
    }


def _keep(path: Path, staging: Path) -> dict[str, Any]:
    data = path.read_bytes()
    entry: dict[str, Any] = {
        "type": _TYPES[path.suffix],
        "sha256": _write(staging, data),
        "immutable": bool(_HASHED.search(path.name)),
        "encodings": {},
    }
    if path.suffix in _COMPRESS and len(data) > 1024:
        smaller = {
            "zstd": zstandard.ZstdCompressor(level=15).compress(data),
            "gzip": gzip.compress(data, compresslevel=8, mtime=0),
        }
        entry["encodings"] = {
            name: _write(staging, body) for name, body in smaller.items() if len(body) < len(data) * 0.9
        }
    return entry


def _write(staging: Path, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    target = staging / "bodies" / digest
    if not target.exists():
        target.parent.mkdir(mode=0o755, exist_ok=True)
        with target.open("wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o644)
    return digest
