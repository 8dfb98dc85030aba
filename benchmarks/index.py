"""Measures the index of source rows beside a bare decode of the same Parquet file: 10 million rows x 10 columns.

Both sides under the same conditions: each run is a process of its own with its imports done, the two take turns, the file is in
the page cache. A process measures its first run (`fresh`: as at ingest, which builds one index and ends) and the best of the
runs after it (`warm`: memory is at hand, tables of hashes are not kept). Bare decode is polars' `read_parquet` of all columns
into memory, with both cores; pyarrow's is told for comparison. The index is whole when the clock stops: on the disk, synced.

The data are the register of benchmarks/ingest.py, as ingest writes it (a number for each person, categories, days, truth values,
whole and decimal numbers), the same with texts as identifiers, and the survey of benchmarks/checks.py, without days.
`python benchmarks/index.py [--quick]`; the last line is JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import report

RUNS = 4  # in a process: one fresh, the others warm
SIDES = ("index", "polars", "pyarrow")


@dataclass
class Speed:
    """Medians over processes: seconds by the clock and of the processor, and the most memory of a process in MiB."""

    clock: float
    processor: float
    warm_clock: float
    warm_processor: float
    peak: float


def as_ingested(table: pa.Table, path: Path) -> None:
    """Writes the table as ingest does."""
    from access_control.parquet_sink import ParquetSink

    with ParquetSink(path, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=100_000):
            sink.write(batch)


def write_register(folder: Path, rows: int) -> Path:
    """The register, by ingest itself."""
    import ingest

    from access_control.ingest import stage_dataset
    from access_control.settings import Settings

    ingest.write_csv(folder / "register.csv", rows)
    staged = stage_dataset(Settings(data_root=folder / "staged"), folder / "register.csv", id="register")
    (folder / "register.csv").unlink()
    return next(staged.folder.glob("*.parquet"))


def write_pseudonyms(register: Path, path: Path) -> None:
    """The register with 16 hexadecimal digits for each person."""
    frame = pl.read_parquet(register)
    texts = frame.select(pl.col("person").hash(1).map_batches(lambda s: pl.Series(map("{:016x}".format, s)), pl.String))
    table = frame.with_columns(texts.to_series()).to_arrow(compat_level=pl.CompatLevel.oldest())
    as_ingested(table.replace_schema_metadata(None), path)


def one(side: str, path: Path, folder: Path) -> None:
    """The measured process."""
    import pyarrow.dataset  # imports are not what is measured
    import pyarrow.parquet as pq

    from access_control.settings import Settings
    from egress_review.source_index import build_index

    settings = Settings(data_root=folder)
    size = 10 * pq.read_metadata(path).num_rows

    def polars() -> None:
        frame = pl.read_parquet(path)
        assert frame.height * frame.width == size

    def pyarrow() -> None:
        table = pq.read_table(path)
        assert table.num_rows * table.num_columns == size

    calls: dict[str, Callable[[], object]] = {
        "index": lambda: build_index(settings, "bench", 1, path), "polars": polars, "pyarrow": pyarrow,
    }  # fmt: skip
    taken = []
    for _ in range(RUNS):
        start, processor = time.perf_counter(), time.process_time()
        calls[side]()
        taken.append((time.perf_counter() - start, time.process_time() - processor))
    status = Path("/proc/self/status").read_text()  # of this program alone, unlike what getrusage tells
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    warm = [min(part) for part in zip(*taken[1:], strict=True)]
    print(json.dumps([*taken[0], *warm, peak]))


def measure(path: Path, scratch: Path, rounds: int, sides: tuple[str, ...] = SIDES) -> dict[str, Speed]:
    """Each side `rounds` times by turns, each time in a process of its own."""
    path.read_bytes()
    found: dict[str, list[list[float]]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                command = [sys.executable, __file__, "--one", side, str(path), folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[side].append(json.loads(done.stdout))
    return {side: Speed(*(statistics.median(part) for part in zip(*found[side], strict=True))) for side in sides}


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    import checks

    quick = "--quick" in sys.argv
    rows, rounds = (1_000_000, 1) if quick else (10_000_000, 3)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="enclave-bench-") as name:
        scratch = Path(name)
        register = write_register(scratch, rows)
        pseudonyms, survey = scratch / "pseudonyms.parquet", scratch / "survey.parquet"
        write_pseudonyms(register, pseudonyms)
        table = checks.source(rows).to_arrow(compat_level=pl.CompatLevel.oldest())
        as_ingested(table.replace_schema_metadata(None), survey)
        del table
        print(f"{rows:,} rows x 10 columns, medians of {rounds}; seconds by the clock / of the processor")
        print("| data | run | fresh | warm | rows/s fresh | share of bare decode, fresh | warm | peak memory |")
        print("|---|---|---|---|---|---|---|---|")
        for data, path in (("register", register), ("register, text identifiers", pseudonyms), ("survey", survey)):
            found = measure(path, scratch, rounds)
            bare = found["polars"]
            for condition, speeds in (
                ("fresh", {side: rows / speed.clock for side, speed in found.items()}),
                ("warm", {side: rows / speed.warm_clock for side, speed in found.items()}),
            ):
                ours = speeds.pop("index")
                figures[f"{data}, {condition}"] = report.figure(
                    ours, {"polars": speeds.pop("polars"), **speeds}, "rows/s", digits=0
                )
            for side, speed in found.items():
                fresh = bare.clock / speed.clock, bare.processor / speed.processor
                warm = bare.warm_clock / speed.warm_clock, bare.warm_processor / speed.warm_processor
                print(
                    f"| {data} | {side} | {speed.clock:.2f} / {speed.processor:.2f} |"
                    f" {speed.warm_clock:.2f} / {speed.warm_processor:.2f} | {rows / speed.clock:,.0f} |"
                    f" {fresh[0]:.2f} / {fresh[1]:.2f} | {warm[0]:.2f} / {warm[1]:.2f} | {speed.peak:,.0f} MiB |",
                    flush=True,
                )
    report.finish("index", figures, rows=rows, load=round(os.getloadavg()[0], 1))


if __name__ == "__main__":
    main()
