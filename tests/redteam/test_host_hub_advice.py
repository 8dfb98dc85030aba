"""Find what JupyterHub's own security advice warns of in the running hub.

Way: hub
Control: stock JupyterHub with DockerSpawner
Held by: each piece of advice that applies is followed, and read off the running programs; exceptions have their reason
"""

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.redteam.roads import hub_post


@dataclass(frozen=True)
class Hub:
    """A running hub as the checks see it."""

    url: str
    pids: tuple[int, ...]
    secrets: tuple[Path, ...]  # cookie secret, database and the like
    session_origin: str
    browser: httpx.Client  # of somebody who is logged in
    person: str


def descendants(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from descendants(int(child))


def listening(pids: tuple[int, ...]) -> set[str]:
    """The addresses that these programs listen on for TCP, in the kernel's hexadecimal form."""
    inodes = set()
    for pid in pids:
        for held in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(os.readlink(held))
            except FileNotFoundError:
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}


def only_loopback(hub: Hub) -> bool:
    """Hub, its API and the proxy's API are not reachable from containers and other machines."""
    addresses = listening(hub.pids)
    assert addresses, "no program listens at all"
    return addresses <= {"0100007F", "00000000000000000000000001000000"}


def own_origins(hub: Hub) -> bool:
    """Notebooks have another origin than the hub, so that their script has none of its powers."""
    return urlsplit(hub.session_origin).hostname != urlsplit(hub.url).hostname


def secrets_closed(hub: Hub) -> bool:
    """Nobody but the hub's own user reads its secrets: by their mode, or by that of a folder above."""
    assert hub.secrets
    return all(_closed(path) for path in hub.secrets)


def _closed(path: Path) -> bool:
    return any(not stat.S_IMODE(one.stat().st_mode) & 0o007 for one in (path, path.parent))


def no_sniffing(hub: Hub) -> bool:
    """Pages say that their type is to be believed."""
    return hub.browser.get(f"{hub.url}/hub/home").headers.get("x-content-type-options") == "nosniff"


def no_tokens(hub: Hub) -> bool:
    """Nobody makes a token of their own, with which a program skips the browser's walls."""
    return hub_post(hub.browser, f"{hub.url}/hub/api/users/{hub.person}/tokens", {}).status_code == 403


ADVICE: tuple[Callable[[Hub], bool], ...] = (
    only_loopback, own_origins, secrets_closed, no_sniffing, no_tokens,
)  # fmt: skip
EXCEPTIONS = {
    "internal_ssl": "between gateway and container there is a unix socket, and all else is loopback or the same process",
    "disable_user_config": "the container runs plain Jupyter Server without a token of the hub; nothing believes it",
    "read-only environment": "the whole root file system is read-only; the container benchmark shows it",
    "subdomain_host": "stronger: each session, not only each person, has a host of its own",
}


@pytest.fixture(scope="module")
def stock_hub(stock, stock_browser) -> Hub:
    secret = [path for path in (stock.folder / "jupyterhub.sqlite", stock.folder / "hub.log") if path.exists()]
    pids = tuple(descendants(stock.process.pid))
    return Hub(stock.url, pids, tuple(secret), stock.url, stock_browser, "mallory")


@pytest.fixture(scope="module")
def our_hub(enclave, researcher) -> Hub:
    settings = enclave.settings
    programs = json.loads((settings.run / "programs.json").read_text())["programs"]
    pids = tuple(pid for one in programs.values() if one["pid"] for pid in descendants(one["pid"]))
    secrets = (*settings.keys.rglob("*"), settings.data_root / "hub.sqlite", settings.data_root / "enclave.sqlite")
    files = tuple(path for path in secrets if path.is_file() and path.suffix != ".pub")
    return Hub(settings.web.origin, pids, files, researcher.session, researcher.browser.client, "ana")


@pytest.mark.parametrize("advice", ADVICE, ids=lambda advice: advice.__name__)
def test_control_stock_does_not_follow_it(stock_hub, advice) -> None:
    assert not advice(stock_hub)


@pytest.mark.parametrize("advice", ADVICE, ids=lambda advice: advice.__name__)
def test_the_enclave_does(our_hub, advice) -> None:
    assert advice(our_hub)


def test_no_page_of_the_hub_is_shown_in_a_frame(our_hub) -> None:
    # Stock has this too, so it has no control; it is here because a setting of the enclave replaces stock's policy.
    answer = our_hub.browser.get(f"{our_hub.url}/hub/home")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_nobody_is_an_admin_of_the_hub(enclave) -> None:
    with enclave.hub as hub:
        people = hub.get("/users").json()
    assert people
    assert not any(person.get("admin") for person in people)


def test_exceptions_have_reasons() -> None:
    assert all(len(reason) > 30 for reason in EXCEPTIONS.values())
