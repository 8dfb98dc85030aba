"""Submit a colleague's file by a relative link out of one's own workspace.

Way: submission
Control: `shutil.copy` of the picked name
Held by: the kernel resolves the whole path beneath the workspace and follows no link
"""

import shutil

import pytest

from tests.redteam import submitting

SECRET = b"of dora's own workspace"


@pytest.fixture
def others_file(enclave):
    """A file of another person in another project."""
    folder = submitting.workspace(enclave, "wages", "cem")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{submitting.fresh()}.csv"
    path.write_bytes(SECRET)
    yield path
    path.unlink()


def test_control_a_plain_copy_follows_it(enclave, inside, others_file, tmp_path) -> None:
    name = submitting.fresh()
    assert inside.shell(f"ln -s ../../wages/cem/{others_file.name} /workspace/{name}").worked
    copied = shutil.copy(submitting.workspace(enclave) / name, tmp_path / "copy")
    assert copied.read_bytes() == SECRET


def test_it_cannot_be_picked(enclave, inside, others_file) -> None:
    name = submitting.fresh()
    assert inside.shell(f"ln -s ../../wages/cem/{others_file.name} /workspace/{name}").worked
    assert "Links are never followed" in submitting.refusal(enclave, name)


def test_nor_named_by_its_path(enclave, others_file) -> None:
    assert submitting.refusal(enclave, f"../../wages/cem/{others_file.name}")
    assert submitting.refusal(enclave, str(others_file))
