"""The bundle of a release: a Five Safes RO-Crate with everything that proves what was approved, by whom, and on which
grounds.

`release.json` is the manifest, signed by the enclave; it holds the reviewers' own signed statements and their public
keys. Of findings only rule and severity are told: what a finding quotes may be the very thing that must not leave.
Profile: Five Safes RO-Crate 0.4, https://w3id.org/5s-crate/0.4.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate
from sqlalchemy.orm import Session

from access_control import audit, clock, models
from access_control.settings import Settings
from egress_review.bundle_check import MANIFEST, SIGNATURE, check_bundle, pack
from egress_review.errors import Refused
from egress_review.gate import Proven
from egress_review.models import Release, ReleaseFile, ReleaseRequest
from egress_review.records import get_request
from egress_review.signing import enclave_key, key_id, pem, reviewer_public
from egress_review.store import Store
from egress_review.trusted_path import needed_for

PROFILE = "https://w3id.org/5s-crate/0.4"
METADATA = "ro-crate-metadata.json"
_DISCLOSURE_CHECK = "https://w3id.org/shp#DisclosureCheck"


def build(db: Session, settings: Settings, release: Release, proven: Sequence[Proven]) -> bytes:
    """The bundle of files that have just passed the gate, as the bytes of a ZIP."""
    request = get_request(db, release.request_id)
    store = Store(settings.store)
    datasets = _datasets(db, request)
    crate = audit.canonical(_crate(release, request, proven, datasets)).encode()
    key = enclave_key(settings)
    manifest = {
        "what": "enclave release, version 1",
        "release": release.id,
        "request": request.id,
        "turn": release.turn,
        "project": request.project_id,
        "author": request.author_id,
        "title": request.title,
        "purpose": request.purpose,
        "approved_at": release.at.isoformat(),
        "packed_at": clock.now().isoformat(),
        "profile_of_thresholds": request.profile,
        "tier": request.tier,
        "owners": request.owners,
        "datasets": datasets,
        "files": [_file(settings, request, each) for each in proven],
        "keys": {
            reviewer: pem(reviewer_public(settings, reviewer))
            for reviewer in sorted({vote.reviewer_id for each in proven for vote in each.approvals})
        },
        "enclave_key": key_id(key.public_key()),
        "crate_sha256": hashlib.sha256(crate).hexdigest(),
    }
    text = audit.canonical(manifest).encode()
    members = {
        METADATA: crate,
        MANIFEST: text,
        SIGNATURE: key.sign(text).hex().encode(),
        "keys/enclave.pub": pem(key.public_key()).encode(),
        **{f"files/{each.released.name}": store.read(each.released.sha256) for each in proven},
    }
    return pack(members)


def check_is_of(data: bytes, settings: Settings, release: Release, rows: Sequence[ReleaseFile]) -> None:
    """Raises Refused unless `data` is the bundle that the enclave packed of exactly these files of this release."""
    manifest = check_bundle(data, enclave_key(settings).public_key()).manifest
    held = {(str(file["name"]), str(file["sha256"])) for file in manifest["files"]}
    if manifest["release"] != release.id or held != {(row.name, row.sha256) for row in rows}:
        raise Refused(f"The stored bundle is not that of {release.id}. It is not given out.")


def _file(settings: Settings, request: ReleaseRequest, proven: Proven) -> dict[str, Any]:
    file, row = proven.file, proven.released
    return {
        "name": row.name,
        "sha256": row.sha256,
        "size": row.size,
        "media_type": row.media_type,
        "original": {"name": file.name, "sha256": file.sha256, "size": file.size},
        "context": file.context,
        "checks": {
            "verdict": file.verdict,
            "rules_version": file.rules_version,
            "findings": [{"rule": finding["rule"], "severity": finding["severity"]} for finding in file.findings],
            "digest": file.findings_digest,
        },
        "quorum": needed_for(settings, request, file),
        "approvals": [
            {
                "reviewer": vote.reviewer_id,
                "why": vote.reason,
                "payload": vote.payload,
                "signature": vote.signature,
                "key": vote.key_id,
            }
            for vote in proven.approvals
        ],
    }


def _datasets(db: Session, request: ReleaseRequest) -> list[dict[str, Any]]:
    """What the results rest on, with the words to cite it by."""
    found = []
    for mount in request.mounts:
        dataset = db.get(models.Dataset, str(mount["dataset"]))
        found.append(
            {
                "rendition": mount["rendition"],
                "version": mount["version"],
                "dataset": mount["dataset"],
                "dataset_version": mount["dataset_version"],
                "owner": mount["owner"],
                "agreement": mount["agreement"],
                "title": dataset.title if dataset else "",
                "licence": dataset.licence if dataset else "",
                "citation": dataset.citation if dataset else "",
            }
        )
    return found


def _crate(
    release: Release, request: ReleaseRequest, proven: Sequence[Proven], datasets: list[dict[str, Any]]
) -> dict[str, Any]:
    """The RO-Crate's metadata: who asked, for which project, from which data, who checked, what came out."""
    crate = ROCrate(gen_preview=False)

    def add(identifier: str, kind: str, **properties: Any) -> Any:
        return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))

    root = crate.root_dataset
    root["name"], root["description"] = request.title, request.purpose
    root["datePublished"] = release.at.isoformat()
    root["license"] = "As the agreements and the datasets' licences in release.json say."
    root["conformsTo"] = {"@id": PROFILE}
    author = add(f"#person-{request.author_id}", "Person", name=request.author_id)
    project = add(f"#project-{request.project_id}", "Project", name=request.project_id, member=author)
    root["sourceOrganization"] = project
    inputs = [
        add(
            f"#data-{each['rendition']}-v{each['version']}",
            "Dataset",
            name=each["title"] or each["rendition"],
            version=str(each["version"]),
            license=each["licence"] or "as agreed",
            creditText=each["citation"] or each["dataset"],
            publisher=each["owner"],
        )
        for each in datasets
    ]
    results = [
        add(
            f"files/{each.released.name}",
            "File",
            name=each.released.name,
            description=each.file.context,
            encodingFormat=each.released.media_type,
            contentSize=str(each.released.size),
            sha256=each.released.sha256,
        )
        for each in proven
    ]
    reviewers = [
        add(f"#person-{name}", "Person", name=name)
        for name in sorted({vote.reviewer_id for each in proven for vote in each.approvals})
    ]
    manifest = add(MANIFEST, "File", name="Signed manifest of the release", encodingFormat="application/json")
    root["hasPart"] = [*results, manifest]
    run = add("#analysis", "CreateAction", name="Analysis in the enclave", agent=author, object=inputs, result=results)
    check = add(
        "#disclosure-check",
        "AssessAction",
        additionalType={"@id": _DISCLOSURE_CHECK},
        name="Review for disclosure",
        agent=reviewers,
        object=results,
        result=manifest,
        endTime=release.at.isoformat(),
        actionStatus="http://schema.org/CompletedActionStatus",
    )
    root["mentions"] = [run, check]
    # The library writes the time of writing into the root; the same release always gives the same crate.
    generated: dict[str, Any] = json.loads(json.dumps(crate.metadata.generate()))
    return generated
