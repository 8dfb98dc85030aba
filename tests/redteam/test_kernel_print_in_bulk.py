"""Print a dataset as base64, in one go.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Bounded by: the tier's bucket of bytes; past it the session is paused before the bytes are sent, and a steward is told
"""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from hub.tour.person import Person
from tests.redteam.printing import PAYLOAD, incidents, stock_cell
from tests.running import wait_for

SIZE = 2_000_000  # more in three seconds the server in the container does not send, as long as it is Jupyter's own
CODE = PAYLOAD.format(size=SIZE) + "print(payload)"


@pytest.fixture(scope="module")
def ana(tight) -> Iterator[Person]:
    """Ana in an enclave with a small bucket."""
    person = Person(tight.settings.web.origin, "ana", tight.secret("ana"))
    person.log_in()
    person.open_session("smoking")
    yield person
    person.close()
    tight.stop_session("ana", "smoking")


def test_control_stock_gives_all_of_it(stock, stock_browser, stock_inside) -> None:
    assert len(stock_cell(stock, stock_browser, CODE).text) >= SIZE


def test_the_session_is_paused_and_a_steward_is_told(tight, ana) -> None:
    session = tight.session("ana", "smoking").id
    kernel = ana.kernel()
    answer = ana.run(kernel, CODE)
    assert "paused" in answer.closed
    assert len(answer.text) < SIZE / 2
    told = wait_for("the incident", lambda: [one for one in incidents(tight, session) if one.level == "paused"])
    assert told[0].state == "open"
    assert any(row.get("what") == "stream" for row in told[0].flow)
    assert tight.audit("budget:exceeded")
    # The pause holds for whatever is asked next, over a new websocket or over HTTP.
    shown = ana.browser.get(ana.session + "/api/contents/?content=1")
    assert shown.status_code >= 400
    assert "paused" in shown.text


def test_a_new_session_has_no_new_budget(tight, ana) -> None:
    ana.stop_session("smoking")
    tight.stop_session("ana", "smoking")
    ana.open_session("smoking")
    given = 0
    with contextlib.suppress(httpx.HTTPStatusError):  # the pause may come before there is a kernel
        given = len(ana.run(ana.kernel(), CODE).text)
    assert given < SIZE / 2
