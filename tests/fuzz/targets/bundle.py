"""The bundle of a release, as a stranger hands it in to be verified."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import zipfile
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from access_control.audit import canonical
from egress_review.bundle_check import MANIFEST, SIGNATURE, Verified, check_bundle
from egress_review.errors import Refused
from egress_review.signing import key_id, pem, public_from_pem
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds, may_refuse

_ENCLAVE = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
_REVIEWER = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
_CRATE, _FILE = b'{"@graph": []}', b"sex,n\nF,120\n"
_NAMES = (
    "files",
    "name",
    "sha256",
    "approvals",
    "payload",
    "signature",
    "key",
    "keys",
    "owners",
    "quorum",
    "sides",
    "checks",
    "digest",
    "original",
    "author",
    "reviewer",
    "why",
    "context",
)
_VALUES = ("ana", "rea", "out.csv", "../x", "00", "zz", "{}", "[]", "null", pem(_ENCLAVE.public_key()), "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
           "-----BEGIN PUBLIC KEY-----\nMBowDQYJKoZIhvcNAQEBBQADCQAwBgIBAQIBAQ==\n-----END PUBLIC KEY-----\n", "\ud800")  # fmt: skip


@functools.cache
def _manifest() -> dict[str, Any]:
    sha = hashlib.sha256(_FILE).hexdigest()
    signed = {
        "request": "REQ-1", "project": "p17", "author": "ana", "direction": "out", "file": "out.csv", "sha256": sha, "rewrite_sha256": sha, "leaves_as": "out.csv",
        "context_sha256": hashlib.sha256(b"why").hexdigest(), "findings_digest": "d", "reviewer": "rea", "reason": "fine", "quorum": 1, "sides": ["acme"],
        "size": len(_FILE), "verdict_of_checks": "pass", "rules_version": "1", "owners": ["acme"],
    }  # fmt: skip
    payload = canonical(signed)
    approval = {
        "reviewer": "rea",
        "why": "fine",
        "payload": payload,
        "signature": _REVIEWER.sign(payload.encode()).hex(),
        "key": key_id(_REVIEWER.public_key()),
    }
    file = {
        "name": "out.csv",
        "sha256": sha,
        "size": len(_FILE),
        "original": {"name": "out.csv", "sha256": sha, "size": len(_FILE)},
        "context": "why",
        "checks": {"digest": "d", "verdict": "pass", "rules_version": "1"},
        "quorum": 1,
        "approvals": [approval],
    }
    return {
        "release": "REL-1", "request": "REQ-1", "project": "p17", "author": "ana", "owners": ["acme"], "files": [file],
        "keys": {"rea": pem(_REVIEWER.public_key())}, "crate_sha256": hashlib.sha256(_CRATE).hexdigest(),
    }  # fmt: skip


def packed(manifest: Any, change: Any = None, *, method: int = zipfile.ZIP_STORED) -> bytes:
    """A bundle with this manifest, signed by the key that is handed over with it."""
    try:
        text = (manifest if isinstance(manifest, str) else canonical(manifest)).encode("utf-8", "replace")
    except ValueError:  # a number that is none
        text = json.dumps(manifest).encode()
    members = {
        MANIFEST: text,
        SIGNATURE: _ENCLAVE.sign(text).hex().encode(),
        "ro-crate-metadata.json": _CRATE,
        "keys/enclave.pub": pem(_ENCLAVE.public_key()).encode(),
        "files/out.csv": _FILE,
    }
    if change:
        change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in sorted(members.items()):
            info = zipfile.ZipInfo(name)
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, body, method)
    return out.getvalue()


def _checked(data: bytes) -> Verified | None:
    try:
        return check_bundle(data, _ENCLAVE.public_key())
    except Refused as error:
        str(error).encode("utf-8", "replace")
        return None


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(5)
    if how == 0:
        body = choices.rest()
        if _checked(body) is not None:
            _is_as_approved(body)
    elif how == 1:
        manifest = choices.bent(_manifest(), _NAMES, _VALUES)
        verified = _checked(packed(manifest))
        holds(verified is None or _approved(verified.manifest), "what verifies was approved as it is")
    elif how == 2:
        depth = choices.number(5000)
        _checked(packed("[" * depth + "]" * depth))
    elif how == 3:
        key = choices.text(_VALUES)
        with may_refuse(Refused):
            public_from_pem(key if choices.flag() else key.encode("utf-8", "replace"))
        with may_refuse(Refused):
            check_bundle(
                packed(
                    _manifest(), lambda members: members.update({"keys/enclave.pub": key.encode("utf-8", "replace")})
                )
            )
    else:
        body = bytearray(
            packed(
                _manifest(),
                method=choices.pick((zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED)),
            )
        )
        for _ in range(1 + choices.number(3)):
            body[choices.number(len(body) - 1)] = choices.number(255)
        changed = bytes(body)
        if _checked(changed) is not None:
            _is_as_approved(changed)


def _is_as_approved(body: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        holds(archive.read("files/out.csv") == _FILE, "a changed file does not verify")


def _approved(manifest: dict[str, Any]) -> bool:
    signed = _manifest()["files"][0]["approvals"]
    return all(
        file["approvals"] and all(one["payload"] == signed[0]["payload"] for one in file["approvals"])
        for file in manifest["files"]
    )


def start() -> list[bytes]:
    made = [b"\x00" + packed(_manifest()), b"\x00" + packed({}), b"\x00" + packed(_manifest(), method=zipfile.ZIP_LZMA)]
    return made + [bytes([how, n]) + bytes(range(n, n + 90)) for how in (1, 2, 3, 4, 5) for n in range(5)]


TARGET = Target(
    "bundle",
    "the bundle of a release, verified offline",
    run,
    start,
    (b"PK\x01\x02", b"PK\x05\x06", b"release.json", b"files/"),
)
