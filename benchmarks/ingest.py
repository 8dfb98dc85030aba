"""Ingest and renditions of 10 million rows x 10 columns, beside a bare pyarrow conversion of the same CSV.

Each run is a process of its own, so that its peak memory is its own; ours and the peers take turns, and medians are
reported. The last line is one JSON object. `--quick` takes 500,000 rows and one round.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import report

DECLARATION = """
rendition = "people/pseudonymised"
title = "Pseudonymised"
tier = 2

[columns]
person = { pseudonym = "project" }
age = { bands = 5, top = 90 }
sex = "keep"
region = "keep"
born = { truncate = "month" }
income = { round = 1000 }
weight = "keep"
visits = { clip = { high = 8 } }
score = { round = 0.01 }

[[rows]]
column = "age"
at_least = 18

[suppress]
together = ["age", "sex", "region", "visits"]
below = 10
how = "rows"

[checks.age]
missing_at_most = 0

[uniqueness]
quasi_identifiers = ["age", "sex", "region", "visits"]
smallest_group = 10
"""


def write_csv(path: Path, rows: int) -> None:
    """Ten columns of the kinds that registers have; the same for every run (seed 1)."""
    random = np.random.default_rng(1)
    writer = None
    for start in range(0, rows, 500_000):
        count = min(500_000, rows - start)
        table = pa.table(
            {
                "person": np.arange(start, start + count),
                "age": random.integers(0, 100, count),
                "sex": np.array(["f", "m"])[random.integers(0, 2, count)],
                "region": np.array([f"R{i:02d}" for i in range(40)])[random.integers(0, 40, count)],
                "born": random.integers(-10_000, 15_000, count).astype("datetime64[D]"),
                "income": random.normal(30_000, 10_000, count).round(2),
                "weight": random.normal(70, 10, count).round(1),
                "visits": random.poisson(2, count),
                "score": random.random(count),
                "smoker": random.random(count) < 0.2,
            }
        )
        writer = writer or pacsv.CSVWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def run_ours(csv: Path, folder: Path) -> None:
    from access_control.ingest import stage_dataset
    from access_control.settings import Settings

    stage_dataset(Settings(data_root=folder), csv, id="people")


def run_pyarrow(csv: Path, folder: Path, compression: str = "snappy") -> None:
    reader = pacsv.open_csv(csv)
    with pq.ParquetWriter(folder / "bare.parquet", reader.schema, compression=compression) as writer:
        for batch in reader:
            writer.write_batch(batch)


def run_pyarrow_zstd(csv: Path, folder: Path) -> None:
    run_pyarrow(csv, folder, "zstd")


def run_polars(csv: Path, folder: Path) -> None:
    import polars as pl

    pl.scan_csv(csv, try_parse_dates=True).sink_parquet(folder / "polars.parquet")


def run_rendition(csv: Path, folder: Path) -> None:
    """From the Parquet file that ingest wrote beside the CSV: the whole of publishing but the database."""
    from access_control.data_package import columns_of
    from access_control.integrity import sha256_of
    from access_control.rendition_parser import parse
    from access_control.rendition_writer import Plan, stage_rendition
    from access_control.settings import Settings

    source = csv.with_suffix(".parquet")
    plan = Plan(
        spec=parse(DECLARATION), spec_text=DECLARATION, project_id="p17", dataset_version=1, source=source,
        source_sha256=sha256_of(source), columns=tuple(columns_of(pq.read_schema(source))), dataset_tier=4,
        owner="acme", licence="", citation="",
    )  # fmt: skip
    stage_rendition(Settings(data_root=folder), plan)


RUNS: dict[str, Callable[[Path, Path], None]] = {
    "ours": run_ours,
    "pyarrow": run_pyarrow,
    "pyarrow, zstd": run_pyarrow_zstd,
    "polars": run_polars,
    "rendition": run_rendition,
}


def measured(name: str, csv: Path, scratch: Path) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of one run in a process of its own, without the imports."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name, str(csv), folder], check=True, capture_output=True, text=True
        )
        for path in sorted(Path(folder).rglob("*")):
            path.chmod(0o700)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def one(name: str, csv: Path, folder: Path) -> None:
    """The measured process."""
    import polars as pl  # noqa: F401 - imports are not what is measured

    import access_control.ingest
    import access_control.rendition_writer  # noqa: F401

    started = time.perf_counter()
    RUNS[name](csv, folder)
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--one", nargs=3, metavar=("RUN", "CSV", "FOLDER"))
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]), Path(options.one[2]))
        return
    rows = options.rows or (500_000 if options.quick else 10_000_000)
    rounds = 1 if options.quick else 3
    with tempfile.TemporaryDirectory(prefix="enclave-bench-") as name:
        scratch = Path(name)
        csv = scratch / "people.csv"
        write_csv(csv, rows)
        run_pyarrow(csv, scratch)
        (scratch / "bare.parquet").rename(csv.with_suffix(".parquet"))
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNS}
        for turn in range(rounds):
            for run in RUNS:
                if run != "rendition" or turn == 0:  # it has no peer to take turns with
                    found[run].append(measured(run, csv, scratch))
        size = csv.stat().st_size / 2**20
    print(f"{date.today()}: {rows:,} rows x 10 columns, CSV of {size:,.0f} MiB; medians of {rounds}")  # noqa: DTZ011
    print("| run | seconds | rows a second | peak memory |")
    print("|---|---|---|---|")
    seconds = {run: statistics.median(s for s, _ in values) for run, values in found.items()}
    peak = {run: max(p for _, p in values) for run, values in found.items()}
    for run in RUNS:
        print(f"| {run} | {seconds[run]:.1f} | {rows / seconds[run]:,.0f} | {peak[run]:,.0f} MiB |")
    speed = {run: rows / taken for run, taken in seconds.items()}
    peers = [run for run in RUNS if run not in {"ours", "rendition"}]
    report.finish(
        "ingest",
        {
            "ingest": report.figure(speed["ours"], {run: speed[run] for run in peers}, "rows/s", digits=0),
            "peak memory": report.figure(peak["ours"], {run: peak[run] for run in peers}, "MiB", digits=0),
            "pseudonymised rendition": report.figure(
                speed["rendition"], {run: speed[run] for run in peers}, "rows/s", digits=0
            ),
            "its peak memory": report.figure(peak["rendition"], {run: peak[run] for run in peers}, "MiB", digits=0),
        },
        rows=rows,
    )


if __name__ == "__main__":
    main()
