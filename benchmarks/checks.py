"""Measures the checks: index, scan, the join of an output with its source against DuckDB, polars and pandas, and a large CSV.

`python benchmarks/checks.py [--quick]`; the last line is JSON: measured, wanted and whether each is held.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from access_control.settings import Egress, Profile, Settings
from egress_review import sandbox, tables
from egress_review.checking import check_files
from egress_review.source_index import build_index


def source(rows: int) -> pl.DataFrame:
    made = np.random.default_rng(1)
    return pl.DataFrame({
        "age": made.integers(18, 95, rows), "sex": made.integers(0, 2, rows), "region": made.integers(0, 400, rows), "income": np.round(made.lognormal(10, 0.6, rows), 2),
        "weight": np.round(made.normal(75, 14, rows), 1), "height": np.round(made.normal(170, 10, rows), 1), "visits": made.poisson(3, rows),
        "group": np.array(["alpha", "beta", "gamma", "delta", "epsilon"])[made.integers(0, 5, rows)], "score": made.normal(size=rows), "year": made.integers(1990, 2024, rows),
    })  # fmt: skip


def timed(call: object, times: int = 1) -> tuple[float, object]:
    best, result = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        result = call()  # type: ignore[operator]
        best = min(best, time.perf_counter() - start)
    return best, result


def main() -> None:
    quick = "--quick" in sys.argv
    rows = 1_000_000 if quick else 10_000_000
    rounds = 2 if quick else 3
    report: dict[str, dict[str, object]] = {}

    def tell(name: str, measured: float, wanted: float, unit: str, *, least: bool) -> None:
        held = measured >= wanted if least else measured <= wanted
        report[name] = {"measured": round(measured, 3), "wanted": wanted, "unit": unit, "held": bool(held)}
        print(
            f"{name:45} {measured:12.3f} {unit:12} {'≥' if least else '≤'} {wanted:<10g} {'held' if held else 'MISSED'}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = Settings(data_root=root / "data", egress=Egress(check_seconds=120))
        frame = source(rows)
        path = root / "source.parquet"
        frame.write_parquet(path)
        decode, _ = timed(lambda: pl.read_parquet(path), rounds)
        index, _ = timed(lambda: build_index(settings, "bench", 1, path), rounds)
        wanted = min(3e6, 0.25 * rows / decode) if quick else max(3e6, 0.25 * rows / decode)
        tell("index, rows/s of 10 columns", rows / index, round(wanted), "rows/s", least=True)
        print(
            f"  bare Parquet decode {rows / decode:,.0f} rows/s; index {sum(p.stat().st_size for p in (root / 'data/indexes').rglob('*') if p.is_file()) / 1e6:,.0f} MB"
        )

        text = frame.head(200_000 if quick else 800_000).write_csv().encode()
        parse, _ = timed(lambda: pl.read_csv(text), 3)
        scan, _ = timed(lambda: tables.extract_bytes(text, "csv"), 3)
        tell("CSV scan against polars' parse", parse / scan, 0.6, "of its speed", least=True)

        output = frame.sample(1000, seed=4)
        leak = root / "out.csv"
        output.write_csv(leak)
        sandbox.warm()
        datasets = [("bench", 1)]
        check_files(settings, [(leak, "out.csv")], profile=Profile(), datasets=datasets)
        taken, results = timed(
            lambda: check_files(settings, [(leak, "out.csv")], profile=Profile(), datasets=datasets), 3
        )
        found = any(finding.rule == "source.rows" for finding in results[0].findings)  # type: ignore[index]
        tell("1,000-row output, end to end", taken, 0.3, "s", least=False)
        tell("the leak in it is found", float(found), 1.0, "", least=True)
        names = output.columns
        semi, _ = timed(
            lambda: (
                pl.scan_parquet(path).join(pl.scan_csv(leak).cast(dict(frame.schema)), on=names, how="semi").collect()
            ),
            rounds,
        )
        print(f"  polars' semi-join {semi:.3f} s, given the names and no rounding")
        duck = _duckdb(path, leak, names, rounds)
        tell("ahead of DuckDB's semi-join", duck / taken, 1.0, "times", least=True)
        if not quick:
            whole = frame.to_pandas()
            part = output.to_pandas()
            merge, _ = timed(lambda: whole.merge(part, on=names, how="inner"))
            tell("ahead of pandas' merge", merge / taken, 1.0, "times", least=True)
            del whole
        large = root / "large.csv"
        large.write_bytes((text * 3)[: 50 * 1024**2 if not quick else 10 * 1024**2].rsplit(b"\n", 1)[0] + b"\n")
        seconds, results = timed(lambda: check_files(settings, [(large, "large.csv")], profile=Profile()), rounds)
        tell(f"CSV of {large.stat().st_size / 1024**2:.0f} MB", seconds, 2.0, "s", least=False)
        finished = not any(finding.rule.startswith("check.") for finding in results[0].findings)  # type: ignore[index]
        tell("within its memory limit (1 GiB)", float(finished), 1.0, "", least=True)
    print(
        f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB on {os.cpu_count()} cores"
    )
    print(
        json.dumps(
            {
                "benchmark": "checks",
                "quick": quick,
                "rows": rows,
                "results": report,
                "held": all(bool(r["held"]) for r in report.values()),
            }
        )
    )


def _duckdb(path: Path, leak: Path, names: list[str], rounds: int) -> float:
    import duckdb

    on = " and ".join(f's."{name}" = o."{name}"' for name in names)
    query = f"select count(*) from read_parquet('{path}') s where exists (select 1 from read_csv_auto('{leak}') o where {on})"
    taken, _ = timed(lambda: duckdb.sql(query).fetchall(), rounds)
    return taken


if __name__ == "__main__":
    main()
