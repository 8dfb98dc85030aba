"""Change the bytes of an approved file in the store.

Way: submission
Control: reading the store's file by its name
Held by: the bytes are hashed again as they are given out
"""

import pytest

from egress_review.errors import Refused
from egress_review.models import ReleaseFile
from egress_review.store import Store
from tests.redteam import submitting

OTHER = b"person,diagnosis\n1,secret-diagnosis\n"


@pytest.fixture
def altered(enclave, inside):
    """A release whose file in the store was overwritten by root of the host."""
    _, name, file = submitting.released(enclave, inside)
    with enclave.reading() as db:
        path = Store(enclave.settings.store).path(db.get_one(ReleaseFile, file).sha256)
    before = path.read_bytes()
    path.write_bytes(OTHER)
    yield name, file, path
    path.write_bytes(before)


def test_control_a_plain_read_gives_them(altered) -> None:
    assert altered[2].read_bytes() == OTHER


def test_the_gate_does_not(enclave, altered) -> None:
    name, file, _ = altered
    for what in (file, None):
        with pytest.raises(Refused, match="damaged"):
            submitting.fetch(enclave, name, what)
    assert any(entry["subject"] == f"release:{name}" for entry in enclave.audit("release:refused"))
