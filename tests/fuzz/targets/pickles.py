"""Pickles, saved models and saved arrays, which are read by opcode and never loaded."""

from __future__ import annotations

import pickle
import struct
import zlib

from egress_review import pickle_tables
from egress_review.rules import models
from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds

_CODES = (b"(", b"]", b"}", b")", b"e", b"a", b"s", b"u", b"t", b"l", b"d", b"\x85", b"\x86", b"\x87", b"\x90", b"\x91", b"\x94", b"0", b"1", b"2", b"N", b"\x88", b"\x89", b"q\x00", b"h\x00", b"p5\n", b"g5\n",
          b"I17\n", b"I01\n", b"F1.5\n", b"L9L\n", b"K\x11", b"M\x11\x01", b"J\x01\x00\x00\x00", b"G?\xf8\x00\x00\x00\x00\x00\x00", b"\x8c\x06latin1", b"\x8c\x02f8", b"X\x01\x00\x00\x00a",
          b"cos\nsystem\n", b"\x93", b"R", b"b", b"\x81", b"\x92", b"Va\n", b"S'a'\n", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\x7f", b"\x8a\x02\x00\x01", b"C\x18" + bytes(24),
          b"B\x20\x00\x00\x00" + struct.pack("<4d", 1.0, 2.0, 3.0, 4.0), b"\x8e\x18" + bytes(31), b"\x95\x05\x00\x00\x00\x00\x00\x00\x00", b"g-1\n", b"p-1\n", b"P1\n")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(4)
    name = choices.pick(("m.pkl", "m.joblib", "m.sav", "m.p", "m.bin"))
    if how == 0:
        body = choices.rest()
    elif how == 1:
        body = _npy(choices)
        name = "a.npy"
    else:
        body = (
            choices.pick((b"\x80\x04", b"\x80\x02", b""))
            + b"".join(choices.pick(_CODES) * choices.pick((1, 1, 1, 9)) for _ in range(choices.number(60)))
            + b"."
        )
        if how == 3:
            body = zlib.compress(body)
    found = pickle_tables.tables_in(body)
    holds(
        len(found) <= pickle_tables.MAX_TABLES and all(len({len(c) for c in t.columns}) <= 1 for t in found),
        "tables have columns of one length",
    )
    models.globals_of(body)
    looking.checked(name, body)


def _npy(choices: Choices) -> bytes:
    shape = choices.pick(("(3,)", "(2, 2)", "(0,)", "()", "(-1,)", "(99999999999,)", "(2,3,4)", "(1,0)", "x"))
    kind = choices.pick(
        (
            "'<f8'",
            "'<i4'",
            "'|O'",
            "'<U3'",
            "'|b1'",
            "[('a', '<f8'), ('b', '<i4')]",
            "'<M8[D]'",
            "'<c16'",
            "'<f2'",
            "'>f8'",
            "[('a', '<f8', (2,))]",
            "'|V8'",
        )
    )
    header = f"{{'descr': {kind}, 'fortran_order': {choices.flag()}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + choices.some(200)


def start() -> list[bytes]:
    made = [b"\x00\x00" + body for body in seeds.files(".pkl", ".joblib", ".npy", ".sav", ".pickle")]
    made += [b"\x00\x00" + pickle.dumps([[1.5, 2, "a"]] * 9, protocol) for protocol in (0, 1, 2, 4, 5)]
    return made + [bytes([how, n]) + bytes(range(n, n + 90)) for how in (1, 2, 3, 4) for n in range(4)]


TARGET = Target("pickles", "pickles, models and saved arrays", run, start, _CODES)
