"""Measures the checks: index, scan, the join of an output with its source against DuckDB, polars and pandas, and a large CSV.

`python benchmarks/checks.py [--quick]`; the last line is JSON: measured, wanted and whether each is held, by the clock
and by processor time, which other work on the machine does not lengthen as much.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import index
import numpy as np
import polars as pl
import report

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


@dataclass
class Cost:
    """The least of several rounds: seconds on the clock, and of the processor (all threads and workers)."""

    clock: float
    processor: float
    result: Any = None


def _workers_seconds() -> float:
    """Processor seconds of all workers that have ended."""
    zygote = sandbox._zygote._process  # noqa: SLF001 - there is no other way to ask for its children's time
    if zygote is None:
        return 0.0
    fields = Path(f"/proc/{zygote.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def cost(call: Callable[[], Any], times: int = 1, *, after: Callable[[], Any] = lambda: None) -> Cost:
    """Calls it `times` times; `after` has the last worker buried, so that its time is counted."""
    best = Cost(float("inf"), float("inf"))
    for _ in range(times):
        after()
        worked, start, processor = _workers_seconds(), time.perf_counter(), time.process_time()
        result = call()
        clock, processor = time.perf_counter() - start, time.process_time() - processor
        after()
        best = Cost(min(best.clock, clock), min(best.processor, processor + _workers_seconds() - worked), result)
    return best


class PeakMemory:
    """The most memory that any worker had at once, in MiB, by watching the children of the process that forks them."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        zygote = sandbox._zygote._process  # noqa: SLF001
        while zygote is not None and not self._stop.wait(0.005):
            for child in Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children").read_text().split():
                with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended
                    told = Path(f"/proc/{child}/status").read_text()
                    self.peak = max(self.peak, int(told.split("VmHWM:")[1].split()[0]) / 1024)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def main() -> None:
    quick = "--quick" in sys.argv
    rows = 1_000_000 if quick else 10_000_000
    rounds = 2 if quick else 3
    figures: dict[str, dict[str, Any]] = {}

    def tell(
        name: str, measured: float, wanted: float, unit: str, *, least: bool, unhurried: float | None = None,
        peers: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        """`measured` by the clock; `unhurried` the same by processor time, as if nothing else ran on the machine."""
        held = measured >= wanted if least else measured <= wanted
        free = measured if unhurried is None else unhurried
        held_free = free >= wanted if least else free <= wanted
        figures[name] = report.figure(
            measured, peers or {}, unit, by_processor=round(free, 3), wanted=wanted, held=bool(held),
            held_by_processor=bool(held_free),
        )  # fmt: skip
        print(
            f"{name:34} {measured:12.3f} {free:12.3f} {unit:12} {'≥' if least else '≤'} {wanted:<10g}"
            f" {'held' if held else 'held but for other work' if held_free else 'MISSED'}",
            flush=True,
        )

    print(f"{'':34} {'by the clock':>12} {'by processor':>12}")
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = Settings(data_root=root / "data", egress=Egress(check_seconds=120))
        frame = source(rows)
        path = root / "source.parquet"
        frame.write_parquet(path)
        build_index(settings, "bench", 1, path)
        register = index.write_register(root, rows)
        speeds = index.measure(register, root, rounds, ("index", "polars"))
        built, bare = speeds["index"], speeds["polars"]
        tell("index against bare decode", bare.clock / built.clock, 0.25, "of its speed", least=True,
             unhurried=bare.processor / built.processor, peers={"bare_decode": 1.0})  # fmt: skip
        tell("index, rows/s of 10 columns", rows / built.clock, 3e6, "rows/s", least=True,
             unhurried=rows / built.processor * cores, peers={"bare_decode": rows / bare.clock})  # fmt: skip
        tell("index, most memory", built.peak, 1024.0, "MiB", least=False)
        print(
            f"  fresh: decode {bare.clock:.2f} s, {bare.processor:.2f} s of processor;"
            f" index {built.clock:.2f} s, {built.processor:.2f} s of processor"
        )
        print(
            f"  warm: decode {bare.warm_clock:.2f} s, {bare.warm_processor:.2f} s of processor; index"
            f" {built.warm_clock:.2f} s, {built.warm_processor:.2f} s of processor; share"
            f" {bare.warm_clock / built.warm_clock:.2f} and {bare.warm_processor / built.warm_processor:.2f}"
        )

        text = frame.head(200_000 if quick else 800_000).write_csv().encode()
        parse = cost(lambda: pl.read_csv(text).height, 5)
        scan = cost(lambda: len(tables.extract_bytes(text, "csv")), 5)
        tell("CSV scan against polars' parse", parse.clock / scan.clock, 0.6, "of its speed", least=True,
             unhurried=parse.processor / scan.processor, peers={"polars_parse": 1.0})  # fmt: skip

        output = frame.sample(1000, seed=4)
        leak, tiny = root / "out.csv", root / "tiny.csv"
        output.write_csv(leak)
        tiny.write_text("sex,n\nF,120\nM,130\n")
        sandbox.warm()
        datasets = [("bench", 1)]

        def bury() -> None:
            time.sleep(0.1)  # until the last worker has ended
            check_files(settings, [(tiny, "tiny.csv")], profile=Profile())

        taken = cost(
            lambda: check_files(settings, [(leak, "out.csv")], profile=Profile(), datasets=datasets), 7, after=bury
        )
        found = any(finding.rule == "source.rows" for finding in taken.result[0].findings)
        if not found:
            raise SystemExit("The leaked rows were not found: the figures would compare different things.")
        names = output.columns
        semi = cost(
            lambda: (
                pl.scan_parquet(path).join(pl.scan_csv(leak).cast(dict(frame.schema)), on=names, how="semi").collect()
            ),
            rounds,
        )
        print(f"  polars' semi-join {semi.clock:.3f} s, given the names and no rounding")
        peers = {"duckdb": _duckdb(path, leak, names, rounds).clock, "polars": semi.clock}
        if not quick:
            whole = frame.to_pandas()
            part = output.to_pandas()
            peers["pandas"] = cost(lambda: len(whole.merge(part, on=names, how="inner"))).clock
            del whole
        tell("1,000-row output, end to end", taken.clock, 0.3, "s", least=False, unhurried=taken.processor, peers=peers)
        for peer in ("duckdb", "pandas")[: len(peers) - 1]:
            tell(f"the same ahead of {peer}", peers[peer] / taken.clock, 1.0, "times", least=True, peers={peer: 1.0})
        large = root / "large.csv"
        body = text.split(b"\n", 1)[1]
        most = (10 if quick else 50) * 1024**2
        large.write_bytes((text + body * 2)[:most].rsplit(b"\n", 1)[0] + b"\n")
        with PeakMemory() as memory:
            checked = cost(lambda: check_files(settings, [(large, "large.csv")], profile=Profile()), rounds, after=bury)
        tell(f"CSV of {large.stat().st_size / 1024**2:.0f} MB", checked.clock, 2.0, "s", least=False,
             unhurried=checked.processor)  # fmt: skip
        finished = not any(finding.rule.startswith("check.") for finding in checked.result[0].findings)
        tell("its worker's memory at most", memory.peak if finished else float("inf"), 1024.0, "MiB", least=False)
    print(
        f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB on {cores} cores,"
        f" load {os.getloadavg()[0]:.0f}"
    )
    report.finish("checks", figures, rows=rows, quick=quick, held=all(one["held"] for one in figures.values()))


def _duckdb(path: Path, leak: Path, names: list[str], rounds: int) -> Cost:
    import duckdb

    on = " and ".join(f's."{name}" = o."{name}"' for name in names)
    query = f"select count(*) from read_parquet('{path}') s where exists (select 1 from read_csv_auto('{leak}') o where {on})"
    return cost(lambda: duckdb.sql(query).fetchall(), rounds)


if __name__ == "__main__":
    main()
