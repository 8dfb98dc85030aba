"""Carry records out in messages of types and channels that JupyterLab does not know, to a script that listens.

Way: gateway
Control: configurable-http-proxy straight to the same server
Held by: in tiers without printed script only known types on known channels pass, each counted by type
"""

from tests.redteam import wire

TEXT = wire.SECRET.decode()
FORMS = {
    "type": wire.message("smuggle", {"text": TEXT}),
    "channel": wire.message("stream", {"name": "stdout", "text": TEXT}, channel="smuggle"),
    "comm": wire.message("comm_msg", {"comm_id": "1", "data": {"text": TEXT}}),
    "comm open": wire.message("comm_open", {"comm_id": "1", "target_name": "smuggle", "data": {"text": TEXT}}),
}


ALL = b"".join(FORMS.values()) + wire.the_end()


def test_control_they_pass_a_plain_proxy() -> None:
    assert wire.through_plain_proxy(ALL).count(wire.SECRET) == len(FORMS)


def test_the_gateway_drops_them(evil_session) -> None:
    got = wire.through_gateway(evil_session, ALL)
    assert wire.END in got
    assert wire.SECRET not in got
