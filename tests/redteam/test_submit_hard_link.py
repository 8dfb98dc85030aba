"""Submit a file that has another name elsewhere, to change it through that one.

Way: submission
Control: `shutil.copy` of the picked name
Held by: only regular files with one link are taken, and what was taken is a copy
"""

import shutil

from tests.redteam import submitting


def test_control_a_plain_copy_takes_it(enclave, inside, tmp_path) -> None:
    name = submitting.fresh()
    assert inside.shell(f"echo records > /workspace/{name}; ln /workspace/{name} /workspace/{name}-2").worked
    assert shutil.copy(submitting.workspace(enclave) / name, tmp_path / "copy").read_text() == "records\n"


def test_it_cannot_be_picked(enclave, inside) -> None:
    name = submitting.fresh()
    assert inside.shell(f"echo records > /workspace/{name}; ln /workspace/{name} /workspace/{name}-2").worked
    assert "2 hard links" in submitting.refusal(enclave, name)


def test_nor_put_in_the_place_of_a_picked_file(enclave, inside) -> None:
    swap = "echo records > other; ln other $FILE"
    said = submitting.refusal_after_swap(enclave, inside, f"{submitting.fresh()}/table.csv", swap)
    assert "2 hard links" in said
