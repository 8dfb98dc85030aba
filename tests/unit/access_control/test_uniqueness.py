from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access_control import uniqueness
from access_control.uniqueness import in_small_groups, report, sizes


def written(tmp_path: Path, columns: dict[str, object]) -> Path:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(params=[24_000_000, 100], ids=["one pass", "many passes"])
def passes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uniqueness, "PASS_ROWS", request.param)


@pytest.mark.usefixtures("passes")
def test_groups_are_those_of_an_exact_count(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    table = pa.table(
        {
            "age": pa.array(random.integers(20, 60, 2000), mask=random.random(2000) < 0.05),
            "town": pa.array(np.array(["Aa", "Bo", "Ce"])[random.integers(0, 3, 2000)]),
            "score": random.integers(0, 5, 2000) / 2,
        }
    )
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    counts = table.to_pandas().value_counts(["age", "town", "score"], dropna=False)
    found = sizes(path, ["age", "town", "score"])
    assert (found.rows, found.groups, found.smallest) == (2000, len(counts), counts.min())
    assert found.rows_below == {k: counts[counts < k].sum() for k in (2, 3, 5, 10, 20)}
    small = in_small_groups(path, ["age", "town", "score"], 4)
    assert small.sum() == counts[counts < 4].sum()
    row_counts = table.to_pandas().groupby(["age", "town", "score"], dropna=False)["age"].transform("size")
    assert (small == (row_counts.to_numpy() < 4)).all()


def test_missing_values_are_a_value_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, {"a": [None, None, 1], "b": ["x", "x", None]})
    assert sizes(path, ["a", "b"]).groups == 2
    assert in_small_groups(path, ["a", "b"], 2).tolist() == [False, False, True]


@pytest.mark.parametrize(("values", "columns", "expected"), [([], ["a"], (0, 0, 0)), ([1, 2], [], (2, 1, 2))])
def test_without_rows_or_columns(
    tmp_path: Path, values: list[int], columns: list[str], expected: tuple[int, int, int]
) -> None:
    found = sizes(written(tmp_path, {"a": pa.array(values, pa.int64())}), columns)
    assert (found.rows, found.groups, found.smallest) == expected


def test_the_report_shows_which_column_makes_people_stand_out(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": list(range(30)), "sex": ["f", "m"] * 15})
    found = report(path, ["id", "sex"])
    assert (found["smallest_group"], found["unique_rows"], found["unique_share"]) == (1, 30, 1.0)
    assert {one["column"]: one["smallest_group"] for one in found["alone"]} == {"id": 1, "sex": 15}
    assert {one["column"]: one["smallest_group"] for one in found["without"]} == {"id": 15, "sex": 1}


def test_a_report_without_quasi_identifiers_counts_rows(tmp_path: Path) -> None:
    found = report(written(tmp_path, {"a": [1, 2]}), [])
    assert (found["rows"], found["alone"], found["without"]) == (2, [], [])
