"""What stewards, their leads and admins do with requests and releases, beside voting."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile

from egress_review import freezing, fsck, release, requests, seeding
from egress_review.errors import Invalid
from egress_review.signing import enclave_key, key_id, pem
from hub.notices.due import due_for
from hub.portal.api.releases_shapes import CalibrationShape, DamageShape, DueShape, KeyShape, PickedFile
from hub.portal.api.shapes import Reason, Said
from hub.portal.context import CallerOf, PortalOf
from hub.portal.pages.imports import plain_name
from hub.portal.pages.people import check_duty

router = APIRouter(tags=["stewarding"])


@router.put("/release-requests/{request_id}/files", tags=["release requests"])
def set_context(portal: PortalOf, caller: CallerOf, request_id: str, body: PickedFile) -> Said:
    """Says anew what a file of the turn that is being prepared shows."""
    with portal.writing() as db:
        requests.set_context(db, portal.settings, request_id, body.name, body.context, actor=caller.id)
    return Said(said="The context is changed.")


@router.post("/release-requests/{request_id}/hold/freeze")
def freeze(portal: PortalOf, caller: CallerOf, request_id: str, body: Reason) -> Said:
    """Stops a request where it is; the links of a release die."""
    with portal.writing() as db:
        freezing.freeze(db, portal.settings, request_id, actor=caller.id, reason=body.reason)
    return Said(said="Frozen: nothing of it moves until it is thawed.")


@router.post("/release-requests/{request_id}/hold/thaw")
def thaw(portal: PortalOf, caller: CallerOf, request_id: str, body: Reason) -> Said:
    """Lets a frozen request go on from where it was; by a lead steward of its data or an admin."""
    with portal.writing() as db:
        freezing.thaw(db, portal.settings, request_id, actor=caller.id, reason=body.reason)
    return Said(said="Thawed: it is where it was.")


@router.post("/releases/{release_id}/revoke")
def revoke(portal: PortalOf, caller: CallerOf, release_id: str, body: Reason) -> Said:
    """Takes a release back for good; its links die at once."""
    with portal.writing() as db:
        release.revoke(db, portal.settings, release_id, actor=caller.id, reason=body.reason)
    return Said(said="Revoked: every link is dead.")


@router.get("/releases/key")
def key(portal: PortalOf, caller: CallerOf) -> KeyShape:  # noqa: ARG001 - a login is needed
    """The public key that bundles are signed with. Bundles are verified offline: `enclave release verify`."""
    public = enclave_key(portal.settings).public_key()
    return KeyShape(id=key_id(public), pem=pem(public))


@router.post("/calibration/upload", status_code=201)
def seed(  # noqa: PLR0917 - fields of a form
    portal: PortalOf,
    caller: CallerOf,
    file: UploadFile,
    project: Annotated[str, Form()],
    author: Annotated[str, Form()],
    title: Annotated[str, Form()],
    purpose: Annotated[str, Form()],
    context: Annotated[str, Form()],
    why_unsafe: Annotated[str, Form()],
) -> Said:
    """Puts a known-unsafe file into the queue in a member's name; for lead stewards."""
    most = portal.settings.egress.max_file_bytes
    data = file.file.read(most + 1)
    if len(data) > most:
        raise Invalid(f"That file has more than {most} bytes, the most that a file in the queue may have.")
    made = seeding.seed(
        portal.engine,
        portal.settings,
        project_id=project,
        as_author=author,
        title=title,
        purpose=purpose,
        files={plain_name(file.filename): (data, context)},
        why_unsafe=why_unsafe,
        actor=caller.id,
    )
    return Said(said=f"{made} is in the queue. It can never be released.")


@router.get("/calibration", response_model=CalibrationShape)
def calibration(portal: PortalOf, caller: CallerOf) -> Any:
    """How reviewers do: misses, time, agreement; for lead stewards."""
    with portal.reading() as db:
        return seeding.calibration(db, portal.settings, actor=caller.id)


@router.get("/reminders", response_model=list[DueShape])
def reminders(portal: PortalOf, caller: CallerOf) -> Any:
    """What has waited too long for the caller, or ends soon."""
    with portal.reading() as db:
        return due_for(db, portal.settings, caller.id)


@router.get("/store/check", response_model=list[DamageShape])
def check_store(portal: PortalOf, caller: CallerOf) -> Any:
    """Compares every stored file with its hash; for admins and auditors. Empty when all is well."""
    check_duty(portal, caller, "administer", "audit")
    with portal.reading() as db:
        return fsck.fsck(db, portal.settings)
