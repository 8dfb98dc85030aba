"""Fuzzes every target, one after the other: `python -m tests.fuzz.run --minutes 60`, or `make fuzz MINUTES=60`.

The time is shared over the targets by their weights. Prints for each how many inputs were run, how much of the code was
reached and what was found; ends with status 1 when anything was. Corpora stay in `.cache/fuzz/`, so that the next run
goes on where this one ended; what is found lies in `.cache/fuzz/TARGET/found/`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from tests.fuzz.all_targets import TARGETS, target_of

CACHE = Path(__file__).parents[2] / ".cache" / "fuzz"
START_SECONDS = 120  # a target imports and instruments its code before it begins


@dataclass
class Ran:
    """What one target did."""

    target: str
    seconds: float
    cpu_seconds: float
    executions: int
    coverage: int
    corpus: int
    found: list[str]


def fuzz(name: str, seconds: float) -> Ran:
    """Runs one target for so long; goes on after an input that ended the process."""
    folder = CACHE / name
    found = folder / "found"
    found.mkdir(parents=True, exist_ok=True)
    before = {path.name: path.stat().st_mtime for path in found.iterdir()}
    spent, fuzzed = resource.getrusage(resource.RUSAGE_CHILDREN), 0.0
    executions = coverage = corpus = 0
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    while (left := seconds - fuzzed) > 2:
        log, began = folder / "log", folder / "began"
        began.unlink(missing_ok=True)
        with log.open("wb") as out:
            died = _run(name, left, folder, out)
        if not began.exists():
            (found / "died-at-its-start.txt").write_text(log.read_text(errors="replace")[-4000:])
            break
        fuzzed += time.time() - float(began.read_text())
        said = log.read_text(errors="replace")
        counts = re.findall(r"(?:^#|number_of_executed_units: )(\d+)", said, re.MULTILINE)
        executions += max(map(int, counts), default=0)
        coverage = max((int(n) for n in re.findall(r"\bcov: (\d+)", said)), default=coverage)
        corpus = max((int(n) for n in re.findall(r"\bcorp: (\d+)/", said)), default=corpus)
        if died and not any(found.glob("died-*")):
            (found / "died-without-an-input.txt").write_text(said[-4000:])
        if not died:
            break
    shutil.rmtree(scratch, ignore_errors=True)  # a fuzzer ends without tidying up
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
    new = sorted(
        path.name for path in found.iterdir() if path.suffix != ".txt" and before.get(path.name) != path.stat().st_mtime
    )
    new += [path.name for path in found.glob("died-*.txt") if path.name not in before]
    return Ran(name, round(fuzzed, 1), round(cpu, 1), executions, coverage, corpus, new)


def _run(name: str, seconds: float, folder: Path, out: IO[bytes]) -> bool:
    """Runs one target in a process of its own; whether that died before its time."""
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(int(seconds)), str(folder)]
    try:
        ended = subprocess.run(
            command,
            env=os.environ | {"TMPDIR": str(folder / "tmp")},
            stdout=out,
            stderr=out,
            check=False,
            timeout=seconds + START_SECONDS + 120,
            preexec_fn=_last_in_line,
        )
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


def _last_in_line() -> None:
    os.nice(15)


def table() -> str:
    """All runs of this checkout so far as a table in Markdown."""
    ran = [Ran(**json.loads(line)) for line in (CACHE / "results.jsonl").read_text().splitlines()]
    lines = ["| target | reads | minutes | of CPU | inputs | places reached |", "|---|---|---|---|---|---|"]
    for target in TARGETS:
        mine = [one for one in ran if one.target == target.name]
        spent, cpu = sum(one.seconds for one in mine) / 60, sum(one.cpu_seconds for one in mine) / 60
        reached = max((one.coverage for one in mine), default=0)
        lines.append(
            f"| `{target.name}` | {target.what} | {spent:.1f} | {cpu:.1f} | {sum(one.executions for one in mine):,} | {reached:,} |"
        )
    spent, cpu = sum(one.seconds for one in ran) / 60, sum(one.cpu_seconds for one in ran) / 60
    return "\n".join([*lines, f"| **all** | | {spent:.1f} | {cpu:.1f} | {sum(one.executions for one in ran):,} | |"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="in total, over all targets")
    parser.add_argument("--only", default="", help="names of targets, separated by commas")
    parser.add_argument("--table", action="store_true", help="print what was run so far, as Markdown, and fuzz nothing")
    asked = parser.parse_args()
    if asked.table:
        print(table())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed; `make fuzz` installs it.", file=sys.stderr)
        return 2
    chosen = [target_of(name) for name in asked.only.split(",")] if asked.only else TARGETS
    whole = sum(target.share for target in chosen)
    results = []
    for target in chosen:
        ran = fuzz(target.name, asked.minutes * 60 * target.share / whole)
        results.append(ran)
        found = ", ".join(ran.found) or "nothing"
        print(f"{ran.target}: {ran.seconds:.0f} s ({ran.cpu_seconds:.0f} s of CPU), {ran.executions} inputs, {ran.coverage} places reached, "
              f"corpus {ran.corpus}, found: {found}", flush=True)  # fmt: skip
        with (CACHE / "results.jsonl").open("a") as log:
            log.write(json.dumps(asdict(ran)) + "\n")
    found_by = [ran.target for ran in results if ran.found]
    print(
        f"{sum(ran.seconds for ran in results) / 60:.1f} minutes, {sum(ran.executions for ran in results)} inputs; found something: {', '.join(found_by) or 'no'}"
    )
    return 1 if found_by else 0


if __name__ == "__main__":
    sys.exit(main())
