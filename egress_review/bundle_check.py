"""Verifies a bundle offline: nothing but the bundle and the enclave's public key is needed."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from access_control import audit
from egress_review.errors import Refused
from egress_review.signing import key_id, pem, public_from_pem, verify

MANIFEST = "release.json"
SIGNATURE = "release.json.sig"
# What the library raises for archives that are no archives, by the place where it notices.
_BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
    ValueError, IndexError,
)  # fmt: skip
_DATE = (1980, 1, 1, 0, 0, 0)  # ZIP members carry no time of their own: the manifest tells the time


@dataclass(frozen=True)
class Verified:
    """A bundle that verifies: its manifest, what was checked in sentences, and whether the key came from outside it."""

    manifest: dict[str, Any]
    checked: list[str]
    key_given: bool


def check_bundle(data: bytes, public: Ed25519PublicKey | None = None) -> Verified:
    """Raises Refused with what is wrong unless manifest, files and every reviewer's signature verify.

    Without `public` the key in the bundle is used: it then shows only that the bundle is consistent, and the key's id
    has to be compared with that which the enclave publishes.
    """
    members = _members(data)
    try:
        given = public or public_from_pem(members["keys/enclave.pub"])
        text = members[MANIFEST].decode()
        verify(given, text, members[SIGNATURE].decode(), "the enclave under the manifest")
        if members["keys/enclave.pub"] != pem(given).encode():
            raise Refused("keys/enclave.pub is not the key that the manifest is signed with.")
        manifest: dict[str, Any] = _read(text, "release.json")
        checked = [f"The manifest of {manifest['release']} is signed by the enclave's key {key_id(given)}."]
        if hashlib.sha256(members["ro-crate-metadata.json"]).hexdigest() != manifest["crate_sha256"]:
            raise Refused("ro-crate-metadata.json is not the one that was signed.")
        expected = {f"files/{file['name']}": file for file in manifest["files"]}
        found = {name for name in members if name.startswith("files/")}
        if found != set(expected):
            raise Refused(f"Files are missing or were added: {', '.join(sorted(found ^ set(expected)))}.")
        allowed = {MANIFEST, SIGNATURE, "ro-crate-metadata.json", "keys/enclave.pub", *expected}
        if set(members) != allowed:
            raise Refused(f"The bundle holds what is not in its manifest: {', '.join(sorted(set(members) - allowed))}.")
        for name, file in expected.items():
            if hashlib.sha256(members[name]).hexdigest() != file["sha256"] or len(members[name]) != file["size"]:
                raise Refused(f"{name} was altered: its hash is not the one that was approved.")
            checked.append(f"{name} is as approved, and {_check_approvals(manifest, file)}.")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Refused(f"This is no bundle of a release: {type(error).__name__} {error}.") from error
    if pack(members) != data:
        raise Refused("The ZIP was altered: it holds more than its files, or in another form than an enclave packs.")
    return Verified(manifest, checked, key_given=public is not None)


def pack(members: dict[str, bytes]) -> bytes:
    """A ZIP with the members in order of their names, without times or owners, and not compressed: the same members
    are the same bytes on every machine, so that nothing can be hidden between them.
    """
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, members[name])
    return out.getvalue()


def _read(text: str, what: str) -> dict[str, Any]:
    """The JSON object of `text`; raises Refused unless it is written in the one way in which the enclave writes it.

    Names that come twice, numbers that are none and blanks would be read differently by different programs.
    """
    value = json.loads(text)
    if not isinstance(value, dict) or audit.canonical(value) != text:
        raise Refused(f"{what} is not written as an enclave writes it.")
    return value


def _check_approvals(manifest: dict[str, Any], file: dict[str, Any]) -> str:
    """Who approved the file; raises Refused unless their signatures verify and make the quorum."""
    by: dict[str, set[str]] = {}
    keys: list[str] = []
    for approval in file["approvals"]:
        reviewer = approval["reviewer"]
        whose = f"{reviewer} under {file['name']}"
        public = public_from_pem(manifest["keys"][reviewer])
        verify(public, approval["payload"], approval["signature"], whose)
        signed = _read(approval["payload"], f"What {whose} signed")
        wanted: dict[str, Any] = {
            "request": manifest["request"],
            "project": manifest["project"],
            "author": manifest["author"],
            "direction": "out",
            "file": file["original"]["name"],
            "sha256": file["original"]["sha256"],
            "size": file["original"]["size"],
            "rewrite_sha256": file["sha256"],
            "leaves_as": file["name"],
            "context_sha256": hashlib.sha256(file["context"].encode()).hexdigest(),
            "findings_digest": file["checks"]["digest"],
            "verdict_of_checks": file["checks"]["verdict"],
            "rules_version": file["checks"]["rules_version"],
            "reviewer": reviewer,
            "reason": approval["why"],
        }
        differing = sorted(name for name, value in wanted.items() if signed.get(name) != value)
        if differing or key_id(public) != approval["key"]:
            raise Refused(f"What {whose} signed is not what is in the bundle: {', '.join(differing) or 'the key'}.")
        if signed["quorum"] > file["quorum"]:
            raise Refused(f"{whose} asked for {signed['quorum']} reviewers; the bundle says {file['quorum']}.")
        if not set(signed["owners"]) <= set(manifest["owners"]):
            raise Refused(f"{whose} asked for {', '.join(signed['owners'])}; the bundle leaves an owner out.")
        by[reviewer] = set(signed["sides"])
        keys.append(f"{reviewer} {approval['key']}")
    unheard = [owner for owner in manifest["owners"] if not any(owner in sides for sides in by.values())]
    if len(by) < file["quorum"] or not by or unheard or manifest["author"] in by:
        raise Refused(f"{file['name']} does not have the approvals that it needs.")
    return f"signed by {' and '.join(sorted(by))} (keys: {', '.join(sorted(set(keys)))})"


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            if len({info.filename for info in infos}) != len(infos):
                raise Refused("The bundle holds two files of one name.")
            if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
                raise Refused("The bundle is compressed or encrypted: it was not packed by an enclave.")
            read: Callable[[zipfile.ZipInfo], bytes] = archive.read
            return {info.filename: read(info) for info in infos}
    except _BROKEN_ZIP as error:
        raise Refused(f"The bundle cannot be unpacked: {error}. Download it again.") from error
