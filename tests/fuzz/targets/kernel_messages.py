"""Messages of a kernel's websocket, in both forms and both directions."""

from __future__ import annotations

import json

from access_control.errors import AccessError, Invalid
from access_control.settings import Settings
from hub.gateway import messages
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds
from tests.fuzz.inert import inert_bundle

_TIERS = Settings().tiers
_NAMES = ("channel", "header", "msg_type", "content", "data", "metadata", "parent_header", "buffers", "text/html", "text/plain", "image/svg+xml", "text/markdown", "payload",
          "body", "code", "value", "text/html; x=y", "TEXT/HTML", " text/html", "application/javascript", "application/vnd.jupyter.widget-view+json", "transient")  # fmt: skip
_VALUES = ("iopub", "shell", "stdin", "control", "display_data", "execute_result", "execute_request", "input_reply", "comm_msg", "stream", "execute_reply", "debug_event",
           "<script>alert(1)</script>", "<svg onload=x>", "<svg/onload=x>", "<b onclick=x>y</b>", "[x](javascript:y)", "<img src=x onerror=y>", "<style>", "</style>", "\ud800",
           "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", "<a href='data:text/html,x'>", "<math>", "<!--", "-->", "&lt;script>")  # fmt: skip
_MODEL = {"channel": "iopub", "header": {"msg_id": "1", "msg_type": "display_data"}, "parent_header": {}, "metadata": {}, "buffers": [],
          "content": {"data": {"text/html": "<b>x</b>", "text/plain": "x", "text/markdown": "*x*", "image/svg+xml": "<svg></svg>"}, "metadata": {},
                      "payload": [{"source": "page", "data": {"text/html": "<p>"}}], "body": {"data": {"text/plain": "1"}}, "code": "1+1", "value": "2"}}  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(5)
    tier = _TIERS[choices.number(4)]
    message: bytes | str
    if how == 0:
        message = choices.rest()
    elif how == 1:
        message = choices.rest().decode("utf-8", "replace")
    elif how == 2:
        depth = choices.number(4000)
        deep = "[" * depth + "]" * depth
        message = json.dumps(_MODEL).replace('"<b>x</b>"', deep if choices.flag() else f'{{"a":{deep}}}')
    else:
        model = choices.bent(_MODEL, _NAMES, _VALUES)
        if isinstance(model, dict) and isinstance(model.get("header"), dict):
            model["channel"] = choices.pick((*_VALUES[:4], model.get("channel")))
            model["header"]["msg_type"] = choices.pick((*_VALUES[4:12], model["header"].get("msg_type")))
        message = json.dumps(model)
        if how == 3 and isinstance(model, dict):
            parts = [
                str(model.get("channel")),
                *(json.dumps(model.get(name)) for name in ("header", "parent_header", "metadata", "content")),
            ]
            message = messages.join(
                tuple(part.encode("utf-8", "replace") for part in parts) + (choices.some(9),) * choices.number(3)
            )
    both_ways(message, tier)


def both_ways(message: bytes | str, tier: object) -> None:
    try:
        taken = messages.split(message)
    except Invalid:
        return
    try:
        messages.check_inwards(taken, tier)
    except Invalid:
        pass
    except AccessError as error:
        for answer in messages.refusal(taken, str(error)):
            holds(messages.split(answer).kind in ("error", "execute_reply", "status"), "a refusal is a message")
    else:
        holds(taken.kind in messages.INWARDS, "only known types go in")
    passed = messages.clean_outwards(taken, message, tier)
    messages.metered_as(taken.kind)
    if passed is None:
        return
    if tier.printed_script:
        holds(passed is message, "in a tier with script a message passes as it is")
        return
    again = messages.split(passed)
    holds((again.channel, again.kind) == (taken.channel, taken.kind), "channel and type stay")
    holds(again.kind not in messages._COMMS, "no widget passes")
    if again.kind in messages._WITH_BUNDLE:
        content = messages._content(again)
        if isinstance(content.get("data"), dict):
            inert_bundle(content["data"])
        for page in content.get("payload", []):
            if isinstance(page.get("data"), dict):
                inert_bundle(page["data"])
        holds(messages.clean_outwards(again, passed, tier) is not None, "what was cleaned can be cleaned again")


def start() -> list[bytes]:
    made = [b"\x01\x02" + json.dumps(_MODEL).encode()]
    parts = ("iopub", *(json.dumps(_MODEL[name]) for name in ("header", "parent_header", "metadata", "content")))
    made.append(b"\x00\x02" + messages.join(tuple(part.encode() for part in parts)))
    return made + [bytes([how, n % 5]) + bytes(range(n * 9, n * 9 + 100)) for how in (2, 3, 4, 5) for n in range(9)]


TARGET = Target(
    "kernel_messages",
    "messages of kernels, JSON and binary",
    run,
    start,
    tuple(value.encode("utf-8", "replace") for value in (*_NAMES, *_VALUES)),
    share=1.5,
)
