"""Have one thing reviewed and another released, by writing to a file while it is copied.

Way: submission
Control: reading the file once
Held by: a file is read twice and looked at before and after; what is kept is of one moment or not at all
"""

import time

import pytest

from access_control.settings import Egress
from egress_review.errors import EgressError
from egress_review.snapshot import take
from egress_review.store import Store
from tests.redteam import submitting

SIZE = 8 * 1024 * 1024
WRITER = """
import itertools, os
file = os.open(PATH, os.O_RDWR)
for letter in itertools.cycle((b"a", b"b")):
    for place in range(0, SIZE, 65536):
        os.pwrite(file, letter * 65536, place)
    if not os.path.exists(PATH):
        break
"""


@pytest.fixture
def changing(enclave, inside):
    """A file that a program in the session goes on writing, all of one letter and then all of another."""
    name = submitting.fresh()
    code = f"PATH, SIZE = {'/workspace/' + name!r}, {SIZE}\n" + WRITER
    start = f"head -c {SIZE} /dev/zero | tr '\\0' a > /workspace/{name}\nsetsid -f python3 -c '{code.replace(chr(39), chr(34))}'"
    done = inside.shell(start + " > /dev/null 2>&1 < /dev/null")
    assert done.worked, done.output
    yield name
    assert inside.shell(f"rm /workspace/{name}").worked


def test_control_a_plain_read_mixes_two_moments(enclave, changing) -> None:
    path = submitting.workspace(enclave) / changing
    assert any(len(set(path.read_bytes())) == 2 for _ in range(500))


def test_what_is_kept_is_of_one_moment(enclave, changing, tmp_path) -> None:
    store = Store(tmp_path / "store")
    refused = tries = 0
    end = time.monotonic() + 60
    # On a busy machine the writer may rest for a while: the file is taken until it was caught changing.
    while tries < 8 or (not refused and time.monotonic() < end):
        tries += 1
        try:
            kept = take(store, enclave.settings.workspaces, "smoking", "ana", [changing], limits=Egress())
        except EgressError as error:
            refused += "changed while it was copied" in str(error)
        else:
            assert len(set(store.read(kept[0].sha256))) == 1
    assert refused
