"""Fetch a release after it was taken back, by a link that was made before.

Way: submission
Control: the same link before
Held by: revoking kills the links, and the gate asks whether the release stands
"""

import pytest

from egress_review import release
from egress_review.errors import EgressError
from tests.redteam import submitting


def test_control_before_it_works_and_after_it_does_not(enclave, inside) -> None:
    _, name, file = submitting.released(enclave, inside)
    assert submitting.fetch(enclave, name, file).startswith(b"group-")
    token = release.make_link(enclave.engine, enclave.settings, name, actor="ana", release_file_id=file)
    with enclave.writing() as db:
        release.revoke(db, enclave.settings, name, actor="sam", reason="It names people.")
    with pytest.raises(EgressError):
        release.redeem(enclave.engine, enclave.settings, token, actor="ana")


def test_no_new_link_is_made(enclave, inside, researcher) -> None:
    _, name, file = submitting.released(enclave, inside)
    with enclave.writing() as db:
        release.revoke(db, enclave.settings, name, actor="sam", reason="It names people.")
    for path in (f"releases/{name}/links?file_id={file}", f"releases/{name}/links"):
        assert submitting.api(researcher.browser, "POST", path).status_code >= 400
