"""Submit a link to /etc/shadow of the host.

Way: submission
Control: `shutil.copy` of the picked name
Held by: files are opened with openat2, which follows no link, both when picked and when copied
"""

import shutil
from pathlib import Path

from tests.redteam import submitting

TARGET = "/etc/shadow"


def test_control_a_plain_copy_follows_it(enclave, inside, tmp_path) -> None:
    name = submitting.fresh()
    assert inside.shell(f"ln -s {TARGET} /workspace/{name}").worked
    copied = shutil.copy(submitting.workspace(enclave) / name, tmp_path / "copy")
    assert copied.read_bytes() == Path(TARGET).read_bytes()


def test_it_cannot_be_picked(enclave, inside) -> None:
    name = submitting.fresh()
    assert inside.shell(f"ln -s {TARGET} /workspace/{name}").worked
    assert "Links are never followed" in submitting.refusal(enclave, name)


def test_nor_put_in_the_place_of_a_picked_file(enclave, inside) -> None:
    said = submitting.refusal_after_swap(enclave, inside, f"{submitting.fresh()}.csv", f"ln -s {TARGET} $FILE")
    assert "Links are never followed" in said
