"""Inputs to start from: the corpus of attacks, which code builds, by the ending of the file."""

from __future__ import annotations

import functools
import sys
import warnings
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"
MOST = 14_000  # bytes of a seed: a fuzzer gets nowhere with long ones


@functools.cache
def attacks() -> tuple[tuple[str, bytes], ...]:
    """(file name, bytes) of every attack of the corpus that is a plain file and not too long."""
    if str(CORPUS) not in sys.path:
        sys.path.insert(0, str(CORPUS))
    import attacks as corpus

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = corpus.all_attacks()
    return tuple((name, body) for _, name, body in made if isinstance(body, bytes) and len(body) <= MOST)


def files(*endings: str) -> list[bytes]:
    """The attacks whose names have one of these endings."""
    return [body for name, body in attacks() if name.endswith(endings)]
