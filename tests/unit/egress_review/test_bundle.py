import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from egress_world import World
from rocrate.rocrate import ROCrate
from typer.testing import CliRunner

from access_control import audit
from egress_review import release
from egress_review.bundle_check import check_bundle, pack
from egress_review.cli import release as commands
from egress_review.errors import Refused
from egress_review.signing import enclave_key, pem

FILES = {"a.csv": "k,n\r\nx,50\r\ny,60\r\n", "out/b.txt": "warns"}


@pytest.fixture
def data(world: World) -> bytes:
    release_id = world.released(FILES)
    token = release.make_link(world.engine, world.settings, release_id, actor="ana")
    return release.redeem(world.engine, world.settings, token, actor="ana").read()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resigned(held: dict[str, bytes], key: Ed25519PrivateKey, change: Callable[[dict], None]) -> bytes:  # type: ignore[type-arg]
    """The bundle with a changed manifest, signed by `key`: what an enclave's own key alone can do."""
    manifest = json.loads(held["release.json"])
    change(manifest)
    text = audit.canonical(manifest).encode()
    return pack({**held, "release.json": text, "release.json.sig": key.sign(text).hex().encode()})


def test_a_bundle_verifies_offline_and_tells_who_why_and_from_what(world: World, data: bytes) -> None:
    found = check_bundle(data, enclave_key(world.settings).public_key())
    assert found.key_given
    assert any("files/a.csv is as approved, and signed by sam and sue" in each for each in found.checked)
    manifest = found.manifest
    assert manifest["datasets"][0]["citation"] == "Acme (2026). HIV."
    text = next(file for file in manifest["files"] if file["name"] == "out/b.txt")
    assert text["checks"]["findings"] == [{"rule": "word", "severity": "warns"}]
    assert text["approvals"][0]["why"] == "looked at it"
    held = members(data)
    assert held["files/a.csv"] == b"k,n\nx,50\ny,60\n"
    assert "It says warns" not in data.decode("latin-1")  # what a finding quotes stays inside


def test_it_is_a_five_safes_crate(data: bytes) -> None:
    graph = {each["@id"]: each for each in json.loads(members(data)["ro-crate-metadata.json"])["@graph"]}
    assert graph["./"]["conformsTo"] == {"@id": "https://w3id.org/5s-crate/0.4"}
    assert {part["@id"] for part in graph["./"]["hasPart"]} == {"files/a.csv", "files/out/b.txt", "release.json"}
    assert graph["#disclosure-check"]["additionalType"] == {"@id": "https://w3id.org/shp#DisclosureCheck"}
    assert {agent["@id"] for agent in graph["#disclosure-check"]["agent"]} == {"#person-sam", "#person-sue"}
    assert graph["#data-hiv/full-v1"]["creditText"] == "Acme (2026). HIV."


def altered_file(held: dict[str, bytes]) -> None:
    held["files/a.csv"] = b"k,n\nx,51\ny,60\n"


def added_file(held: dict[str, bytes]) -> None:
    held["files/c.csv"] = b"more"


def added_beside(held: dict[str, bytes]) -> None:
    held["notes.txt"] = b"more"


def missing_file(held: dict[str, bytes]) -> None:
    del held["files/a.csv"]


def altered_manifest(held: dict[str, bytes]) -> None:
    held["release.json"] = held["release.json"].replace(b'"tier":3', b'"tier":1')


def altered_crate(held: dict[str, bytes]) -> None:
    held["ro-crate-metadata.json"] += b" "


def no_signature(held: dict[str, bytes]) -> None:
    del held["release.json.sig"]


def bad_signature(held: dict[str, bytes]) -> None:
    held["release.json.sig"] = b"not hexadecimal"


@pytest.mark.parametrize(
    "change",
    [
        altered_file,
        added_file,
        added_beside,
        missing_file,
        altered_manifest,
        altered_crate,
        no_signature,
        bad_signature,
    ],
)
def test_a_changed_bundle_is_refused(world: World, data: bytes, change: Callable[[dict[str, bytes]], None]) -> None:
    held = members(data)
    change(held)
    with pytest.raises(Refused):
        check_bundle(pack(held), enclave_key(world.settings).public_key())


