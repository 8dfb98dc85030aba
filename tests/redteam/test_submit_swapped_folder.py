"""Swap a folder for a link between the moment it is looked at and the moment it is opened.

Way: submission
Control: looking whether any part of the path is a link, and then opening it
Held by: the kernel resolves the path in one call, so that there is no moment in between
"""

import os

import pytest

from access_control.settings import Egress
from egress_review.errors import EgressError
from egress_review.snapshot import take
from egress_review.store import Store
from tests.redteam import submitting

SECRET, MINE = b"secret of the host", b"mine"
SWAPPER = """
import os
os.chdir(PATH)
while os.path.exists("go-on"):
    os.rename("now", "mine"); os.rename("link", "now"); os.rename("now", "link"); os.rename("mine", "now")
"""


@pytest.fixture
def swapping(enclave, inside, tmp_path):
    """A folder of the workspace that is by turns one's own, a link to the host's, and not there."""
    name = submitting.fresh()
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "table.csv").write_bytes(SECRET)
    code = (f"PATH = {'/workspace/' + name!r}\n" + SWAPPER).replace("'", '"')
    made = f"mkdir -p {name}/now; printf mine > {name}/now/table.csv; touch {name}/go-on; ln -s {hidden} {name}/link"
    done = inside.shell(f"cd /workspace; {made}; setsid -f python3 -c '{code}' > /dev/null 2>&1 < /dev/null")
    assert done.worked, done.output
    yield f"{name}/now/table.csv"
    assert inside.shell(f"rm /workspace/{name}/go-on").worked


def looked_at_and_opened(workspace, name: str) -> bytes:
    """What a careful program without openat2 reads."""
    path = workspace
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            return b""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_control_looking_first_is_outrun(enclave, swapping) -> None:
    workspace = submitting.workspace(enclave)
    assert any(looked_at_and_opened(workspace, swapping) == SECRET for _ in range(300_000))


def test_the_snapshot_is_not(enclave, swapping, tmp_path) -> None:
    store = Store(tmp_path / "store")
    taken = set()
    for _ in range(1500):
        try:
            kept = take(store, enclave.settings.workspaces, "smoking", "ana", [swapping], limits=Egress())
        except EgressError:
            continue
        taken.add(store.read(kept[0].sha256))
    assert taken == {MINE}
    assert os.listdir(tmp_path / "store" / "staging") == []
