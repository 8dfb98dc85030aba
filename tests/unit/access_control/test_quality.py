from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access_control import quality
from access_control.rendition_spec import Check

TABLE = pa.table(
    {
        "age": [20, 35, None, 35],
        "weight": [50.0, float("nan"), 70.5, 80.0],
        "sex": ["f", "m", "f", "x"],
        "day": [date(2020, 1, 1)] * 4,
        "nothing": pa.array([None] * 4, pa.int64()),
    }
)


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        (Check("age", type="integer"), True),
        (Check("age", type="number"), False),
        (Check("day", type="date"), True),
        (Check("age", minimum=20, maximum=35), True),
        (Check("age", minimum=21), False),
        (Check("age", maximum=34), False),
        (Check("weight", maximum=80), True),
        (Check("sex", minimum=0), False),
        (Check("nothing", minimum=0), True),
        (Check("age", missing_at_most=0.25), True),
        (Check("age", missing_at_most=0.2), False),
        (Check("weight", missing_at_most=0.2), False),
        (Check("nothing", missing_at_most=1), True),
        (Check("age", unique=True), False),
        (Check("weight", unique=True), True),
        (Check("sex", one_of=("f", "m", "x")), True),
        (Check("sex", one_of=("f", "m")), False),
        (Check("age", one_of=(20, 35)), True),
        (Check("age", one_of=("20", "thirty")), False),
    ],
)
def test_checks(tmp_path: Path, check: Check, passed: bool) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(TABLE, path)
    outcomes = [outcome for outcome in quality.run(path, [check], 1) if outcome.column]
    assert all(outcome.sentence.startswith(check.column) for outcome in outcomes)
    assert all(outcome.passed for outcome in outcomes) is passed


@pytest.mark.parametrize(("wanted", "passed"), [(4, True), (5, False)])
def test_rows_at_least(tmp_path: Path, wanted: int, passed: bool) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(TABLE, path)
    [outcome] = quality.run(path, [], wanted)
    assert outcome.as_dict() == {
        "column": "",
        "check": "rows_at_least",
        "passed": passed,
        "sentence": f"4 rows; at least {wanted} wanted",
    }


def test_every_kind_of_check_is_run(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(TABLE, path)
    every: dict[str, Any] = {
        "type": "integer",
        "minimum": 0,
        "maximum": 99,
        "missing_at_most": 1,
        "unique": True,
        "one_of": (1,),
    }
    ran = {outcome.check for outcome in quality.run(path, [Check("age", **every)], 1)}
    assert ran == {"rows_at_least", *every}