def other_hash(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["original"]["sha256"] = "0" * 64


def one_reviewer_less(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["approvals"].pop()


def smaller_quorum(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["quorum"] = 1
    manifest["files"][0]["approvals"].pop()


def one_twice(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["approvals"][1] = manifest["files"][0]["approvals"][0]


def other_reason(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["approvals"][0]["why"] = "none"


def other_owner(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["owners"] = ["globex"]


def no_quorum_at_all(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["quorum"] = 2.0
    manifest["files"][0]["approvals"].pop()


def owner_left_out(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["owners"] = []


def other_verdict(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["checks"]["verdict"] = "block"


def other_rules(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["checks"]["rules_version"] = "none"


def other_size(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["size"] += 1


def other_original_size(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["files"][0]["original"]["size"] += 1


def swapped_approvals(manifest: dict) -> None:  # type: ignore[type-arg]
    one, other = manifest["files"]
    one["approvals"], other["approvals"] = other["approvals"], one["approvals"]


def swapped_keys(manifest: dict) -> None:  # type: ignore[type-arg]
    keys = manifest["keys"]
    keys["sam"], keys["sue"] = keys["sue"], keys["sam"]


def author_as_reviewer(manifest: dict) -> None:  # type: ignore[type-arg]
    manifest["author"] = "sam"


@pytest.mark.parametrize(
    "change",
    [
        other_hash,
        one_reviewer_less,
        smaller_quorum,
        one_twice,
        other_reason,
        other_owner,
        no_quorum_at_all,
        owner_left_out,
        other_verdict,
        other_rules,
        other_size,
        other_original_size,
        swapped_approvals,
        swapped_keys,
        author_as_reviewer,
    ],
)
def test_not_even_the_enclaves_key_can_make_up_reviews(
    world: World, data: bytes, change: Callable[[dict], None]  # type: ignore[type-arg]
) -> None:  # fmt: skip
    key = enclave_key(world.settings)
    with pytest.raises(Refused):
        check_bundle(resigned(members(data), key, change), key.public_key())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"quorum":2', b'"quorum":NaN'),
        (b'"tier":3', b'"tier":1,"tier":3'),
        (b'"tier":3', b'"tier": 3'),
        (b'"what":', b'"zz":' + b"[" * 100_000 + b"]" * 100_000 + b',"what":'),
    ],
)
def test_a_manifest_that_could_be_read_in_two_ways_is_refused(
    world: World, data: bytes, before: bytes, after: bytes
) -> None:
    held, key = members(data), enclave_key(world.settings)
    text = held["release.json"].replace(before, after)
    assert text != held["release.json"]
    forged = pack({**held, "release.json": text, "release.json.sig": key.sign(text).hex().encode()})
    with pytest.raises(Refused, match=r"not written as an enclave writes it|no bundle of a release"):
        check_bundle(forged, key.public_key())


def test_every_byte_counts(world: World, data: bytes) -> None:
    """Whichever byte is altered, in a file, the metadata or the ZIP itself: a sentence, never an accepted bundle."""
    key = enclave_key(world.settings).public_key()
    for place in sorted({*range(0, len(data), 41), *range(len(data) - 900, len(data))}):
        altered = bytearray(data)
        altered[place] ^= 0x01
        with pytest.raises(Refused) as told:
            check_bundle(bytes(altered), key)
        assert str(told.value).endswith("."), place


def zip_with(data: bytes, change: Callable[[zipfile.ZipFile], None]) -> bytes:
    out = BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        change(archive)
    return out.getvalue()


def deflated(held: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_tricks_with_the_zip_are_refused(world: World, data: bytes) -> None:
    key = enclave_key(world.settings).public_key()
    held = members(data)
    first = pack({"files/a.csv": b"other"})
    tricks = {
        "something before it": b"#!/bin/sh\n" + data,
        "something after it": data + b"more",
        "two archives": first + data,
        "a comment": zip_with(data, lambda archive: setattr(archive, "comment", b"hidden")),
        "one name twice": zip_with(data, lambda archive: archive.writestr("files/a.csv", held["files/a.csv"])),
        "a file beside": zip_with(data, lambda archive: archive.writestr("files/c.csv", b"x")),
        "a folder": zip_with(data, lambda archive: archive.writestr("files/", b"")),
        "a way out": zip_with(data, lambda archive: archive.writestr("../x", b"x")),
        "other case": zip_with(data, lambda archive: archive.writestr("FILES/A.CSV", b"x")),
        "compressed": deflated(held),
        "a bomb": deflated({**held, "files/z": b"0" * 50_000_000}),
        "cut off": data[:-30],
    }
    check_bundle(data, key)
    for trick, bundle in tricks.items():
        with pytest.raises(Refused) as told:
            check_bundle(bundle, key)
        assert str(told.value).endswith("."), trick


def test_the_crate_is_opened_with_the_library(data: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    crate = ROCrate(tmp_path)
    for part in crate.root_dataset["hasPart"]:
        assert (tmp_path / part.id).is_file(), part.id
    table = crate.dereference("files/a.csv")
    assert table["sha256"] == hashlib.sha256((tmp_path / "files/a.csv").read_bytes()).hexdigest()
    assert crate.root_dataset["sourceOrganization"].id == "#project-p17"
    check = crate.dereference("#disclosure-check")
    assert {agent.id for agent in check["agent"]} == {"#person-sam", "#person-sue"}
    assert [each["creditText"] for each in crate.dereference("#analysis")["object"]] == ["Acme (2026). HIV."]


def test_another_enclaves_key_is_noticed(data: bytes) -> None:
    with pytest.raises(Refused, match="does not verify"):
        check_bundle(data, Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize("junk", [b"", b"PK", b"PK\x03\x04 and so on", pack({}), pack({"release.json": b"[]"})])
def test_what_is_no_bundle_is_refused(junk: bytes) -> None:
    with pytest.raises(Refused):
        check_bundle(junk)


def test_the_command_verifies(world: World, data: bytes, tmp_path: Path) -> None:
    bundle, key = tmp_path / "REL-0001.zip", tmp_path / "release.pub"
    bundle.write_bytes(data)
    key.write_text(pem(enclave_key(world.settings).public_key()))
    good = CliRunner().invoke(commands, ["verify", str(bundle), "--key", str(key)])
    assert good.exit_code == 0, good.output
    assert "signed by sam and sue" in good.output
    alone = CliRunner().invoke(commands, ["verify", str(bundle)])
    assert alone.exit_code == 0
    assert "The key is the bundle's own" in alone.output
    bundle.write_bytes(data[:-100])
    assert CliRunner().invoke(commands, ["verify", str(bundle), "--key", str(key)]).exit_code == 1
