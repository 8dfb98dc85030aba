"""Bring a file in past the limit of what is pasted into a cell: in requests for completion and in buffers of a message.

Way: gateway
Control: the same messages in a tier that takes files, where they reach the kernel
Held by: a whole message to a kernel, of whatever type, is limited to what may be pasted and a little more
"""

import asyncio
import json
import uuid

import aiohttp
import pytest

from hub.gateway import messages
from hub.tour.kernel import LoopbackResolver, cookies_for

SIZE = 300_000


def _message(kind: str, content: dict, *buffers: bytes) -> bytes:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "x", "username": "x", "version": "5.3"}
    parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
    return messages.join((b"shell", *parts, *buffers))


def _forms() -> dict[str, bytes]:
    return {
        "complete_reply": _message("complete_request", {"code": "x" * SIZE, "cursor_pos": 1}),
        "is_complete_reply": _message("is_complete_request", {"code": "#" * SIZE}),
        "execute_reply": _message("execute_request", {"code": "1", "silent": True, "allow_stdin": False}, bytes(SIZE)),
    }


async def _answers(person, sent: bytes) -> list[str]:
    """The types of all answers on the shell's channel up to that to a last, small question."""
    kernel = person.kernel()
    address = f"{person.session.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?session_id=1"
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(person.browser, person.session).items())
    connector = aiohttp.TCPConnector(resolver=LoopbackResolver())
    headers = {"Origin": person.session, "Cookie": cookie}
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.ws_connect(address, headers=headers, protocols=(messages.V1,), max_msg_size=0) as channel,
        asyncio.timeout(90),
    ):
        await channel.send_bytes(sent)
        await channel.send_bytes(_message("comm_info_request", {}))
        kinds: list[str] = []
        while "comm_info_reply" not in kinds:
            taken = messages.split((await channel.receive()).data)
            if taken.channel == "shell":
                kinds.append(taken.kind)
        return kinds


@pytest.mark.parametrize("reply", list(_forms()))
def test_control_it_reaches_the_kernel_where_files_may(start_person, reply) -> None:
    assert reply in asyncio.run(_answers(start_person("ana", "empty"), _forms()[reply]))


@pytest.mark.parametrize("reply", list(_forms()))
def test_it_does_not_reach_the_kernel(researcher, reply) -> None:
    assert reply not in asyncio.run(_answers(researcher, _forms()[reply]))
