"""Parquet, Feather and Arrow files: tables of every type of column, then bytes of them changed."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_TYPES = (pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.binary(), pa.date32(), pa.timestamp("ns"), pa.time64("us"), pa.duration("s"), pa.decimal128(20, 3), pa.list_(pa.int32()),
          pa.struct([("a", pa.int8())]), pa.dictionary(pa.int32(), pa.string()), pa.float16(), pa.null(), pa.large_string(), pa.uint64(), pa.map_(pa.string(), pa.int8()),
          pa.timestamp("us", "UTC"), pa.binary(4), pa.float32(), pa.month_day_nano_interval(), pa.date64(), pa.decimal256(50, 2), pa.string_view(), pa.list_(pa.float32(), 2))  # fmt: skip
_NAMES = ("a", "n", "age", "", "a.b", "a", "mean", "column_1", "sum", "\u200b", "town", "__index_level_0__")


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(5)
    if how == 0:
        looking.checked("out.parquet", choices.rest())
    elif how == 1:
        looking.checked("out.feather", choices.rest())
    else:
        feather = choices.flag()
        body = _file(choices, feather)
        if how == 2 and body:
            changed = bytearray(body)
            for _ in range(1 + choices.number(3)):
                changed[len(changed) - 1 - choices.number(min(len(changed) - 1, 2000))] = choices.number(255)
            body = bytes(changed)
        looking.checked("out.feather" if feather else "out.parquet", body)


def _file(choices: Choices, feather: bool) -> bytes:
    height = choices.pick((0, 1, 3, 12, 40))
    columns, names = [], []
    for _ in range(choices.number(5)):
        kind = choices.pick(_TYPES)
        try:
            column = pa.array([_value(choices, kind) for _ in range(height)], kind)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            column = pa.nulls(height, kind)
        columns.append(column)
        names.append(choices.pick(_NAMES))
    try:
        table = pa.Table.from_arrays(columns, names)
        described = {
            "index_columns": choices.json(),
            "columns": choices.json(("name", "metadata", "num_categories")),
            "attributes": {},
        }
        kept = choices.pick(
            (None, None, {b"pandas": json.dumps(choices.bent(described)).encode()}, {b"x": choices.some(20)})
        )
        table = table.replace_schema_metadata(kept)
        out = io.BytesIO()
        if feather:
            pyarrow.feather.write_feather(table, out, compression=choices.pick(("lz4", "zstd", "uncompressed")))
        else:
            pyarrow.parquet.write_table(table, out, store_schema=choices.flag())
        return out.getvalue()
    except (pa.ArrowException, ValueError, TypeError, NotImplementedError):
        return b""


def _value(choices: Choices, kind: pa.DataType) -> object:
    number = choices.pick((0, 1, 17, -5, 2**31, 2**53 + 1, 120))
    if choices.number(9) == 0:
        return None
    if pa.types.is_floating(kind):
        return choices.pick((0.1 + 0.2, float("nan"), float("inf"), 1e300, float(number), 1.25))
    if pa.types.is_boolean(kind):
        return bool(number % 2)
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return [1, 2]
    if pa.types.is_struct(kind):
        return {"a": 1}
    if pa.types.is_map(kind):
        return [("a", 1)]
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return choices.take(4).ljust(4, b"\xff")
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return number
    return choices.text(("F", "M", "town 3", "=1+1", "1,234", "17"))


def start() -> list[bytes]:
    made = [b"\x00" + body for body in seeds.files(".parquet")] + [
        b"\x01" + body for body in seeds.files(".feather", ".arrow")
    ]
    return made + [bytes([2 + n % 4, n]) + bytes(range(n, n + 120)) for n in range(0, 100, 4)]


TARGET = Target(
    "columnar",
    "Parquet, Feather and Arrow tables",
    run,
    start,
    (b"PAR1", b"ARROW1", b"pandas", b"ARROW:schema", b"FEA1"),
    share=1.5,
)
