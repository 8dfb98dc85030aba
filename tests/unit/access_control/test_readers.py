from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access_control.errors import Invalid
from access_control.ingest import stage_dataset
from access_control.readers import csv_file, infer_types, read_csv, read_parquet, rows_per_batch
from access_control.settings import Settings

MANY = "a,b\n" + "1,2\n" * 1_200_000  # longer than a reader's block, so that a later line meets types already guessed


def silent(_share: float) -> None:
    pass


def taken_in(tmp_path: Path, content: str | bytes, **options: Any) -> tuple[pa.Table, dict[str, str]]:
    """The table as it would be kept, and the notes on its columns."""
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    staged = stage_dataset(Settings(data_root=tmp_path / "root"), path, id="x", **options)
    table = pq.read_table(staged.folder / "data.parquet")
    staged.discard()
    return table, {column["name"]: column["note"] for column in staged.columns if "note" in column}


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("a,b\n1,x\n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("a,b\n1.5,\n2,true\n", {"a": [1.5, 2.0], "b": [None, True]}),
        ("a;b\n1;2\n", {"a": [1], "b": [2]}),
        ("a,b\nNA,1\n,2\n3,3\n", {"a": [None, None, 3], "b": [1, 2, 3]}),
        ("a\n1\n\n3\n", {"a": [1, None, 3]}),
        ("a,b\n1,2\n\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        ("d,t\n2020-01-31,10:11:12\n", {"d": [date(2020, 1, 31)], "t": [time(10, 11, 12)]}),
        ("d,x\n2020-01-31T08:00:00Z,007\n", {"d": [datetime(2020, 1, 31, 8, tzinfo=UTC)], "x": ["007"]}),
        ('a,b\n"x\ny ""z""",1\n', {"a": ['x\ny "z"'], "b": [1]}),
        ("a,b\n-1,+2\n", {"a": [-1], "b": ["+2"]}),
    ],
)
def test_values_of_a_csv_are_kept(tmp_path: Path, content: str, values: dict[str, list[Any]]) -> None:
    assert taken_in(tmp_path, content)[0].to_pydict() == values


def test_leading_zeros_and_long_numbers_stay_text_with_the_reason(tmp_path: Path) -> None:
    table, notes = taken_in(tmp_path, "zip,card,n,none\n01234,12345678901234567890,5,\n98765,1,6,\n")
    assert table.to_pydict() == {
        "zip": ["01234", "98765"],
        "card": ["12345678901234567890", "1"],
        "n": [5, 6],
        "none": [None, None],
    }
    assert "start with 0 or +" in notes["zip"]
    assert "too long" in notes["card"]
    assert "no row has a value" in notes["none"]
    assert "n" not in notes


@pytest.mark.parametrize(
    ("tail", "column", "kind", "last"),
    [
        ("x,2\n", "a", pa.string(), "x"),
        ("2.5,2\n", "a", pa.float64(), 2.5),
        ("007,2\n", "a", pa.string(), "007"),
        ("12345678901234567890,2\n", "a", pa.string(), "12345678901234567890"),
        ('1,"q\nr"\n', "b", pa.string(), "q\nr"),
        ("1,\n", "b", pa.int64(), None),
    ],
)
def test_a_late_value_changes_the_type_of_the_whole_column(
    tmp_path: Path, tail: str, column: str, kind: pa.DataType, last: Any
) -> None:
    table, _ = taken_in(tmp_path, MANY + tail)
    assert table.num_rows == 1_200_001
    assert table.schema.field(column).type == kind
    assert table.column(column)[-1].as_py() == last
    assert table.column(column)[0].cast(pa.string()).as_py() in {"1", "2"}


def test_a_broken_line_far_down_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"x\.csv, line 1200002: 1 value where the header has 2"):
        taken_in(tmp_path, MANY + "1\n")


def test_a_byte_that_is_no_text_far_down_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"x\.csv, line 1200002: a byte that is no UTF-8 text"):
        taken_in(tmp_path, MANY.encode() + b"1,\xff\n")


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="line 3: a quotation mark is opened and never closed"):
        taken_in(tmp_path, 'a,b\n1,2\n1,"x\n2,3\n')


def test_missing_can_be_said_in_other_words(tmp_path: Path) -> None:
    table, _ = taken_in(tmp_path, "a,b\n-99,NA\n5,x\n", missing=["-99"])
    assert table.to_pydict() == {"a": [None, 5], "b": ["NA", "x"]}


def test_an_abandoned_pass_does_not_disturb_the_next(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(MANY + "x,2\n")
    source = csv_file(path, None, None)
    for _ in range(5):
        with read_csv(source, {"a": pa.string(), "b": pa.int64()}, silent) as reading:
            next(reading.batches)
    types, _ = infer_types(source, silent)
    assert types == {"a": pa.string(), "b": pa.int64()}


def test_parquet_is_read_without_what_it_hides(tmp_path: Path) -> None:
    categories = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["seen", "a name that no row has"]))
    table = pa.table({"a": [1, 2], "b": categories}).replace_schema_metadata({"secret": "of the owner"})
    pq.write_table(table, tmp_path / "x.parquet")
    staged = stage_dataset(Settings(data_root=tmp_path / "root"), tmp_path / "x.parquet", id="x")
    kept = (staged.folder / "data.parquet").read_bytes()
    assert b"no row has" not in kept
    assert b"secret" not in kept
    assert pq.read_table(staged.folder / "data.parquet").to_pydict() == {"a": [1, 2], "b": ["seen", "seen"]}


@pytest.mark.parametrize(
    "column",
    [pa.array([[1], [2]]), pa.array([{"x": 1}, {"x": 2}]), pa.array([b"1", b"2"])],
    ids=["list", "struct", "bytes"],
)
def test_parquet_that_is_no_plain_table_is_refused(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"a": [1, 2], "odd": column}), tmp_path / "x.parquet")
    with pytest.raises(Invalid, match="column 'odd' is of type"):
        stage_dataset(Settings(data_root=tmp_path / "root"), tmp_path / "x.parquet", id="x")


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(100_000))}), whole)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-100])
    spoilt = tmp_path / "spoilt.parquet"
    spoilt.write_bytes(whole.read_bytes()[:200] + b"\xff" * 2000 + whole.read_bytes()[2200:])
    for path in (cut, spoilt):
        with pytest.raises(Invalid, match=path.name):
            stage_dataset(Settings(data_root=tmp_path / "root"), path, id="x")
    assert not list((tmp_path / "root").rglob("*.parquet"))


def test_batches_are_bounded_by_bytes(tmp_path: Path) -> None:
    wide = pa.table({f"c{i}": np_column(i) for i in range(200)})
    pq.write_table(wide, tmp_path / "x.parquet")
    assert rows_per_batch(pq.read_metadata(tmp_path / "x.parquet")) <= 8 * 2**20 // (200 * 8)
    with read_parquet(tmp_path / "x.parquet", silent) as reading:
        batches = list(reading.batches)
    assert sum(batch.num_rows for batch in batches) == 20_000
    assert max(batch.nbytes for batch in batches) < 16 * 2**20


def np_column(seed: int) -> list[int]:
    return [seed] * 20_000
