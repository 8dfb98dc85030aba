"""Tickets: once, within their time, for one session and one person."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from access_control.errors import NotPermitted, Refused
from hub import tickets

KEY, SESSION = b"k" * 64, "a" * 32


def test_a_ticket_names_its_person() -> None:
    redeemer = tickets.Redeemer(KEY)
    assert redeemer.redeem(tickets.issue(KEY, SESSION, "ana"), SESSION) == "ana"


def test_a_ticket_is_used_once() -> None:
    redeemer = tickets.Redeemer(KEY)
    ticket = tickets.issue(KEY, SESSION, "ana")
    redeemer.redeem(ticket, SESSION)
    with pytest.raises(NotPermitted, match="used before"):
        redeemer.redeem(ticket, SESSION)


@pytest.mark.parametrize("seconds", [-60, 31, 3600])
def test_a_ticket_of_another_time_is_refused(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    redeemer = tickets.Redeemer(KEY)
    ticket = tickets.issue(KEY, SESSION, "ana")
    now = time.time()
    monkeypatch.setattr(tickets.time, "time", lambda: now + seconds)
    with pytest.raises(NotPermitted, match="run out"):
        redeemer.redeem(ticket, SESSION)


def test_a_ticket_from_before_a_restart_is_refused() -> None:
    ticket = tickets.issue(KEY, SESSION, "ana")
    time.sleep(0.01)
    with pytest.raises(NotPermitted, match="run out"):
        tickets.Redeemer(KEY).redeem(ticket, SESSION)


def test_a_changed_ticket_is_refused_wherever_it_is_changed() -> None:
    redeemer = tickets.Redeemer(KEY)
    ticket = tickets.issue(KEY, SESSION, "ana")
    for at in range(len(ticket)):
        changed = ticket[:at] + ("0" if ticket[at] != "0" else "1") + ticket[at + 1 :]
        with pytest.raises(NotPermitted):
            redeemer.redeem(changed, SESSION)
    assert redeemer.redeem(ticket, SESSION) == "ana"


@pytest.mark.parametrize("odd", ["", "....", "a.b.c.d.e", "é.b.c.d.e", "x" * 5000, "\0"])
def test_odd_tickets_are_refused(odd: str) -> None:
    with pytest.raises(NotPermitted):
        tickets.Redeemer(KEY).redeem(odd, SESSION)


def test_a_ticket_is_for_one_session_and_one_key() -> None:
    redeemer = tickets.Redeemer(KEY)
    with pytest.raises(NotPermitted, match="another session"):
        redeemer.redeem(tickets.issue(KEY, SESSION, "ana"), "b" * 32)
    with pytest.raises(NotPermitted, match="not issued"):
        redeemer.redeem(tickets.issue(b"x" * 64, SESSION, "ana"), SESSION)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ticket.key"
    with pytest.raises(Refused, match="doctor"):
        tickets.read_key(path)
    path.write_text("k" * 64)
    path.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        tickets.read_key(path)
    path.chmod(0o600)
    assert tickets.read_key(path) == KEY
    path.write_text("short")
    with pytest.raises(Refused, match="too short"):
        tickets.read_key(path)
