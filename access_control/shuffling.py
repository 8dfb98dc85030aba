"""Puts rows in a random order in bounded memory.

Two projects' versions in the order of the original could be joined row by row, whatever their pseudonyms.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

POT_BYTES = 48 << 20
_MOST_POTS = 256


def shuffled(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, folder: Path, expected_bytes: int
) -> Iterator[pa.RecordBatch]:
    """The same rows in random order. Rows are first thrown into pots (temporary files in `folder`, removed afterwards)
    of about POT_BYTES each, then each pot is shuffled: every order is as likely as any other.
    """
    random = np.random.Generator(np.random.PCG64(secrets.randbits(128)))
    count = min(max(1, -(-expected_bytes // POT_BYTES)), _MOST_POTS)
    paths = [folder / f".pot-{number}" for number in range(count)]
    try:
        with ExitStack() as stack:
            pots = [stack.enter_context(pa.ipc.new_stream(pa.OSFile(str(path), "wb"), schema)) for path in paths]
            for batch in batches:
                chosen = random.integers(0, count, batch.num_rows)
                for number in range(count):
                    rows = np.flatnonzero(chosen == number)
                    if len(rows):
                        pots[number].write_batch(batch.take(pa.array(rows)))
        for path in paths:
            with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
                table = reader.read_all()
            path.unlink()
            for batch in table.take(pa.array(random.permutation(table.num_rows))).to_batches(max_chunksize=65_536):
                yield batch
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
