"""The roads that attacks take: hostile servers on the session's socket, raw requests, the hub's API."""

from __future__ import annotations

import base64
import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from hub.programs import find_proxy
from hub.tour.kernel import cookies_for
from hub.tour.person import Person
from tests.redteam.inside import Inside, weak_container
from tests.redteam.stock import free_port

RECORDS = b"person,diagnosis\n1,secret-diagnosis\n"
MOST = 256 * 1024 * 1024

# A server that answers every request with the bytes that /tmp/payload holds, then with those of /tmp/repeat again and
# again up to a bound; each request's first line is kept in /tmp/asked. Given a path it listens on a unix socket.
SERVER = """
import os, socket, sys, threading
address, most = sys.argv[1], int(sys.argv[2])
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
        first = client.recv(65536).split(b"\\r\\n")[0]
        with open("/tmp/asked", "ab") as file:
            file.write(first + b"\\n")
        client.sendall(read("payload"))
        repeat, sent = read("repeat"), 0
        while repeat and sent < most:
            client.sendall(repeat)
            sent += len(repeat)
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        client.close()
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


def set_payload(inside: Inside, payload: bytes, repeat: bytes) -> None:
    """What the hostile server in that container answers from now on."""
    for name, content in (("payload", payload), ("repeat", repeat), ("asked", b"")):
        command = ["docker", "exec", "-i", inside.container, "sh", "-c", f"cat > /tmp/{name}"]
        subprocess.run(command, input=content, check=True)


def write_records(inside: Inside) -> None:
    """Leaves a file of records in the workspace."""
    done = inside.python(f"open('/workspace/records.csv', 'wb').write({RECORDS!r})")
    assert done.worked, done.output


def hub_post(browser: httpx.Client, address: str, body: dict[str, Any]) -> httpx.Response:
    """A POST to the hub's API with the cookies and the token that a page of the hub would send."""
    tokens = [cookie.value for cookie in browser.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/"]
    origin = "/".join(str(browser.base_url.join(address)).split("/")[:3])
    headers = {"Origin": origin, "Referer": f"{origin}/hub/home", "X-XSRFToken": (tokens or [""])[0] or ""}
    return browser.post(address, json=body, headers=headers, follow_redirects=False)


def raw_get(researcher: Person, path: str) -> bytes:
    """A GET whose path is sent exactly as it is written; the whole answer."""
    parts = urlsplit(researcher.session)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies_for(researcher.browser, researcher.session).items())
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", parts.port or 80), 30) as connection:
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@dataclass(frozen=True)
class EvilSession:
    """A session whose researcher runs a server of their own on its socket."""

    person: Person
    inside: Inside
    socket: str
    gateway_pid: Callable[[], int]

    def get(self, path: str) -> httpx.Response:
        """What a browser gets through the gateway; a connection that is cut off is an answer of 502."""
        try:
            return self.person.browser.client.get(self.person.session + path, follow_redirects=False, timeout=60)
        except httpx.RemoteProtocolError:
            return httpx.Response(502)

    def gateway_mib(self) -> int:
        """How much memory the gateway holds now."""
        with open(f"/proc/{self.gateway_pid()}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def make_evil(session: EvilSession) -> None:
    """Puts the hostile server in the place of the session's own, for good, and waits until the gateway asks it.

    The gateway keeps connections to the old server for half a minute; only when they are gone does an attack meet it.
    """
    set_payload(
        session.inside, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}", b""
    )
    assert session.inside.shell("mv /run/enclave/jupyter.sock /run/enclave/jupyter.real").worked
    code = base64.b64encode(SERVER.encode()).decode()
    command = f"import base64; exec(base64.b64decode({code!r}))"
    script = ["python3", "-c", command, "/run/enclave/jupyter.sock", str(MOST)]
    subprocess.run(["docker", "exec", "-d", session.inside.container, *script], check=True)
    for _ in range(3):
        time.sleep(33)  # each request would keep an old connection for another half minute
        session.get("/api/kernels")
        if "/api/kernels" in session.inside.shell("cat /tmp/asked").output:
            return
    raise AssertionError("the gateway never asked the hostile server")


@contextlib.contextmanager
def evil_server(session: EvilSession, payload: bytes, repeat: bytes = b"") -> Iterator[None]:
    """The hostile server answers with this; at the end it has to have been asked, or the attack was none."""
    set_payload(session.inside, payload, repeat)
    yield
    assert session.inside.shell("cat /tmp/asked").output.strip(), "the gateway did not ask the hostile server"


@contextlib.contextmanager
def moved_socket(session: EvilSession, instead: str) -> Iterator[None]:
    """Moves the server's socket aside, runs a command that puts something else there, and puts it back at the end."""
    done = session.inside.shell(f"mv /run/enclave/jupyter.sock /run/enclave/jupyter.aside; {instead}")
    assert done.worked, done.output
    try:
        yield
    finally:
        put_back = "rm -f /run/enclave/jupyter.sock; mv /run/enclave/jupyter.aside /run/enclave/jupyter.sock"
        assert session.inside.shell(put_back).worked


@contextlib.contextmanager
def open_road(payload: bytes, repeat: bytes = b"") -> Iterator[httpx.Response | None]:
    """What configurable-http-proxy passes on of the same server; None when the answer is none or never ends."""
    port, api = free_port(), free_port()
    with weak_container() as control:
        set_payload(control, payload, repeat)
        script = ["python3", "-c", SERVER, "8888", str(16 * 1024 * 1024)]
        subprocess.run(["docker", "exec", "-d", control.container, *script], check=True)
        told = subprocess.run(
            ["docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", control.container],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        target = f"http://{told.stdout.strip()}:8888"
        proxy = subprocess.Popen(
            [find_proxy(), "--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(api),
             "--default-target", target],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CONFIGPROXY_AUTH_TOKEN": "x"},
        )  # fmt: skip
        try:
            yield _patient_get(f"http://127.0.0.1:{port}/api/kernels")
        finally:
            proxy.terminate()
            proxy.wait(20)


def raw_answer(payload: bytes, repeat: bytes = b"", most: int = 1024 * 1024) -> bytes:
    """What a client without any limit or parser reads of the same server: `most` bytes of it, or all."""
    with weak_container() as control:
        set_payload(control, payload, repeat)
        script = ["python3", "-c", SERVER, "8888", str(16 * 1024 * 1024)]
        subprocess.run(["docker", "exec", "-d", control.container, *script], check=True)
        told = subprocess.run(
            ["docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", control.container],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for _ in range(300):
            try:
                client = socket.create_connection((told.stdout.strip(), 8888), 30)
            except ConnectionRefusedError:
                time.sleep(0.1)
                continue
            with client:
                client.sendall(b"GET /api/kernels HTTP/1.1\r\nHost: control\r\n\r\n")
                answer = b""
                while len(answer) < most and (piece := client.recv(65536)):
                    answer += piece
                return answer
    raise AssertionError("the hostile server did not start")


def _patient_get(address: str) -> httpx.Response | None:
    for _ in range(100):
        try:
            answer = httpx.get(address, follow_redirects=False, timeout=30)
        except httpx.ConnectError:
            time.sleep(0.1)
            continue
        except httpx.HTTPError:
            return None
        if answer.status_code != 503:
            return answer
        time.sleep(0.1)
    return None
