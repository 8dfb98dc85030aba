"""An exported audit log with its checkpoints and witnesses, as somebody hands it in to be verified."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import InmemoryTree

from access_control.audit import canonical
from access_control.errors import AccessError
from access_control.transparency import verify, verify_export
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds, may_refuse

_KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
_PUBLIC = _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
_NAMES = ("size", "root", "at", "previous", "signature", "seq", "act")
_VALUES = ("AAAA", "x", "\ud800", "00", "2026-01-01")


@functools.cache
def _log() -> tuple[list[str], list[str]]:
    bodies = [canonical({"seq": n, "act": "session:started", "actor": "ana", "details": {}}) for n in range(1, 6)]
    tree, lines, last = InmemoryTree(algorithm="sha256"), [], None
    for number, body in enumerate(bodies, 1):
        tree.append_entry(body.encode())
        if number in (2, 5):
            previous = hashlib.sha256(canonical(last).encode()).hexdigest() if last else None
            made = {"size": number, "root": tree.get_root().hex(), "at": "2026-01-01T00:00:00", "previous": previous}
            made["signature"] = base64.b64encode(_KEY.sign(canonical(made).encode())).decode()
            lines.append(canonical(made))
            last = made
    return bodies, lines


def run(data: bytes) -> None:
    choices = Choices(data)
    bodies, lines = (list(part) for part in _log())
    sound, how = (list(bodies), list(lines)), choices.number(5)
    for _ in range(choices.number(3)):
        part = choices.pick((bodies, lines))
        if not part:
            continue
        at = choices.number(len(part) - 1)
        act = choices.number(6)
        if act == 0:
            del part[at]
        elif act == 1:
            part.insert(at, choices.pick(part))
        elif act == 2:
            part[at] = json.dumps(choices.bent(json.loads(sound[0][0]), _NAMES, _VALUES))
        elif act == 3:
            depth = choices.number(4000)
            part[at] = "[" * depth + "]" * depth
        elif act == 4:
            point = choices.bent(
                {name: value for name, value in json.loads(sound[1][0]).items() if name != "signature"}, _NAMES, _VALUES
            )
            with may_refuse(ValueError):  # a checkpoint that cannot be written: no number, half a character
                text = canonical(point).encode()
                if isinstance(point, dict):
                    part[at] = canonical(point | {"signature": base64.b64encode(_KEY.sign(text)).decode()})
        elif act == 5:
            part[at] = choices.some(60).decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")
        else:
            part[at] = part[at].replace(choices.pick("0123456789abe"), choices.pick("0123456789abe"), 1)
    witnesses = [choices.pick((*sound[1], "x", "{}"))] if how == 1 else []
    found = verify(bodies, lines, _PUBLIC, witnesses)
    whole = found.covered == len(sound[0]) and found.sound
    holds(
        not whole or bodies[: len(sound[0])] == sound[0],
        "a log that verifies up to its last checkpoint is the one that was signed",
    )
    if how == 2:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = Path(folder)
            (path / "entries.jsonl").write_bytes("\n".join(bodies).encode("utf-8", "surrogatepass") + choices.some(9))
            (path / "checkpoints.jsonl").write_bytes(
                "\n".join(lines).encode("utf-8", "surrogatepass") + choices.some(9)
            )
            (path / "audit.pub").write_bytes(choices.pick((_PUBLIC, choices.some(40), b"", _PUBLIC[:-30])))
            try:
                verify_export(path)
            except (AccessError, OSError):
                return


def start() -> list[bytes]:
    return [bytes([how]) + bytes(range(n * 3, n * 3 + 40)) for how in range(6) for n in range(10)]


TARGET = Target(
    "audit_logs", "an exported audit log", run, start, (b'"seq"', b'"size"', b'"root"'), ("pymerkle",), share=0.7
)
