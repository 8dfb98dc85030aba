"""What every fuzz target promises, and how a broken promise is told from an error that is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class Broken(AssertionError):
    """A promise of the code under test that did not hold."""


def holds(condition: object, sentence: str) -> None:
    """Raises Broken with the sentence unless the condition is true."""
    if not condition:
        raise Broken(sentence)


@contextmanager
def may_refuse(*errors: type[Exception]) -> Iterator[None]:
    """Lets the declared errors pass, and no other."""
    try:
        yield
    except errors:
        return


@dataclass(frozen=True)
class Target:
    """One parser of untrusted bytes.

    `run` takes any bytes and returns, or raises: then a promise is broken. `seeds` builds inputs to start from, and
    `words` are what the format is written in. `packages` are instrumented besides our own.
    """

    name: str
    what: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()
    packages: tuple[str, ...] = ()
    longest: int = 16 * 1024
    share: float = 1.0  # of the time, against the other targets
