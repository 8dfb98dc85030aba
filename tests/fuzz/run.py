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

from tests.fuzz.all_targets import TARGETS

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
            command = [sys.executable, "-m", "tests.fuzz.one", name, str(int(left)), str(folder)]
            ended = subprocess.run(
                command,
                env=os.environ | {"TMPDIR": str(scratch)},
                stdout=out,
                stderr=out,
                check=False,
                timeout=left + START_SECONDS + 120,
                preexec_fn=_last_in_line,
            )
        if not began.exists():
            (found / "died-at-its-start.txt").write_text(log.read_text(errors="replace")[-4000:])
            break
        fuzzed += time.time() - float(began.read_text())
        said = log.read_text(errors="replace")
        executions += max(
            (
                int(n)
                for n in re.findall(r"^#(\d+)\t|number_of_executed_units: (\d+)", said, re.MULTILINE)
                for n in n
                if n
            ),
            default=0,
        )
        coverage = max((int(n) for n in re.findall(r"\bcov: (\d+)", said)), default=coverage)
        corpus = max((int(n) for n in re.findall(r"\bcorp: (\d+)/", said)), default=corpus)
        if ended.returncode and not any(found.glob("died-*")):
            (found / "died-without-an-input.txt").write_text(said[-4000:])
        if ended.returncode == 0:
            break
    shutil.rmtree(scratch, ignore_errors=True)  # a fuzzer ends without tidying up
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
    new = sorted(
        path.name for path in found.iterdir() if path.suffix != ".txt" and before.get(path.name) != path.stat().st_mtime
    )
    new += [path.name for path in found.glob("died-*.txt") if path.name not in before]
    return Ran(name, round(fuzzed, 1), round(cpu, 1), executions, coverage, corpus, new)


def _last_in_line() -> None:
    os.nice(15)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="in total, over all targets")
    parser.add_argument("--only", default="", help="names of targets, separated by commas")
    asked = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed; `make fuzz` installs it.", file=sys.stderr)
        return 2
    chosen = [target for target in TARGETS if not asked.only or target.name in asked.only.split(",")]
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
