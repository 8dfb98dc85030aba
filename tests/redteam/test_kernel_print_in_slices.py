"""Print a dataset in small slices, none of which is conspicuous.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Bounded by: the bytes of a day, however small the pieces; past them the session is paused and a steward is told
"""

from collections.abc import Iterator

import httpx
import pytest

from hub.tour.person import Person
from tests.redteam.printing import PAYLOAD, incidents, stock_cell
from tests.running import wait_for

SIZE = 800_000
CODE = (
    PAYLOAD.format(size=SIZE)
    + "for place in range(0, len(payload), 4000): print(payload[place:place + 4000], flush=True)"
)


@pytest.fixture(scope="module")
def ana(tight) -> Iterator[Person]:
    """Ana in an enclave whose tier 2 allows little a day."""
    person = Person(tight.settings.web.origin, "ana", tight.secret("ana"))
    person.log_in()
    person.open_session("wages")
    yield person
    person.close()
    tight.stop_session("ana", "wages")


def test_control_stock_gives_all_of_it(stock, stock_browser, stock_inside) -> None:
    assert len(stock_cell(stock, stock_browser, CODE).text) >= SIZE


def test_the_session_is_paused_and_a_steward_is_told(tight, ana) -> None:
    session = tight.session("ana", "wages").id
    answer = ana.run(ana.kernel(), CODE)
    assert "paused" in answer.closed
    assert len(answer.text) < 400_000
    wait_for("the incident", lambda: any(one.level == "paused" for one in incidents(tight, session)))
    with pytest.raises(httpx.HTTPStatusError):
        ana.kernel()
    # Nor is there a fresh day's budget in a gateway that was restarted.
    tight.kill("gateway")
    wait_for("the session", lambda: "paused" in ana.browser.get(ana.session + "/api/contents/?content=1").text)
