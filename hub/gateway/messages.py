"""Messages of a kernel's websocket, in both forms: JSON text, and the binary `v1.kernel.websocket.jupyter.org`.

Only the header is parsed to meter a message; the content is parsed where something in it has to be looked at.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from access_control import clock
from access_control.errors import AccessError, Invalid
from access_control.settings import Tier
from hub.gateway import contents, printed

V1 = "v1.kernel.websocket.jupyter.org"
MOST_INWARDS = 4 * 1024 * 1024  # one message from the browser; code is limited further by the tier
_MOST_PARTS = 1024
_MOST_HEADER = 64 * 1024
BESIDE = 64 * 1024  # what a message may have besides what is typed: metadata, cells that were deleted, its parent
_HEADER, _PARENT, _METADATA, _CONTENT = 1, 2, 3, 4  # after the channel's name

# What JupyterLab sends to a kernel. Buffers belong to comm messages alone.
INWARDS = frozenset({
    "comm_close", "comm_info_request", "comm_msg", "comm_open", "complete_request", "create_subshell_request",
    "debug_request", "delete_subshell_request", "execute_request", "history_request", "input_reply", "inspect_request",
    "interrupt_request", "is_complete_request", "kernel_info_request", "list_subshell_request", "shutdown_request",
})  # fmt: skip
_CHANNELS_INWARDS = frozenset({"shell", "control", "stdin"})
_CHANNELS_OUTWARDS = frozenset({"shell", "control", "stdin", "iopub"})
_COMMS = frozenset({"comm_open", "comm_msg", "comm_close"})
# Message types whose content holds MIME bundles.
_WITH_BUNDLE = frozenset({
    "display_data", "execute_result", "update_display_data", "inspect_reply", "execute_reply", "debug_reply",
    "debug_event",
})  # fmt: skip
_KNOWN = frozenset({
    "stream", "error", "status", "execute_input", "clear_output", "input_request", "complete_reply", "history_reply",
    "is_complete_reply", "kernel_info_reply", "comm_info_reply", "shutdown_reply", "interrupt_reply", "iopub_welcome",
    "create_subshell_reply", "delete_subshell_reply", "list_subshell_reply", *_COMMS, *_WITH_BUNDLE,
})  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """A message taken apart: channel, type, and the bytes of each part (empty for the JSON form)."""

    channel: str
    kind: str
    parts: tuple[bytes, ...]
    model: dict[str, Any] | None = None  # the whole message, in the JSON form


def split(data: bytes | str) -> Parts:
    """Takes a message apart; raises Invalid when it is not one."""
    try:
        return _split_json(data) if isinstance(data, str) else _split_binary(data)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("this is not a message of a kernel") from error


def _split_json(data: str) -> Parts:
    model = json.loads(data)
    channel, kind = model["channel"], model["header"]["msg_type"]
    if not isinstance(channel, str) or not isinstance(kind, str):
        raise TypeError(channel)
    return Parts(channel, kind, (), model)


def _split_binary(data: bytes) -> Parts:
    count = int.from_bytes(data[:8], "little")
    if not 6 <= count <= _MOST_PARTS or len(data) < 8 * (count + 1):
        raise ValueError(count)
    offsets = [int.from_bytes(data[8 * (i + 1) : 8 * (i + 2)], "little") for i in range(count)]
    if offsets[0] != 8 * (count + 1) or offsets[-1] != len(data) or sorted(offsets) != offsets:
        raise ValueError(offsets)
    parts = tuple(data[offsets[i] : offsets[i + 1]] for i in range(count - 1))
    if len(parts[_HEADER]) > _MOST_HEADER:
        raise ValueError(len(parts[_HEADER]))
    kind = json.loads(parts[_HEADER])["msg_type"]
    if not isinstance(kind, str):
        raise TypeError(kind)
    return Parts(parts[0].decode(), kind, parts)


def join(parts: tuple[bytes, ...]) -> bytes:
    """The binary form of a message's parts."""
    count = len(parts) + 1
    offsets = [8 * (count + 1)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join([count.to_bytes(8, "little"), *(o.to_bytes(8, "little") for o in offsets), *parts])


def metered_as(kind: str) -> str:
    """The name that a type is counted under; a kernel can invent types."""
    return kind if kind in _KNOWN else "other"


def check_inwards(message: Parts, tier: Tier) -> None:
    """Decides whether a message from the browser goes to the kernel; raises Invalid or NotPermitted."""
    if message.kind not in INWARDS or message.channel not in _CHANNELS_INWARDS:
        raise Invalid(f"JupyterLab does not send {message.kind[:40]!r} to a kernel")
    if message.kind in _COMMS and not tier.printed_script:
        raise Invalid("widgets are closed in this tier")
    if message.kind in ("execute_request", "input_reply"):
        content = _content(message)
        contents.check_code(content.get("code" if message.kind == "execute_request" else "value"), tier)


def has_to_be_looked_at(data: bytes | str, tier: Tier) -> bool:
    """Whether more of a message than its header is parsed on its way out; raises Invalid when it is none."""
    return isinstance(data, str) or (not tier.printed_script and split(data).kind in _WITH_BUNDLE)


def outwards(data: bytes | str, tier: Tier) -> tuple[str, bytes | str | None]:
    """The type of a kernel's message and what of it goes to the browser; raises Invalid when it is none."""
    taken = split(data)
    return taken.kind, clean_outwards(taken, data, tier)


def not_looked_at(data: bytes | str) -> bytes | None:
    """What is shown in the place of rich output that took too long to look at; None for any other message."""
    if isinstance(data, str):
        return None
    taken = split(data)
    if taken.kind not in ("display_data", "execute_result", "update_display_data"):
        return None
    content = {"data": {"text/plain": printed.NOT_LOOKED_AT}, "metadata": {}, "execution_count": None}
    return join((*taken.parts[:_CONTENT], json.dumps(content).encode()))


def may_go_in(data: bytes | str, tier: Tier) -> list[bytes | str] | None:
    """None when a browser's message goes to the kernel, else what the browser is told in the kernel's place."""
    if tier.uploads != "text" and len(data) > tier.paste_bytes + BESIDE:
        return []
    taken: Parts | None = None
    try:
        taken = split(data)
        check_inwards(taken, tier)
    except Invalid:
        return []
    except AccessError as error:
        return [] if taken is None else refusal(taken, str(error))
    return None


def clean_outwards(message: Parts, data: bytes | str, tier: Tier) -> bytes | str | None:
    """What of a kernel's message goes to the browser: as it is, with script taken out, or None for not at all."""
    if message.channel not in _CHANNELS_OUTWARDS:
        return None
    if tier.printed_script:
        return data
    if message.kind in _COMMS:
        return None
    if message.kind not in _WITH_BUNDLE:
        return data if message.kind in _KNOWN else None
    try:
        cleaned = _clean_content(_content(message))
        if message.model is not None:
            return json.dumps(message.model | {"content": cleaned})
        written = json.dumps(cleaned, ensure_ascii=False).encode(errors="replace")
    except (Invalid, RecursionError):
        return None
    return join((*message.parts[:_CONTENT], written))  # buffers go: only widgets use them


def _clean_content(content: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(content)
    if isinstance(content.get("data"), dict):
        cleaned["data"] = printed.clean_bundle(content["data"])
    if isinstance(content.get("body"), dict) and isinstance(content["body"].get("data"), dict):
        cleaned["body"] = content["body"] | {"data": printed.clean_bundle(content["body"]["data"])}
    if "payload" in content:
        pages = content["payload"] if isinstance(content["payload"], list) else []
        cleaned["payload"] = [
            page | {"data": printed.clean_bundle(page["data"])} if isinstance(page.get("data"), dict) else page
            for page in pages
            if isinstance(page, dict)
        ]
    return cleaned


def refusal(message: Parts, sentence: str) -> list[bytes | str]:
    """What the browser is told in the kernel's place when its code does not go in: an error below the cell."""
    header = message.model["header"] if message.model is not None else json.loads(message.parts[_HEADER])
    said = {"ename": "RefusedByTheEnclave", "evalue": sentence, "traceback": [sentence]}
    told = (
        ("iopub", "error", said),
        ("shell", "execute_reply", {"status": "error", "execution_count": None, **said}),
        ("iopub", "status", {"execution_state": "idle"}),
    )
    answers: list[bytes | str] = []
    for channel, kind, content in told:
        own = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": "enclave",
            "username": "enclave",
            "version": "5.3",
            "date": clock.now().isoformat(),
        }
        if message.model is not None:
            model = {"channel": channel, "header": own, "parent_header": header, "metadata": {}, "content": content}
            answers.append(json.dumps(model | {"buffers": []}))
        else:
            parts: tuple[dict[str, Any], ...] = (own, header, {}, content)
            answers.append(join((channel.encode(), *(json.dumps(part).encode() for part in parts))))
    return answers


def _content(message: Parts) -> dict[str, Any]:
    try:
        content = message.model["content"] if message.model is not None else json.loads(message.parts[_CONTENT])
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        raise Invalid("this is not a message of a kernel") from error
    if not isinstance(content, dict):
        raise Invalid("this is not a message of a kernel")
    return content
