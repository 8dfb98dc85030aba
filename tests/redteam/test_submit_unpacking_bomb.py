"""Exhaust the checks with a small archive that unpacks to gigabytes.

Way: submission
Control: reading the archive with `zipfile`
Held by: the ratio and the sizes in the directory are looked at first, in a sandbox with limits; it is blocked
"""

import io
import zipfile

import pytest

from tests.redteam import submitting

UNPACKED = 160 * 1024 * 1024


def bomb(inner: str) -> bytes:
    """A small archive that unpacks to a thousand times its size."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(inner, "w") as file:
        for _ in range(UNPACKED // (16 * 1024 * 1024)):
            file.write(bytes(16 * 1024 * 1024))
    return held.getvalue()


def test_control_a_plain_reader_unpacks_all_of_it() -> None:
    packed = bomb("table.csv")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open("table.csv") as file:
        assert sum(len(piece) for piece in iter(lambda: file.read(1 << 20), b"")) > 500 * len(packed)


@pytest.mark.parametrize(("name", "inner"), [("tables.zip", "table.csv"), ("table.xlsx", "xl/worksheets/sheet1.xml")])
def test_the_checks_survive_and_block_it(enclave, inside, name, inner) -> None:
    path = f"{submitting.fresh()}/{name}"
    submitting.write(inside, path.replace(name, "empty"), b"")
    (submitting.workspace(enclave) / path).write_bytes(bomb(inner))
    kept = submitting.submit(enclave, submitting.draft(enclave, path))
    assert [file.verdict for file in kept] == ["block"]
    assert kept[0].findings
