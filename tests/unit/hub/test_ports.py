"""Ports: chosen once, kept, and changed only where another program took one."""

import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from access_control.errors import Refused
from access_control.settings import Settings
from hub.ports import choose_ports, is_free, load_ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_root=tmp_path / "data")


def test_ports_are_kept(settings: Settings) -> None:
    with pytest.raises(Refused, match="Start the enclave"):
        load_ports(settings)
    chosen = choose_ports(settings)
    assert len(set(asdict(chosen).values())) == 5
    assert choose_ports(settings) == chosen == load_ports(settings)
    assert chosen.url("hub") == f"http://127.0.0.1:{chosen.hub}"


def test_a_port_that_was_taken_is_replaced_and_the_others_stay(settings: Settings) -> None:
    before = choose_ports(settings)
    with socket.socket() as other:
        other.bind(("127.0.0.1", before.hub))
        other.listen()
        assert not is_free(before.hub)
        after = choose_ports(settings)
    assert after.hub != before.hub
    assert after.gateway == before.gateway
