"""`enclave check`: the checks of the queue, for anyone, with no server running."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds the command `check` to `app`."""
    raise NotImplementedError
