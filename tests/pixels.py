"""An enclave whose tier 3 is shown as pictures only, and viewers that say what a hostile person's or display's would."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp

from hub.container import container_name
from hub.gateway import rfb
from hub.tour.kernel import LoopbackResolver, cookies_for
from hub.tour.person import Person
from tests.redteam.inside import Inside
from tests.redteam.roads import set_payload
from tests.running import Enclave, wait_for

SETTINGS = "[tiers.3]\npixels_only = true\nburst_bytes = 8388608\n"
PROJECT = "smoking"  # of tier 3
SECRET = b"patient 4711 has it"
WIDTH, HEIGHT = 64, 48
GREETING = rfb.VERSION + b"\x01\x01"
KEY = struct.pack(">BBxxI", 4, 1, 97)
SECONDS = 60.0
MOST = 256 * 1024 * 1024


def rectangle(x: int, y: int, width: int, height: int, encoding: int, body: bytes) -> bytes:
    """One rectangle of an update."""
    return struct.pack(">HHHHi", x, y, width, height, encoding) + body


def update(*rectangles: bytes) -> bytes:
    """A message of pixels, as a display sends it."""
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


def cut_text(kind: int, text: bytes) -> bytes:
    """The clipboard: of type 3 from a display, of type 6 from a viewer."""
    return struct.pack(">B3xI", kind, len(text)) + text


MARK = update(rectangle(0, 0, 2, 1, rfb.RAW, b"end\0end\0"))
WHOLE = update(rectangle(0, 0, WIDTH, HEIGHT, rfb.RAW, bytes(WIDTH * HEIGHT * 4)))

# A display that greets as the protocol says, then sends what /tmp/payload holds and again and again what /tmp/repeat holds,
# up to a bound; what a viewer says after the greeting is kept in /tmp/asked.
DISPLAY = """
import socket, struct, sys, threading
path, most, opening = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
def read(name):
    with open("/tmp/" + name, "rb") as file:
        return file.read()
def exactly(client, size):
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise OSError
        data += piece
def listen(client):
    try:
        while data := client.recv(65536):
            with open("/tmp/asked", "ab") as file:
                file.write(data)
    except OSError:
        return
def serve(client):
    try:
        for said, size in ((b"RFB 003.008\\n", 12), (bytes([1, 1]), 1), (bytes(4), 1)):
            client.sendall(said)
            exactly(client, size)
        client.sendall(opening)
        threading.Thread(target=listen, args=(client,), daemon=True).start()
        client.sendall(read("payload"))
        repeat, sent = read("repeat"), 0
        while repeat and sent < most:
            client.sendall(repeat)
            sent += len(repeat)
    except OSError:
        client.close()
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(64)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


@dataclass(frozen=True)
class Heard:
    """What came back to a viewer; `closed` is the websocket's code, 0 while it was open."""

    data: bytes
    closed: int


@dataclass(frozen=True)
class EvilDisplay:
    """A session whose researcher runs a display of their own."""

    person: Person
    inside: Inside
    socket: str

    def set(self, payload: bytes, repeat: bytes = b"") -> None:
        """What it sends to every viewer from now on."""
        set_payload(self.inside, payload, repeat)

    def was_told(self) -> bytes:
        """What it heard from viewers since `set`."""
        return subprocess.run(
            ["docker", "exec", self.inside.container, "cat", "/tmp/asked"], check=True, stdout=subprocess.PIPE
        ).stdout

    def straight(self, said: bytes, enough: Callable[[bytes], bool]) -> bytes:
        """The control: what a viewer hears on the display's own socket, as over a proxy that only carries bytes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(self.socket)
            connection.sendall(GREETING + said)
            data = bytearray()
            while not enough(bytes(data)) and (piece := connection.recv(65536)):
                data += piece
            return bytes(data)

    def through_gateway(self, said: bytes, enough: Callable[[bytes], bool]) -> Heard:
        """What a viewer hears over the gateway, until it is enough or the connection is closed."""
        return asyncio.run(view(self.person, said, enough))


async def view(person: Person, said: bytes, enough: Callable[[bytes], bool]) -> Heard:
    """Greets over the gateway's websocket, says `said`, and listens."""
    cookies = "; ".join(f"{name}={value}" for name, value in cookies_for(person.browser, person.session).items())
    data = bytearray()
    async with (
        asyncio.timeout(SECONDS * 2),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=LoopbackResolver())) as client,
        client.ws_connect(
            f"{person.session}/enclave/display",
            headers={"Origin": person.session, "Cookie": cookies},
            protocols=("binary",),
        ) as connection,
    ):
        await connection.send_bytes(GREETING + said)
        while True:
            with contextlib.suppress(TimeoutError):
                message = await connection.receive(timeout=0.5)
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                data += message.data
            if enough(bytes(data[-65536:])):
                return Heard(bytes(data), 0)
        return Heard(bytes(data), connection.close_code or 1006)


@contextlib.contextmanager
def evil_display(enclave: Enclave, name: str) -> Iterator[EvilDisplay]:
    """A session of that person's with a display of their own in the place of the image's."""
    person = Person(enclave.settings.web.origin, name, enclave.secret(name))
    person.log_in()
    person.open_session(PROJECT)
    record = enclave.session(name, PROJECT)
    assert record is not None
    made = EvilDisplay(person, Inside(container_name(record.id)), record.socket)
    try:
        made.set(b"")
        assert made.inside.shell("mv /run/enclave/display.sock /run/enclave/display.real").worked
        opening = struct.pack(">HH", WIDTH, HEIGHT) + rfb.PIXEL_FORMAT + struct.pack(">I", len(SECRET)) + SECRET
        code = f"import base64; exec(base64.b64decode({base64.b64encode(DISPLAY.encode()).decode()!r}))"
        script = ["python3", "-c", code, "/run/enclave/display.sock", str(MOST), opening.hex()]
        subprocess.run(["docker", "exec", "-d", made.inside.container, *script], check=True)
        wait_for("the hostile display", lambda: made.inside.shell("test -S /run/enclave/display.sock").worked)
        yield made
    finally:
        person.close()
        enclave.stop_session(name, PROJECT)


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return False
