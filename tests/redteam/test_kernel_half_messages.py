"""Exhaust the gateway's memory with many websockets, each with a message that is never whole and below the limit.

Way: gateway
Control: configurable-http-proxy straight to the same server, which takes all of it
Held by: what has come of messages and bodies of one session is bounded together, and who passes that is cut off
"""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from hub.tour.kernel import cookies_for
from tests.redteam import wire
from tests.redteam.roads import moved_socket

EACH = 24 * 1024 * 1024
PIECE = wire.frame(0, bytes(60_000), first_bits=0)
HALF = wire.frame(wire.BINARY, bytes(60_000), first_bits=0) + PIECE * (EACH // 60_000)


def test_control_a_plain_proxy_takes_all_of_it() -> None:
    assert len(wire.through_plain_proxy(HALF + wire.the_end())) > EACH


def test_the_gateway_holds_a_part_of_it(evil_session) -> None:
    before = evil_session.gateway_mib()
    origin = evil_session.person.session
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(evil_session.person.browser, origin).items())
    parts = urlsplit(origin)

    def listen(_: int) -> bytes:
        return wire.listen(parts.port or 80, parts.netloc, wire.KERNEL, {"Origin": origin, "Cookie": cookie})

    with moved_socket(evil_session, "true"):
        wire._start(evil_session.inside, "/run/enclave/jupyter.sock", HALF + wire.frame(wire.CLOSE, b""), b"")
        try:
            with ThreadPoolExecutor(12) as listeners:
                answers = list(listeners.map(listen, range(12)))
        finally:
            assert evil_session.inside.shell("kill $(cat /tmp/listening)").worked
    assert all(len(answer) < 4096 for answer in answers)
    assert evil_session.gateway_mib() - before < 300
