"""Websockets seen as bytes: a hostile kernel's server, a plain proxy before it, and all that reaches a browser."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import uuid
from typing import Any
from urllib.parse import urlsplit

from hub.gateway.control import GatewayControl
from hub.programs import find_proxy
from hub.tour.kernel import cookies_for
from tests.redteam.inside import Inside, weak_container
from tests.redteam.roads import EvilSession, moved_socket
from tests.redteam.stock import free_port
from tests.running import Enclave, wait_for

SECRET = b"secret-diagnosis"
END = b"that-was-all"
KERNEL = "/api/kernels/00000000-0000-0000-0000-000000000000/channels"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

# Answers every handshake with what /tmp/extra holds among its headers, and sends the frames of /tmp/frames.
SERVER = """
import base64, hashlib, os, socket, sys, threading
address = sys.argv[1]
if address.startswith("/"):
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
else:
    server = socket.create_server(("0.0.0.0", int(address)))
server.listen(64)
def read(name):
    with open("/tmp/" + name, "rb") as file:
        return file.read()
def serve(client):
    try:
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            piece = client.recv(65536)
            if not piece:
                return
            head += piece
        fields = dict(line.split(b": ", 1) for line in head.split(b"\\r\\n")[1:] if b": " in line)
        key = {name.lower(): value for name, value in fields.items()}.get(b"sec-websocket-key", b"")
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        answer = b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
        client.sendall(answer + b"Sec-WebSocket-Accept: " + accept + b"\\r\\n" + read("extra") + b"\\r\\n" + read("frames"))
        while client.recv(65536):
            continue
    except OSError:
        return
    finally:
        client.close()
with open("/tmp/listening", "w") as file:
    file.write(str(os.getpid()))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


def frame(opcode: int, payload: bytes, first_bits: int = 0x80) -> bytes:
    """A frame as a server sends it."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65536:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return bytes([first_bits | opcode]) + length + payload


def message(kind: str, content: dict[str, Any], channel: str = "iopub", **more: Any) -> bytes:
    """A kernel's message in its JSON form."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "x", "username": "x", "version": "5.3"}
    whole = {
        "channel": channel,
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }
    return frame(TEXT, json.dumps(whole | more).encode())


def the_end() -> bytes:
    """A message that has to arrive, and the end of the connection."""
    return message("stream", {"name": "stdout", "text": END.decode()}) + frame(CLOSE, (1000).to_bytes(2, "big"))


def listen(port: int, host: str, path: str, headers: dict[str, str], until: bytes = b"") -> bytes:
    """Opens a websocket and returns every byte that comes until the other side ends it, or has said `until`."""
    asked = {
        "Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers,
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        got = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                got += piece
                if until and until in got[-len(piece) - len(until) :]:
                    break
        return bytes(got)


def _start(inside: Inside, address: str, frames: bytes, extra: bytes) -> None:
    for name, content in (("frames", frames), ("extra", extra)):
        put = ["docker", "exec", "-i", inside.container, "sh", "-c", f"rm -f /tmp/listening; cat > /tmp/{name}"]
        subprocess.run(put, input=content, check=True)
    subprocess.run(["docker", "exec", "-d", inside.container, "python3", "-c", SERVER, address], check=True)
    wait_for("the hostile server", lambda: inside.shell("test -s /tmp/listening").worked, 60)


def through_plain_proxy(frames: bytes, extra: bytes = b"", until: bytes = END) -> bytes:
    """What a browser gets of it through configurable-http-proxy."""
    port, api = free_port(), free_port()
    with weak_container() as control:
        _start(control, "8888", frames, extra)
        told = subprocess.run(
            ["docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", control.container],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        proxy = subprocess.Popen(
            [find_proxy(), "--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(api),
             "--default-target", f"http://{told.stdout.strip()}:8888"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CONFIGPROXY_AUTH_TOKEN": "x"},
        )  # fmt: skip
        try:
            wait_for("the proxy", lambda: _accepts(port), 60)
            return listen(port, f"127.0.0.1:{port}", KERNEL, {}, until)
        finally:
            proxy.terminate()
            proxy.wait(20)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def through_gateway(session: EvilSession, frames: bytes, extra: bytes = b"") -> bytes:
    """What a browser gets of it through the gateway, from a server in the place of the session's own."""
    origin = session.person.session
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(session.person.browser, origin).items())
    parts = urlsplit(origin)
    with moved_socket(session, "true"):
        _start(session.inside, "/run/enclave/jupyter.sock", frames, extra)
        try:
            return listen(parts.port or 80, parts.netloc, KERNEL, {"Origin": origin, "Cookie": cookie})
        finally:
            assert session.inside.shell("kill $(cat /tmp/listening)").worked


def counted(enclave: Enclave, session_id: str) -> int:
    """How many bytes the gateway has counted against a session's budget."""
    for row in GatewayControl(enclave.settings.run / "gateway.sock").sessions():
        if row["id"] == session_id:
            return int(row["bytes"])
    raise AssertionError(f"the gateway has no session {session_id}")
