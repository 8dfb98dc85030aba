"""Submit more or larger files than anybody can review.

Way: submission
Control: `shutil.copytree` of the workspace
Held by: the number of files, the size of each and the size of all are limited by settings
"""

import shutil

from tests.redteam import submitting


def test_control_a_plain_copy_takes_all_of_them(enclave, inside, tmp_path) -> None:
    folder = submitting.fresh()
    assert inside.shell(f"mkdir /workspace/{folder}; cd /workspace/{folder}; touch f{{1..101}}.csv").worked
    shutil.copytree(submitting.workspace(enclave) / folder, tmp_path / "copy")
    assert len(list((tmp_path / "copy").iterdir())) == 101


def test_too_many_files(enclave, inside) -> None:
    folder = submitting.fresh()
    assert inside.shell(f"mkdir /workspace/{folder}; cd /workspace/{folder}; touch f{{1..101}}.csv").worked
    assert "a request may have 100" in submitting.refusal(enclave, folder)


def test_a_file_that_is_too_large(enclave, inside) -> None:
    name = f"{submitting.fresh()}.csv"
    most = enclave.settings.egress.max_file_bytes
    swap = f"head -c {most + 1} /dev/zero > $FILE"
    assert "a file may have" in submitting.refusal_after_swap(enclave, inside, name, swap)
    assert inside.shell(f"rm /workspace/{name}").worked
