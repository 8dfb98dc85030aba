import shutil
from pathlib import Path

import pytest
from egress_world import World

from access_control.settings import Settings
from egress_review import release
from egress_review.models import ReleaseRequest, RequestFile
from egress_review.states import State
from egress_review.trusted_path import fits, needed_for, sampled

ROUNDED = {"t.csv": "sex,n\nf,120\nm,135\n"}


def file(verdict: str = "pass", *, rounded: object = True, sha256: str = "a" * 64) -> RequestFile:
    return RequestFile(request_id="REQ-0001", name="t.csv", verdict=verdict, facts={"rounded": rounded}, sha256=sha256)


@pytest.mark.parametrize(
    ("on", "direction", "verdict", "rounded", "needed"),
    [
        (True, "out", "pass", True, 1),
        (False, "out", "pass", True, 2),
        (True, "in", "pass", True, 2),
        (True, "out", "warn", True, 2),
        (True, "out", "unknown", True, 2),
        (True, "out", "block", True, 2),
        (True, "out", "pass", False, 2),
        (True, "out", "pass", "yes", 2),
    ],
)
def test_one_reviewer_only_where_everything_fits(
    on: bool, direction: str, verdict: str, rounded: object, needed: int
) -> None:
    settings = Settings.model_validate({"egress": {"trusted_path": on, "trusted_sample": 0}})
    request = ReleaseRequest(id="REQ-0001", direction=direction, reviewers=2)
    assert needed_for(settings, request, file(verdict, rounded=rounded)) == needed
    assert fits(settings, request, file(verdict, rounded=rounded)) is (needed == 1)


def test_the_sample_is_drawn_by_the_file() -> None:
    half = Settings.model_validate({"egress": {"trusted_path": True, "trusted_sample": 0.5}})
    drawn = [sampled(half, file(sha256=f"{n:064x}")) for n in range(400)]
    assert 120 < sum(drawn) < 280
    assert drawn == [sampled(half, file(sha256=f"{n:064x}")) for n in range(400)]
    whole = Settings.model_validate({"egress": {"trusted_path": True, "trusted_sample": 1}})
    assert sampled(whole, file())


def test_switched_off_again_the_gate_asks_for_the_full_quorum(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "enclave")
    trusting = World(tmp_path / "enclave", build=False, trusted_path=True, trusted_sample=0)
    try:
        request_id = trusting.submitted(ROUNDED)
        assert trusting.vote(request_id, "sam") is State.Released
        release_id = trusting.release_of(request_id)
        release.make_link(trusting.engine, trusting.settings, release_id, actor="ana")
        strict = Settings(data_root=trusting.settings.data_root)
        with pytest.raises(release.EgressError, match="does not have the approvals"):
            release.make_link(trusting.engine, strict, release_id, actor="ana")
    finally:
        trusting.close()
