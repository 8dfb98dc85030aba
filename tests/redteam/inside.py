"""Inside a container, as the researcher: code is run as the session's own user, with whatever that user may do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STOCK_IMAGE = "enclave/notebook-stock:latest"
LABEL = "enclave.attack"


@dataclass(frozen=True)
class Outcome:
    """How an attack's code ended."""

    status: int
    output: str

    @property
    def worked(self) -> bool:
        """Whether the code ran to its end without an error."""
        return self.status == 0


@dataclass(frozen=True)
class Inside:
    """A running container, seen from within."""

    container: str

    def python(self, code: str, seconds: float = 60) -> Outcome:
        """Runs Python code; an uncaught exception, a signal or the end of the time is a failure."""
        return self._run(["python3", "-c", code], seconds)

    def shell(self, script: str, seconds: float = 60) -> Outcome:
        """Runs a script of the shell, which ends at its first failing command."""
        return self._run(["bash", "-ec", script], seconds)

    def _run(self, command: list[str], seconds: float) -> Outcome:
        # `timeout` runs inside, so that nothing of an attack goes on after it.
        wrapped = ["docker", "exec", self.container, "timeout", "-k", "2", str(int(seconds)), *command]
        done = subprocess.run(
            wrapped, capture_output=True, text=True, errors="replace", timeout=seconds + 30, check=False
        )
        return Outcome(done.returncode, done.stdout + done.stderr)


@contextmanager
def weak_container(
    *options: str, image: str = STOCK_IMAGE, command: tuple[str, ...] = ("sleep", "600")
) -> Iterator[Inside]:
    """A container as `docker run` gives it with `options`: the control of an attack that stock DockerSpawner stops too."""
    started = subprocess.run(
        ["docker", "run", "-d", "--init", "--label", LABEL, *options, image, *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    name = started.stdout.strip()
    try:
        yield Inside(name)
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)
