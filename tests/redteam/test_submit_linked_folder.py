"""Reach a file of the host through a folder that is a link.

Way: submission
Control: `shutil.copy` of the picked name
Held by: no part of a path may be a link, and linked folders are not walked
"""

import shutil
from pathlib import Path

from egress_review.snapshot import list_workspace
from tests.redteam import submitting


def test_control_a_plain_copy_follows_it(enclave, inside, tmp_path) -> None:
    folder = submitting.fresh()
    assert inside.shell(f"ln -s /etc /workspace/{folder}").worked
    copied = shutil.copy(submitting.workspace(enclave) / folder / "passwd", tmp_path / "copy")
    assert copied.read_bytes() == Path("/etc/passwd").read_bytes()


def test_it_cannot_be_picked(enclave, inside) -> None:
    folder = submitting.fresh()
    assert inside.shell(f"ln -s /etc /workspace/{folder}").worked
    assert submitting.refusal(enclave, f"{folder}/passwd")
    assert submitting.refusal(enclave, f"{folder}/**")
    listed = {file.name for file in list_workspace(enclave.settings.workspaces, "smoking", "ana")}
    assert not any(name.startswith(folder + "/") for name in listed)


def test_nor_put_in_the_place_of_a_picked_files_folder(enclave, inside) -> None:
    folder = submitting.fresh()
    swap = f"cd ..; mv {folder} {folder}-was; ln -s /etc {folder}"
    said = submitting.refusal_after_swap(enclave, inside, f"{folder}/passwd", swap)
    assert "Links are never followed" in said
