import json
from datetime import timedelta

import pytest
from egress_world import World
from sqlalchemy import update

from access_control import people
from access_control.database import writing
from egress_review import freezing, release, requests, reviews
from egress_review.errors import NotFound, NotPermitted, Refused, WrongState
from egress_review.models import Release, ReleaseFile, ReleaseRequest, RequestFile, SeededRequest, Vote
from egress_review.states import State
from egress_review.store import Store


def fetch(world: World, release_id: str, *, actor: str = "ana", whole: bool = False) -> release.Released:
    files = world.ask(release.release_files, release_id)
    chosen = None if whole else files[0].id
    token = release.make_link(world.engine, world.settings, release_id, actor=actor, release_file_id=chosen)
    return release.redeem(world.engine, world.settings, token, actor=actor)


def test_what_leaves_is_the_canonical_rewrite_that_was_signed(world: World) -> None:
    release_id = world.released({"table.csv": "sex,n\r\nf,120\r\nm,135\r\n"})
    got = fetch(world, release_id)
    assert got.read() == b"sex,n\nf,120\nm,135\n"
    assert got.name == "table.csv"
    file = world.files(world.ask(release.releases_of, "ana")[0].request_id)[0]
    assert got.sha256 == file.rewrite_sha256 != file.sha256
    assert any("release:downloaded" in body and got.sha256 in body for body in world.log())


