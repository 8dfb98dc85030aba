"""The ports on 127.0.0.1 that the programs talk over, chosen free at the first start and kept in run/ports.json."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, fields

from access_control.errors import Refused
from access_control.settings import Settings
from hub.keys import private_folder, write_private


@dataclass(frozen=True)
class Ports:
    """One port a program; all listen on 127.0.0.1 alone. Only the proxy's public port is reached from outside."""

    proxy_api: int
    hub: int
    portal: int
    gateway: int
    provider: int

    def url(self, program: str) -> str:
        """Such as `http://127.0.0.1:41001` for `gateway`."""
        return f"http://127.0.0.1:{getattr(self, program)}"


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether nothing listens on that port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load_ports(settings: Settings) -> Ports:
    """The ports of the running enclave; raises Refused when it has never been started."""
    path = settings.run / "ports.json"
    try:
        return Ports(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise Refused(f"{path} cannot be read ({error}). Start the enclave first: enclave run") from error


def choose_ports(settings: Settings) -> Ports:
    """The ports as they were, with another for each that is taken by now; to be called before the programs start."""
    private_folder(settings.run)
    path = settings.run / "ports.json"
    try:
        before: dict[str, int] = json.loads(path.read_text())
    except (OSError, ValueError):
        before = {}
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        port = int(before.get(field.name, 0))
        while port == 0 or port in chosen.values() or not is_free(port):
            port = free_port()
        chosen[field.name] = port
    ports = Ports(**chosen)
    write_private(path, json.dumps(asdict(ports)) + "\n")
    return ports
