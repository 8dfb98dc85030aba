"""Fuzzes one target: `python -m tests.fuzz.one TARGET SECONDS FOLDER`. Needs atheris (`make fuzz` installs it).

An input that breaks a promise is kept in FOLDER/found, one for each place in the code, and the fuzzing goes on. What
ends the process (a parser that never comes back, a crash of a library) leaves a file of libFuzzer's own there.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

import atheris

from tests.fuzz.contract import Target

OURS = ["access_control", "egress_review", "hub"]
SLOW_SECONDS = 3.0  # of CPU, on one input
HANG_SECONDS = 60
MEMORY = 1 << 30  # as the sandbox gives a worker, beyond what is there at the start


def place_of(error: BaseException) -> str:
    """Type of the error and the innermost line of ours: two inputs that share it found the same thing."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if any(f"/{name}/" in f.filename for name in OURS)]
    last = ours[-1] if ours else traceback.extract_tb(error.__traceback__)[-1]
    what = str(error)[:60] if type(error).__name__ == "Broken" else ""
    return f"{type(error).__name__}-{Path(last.filename).stem}-{last.name}-{last.lineno}-{hashlib.sha256(what.encode()).hexdigest()[:6]}"


def _seeds(folder: Path, target: Target) -> list[bytes]:
    """The inputs to start from, built anew only after the code that builds them has changed."""
    source = max((Path(__file__).parent / name).stat().st_mtime for name in (f"targets/{target.name}.py", "seeds.py"))
    built = folder / "built"
    if not built.exists() or built.stat().st_mtime < source:
        folder.mkdir(parents=True, exist_ok=True)
        for seed in target.seeds():
            (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        built.write_bytes(b"\0")
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path != built]


def main() -> None:
    name, seconds, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    more = sys.argv[4:]
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(2000)  # as in the process that workers are forked from
    packages = importlib.import_module("tests.fuzz.packages").PACKAGES.get(name, [])
    with atheris.instrument_imports(include=[*OURS, *packages], enable_loader_override=False):
        target = importlib.import_module(f"tests.fuzz.targets.{name}").TARGET
        start = _seeds(folder / "seeds", target)
        for seed in start:
            try:
                target.run(seed)  # imports whatever is imported late
            except Exception:
                continue
            break
    found, corpus, seeds = folder / "found", folder / "corpus", folder / "seeds"
    for each in (found, corpus):
        each.mkdir(parents=True, exist_ok=True)
    words = folder / "words.dict"
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in target.words if word]
    words.write_text("\n".join(lines) + "\n")
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (mapped + MEMORY, resource.RLIM_INFINITY))

    def keep(label: str, data: bytes, story: str) -> None:
        path = found / label
        if not path.exists() or path.stat().st_size > len(data):
            path.write_bytes(data)
            path.with_suffix(".txt").write_text(story[-6000:])

    def one_input(data: bytes) -> None:
        began = time.process_time()
        try:
            target.run(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a library in Rust that panics raises what is no Exception
            keep(place_of(error), data, traceback.format_exc())
        spent = time.process_time() - began
        if spent > SLOW_SECONDS:
            keep("slow", data, f"{spent:.1f} s of CPU for {len(data)} bytes\n")

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        """libFuzzer's own mutation, and now and then a piece many times over: what is slow shows with length."""
        chance = random.Random(seed)
        if len(data) > 3 and chance.random() < 0.02:
            start = chance.randrange(len(data) - 1)
            piece = data[start : start + chance.choice((1, 2, 4, 8, 16, 64))]
            times = max(1, min(chance.choice((20, 200, 2000)), (max_size - len(data)) // len(piece)))
            data = data[:start] + piece * times + data[start:]
            return data[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    arguments = [sys.argv[0], f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}", "-report_slow_units=600", "-rss_limit_mb=4096",
                 f"-max_len={target.longest}", f"-dict={words}", f"-artifact_prefix={found}/died-", "-print_final_stats=1",
                 *more, str(corpus), str(seeds)]  # fmt: skip
    atheris.Setup(arguments, one_input, custom_mutator=mutator)
    (folder / "began").write_text(str(time.time()))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
