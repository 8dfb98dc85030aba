"""kill -9 at each step of snapshot, vote, signature, release, download, revocation and import: nothing is lost, doubled or let out."""

import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("crash_driver.py")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("operation", "steps"),
    [
        ("Submit", 20),
        ("Resubmit", 20),
        ("FirstVote", 8),
        ("LastVote", 8),
        ("Fetch", 4),
        ("FetchBundle", 8),
        ("Revoke", 5),
        ("Place", 6),
    ],
)
def test_killed_at_each_step(operation: str, steps: int, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(DRIVER), operation, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert int(ended.stdout.split()[-1]) >= steps, "fewer steps than the operation has: the kill points are gone"
