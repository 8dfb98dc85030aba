"""Exhaust the gateway's memory with one message of a kernel.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: a message has at most 32 MiB, and each side waits for the slower one
"""

from tests.redteam import wire

SIZE = 48 * 1024 * 1024
HUGE = wire.frame(wire.TEXT, wire.SECRET * (SIZE // len(wire.SECRET)))


def test_control_it_passes_a_plain_proxy() -> None:
    assert len(wire.through_plain_proxy(HUGE + wire.the_end())) > SIZE


def test_the_gateway_ends_the_connection(evil_session) -> None:
    before = evil_session.gateway_mib()
    got = wire.through_gateway(evil_session, HUGE + wire.the_end())
    assert len(got) < 4096
    assert wire.SECRET not in got
    assert evil_session.gateway_mib() - before < 200
