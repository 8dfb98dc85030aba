"""Have one file approved and another given out, by rows that name other bytes.

Way: submission
Control: reading whatever the row names
Held by: the row has to name what the reviewers signed, name and context too
"""

import pytest

from egress_review.errors import EgressError
from egress_review.models import ReleaseFile, RequestFile
from egress_review.store import Store
from tests.redteam import submitting

RECORDS = b"person,diagnosis\n1,secret-diagnosis\n"


@pytest.fixture
def exchanged(enclave, inside):
    """A release whose row names records that nobody reviewed."""
    _, name, file = submitting.released(enclave, inside)
    blob = Store(enclave.settings.store).put([RECORDS])
    with enclave.writing() as db:
        row = db.get_one(ReleaseFile, file)
        row.sha256, row.size = blob.sha256, blob.size
    return name, file


def test_control_the_row_names_the_records(enclave, exchanged) -> None:
    with enclave.reading() as db:
        assert Store(enclave.settings.store).read(db.get_one(ReleaseFile, exchanged[1]).sha256) == RECORDS


def test_the_gate_compares_with_what_was_signed(enclave, exchanged) -> None:
    with pytest.raises(EgressError, match="not what its reviewers signed"):
        submitting.fetch(enclave, *exchanged)


@pytest.mark.parametrize("column", ["rewrite_sha256", "sha256", "context", "rewrite_name", "verdict"])
def test_nor_by_changing_what_was_reviewed(enclave, inside, column) -> None:
    _, name, file = submitting.released(enclave, inside)
    blob = Store(enclave.settings.store).put([RECORDS])
    with enclave.writing() as db:
        row = db.get_one(ReleaseFile, file)
        reviewed = db.get_one(RequestFile, row.file_id)
        setattr(reviewed, column, blob.sha256 if column.endswith("sha256") else "pass it")
        row.sha256, row.original_sha256 = reviewed.rewrite_sha256 or "", reviewed.sha256
        row.name = reviewed.rewrite_name
    with pytest.raises(EgressError, match="signed"):
        submitting.fetch(enclave, name, file)
