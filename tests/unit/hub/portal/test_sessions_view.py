"""Which state of a session is shown, from the spawner's record and the hub's word."""

import pytest

from access_control import clock
from access_control.models import SessionRecord
from hub.portal.hubapi import Server
from hub.portal.sessions_view import view

READY, SPAWNING, STOPPING = Server("p", True, None), Server("p", False, "spawn"), Server("p", True, "stop")
ODD = Server("p", False, None)


@pytest.mark.parametrize(
    ("record", "server", "expected"),
    [
        (None, None, "ended"),
        (None, SPAWNING, "starting"),
        (None, READY, "ended"),
        ("ended", SPAWNING, "starting"),
        ("starting", SPAWNING, "starting"),
        ("starting", READY, "starting"),
        ("running", READY, "running"),
        ("running", ODD, "starting"),
        ("running", STOPPING, "stopping"),
        ("running", None, "ended"),
        ("stopping", READY, "stopping"),
        ("ended", READY, "ended"),
        ("ended", None, "ended"),
    ],
)
def test_the_state_that_is_shown(record: str | None, server: Server | None, expected: str) -> None:
    kept = None
    if record:
        kept = SessionRecord(
            id="0" * 32, person_id="ana", project_id="p", tier=1, state=record, mounts=[], started_at=clock.now(),
            reason="A rule ended it.",
        )  # fmt: skip
    shown = view(kept, server)
    assert shown.state == expected
    if kept and expected == "ended":
        assert shown.ended_because == "A rule ended it."
