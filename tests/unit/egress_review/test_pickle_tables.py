import pickle
import zlib
from io import BytesIO

import numpy as np
import pandas as pd
import polars as pl
import pytest

from access_control.settings import Profile, Settings
from egress_review import join, pickle_tables
from egress_review.checking import check_files
from egress_review.source_index import build_index, open_index


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    made = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "age": made.integers(18, 90, 4000),
            "visits": made.poisson(3, 4000),
            "wage": np.round(made.lognormal(3, 0.8, 4000), 2),
            "score": np.round(made.normal(size=4000), 3),
        }
    )
    frame.write_parquet(root / "people.parquet")
    settings = Settings(data_root=root / "data")
    return settings, open_index(build_index(settings, "people", 1, root / "people.parquet")), frame.to_pandas()


class _Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def _npy(array) -> bytes:
    out = BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "shape",
    [
        lambda part: part,
        lambda part: part[["wage", "score"]].to_numpy(),
        lambda part: np.asfortranarray(part[["wage", "score"]].to_numpy()),
        lambda part: part.to_dict("list"),
        lambda part: part.to_dict("records"),
        lambda part: list(part[["wage", "score", "age"]].itertuples(index=False, name=None)),
        lambda part: {"rows": part[["wage", "score"]].to_numpy(), "then": _Trap()},
    ],
    ids=["frame", "matrix", "Fortran", "columns", "records", "tuples", "trap"],
)
def test_rows_in_a_pickle_are_found_without_loading_it(people, shape, protocol):
    _, index, frame = people
    data = pickle.dumps(shape(frame.sample(60, random_state=1)), protocol=protocol)
    found = [leak for table in pickle_tables.tables_in(data) if (leak := join.find(index, table, 10))]
    assert max((leak.few for leak in found), default=0) >= 50


def test_a_packed_pickle_is_unpacked(people):
    data = zlib.compress(pickle.dumps(people[2].head(60).to_dict("list")))
    assert any(join.find(people[1], table, 10) for table in pickle_tables.tables_in(data))


def test_the_finding_names_the_rows(people, tmp_path):
    settings, _, frame = people
    for name, data in (
        ("frame.pkl", pickle.dumps(frame.head(80))),
        ("rows.npy", _npy(frame[["wage", "score", "age"]].head(80).to_numpy())),
    ):
        (tmp_path / name).write_bytes(data)
        (result,) = check_files(settings, [(tmp_path / name, name)], profile=Profile(), datasets=[("people", 1)])
        assert "source.rows" in {finding.rule for finding in result.findings}
        assert result.facts["source"][0]["few"] >= 70


def test_other_rows_are_not(people):
    made = np.random.default_rng(9)
    other = pd.DataFrame({"a": np.round(made.lognormal(3, 0.8, 60), 4), "b": np.round(made.normal(size=60), 5)})
    for protocol in (2, 5):
        tables = pickle_tables.tables_in(pickle.dumps(other, protocol=protocol))
        assert {join.find(people[1], table, 10) for table in tables if table.width > 1} == {None}


@pytest.mark.parametrize("data", [b"", b"\x80\x05", b"\x80\x05X\xff\xff\xff\xff", b"garbage.", b"(((((e.", b"t" * 50])
def test_broken_pickles_break_nothing(data):
    assert pickle_tables.tables_in(data) == []
