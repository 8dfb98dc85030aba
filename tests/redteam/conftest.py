"""What attacks are run against: stock JupyterHub as the control, and the enclave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from access_control.models import SessionRecord
from access_control.settings import Settings
from hub.container import container_name
from hub.tour.person import Person
from tests import pixels as pictures
from tests.redteam import roads, screens
from tests.redteam.inside import Inside
from tests.redteam.roads import EvilSession
from tests.redteam.screens import Screen, Stage
from tests.redteam.stock import StockHub
from tests.redteam.third_party import ThirdParty, listening
from tests.running import Enclave


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockHub]:
    """A running stock JupyterHub with DockerSpawner."""
    folder: Path = tmp_path_factory.mktemp("stock")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)  # the containers' user has to reach its workspace
    hub = StockHub(folder / "hub", Settings().session.uid)
    hub.folder.chmod(0o755)
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def stock_inside(stock: StockHub) -> Inside:
    """The inside of mallory's container at the stock hub."""
    return stock.open_session("mallory")[1]


@pytest.fixture(scope="session")
def session(enclave: Enclave) -> Iterator[SessionRecord]:
    """A session of ana's at the enclave, shared by attacks that leave it as it was."""
    with enclave.running_session("ana", "smoking") as record:
        yield record


@pytest.fixture(scope="session")
def inside(session: SessionRecord) -> Inside:
    """The inside of that session's container."""
    return Inside(container_name(session.id))


@pytest.fixture(scope="session")
def granted(session: SessionRecord) -> set[str]:
    """The datasets that the session was given."""
    return {mount["dataset_id"] for mount in session.mounts}


@pytest.fixture(scope="session")
def stock_browser(stock: StockHub, stock_inside: Inside) -> Iterator[httpx.Client]:
    """Mallory's browser at the stock hub, in her own session."""
    browser, _ = stock.open_session("mallory")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def start_person(enclave: Enclave) -> Iterator[Callable[[str, str], Person]]:
    """Gives people at their browsers, in a session of theirs; the same person again when asked again."""
    people: dict[tuple[str, str], Person] = {}

    def start(name: str, project: str) -> Person:
        if (name, project) not in people:
            person = Person(enclave.settings.web.origin, name, enclave.secret(name))
            person.log_in()
            person.open_session(project)
            people[name, project] = person
        return people[name, project]

    yield start
    for (name, project), person in people.items():
        person.close()
        enclave.stop_session(name, project)


@pytest.fixture(scope="session")
def researcher(session: SessionRecord, start_person: Callable[[str, str], Person]) -> Person:
    """Ana at her browser, in the shared session."""
    return start_person("ana", "smoking")


@pytest.fixture(scope="session")
def evil_session(enclave: Enclave, start_person: Callable[[str, str], Person]) -> EvilSession:
    """A session of dora's, in which she runs servers of her own."""
    dora = start_person("dora", "smoking")
    record = enclave.session("dora", "smoking")
    assert record is not None
    made = EvilSession(dora, Inside(container_name(record.id)), record.socket, lambda: enclave.pid("gateway"))
    roads.make_evil(made)
    return made


@pytest.fixture
def open_road():
    """What a plain proxy passes on of a hostile server's answer."""
    return roads.open_road


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """One Chromium for all attacks by way of the browser."""
    yield from screens.open_stage()


@pytest.fixture(scope="session")
def stock_screen(stage: Stage, stock: StockHub, stock_inside: Inside) -> Screen:
    """Mallory's JupyterLab at the stock hub."""
    return Screen(stage, screens.stock_entrance(stock, stock_inside), framed=False)


@pytest.fixture(scope="session")
def ana_at_the_screen(stage: Stage, enclave: Enclave) -> None:
    """Ana, logged in at the portal in that Chromium."""
    screens.log_in(stage, enclave, "ana")


@pytest.fixture(scope="session")
def scripted_screen(stage: Stage, enclave: Enclave, ana_at_the_screen: None) -> Screen:
    """Ana's JupyterLab in a tier where printed script runs, so that the browser's walls are what holds."""
    return Screen(stage, screens.portal_entrance(enclave, "ana", "empty"), framed=True)


@pytest.fixture(scope="session")
def plain_screen(stage: Stage, enclave: Enclave, ana_at_the_screen: None) -> Screen:
    """Ana's JupyterLab in a tier where printed script is taken out."""
    return Screen(stage, screens.portal_entrance(enclave, "ana", "wages"), framed=True)


@pytest.fixture(params=["scripted_screen", "plain_screen"])
def any_screen(request: pytest.FixtureRequest) -> Screen:
    """Each of Ana's two."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def third_party() -> Iterator[ThirdParty]:
    """A third party of its own for each test."""
    with listening() as party:
        yield party


@pytest.fixture(scope="session")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    """Another enclave, whose budgets are passed within seconds: tier 3 by the bucket, tier 2 by the day."""
    more = """
[tiers.3]
burst_bytes = 1000000
bytes_per_minute = 60000
[tiers.2]
bytes_per_day = 400000
"""
    running = Enclave.start(tmp_path_factory.mktemp("tight"), more)
    yield running
    running.close()


@pytest.fixture(scope="session")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    """A running enclave whose tier 3 is shown as pictures only."""
    running = Enclave.start(tmp_path_factory.mktemp("pixels"), more=pictures.SETTINGS)
    yield running
    running.close()


@pytest.fixture(scope="session")
def evil_display(pixels: Enclave) -> Iterator[pictures.EvilDisplay]:
    """A session of dora's there, in which she runs a display of her own."""
    with pictures.evil_display(pixels, "dora") as display:
        yield display