def test_a_link_works_once_for_one_person_and_for_minutes(world: World) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]

    def link() -> str:
        return release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)

    token = link()
    assert all(token not in body for body in world.log())
    with pytest.raises(NotPermitted, match="somebody else"):
        release.redeem(world.engine, world.settings, token, actor="lea")
    release.redeem(world.engine, world.settings, token, actor="ana")
    with pytest.raises(Refused, match="has been used"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    late = link()
    world.wait(minutes=world.settings.egress.link_minutes + 1)
    with pytest.raises(Refused, match="is over"):
        release.redeem(world.engine, world.settings, late, actor="ana")
    with pytest.raises(NotFound):
        release.redeem(world.engine, world.settings, "guess", actor="ana")
    assert sum("release:refused" in body for body in world.log()) == 3


@pytest.mark.parametrize("person", ["lea", "sam", "eve", "nobody"])
def test_only_the_author_gets_a_link(world: World, person: str) -> None:
    release_id = world.released()
    with pytest.raises(NotPermitted):
        release.make_link(world.engine, world.settings, release_id, actor=person)


def test_nothing_comes_out_before_the_quorum(world: World) -> None:
    request_id = world.submitted()
    assert world.vote(request_id, "sam") is State.InReview
    assert world.ask(release.releases_of, "ana") == []
    with pytest.raises(NotFound):
        release.make_link(world.engine, world.settings, "REL-0001", actor="ana")


def test_a_damaged_blob_is_never_given_out(world: World) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]
    token = release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)
    got = fetch(world, release_id)
    path = Store(world.settings.store).path(file.sha256)
    path.chmod(0o600)
    path.write_bytes(b"sex,n\nf,120\nm,136\n")
    with pytest.raises(Refused, match="damaged"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    with pytest.raises(Refused, match="damaged"):
        got.read()


TAMPERED = {
    "the file's hash": (update(RequestFile).values(sha256="0" * 64), "differ"),
    "the rewrite's hash": (update(RequestFile).values(rewrite_sha256="0" * 64), "differ"),
    "the released hash": (update(ReleaseFile).values(sha256="0" * 64), "not what its reviewers signed"),
    "the context": (update(RequestFile).values(context="other"), "context_sha256 differ"),
    "the findings": (update(RequestFile).values(findings_digest="other"), "findings_digest differ"),
    "the quorum": (update(ReleaseRequest).values(reviewers=1), "more reviewers"),
    "the owners": (update(ReleaseRequest).values(owners=[]), "more reviewers"),
    "the author": (update(ReleaseRequest).values(author_id="lea"), "lea"),
    "a reviewer": (update(Vote).where(Vote.reviewer_id == "sue").values(reviewer_id="sid"), "missing"),
    "a verdict": (update(Vote).where(Vote.reviewer_id == "sue").values(verdict="reject"), "does not have the approvals"),
    "a signature": (update(Vote).values(signature="00" * 64), "does not verify"),
    "what was signed": (update(Vote).values(payload="{}"), "does not verify"),
    "the reason": (update(Vote).values(reason="other"), "reason differ"),
    "the turn": (update(ReleaseRequest).values(turn=2), "turn"),
    "the state": (update(ReleaseRequest).values(state="expired"), "is expired"),
    "a revocation": (update(Release).values(revoked_at=Release.at, revoked_by="sam"), "revoked by sam"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_whoever_alters_the_database_gets_nothing(world: World, what: str) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]
    token = release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)
    change, says = TAMPERED[what]
    with writing(world.engine) as db:
        db.execute(change)
    with pytest.raises((Refused, NotPermitted, WrongState), match=says):
        release.redeem(world.engine, world.settings, token, actor="ana")


def test_the_gate_asks_for_the_authors_standing_each_time(world: World) -> None:
    release_id = world.released()
    fetch(world, release_id)
    world.do(people.suspend_person, "ana", reason="left", actor="eve")
    with pytest.raises(Refused, match="may not work in p17 any more"):
        fetch(world, release_id)


def test_the_gate_asks_for_the_agreement_each_time(world: World) -> None:
    from access_control import agreements

    release_id = world.released()
    fetch(world, release_id)
    world.do(agreements.withdraw_agreement, "AGR-0001", reason="over", actor="sam")
    with pytest.raises(Refused, match="rests on hiv/full"):
        fetch(world, release_id)


def test_a_revoked_release_is_dead_for_good(world: World) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]
    token = release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)
    with pytest.raises(NotPermitted):
        world.do(release.revoke, world.settings, release_id, actor="ana", reason="mine")
    world.do(release.revoke, world.settings, release_id, actor="sam", reason="a cell was too small")
    with pytest.raises((Refused, WrongState), match=r"over|revoked"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    with pytest.raises(Refused, match="a cell was too small"):
        fetch(world, release_id)
    with pytest.raises(WrongState):
        world.do(
            freezing.thaw, world.settings, world.ask(release.releases_of, "ana")[0].request_id, actor="lou", reason="x"
        )


def test_a_release_expires(world: World) -> None:
    release_id = world.released()
    world.at += timedelta(days=world.settings.egress.download_days)
    with pytest.raises(Refused, match="could be fetched until"):
        fetch(world, release_id)
    assert world.do(release.expire_due) == [release_id]
    assert requests.resume(world.engine, world.settings) == []
    assert world.state("REQ-0001") is State.Expired


def test_a_request_marked_as_seeded_later_is_refused_too(world: World) -> None:
    release_id = world.released()
    with writing(world.engine) as db:
        db.add(SeededRequest(request_id="REQ-0001", seeded_by="lou", why_unsafe="small cell", at=world.at))
    with pytest.raises(Refused, match="never leaves"):
        fetch(world, release_id)


def test_partly_approved_releases_the_approved_files_alone(world: World) -> None:
    request_id = world.submitted({"a.csv": "k,n\nx,50\ny,60\n", "b.csv": "j,n\nu,70\nv,80\n"})
    for person in ("sam", "sue"):
        world.vote(request_id, person, "approve", "a.csv")
        world.vote(request_id, person, "reject", "b.csv")
    assert world.state(request_id) is State.Released
    names = [file.name for file in world.ask(release.release_files, world.release_of(request_id))]
    assert names == ["a.csv"]
    assert any(json.loads(body)["details"].get("after") == "partly approved" for body in world.log())


def test_approval_waits_when_the_store_is_damaged_and_is_released_after_the_repair(world: World) -> None:
    request_id = world.submitted()
    world.vote(request_id, "sam")
    file = world.files(request_id)[0]
    path = Store(world.settings.store).path(file.rewrite_sha256 or "")
    kept = path.read_bytes()
    path.unlink()
    assert world.vote(request_id, "sue") is State.Approved
    assert "not released yet" in world.request(request_id).reason
    assert "REQ-0001" in requests.resume(world.engine, world.settings)[0]
    Store(world.settings.store).put([kept])
    assert requests.resume(world.engine, world.settings) == []
    assert world.state(request_id) is State.Released


def test_the_bundle_is_counted_and_single_use_too(world: World) -> None:
    release_id = world.released()
    got = fetch(world, release_id, whole=True)
    assert got.media_type == "application/zip"
    assert got.read()[:2] == b"PK"
    view = world.ask(reviews.view, world.settings, "REQ-0001", viewer="ana")
    assert "download" in view.can
    assert view.release_id == release_id


def test_another_blob_in_the_bundles_place_is_refused(world: World) -> None:
    release_id = world.released()
    token = release.make_link(world.engine, world.settings, release_id, actor="ana")
    other = Store(world.settings.store).put([b"PK secret"])
    with writing(world.engine) as db:
        db.execute(update(Release).values(bundle_sha256=other.sha256))
    with pytest.raises(Refused, match="cannot be unpacked"):
        release.redeem(world.engine, world.settings, token, actor="ana")


def test_a_link_from_before_a_freeze_stays_dead_after_the_thaw(world: World) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]
    token = release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)
    world.do(freezing.freeze, world.settings, "REQ-0001", actor="sam", reason="look again")
    world.do(freezing.thaw, world.settings, "REQ-0001", actor="lou", reason="all is well")
    with pytest.raises(Refused, match="is over"):
        release.redeem(world.engine, world.settings, token, actor="ana")
    assert fetch(world, release_id).read()


@pytest.mark.parametrize("person", ["lea", "sam", "eve"])
def test_only_the_author_gets_a_link_to_one_file(world: World, person: str) -> None:
    release_id = world.released()
    file = world.ask(release.release_files, release_id)[0]
    with pytest.raises(NotPermitted):
        release.make_link(world.engine, world.settings, release_id, actor=person, release_file_id=file.id)


def test_a_link_to_one_file_gives_that_file_and_no_other(world: World) -> None:
    release_id = world.released({"a.csv": "k,n\nx,50\ny,60\n", "b.csv": "j,n\nu,70\nv,80\n"})
    for file in world.ask(release.release_files, release_id):
        token = release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=file.id)
        got = release.redeem(world.engine, world.settings, token, actor="ana")
        assert (got.name, got.sha256) == (file.name, file.sha256)
    with pytest.raises(Refused, match="is not in REL-0001"):
        release.make_link(world.engine, world.settings, release_id, actor="ana", release_file_id=999)
