import stat

import numpy as np
import polars as pl
import pytest

from access_control.settings import Settings
from egress_review import join, tables
from egress_review.errors import Refused
from egress_review.source_index import build_index, folder_of, has_index, open_index


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
