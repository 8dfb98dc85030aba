"""The table in the docs is that of the tests, and every attack has its control."""

import pytest

from tests.redteam.catalogue import PAGE, attacks, page


def test_the_table_in_the_docs_is_current() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.redteam.catalogue"


def test_there_are_at_least_fifty_attacks() -> None:
    assert len(attacks()) >= 50


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.file)
def test_each_attack_is_seen_to_work_and_then_to_fail(attack) -> None:
    assert any("control" in name for name in attack.tests), "no test whose name says control"
    assert any("control" not in name for name in attack.tests), "no test of the enclave itself"
