"""Cells that carry data out by what they show: at stock JupyterHub, and at an enclave."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
from sqlalchemy import select

from hub.gateway.models import Incident
from hub.tour.kernel import Answer, run_cell
from hub.tour.person import Person
from tests.redteam import wire
from tests.redteam.stock import StockHub
from tests.running import Enclave

# A dataset of this many bytes as text, different at each call, so that nothing is gained by packing.
PAYLOAD = "import base64, os\npayload = base64.b64encode(os.urandom({size} * 3 // 4)).decode()\n"


def stock_cell(stock: StockHub, browser: httpx.Client, code: str) -> Answer:
    """Runs a cell in mallory's server at the stock hub."""
    origin = f"{stock.url}/user/mallory"
    own = [cookie for cookie in browser.cookies.jar if not cookie.path.startswith("/hub")]
    token = next(cookie.value for cookie in own if cookie.name == "_xsrf")
    made = browser.post(f"{origin}/api/kernels", json={"name": "python3"}, headers={"X-XSRFToken": token or ""})
    assert made.status_code == 201, made.text
    jar = SimpleNamespace(client=SimpleNamespace(cookies=SimpleNamespace(jar=own)))
    return run_cell(jar, origin, made.json()["id"], code)  # type: ignore[arg-type] - of a browser it uses the cookies


def counts_at_least(enclave: Enclave, person: Person, session: str, code: str, size: int) -> Answer:
    """Runs a cell at the enclave; fails unless the gateway has counted `size` bytes of it."""
    before = wire.counted(enclave, session)
    answer = person.run(person.kernel(), code)
    assert wire.counted(enclave, session) - before >= size
    return answer


def incidents(enclave: Enclave, session: str) -> list[Incident]:
    """What the stewards are told of a session."""
    with enclave.reading() as db:
        found = list(db.scalars(select(Incident).where(Incident.session_id == session)))
        db.expunge_all()
        return found
