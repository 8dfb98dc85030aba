"""Builds the session images: base from Debian packages, wheels fetched on the host by hash, installed without network.

Run as `python -m hub.setup.images`; with `--pixels` the image for tiers that show pictures only is built too. An image
is built again only when one of its inputs changed: the hash of the inputs is a label of the image. What went in is
written to `.cache/images/`: the digest and a CycloneDX bill of materials.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "images"
CACHE = ROOT / ".cache"
LABEL = "enclave.inputs"
BASE = "enclave/base:latest"
NOTEBOOK = "enclave/notebook:latest"
STOCK = "enclave/notebook-stock:latest"
BASE_PIXELS = "enclave/base-pixels:latest"
PIXELS = "enclave/notebook-pixels:latest"

console = Console(stderr=True)

# Lists what Python and Debian have installed, from inside the image.
_INVENTORY = """
import importlib.metadata as m, json, subprocess
debian = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\\t${Version}\\t${Architecture}\\n"],
                        capture_output=True, text=True).stdout
print(json.dumps({"python": sorted({(d.metadata["Name"], d.version) for d in m.distributions()}),
                  "debian": [line.split("\\t") for line in debian.splitlines()]}))
"""


@dataclass(frozen=True)
class Recipe:
    """One image: its tag, its folder below images/, and the tag that it builds on."""

    tag: str
    folder: str
    base: str
    base_argument: str


RECIPES = (Recipe(NOTEBOOK, "notebook", BASE, "BASE"), Recipe(STOCK, "notebook-stock", NOTEBOOK, "NOTEBOOK"))


class BuildFailed(Exception):
    """An image could not be built; the message says which step failed and what it printed last."""


def run(command: Sequence[str | Path], *, what: str, env: dict[str, str] | None = None) -> str:
    """Runs a step with a spinner; raises BuildFailed with the last lines it printed."""
    with console.status(what):
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )
    if done.returncode != 0:
        raise BuildFailed(f"{what} failed:\n" + "\n".join(done.stdout.splitlines()[-20:]))
    console.print(f"{what} - done", style="dim")
    return done.stdout


def fingerprint(folder: Path, *more: str) -> str:
    """SHA-256 over names and bytes of the files of a folder, and over `more`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in more:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def label_of(client: docker.DockerClient, tag: str) -> str | None:
    """The fingerprint that an image of that tag was built from, or None when there is no such image."""
    try:
        labels = client.images.get(tag).labels
    except docker.errors.ImageNotFound:
        return None
    return str(labels.get(LABEL, ""))


def wheel_platforms(machine: str) -> list[str]:
    """The platform tags that a wheel may carry for the C library of Debian 12, glibc 2.36."""
    return [f"manylinux_2_{minor}_{machine}" for minor in range(36, 4, -1)] + [f"manylinux2014_{machine}"]


def fetch_wheels(lock: Path, folder: Path) -> None:
    """Downloads the wheels of a lock file, each checked against its hash, for the Python 3.11 of the image."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = platform.machine()
    platforms = [part for tag in wheel_platforms(machine) for part in ("--platform", tag)]
    run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:",
         "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none",
         *platforms, "--dest", folder, "--requirement", lock],
        what=f"Downloading the wheels of {lock.parent.name}",
    )  # fmt: skip


def build_base(client: docker.DockerClient, tag: str = BASE) -> str:
    """Builds a base from Debian packages when its recipe changed; returns the recipe's fingerprint."""
    folder = IMAGES / tag.partition("/")[2].partition(":")[0]
    wanted = fingerprint(folder)
    if label_of(client, tag) != wanted:
        run([folder / "build.sh", tag, f"{LABEL}={wanted}"], what=f"Building {tag} from Debian packages")
    return wanted


def build_pixels(client: docker.DockerClient) -> None:
    """Builds the image for tiers that show pictures only, over the session image, when an input changed."""
    display = build_base(client, BASE_PIXELS)
    folder = IMAGES / "notebook-pixels"
    wanted = fingerprint(folder, display, label_of(client, NOTEBOOK) or "")
    if label_of(client, PIXELS) == wanted:
        return
    run(
        ["docker", "build", "--quiet", "--network", "none", "--label", f"{LABEL}={wanted}", "--tag", PIXELS,
         "--build-arg", f"NOTEBOOK={NOTEBOOK}", "--build-arg", f"DISPLAY={BASE_PIXELS}", folder],
        what=f"Building the image {PIXELS}",
        env={"DOCKER_BUILDKIT": "0"},
    )  # fmt: skip
    write_bill(client, PIXELS)


def build(client: docker.DockerClient, recipe: Recipe, base_fingerprint: str, base: str) -> str:
    """Builds one image when an input changed; returns its fingerprint."""
    folder = IMAGES / recipe.folder
    wanted = fingerprint(folder, base_fingerprint)
    if label_of(client, recipe.tag) == wanted:
        return wanted
    wheels = (
        CACHE / "wheels" / recipe.folder / hashlib.sha256((folder / "requirements.lock").read_bytes()).hexdigest()[:16]
    )
    if not (wheels / ".complete").exists():
        fetch_wheels(folder / "requirements.lock", wheels)
        (wheels / ".complete").touch()
    with tempfile.TemporaryDirectory(dir=CACHE) as context:
        shutil.copytree(folder, context, dirs_exist_ok=True)
        shutil.copytree(
            wheels, Path(context) / "wheels", copy_function=os.link, ignore=shutil.ignore_patterns(".complete")
        )
        run(
            ["docker", "build", "--quiet", "--network", "none", "--label", f"{LABEL}={wanted}", "--tag", recipe.tag,
             "--build-arg", f"{recipe.base_argument}={base}", context],
            what=f"Building the image {recipe.tag}",
            env={"DOCKER_BUILDKIT": "0"},
        )  # fmt: skip
    write_bill(client, recipe.tag)
    return wanted


def write_bill(client: docker.DockerClient, tag: str) -> Path:
    """Writes what an image holds as CycloneDX JSON, with the image's digest, and returns the file."""
    printed = client.containers.run(
        tag, ["/opt/venv/bin/python", "-c", _INVENTORY], remove=True, network_mode="none", read_only=True
    )
    held = json.loads(printed)
    image = client.images.get(tag)
    components: list[dict[str, Any]] = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name.lower()}@{version}"}
        for name, version in held["python"]
    ]
    components += [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:deb/debian/{name}@{version}?arch={arch}"}
        for name, version, arch in held["debian"]
    ]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": tag, "version": image.id}},
        "components": components,
    }
    path = CACHE / "images" / (tag.replace("/", "-").replace(":", "-") + ".cdx.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill, indent=1) + "\n")
    return path


def build_all(base: str | None = None, *, pixels: bool = False) -> None:
    """Builds whatever is missing or out of date; `base` is a public base image to use instead of our own."""
    CACHE.mkdir(exist_ok=True)
    client = docker.from_env()
    below, parent = (f"public {base}", base) if base else (build_base(client), BASE)
    for recipe in RECIPES:
        below = build(client, recipe, below, parent)
        parent = recipe.tag
    if pixels:
        build_pixels(client)


if __name__ == "__main__":
    try:
        build_all(os.environ.get("ENCLAVE_BASE_IMAGE"), pixels="--pixels" in sys.argv[1:])
    except (BuildFailed, docker.errors.DockerException) as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)
