"""Whether a session computes: its server's word, honest or not."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access_control import clock
from hub.gateway.kernels import any_at_work, at_work
from hub.gateway.upstream import Upstream
from tests.unit.hub.gateway.gateway_rig import Serve, answering, json_answer

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always the same moment, however long ago the tests were collected."""
    monkeypatch.setattr(clock, "_now", lambda: NOW)


@pytest.mark.parametrize(
    "said",
    [
        [{"execution_state": "busy"}],
        [{"execution_state": "idle", "last_activity": ago(30)}],
        [{"execution_state": "idle", "last_activity": ago(9000)}, {"execution_state": "busy", "last_activity": ago(9000)}],
    ],
)  # fmt: skip
def test_a_kernel_that_computes_or_did_lately(stopped_clock: None, said: Any) -> None:
    assert any_at_work(said, 60)


@pytest.mark.parametrize(
    "said",
    [
        [], {}, None, "busy", ["busy"], [None], [{"execution_state": ["busy"]}], [{"last_activity": None}],
        [{"execution_state": "idle", "last_activity": ago(90)}], [{"last_activity": "soon"}],
        [{"last_activity": ago(-9000)}], [{"last_activity": "2026-01-01T00:00:00"}],
    ],
)  # fmt: skip
def test_whatever_else_is_no_work(stopped_clock: None, said: Any) -> None:
    assert not any_at_work(said, 60)


async def asked(folder: Path, serve: Serve | None) -> bool:
    path = folder / "s.sock"
    server = await asyncio.start_unix_server(serve, str(path)) if serve else None
    upstream = Upstream(path, os.getuid())
    try:
        return await at_work(upstream, 60)
    finally:
        await upstream.close()
        if server:
            server.close()


def test_the_server_is_asked(tmp_path: Path) -> None:
    body = json.dumps([{"execution_state": "busy"}]).encode()
    assert asyncio.run(asked(tmp_path, answering(json_answer(body))))


@pytest.mark.parametrize(
    "raw",
    [
        json_answer(b"[" * 100_000), json_answer(b"x" * 300_000), json_answer(b'[{"execution_state": "busy"}]', status="500 No"),
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n",
    ],
)  # fmt: skip
def test_a_server_that_answers_otherwise_does_not_compute(tmp_path: Path, raw: bytes) -> None:
    assert not asyncio.run(asked(tmp_path, answering(raw)))


def test_no_server_does_not_compute(tmp_path: Path) -> None:
    assert not asyncio.run(asked(tmp_path, None))
