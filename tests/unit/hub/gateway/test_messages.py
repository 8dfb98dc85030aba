"""Kernel messages in both forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_control.errors import AccessError, Invalid
from access_control.settings import Settings
from hub.gateway import messages
from hub.gateway.contents import TooLarge

TIERS = Settings().tiers


def binary(channel: str, kind: str, content: Any, *buffers: bytes) -> bytes:
    parts = ({"msg_type": kind, "msg_id": "1"}, {}, {}, content)
    return messages.join((channel.encode(), *(json.dumps(part).encode() for part in parts), *buffers))


def text(channel: str, kind: str, content: Any) -> str:
    model = {"channel": channel, "header": {"msg_type": kind}, "parent_header": {}, "metadata": {}, "content": content}
    return json.dumps(model)


@pytest.mark.parametrize("form", [binary, text])
def test_a_message_is_taken_apart(form: Any) -> None:
    taken = messages.split(form("iopub", "stream", {"text": "x"}))
    assert (taken.channel, taken.kind) == ("iopub", "stream")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_invalid(data: bytes) -> None:
    with pytest.raises(Invalid):
        messages.split(data)


@given(st.text(max_size=200) | st.just('{"channel": 1, "header": {"msg_type": 2}}') | st.just("[" * 100_000))
def test_any_text_is_a_message_or_invalid(data: str) -> None:
    with pytest.raises(Invalid):
        messages.split(data)


@pytest.mark.parametrize("count", [0, 1, 5, 2**40, 2**63])
def test_offsets_that_lie(count: int) -> None:
    with pytest.raises(Invalid):
        messages.split(count.to_bytes(8, "little") + b"\0" * 64)


def test_offsets_that_overlap_or_leave_gaps() -> None:
    good = bytearray(binary("iopub", "stream", {}))
    good[16:24] = (2**20).to_bytes(8, "little")
    with pytest.raises(Invalid):
        messages.split(bytes(good))


@pytest.mark.parametrize(
    ("channel", "kind", "tier", "fine"),
    [
        ("shell", "execute_request", 4, True), ("shell", "complete_request", 4, True), ("control", "interrupt_request", 4, True),
        ("shell", "comm_open", 0, True), ("shell", "comm_open", 2, False), ("iopub", "execute_request", 0, False),
        ("shell", "stream", 0, False), ("shell", "invented", 0, False), ("stdin", "input_reply", 3, True),
    ],
)  # fmt: skip
def test_what_goes_in(channel: str, kind: str, tier: int, fine: bool) -> None:
    taken = messages.split(binary(channel, kind, {"code": "1", "value": "1"}))
    try:
        messages.check_inwards(taken, TIERS[tier])
    except AccessError:
        assert not fine
    else:
        assert fine


@pytest.mark.parametrize("form", [binary, text])
def test_pasted_code_is_limited_by_tier_and_the_cell_says_so(form: Any) -> None:
    taken = messages.split(form("shell", "execute_request", {"code": "x" * 20_000}))
    messages.check_inwards(taken, TIERS[3])
    with pytest.raises(TooLarge, match="import review") as caught:
        messages.check_inwards(taken, TIERS[4])
    told = [messages.split(one) for one in messages.refusal(taken, str(caught.value))]
    assert [(one.channel, one.kind) for one in told] == [
        ("iopub", "error"), ("shell", "execute_reply"), ("iopub", "status"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", [binary, text])
def test_printed_script_is_taken_out_for_tiers_without_it(form: Any) -> None:
    data = form(
        "iopub", "display_data", {"data": {"text/html": "<script>1</script><b>x</b>", "application/javascript": "1"}}
    )
    assert messages.clean_outwards(messages.split(data), data, TIERS[0]) is data
    cleaned = messages.clean_outwards(messages.split(data), data, TIERS[2])
    assert cleaned is not None
    raw = cleaned if isinstance(cleaned, bytes) else cleaned.encode()
    assert b"script" not in raw
    assert b"<b>x</b>" in raw


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("execute_reply", {"payload": [{"source": "page", "data": {"text/html": "<img src=x onerror=alert(1)>"}}]}),
        ("inspect_reply", {"data": {"text/html": "<svg onload=alert(1)>"}}),
        ("update_display_data", {"data": {"application/vnd.jupyter.widget-view+json": {"onerror": 1}}}),
        ("debug_reply", {"body": {"data": {"text/html": "<iframe srcdoc='onerror'>"}}}),
        ("comm_open", {"data": {"onerror": 1}}),
        ("invented", {"onerror": 1}),
    ],
)
def test_no_other_message_carries_script_either(kind: str, content: Any) -> None:
    data = binary("iopub", kind, content)
    cleaned = messages.clean_outwards(messages.split(data), data, TIERS[3])
    for word in (b"onerror", b"onload", b"iframe"):
        assert cleaned is None or word not in cleaned  # type: ignore[operator]


def test_buffers_do_not_come_along_where_widgets_are_closed() -> None:
    data = binary("iopub", "display_data", {"data": {"text/plain": "x"}}, b"\0" * 1000)
    cleaned = messages.clean_outwards(messages.split(data), data, TIERS[3])
    assert cleaned is not None
    assert len(cleaned) < 400


def test_invented_types_are_counted_as_one() -> None:
    assert messages.metered_as("stream") == "stream"
    assert messages.metered_as("x" * 500) == "other"


@pytest.mark.parametrize("kind", ["complete_request", "inspect_request", "is_complete_request", "debug_request"])
def test_what_is_pasted_into_any_message_is_limited(kind: str) -> None:
    beside = binary("shell", kind, {"code": "x" * (TIERS[4].paste_bytes + messages.BESIDE)})
    assert messages.may_go_in(beside, TIERS[4]) == []
    assert messages.may_go_in(beside, TIERS[0]) is None
    assert messages.may_go_in(binary("shell", kind, {"code": "x" * TIERS[4].paste_bytes}), TIERS[4]) is None


def test_buffers_do_not_bring_in_what_code_may_not() -> None:
    sent = binary("shell", "execute_request", {"code": "1"}, b"x" * (TIERS[4].paste_bytes + messages.BESIDE))
    assert messages.may_go_in(sent, TIERS[4]) == []
