"""Every word of every format many times over: `python -m tests.fuzz.long [TARGETS]`.

A fuzzer tries short inputs, and what takes the square of an input's length is quick on those. Prints what took more
than some seconds of CPU.
"""

from __future__ import annotations

import itertools
import sys
import time
import warnings
from collections.abc import Iterator

from tests.fuzz.all_targets import target_of
from tests.fuzz.contract import Target

LONG, SLOW_SECONDS = 120_000, 3.0
# What stands before bytes that are taken as they are.
AS_IT_IS = {
    "texts": (b"\x00",), "delimited": (b"\x00\x00",), "jsons": (b"\x00\x00",), "markups": (b"\x00", b"\x01"), "identifiers": (b"\x00",),
    "printed_output": (b"\x00",), "csv_ingest": (b"\x05\x00\x00",), "renditions": (b"\x00",), "policy_files": (b"\x00",), "pdfs": (b"\x00%PDF-1.4\n",),
    "pickles": (b"\x00\x00",),
}  # fmt: skip
COMMON = (
    b"a",
    b"1",
    b" ",
    b"\t",
    b"\n",
    b"<",
    b"0 ",
    b"a ",
    b"1.",
    b"-",
    b"-1",
    b"1,",
    b"\n ",
    b"a\n",
    b"|",
    b'"',
    b"'",
    b"'a",
    b"a=1 ",
    b"1 1\n",
    b"\r",
    b'="',
    b"&#1",
    b"a.",
    b"a@",
    b"+1 ",
    b". ",
)


def inputs(target: Target) -> Iterator[tuple[bytes, bytes]]:
    """(what is repeated, the input)."""
    for before in AS_IT_IS[target.name]:
        for word in dict.fromkeys((*COMMON, *target.words)):
            if word:
                yield before + word, before + word * (LONG // len(word))
        for one, other in itertools.pairwise([*target.words, *COMMON]):
            yield before + one + other, before + (one + other) * (LONG // len(one + other))


def main() -> int:
    warnings.simplefilter("ignore")
    slow = 0
    for name in sys.argv[1:] or AS_IT_IS:
        target, count, worst = target_of(name), 0, (0.0, b"")
        target.run(b"\x00\x00a")
        for word, data in inputs(target):
            began, count = time.process_time(), count + 1
            try:
                target.run(data)
            except Exception as error:
                print(f"{name}: {word!r}: {type(error).__name__}: {str(error)[:200]}", flush=True)
                slow += 1
            spent = time.process_time() - began
            worst = max(worst, (spent, word))
            if spent > SLOW_SECONDS:
                slow += 1
                print(f"{name}: {word!r} {LONG} bytes long takes {spent:.1f} s", flush=True)
        print(f"{name}: {count} inputs, the slowest {worst[0]:.1f} s ({worst[1]!r})", flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
