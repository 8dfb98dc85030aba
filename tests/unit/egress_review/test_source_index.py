import json
import stat
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from access_control.settings import Settings
from egress_review import index_build, index_read, join, tables
from egress_review.errors import Refused
from egress_review.index_columns import Key, fingerprints, short
from egress_review.source_index import build_index, folder_of, has_index, index_key, open_index


@pytest.fixture
def settings(tmp_path):
    return Settings(data_root=tmp_path / "data")


def _frame(rows: int = 5000) -> pl.DataFrame:
    made = np.random.default_rng(2)
    return pl.DataFrame(
        {
            "age": made.integers(18, 95, rows),
            "sex": made.choice(["f", "m"], rows),
            "wage": np.round(made.lognormal(2, 0.5, rows), 4),
            "region": made.integers(0, 40, rows),
            "score": made.normal(size=rows),
        }
    )


def _built(settings, tmp_path, frame):
    frame.write_parquet(tmp_path / "source.parquet")
    return open_index(build_index(settings, "people", 1, tmp_path / "source.parquet"))


def test_an_index_is_whole_and_private(settings, tmp_path):
    assert not has_index(settings, "people", 1)
    index = _built(settings, tmp_path, _frame())
    assert has_index(settings, "people", 1)
    assert (index.rows, len(index.columns)) == (5000, 5)
    folder = folder_of(settings, "people", 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE((settings.keys / "source-index.key").stat().st_mode) == 0o600


def test_a_damaged_index_is_refused(settings, tmp_path):
    _built(settings, tmp_path, _frame())
    folder = folder_of(settings, "people", 1)
    (folder / "index.bin").write_bytes((folder / "index.bin").read_bytes()[:-8])
    assert not has_index(settings, "people", 1)
    with pytest.raises(Refused):
        open_index(folder)


def test_an_index_of_another_format_is_refused_with_what_to_do(settings, tmp_path):
    _built(settings, tmp_path, _frame())
    described = folder_of(settings, "people", 1) / "index.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"format": 1}))
    assert not has_index(settings, "people", 1)
    with pytest.raises(Refused, match=r"format 1.*enclave dataset index"):
        open_index(described.parent)


def test_parts_are_put_together_as_one_column(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(index_build, "PART", 700)
    made = np.random.default_rng(3)
    frame = _frame().with_columns(
        pl.Series("late", [*range(4000), *np.round(made.normal(size=1000), 3)], strict=False, dtype=pl.Float64),
        pl.Series("gaps", [None if row % 7 == 0 else row % 11 for row in range(5000)]),
        pl.Series("codes", [f"ID {row}" if row % 3 else str(row) for row in range(5000)]),
        pl.Series("far", made.integers(10**13, 10**14, 5000)),
        pl.Series("yes", made.integers(0, 2, 5000) == 1),
        pl.Series("nothing", [None] * 5000, dtype=pl.Float64),
        pl.Series("day", [date(2000, 1, 1) + timedelta(days=row % 900) for row in range(5000)]),
    )
    index = _built(settings, tmp_path, frame)
    for column in index.columns:
        found = fingerprints(frame[column.name], index.key)
        np.testing.assert_array_equal(column.exact, short(found.exact), column.name)
        np.testing.assert_array_equal(column.coarse, short(found.coarse), column.name)
        np.testing.assert_array_equal(column.exact_counts, np.bincount(column.exact, minlength=1 << 16))
        np.testing.assert_array_equal(column.coarse_counts, np.bincount(column.coarse, minlength=1 << 16))
        assert column.numeric == found.numeric or column.name == "nothing"
        assert column.holds(found.exact[found.exact != 0]).all()


def _kinds(rows: int) -> pl.DataFrame:
    """Columns of every type that takes a way of its own into the index."""
    made = np.random.default_rng(5)
    days = [date(1960, 2, 28) + timedelta(days=int(n)) for n in made.integers(0, 20_000, rows)]
    gaps = made.random(rows) < 0.1
    return pl.DataFrame(
        {
            "day": days,
            "day or none": [None if gap else day for gap, day in zip(gaps, days, strict=True)],
            "day long ago": [date(1000, 1, 1) if row == 7 else day for row, day in enumerate(days)],
            "day far off": [date(2687, 9, 23) if row == 7 else None if row == 8 else day for row, day in enumerate(days)],
            "no day": pl.Series([None] * rows, dtype=pl.Date),
            "time": [datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(hours=6 * n) for n in range(rows)],
            "category or none": [None if gap else "abc"[row % 3] for row, gap in enumerate(gaps)],
            "category of numbers": [f"{row % 40}.50" for row in range(rows)],
            "identifier": [f"{int(n):016x}" for n in made.integers(0, 2**62, rows)],
            "large": pl.Series(made.integers(2**53, 2**64, rows, dtype=np.uint64)),
            "yes or none": [None if gap else row % 3 == 0 for row, gap in enumerate(gaps)],
            "person": np.arange(1_000_000, 1_000_000 + rows),
            "below zero": -made.integers(10**6, 10**9, rows),
            "float": pl.Series(made.normal(size=rows), dtype=pl.Float32),
            "tiny": made.normal(size=rows) * 1e-12,
            "cents": pl.Series(made.integers(0, 10**6, rows)).cast(pl.Decimal(12, 2)),
            "list": [[row % 5, 1] for row in range(rows)],
            "^.*$": range(rows),
            "a.b": made.integers(0, 5, rows),
        }
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [300, 2_000_000])
@pytest.mark.parametrize("group", [250, 1000, 100_000])
def test_every_type_has_the_same_hashes_as_in_an_output(settings, tmp_path, monkeypatch, at_once, group):
    monkeypatch.setattr(index_build, "PART", 700)
    monkeypatch.setattr(index_read, "AT_ONCE", at_once)
    monkeypatch.setattr(index_read, "FEW", 0)
    frame = _kinds(3000)
    path = tmp_path / "year=2020" / "[a]*.parquet"  # nothing that reads a file may take its name for a pattern
    path.parent.mkdir()
    frame.write_parquet(path, row_group_size=group)
    index = open_index(build_index(settings, "people", 1, path))
    assert [column.name for column in index.columns] == frame.columns
    for column in index.columns:
        found = fingerprints(frame[column.name], index.key)
        np.testing.assert_array_equal(column.exact, short(found.exact), column.name)
        np.testing.assert_array_equal(column.coarse, short(found.coarse), column.name)
        np.testing.assert_array_equal(column.exact_counts, np.bincount(column.exact, minlength=1 << 16))
        np.testing.assert_array_equal(column.coarse_counts, np.bincount(column.coarse, minlength=1 << 16))
        assert column.numeric == found.numeric
        assert column.holds(found.exact[found.exact != 0]).all()
        numbers = frame[column.name].cast(pl.Float64, strict=False) if column.extremes else None
        if numbers is not None:
            assert column.extremes["highest"].rows == (numbers == numbers.max()).sum(), column.name
            assert column.extremes["lowest"].rows == (numbers == numbers.min()).sum(), column.name


def test_long_texts_are_unpacked_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(index_read, "BYTES", 100_000)
    rows = 2000
    pl.DataFrame({"note": [f"{row} " * 500 for row in range(rows)], "ids": [f"id {row}" for row in range(rows)],
                  "lists": [[float(row)] * 200 for row in range(rows)]}).write_parquet(tmp_path / "x.parquet", compression="uncompressed")  # fmt: skip
    source = index_read.SourceFile.of(tmp_path / "x.parquet")
    for name, most in (("note", 60), ("ids", rows), ("lists", 100)):
        lengths = [len(part) for part in source.parts(name, 1 << 17)]
        assert sum(lengths) == rows
        assert max(lengths) <= most, name


def test_a_day_meets_itself_as_a_time_and_as_text(settings, tmp_path):
    frame = pl.DataFrame({"day": [date(2020, 11, day) for day in range(1, 29)]})
    (column,) = _built(settings, tmp_path, frame).columns
    key = Key.from_bytes(index_key(settings))
    for output in (frame["day"].cast(pl.Datetime), frame["day"].dt.strftime("%d.%m.%Y"), frame["day"].cast(pl.String)):
        np.testing.assert_array_equal(short(fingerprints(output, key).exact), column.exact)


def test_many_values_get_a_bitmap_even_when_the_first_part_has_few(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(index_build, "PART", 1000)
    frame = pl.DataFrame({"x": np.concatenate([np.zeros(1000), np.arange(40_000) * 1.37])})
    (column,) = _built(settings, tmp_path, frame).columns
    assert column.bitmap is not None
    assert 35_000 < column.distinct < 45_000
    assert column.holds(fingerprints(frame["x"], Key.from_bytes(index_key(settings))).exact).all()


def test_extremes_are_kept_as_hashes_with_the_people_who_hold_them(settings, tmp_path):
    frame = pl.DataFrame({"age": [18, 18, 40, 95], "wage": [1.5, None, 7.25, 99.125], "name": list("abcd")})
    age, wage, name = _built(settings, tmp_path, frame).columns
    assert (age.extremes["lowest"].rows, age.extremes["highest"].rows, name.extremes) == (2, 1, {})
    key = Key.from_bytes(index_key(settings))
    assert wage.extremes["highest"].exact == fingerprints(pl.Series([99.125]), key).exact[0]
    assert "99.125" not in (folder_of(settings, "people", 1) / "index.json").read_text()


def test_what_is_no_parquet_is_refused(settings, tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"nonsense")
    with pytest.raises(Refused):
        build_index(settings, "people", 1, tmp_path / "x.parquet")
    assert (
        not folder_of(settings, "people", 1).parent.is_dir()
        or list(folder_of(settings, "people", 1).parent.iterdir()) == []
    )


def test_renamed_and_shuffled_rows_are_found_with_their_columns(settings, tmp_path):
    frame = _frame()
    index = _built(settings, tmp_path, frame)
    part = (
        frame.sample(60, seed=1)
        .select("score", "region", "age", "wage")
        .rename({"score": "a", "region": "b", "age": "c", "wage": "d"})
    )
    (table,) = tables.from_frame("", part)
    leak = join.find(index, table, 10)
    assert leak is not None
    assert dict(leak.columns) == {"a": "score", "b": "region", "c": "age", "d": "wage"}
    assert (leak.few, leak.people) == (60, 60)


def test_summaries_are_not_taken_for_rows(settings, tmp_path):
    frame = _frame()
    index = _built(settings, tmp_path, frame)
    summary = (
        frame.group_by("region")
        .agg(pl.col("wage").mean().round(3), pl.col("score").std().round(3), pl.col("age").median())
        .sort("region")
    )
    (table,) = tables.from_frame("", summary)
    assert join.find(index, table, 10) is None


def test_people_who_share_a_tuple_hide_in_each_other(settings, tmp_path):
    frame = pl.DataFrame({"a": [1, 2, 3, 4] * 1000, "b": [5, 6, 7, 8] * 1000, "c": ["x", "y", "z", "w"] * 1000})
    index = _built(settings, tmp_path, frame)
    (table,) = tables.from_frame("", frame.head(40))
    assert join.find(index, table, 10) is None
