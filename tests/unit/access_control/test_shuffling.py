from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from access_control import shuffling
from access_control.shuffling import shuffled


@pytest.mark.parametrize("expected_bytes", [1, 10 * shuffling.POT_BYTES, 10_000 * shuffling.POT_BYTES])
def test_the_same_rows_in_another_order(tmp_path: Path, expected_bytes: int) -> None:
    table = pa.table({"a": list(range(5000)), "b": [str(n % 7) for n in range(5000)]})
    batches = list(shuffled(table.to_batches(max_chunksize=512), table.schema, tmp_path, expected_bytes))
    found = pa.Table.from_batches(batches, table.schema)
    assert Counter(map(str, found.to_pylist())) == Counter(map(str, table.to_pylist()))
    assert found.column("a").to_pylist() != table.column("a").to_pylist()
    assert list(tmp_path.iterdir()) == []


def test_two_shuffles_differ(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(1000))})
    one, two = (list(shuffled(table.to_batches(), table.schema, tmp_path, 1)) for _ in range(2))
    assert one != two


def test_no_order_is_preferred(tmp_path: Path) -> None:
    # Three rows have six orders; each comes about 200 times in 1,200 (a fair shuffle leaves 120-280 once in 10^9).
    table = pa.table({"a": [0, 1, 2]})
    orders = Counter(
        tuple(
            pa.Table.from_batches(shuffled(table.to_batches(), table.schema, tmp_path, 2 * shuffling.POT_BYTES))
            .column("a")
            .to_pylist()
        )
        for _ in range(1200)
    )
    assert len(orders) == 6
    assert all(120 <= count <= 280 for count in orders.values())


def test_pots_go_when_it_is_given_up(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(1000))})
    rows = shuffled(table.to_batches(), table.schema, tmp_path, 3 * shuffling.POT_BYTES)
    next(rows)
    rows.close()
    assert list(tmp_path.iterdir()) == []
