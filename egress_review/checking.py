"""The checks of files that ask to leave: one call, each file in a sandboxed process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from access_control.settings import Profile, Settings
from egress_review.findings import FileResult


def check_files(
    settings: Settings,
    files: Sequence[tuple[Path, str]],
    *,
    profile: Profile,
    datasets: Sequence[tuple[str, int]] = (),
    peers: Sequence[str] | None = None,
) -> list[FileResult]:
    """Checks `files`, pairs of (path on disk, name as the researcher gave it), in order.

    `datasets` are (dataset id, version) whose rows are looked for; one without an index gives verdict `unknown`.
    `peers` are the names of all files of the request (default: those of `files`), for rules that look beside a file.
    Never raises for what is in a file: a crash, a bomb or a timeout of a check is a finding that blocks.
    """
    raise NotImplementedError
