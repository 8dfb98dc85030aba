"""Fill the enclave's disk with a file that is large and holds nothing.

Way: submission
Control: `shutil.copyfile` of the picked name
Held by: sizes are compared before the first byte is copied, and files with holes are refused
"""

import shutil

import pytest

from tests.redteam import submitting


def test_control_a_plain_copy_writes_all_of_it(enclave, inside, tmp_path) -> None:
    name = submitting.fresh()
    assert inside.shell(f"truncate -s 100M /workspace/{name}").worked
    with (submitting.workspace(enclave) / name).open("rb") as source, (tmp_path / "copy").open("wb") as out:
        shutil.copyfileobj(source, out)
    assert (tmp_path / "copy").stat().st_blocks * 512 >= 100 * 1024 * 1024


@pytest.mark.parametrize(("size", "said"), [("1T", "a file may have"), ("8M", "has holes")])
def test_it_is_refused(enclave, inside, size, said) -> None:
    name = f"{submitting.fresh()}.csv"
    assert said in submitting.refusal_after_swap(enclave, inside, name, f"truncate -s {size} $FILE")
    assert inside.shell(f"rm /workspace/{name}").worked
