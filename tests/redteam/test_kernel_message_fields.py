"""Carry records out in fields of a kernel's message beside its content: metadata, parent, identities, names.

Way: gateway
Control: configurable-http-proxy straight to the same server, which counts nothing
Bounded by: the whole message is counted against the tier's budget, not only what is shown
"""

import pytest

from tests.redteam import wire

TEXT = wire.SECRET.decode() * 5000
SHOWN = {"name": "stdout", "text": ""}
FORMS = {
    "metadata": wire.message("stream", SHOWN, metadata={"text": TEXT}),
    "parent": wire.message("stream", SHOWN, parent_header={"msg_id": TEXT}),
    "a field of its own": wire.message("stream", SHOWN, smuggle=TEXT),
    "content": wire.message("stream", SHOWN | {"smuggle": TEXT}),
    "a completion": wire.message("complete_reply", {"matches": [TEXT]}, channel="shell"),
    "a question": wire.message("input_request", {"prompt": TEXT, "password": True}, channel="stdin"),
}


def test_control_it_passes_a_plain_proxy() -> None:
    assert len(wire.through_plain_proxy(FORMS["metadata"] + wire.the_end())) > len(TEXT)


@pytest.mark.parametrize("form", FORMS)
def test_the_gateway_counts_all_of_it(enclave, evil_session, form) -> None:
    session = enclave.session("dora", "smoking").id
    before = wire.counted(enclave, session)
    got = wire.through_gateway(evil_session, FORMS[form] + wire.the_end())
    assert wire.END in got
    assert wire.counted(enclave, session) - before >= len(TEXT)
