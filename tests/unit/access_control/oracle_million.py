"""A million random decisions, compared with the oracle: `python tests/unit/access_control/oracle_million.py [SEED]`."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from policy_oracle import differences

WANTED = 1_000_000


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20260601
    dice = random.Random(seed)
    decisions = allowed = 0
    began = time.perf_counter()
    while decisions < WANTED:
        more, yes, wrong = differences(dice, 200)
        decisions, allowed = decisions + more, allowed + yes
        if wrong:
            print(f"after {decisions} decisions with seed {seed} {len(wrong)} differ; the first:\n{wrong[0]}")
            return 1
        if sys.stderr.isatty():
            print(f"\r{decisions:>9,} of {WANTED:,}", end="", file=sys.stderr)
    seconds = time.perf_counter() - began
    print(f"{decisions:,} decisions, {allowed:,} of them allowed, 0 differences (seed {seed}, {seconds:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
