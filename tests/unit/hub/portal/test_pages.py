"""Every page answers for those whom it is for, and with a sentence for everyone else."""

from collections.abc import Iterator

import pytest
from portal_world import PortalWorld

EVERYONE = ("", "projects", "catalogue", "catalogue/hiv", "access", "releases", "imports")
PAGES = {
    "ana": ("projects/p17", "sessions/p17", "releases/new?project=p17", "projects/p17/why?data=hiv"),
    "sam": ("queue", "data", "incidents", "who-had?dataset=hiv"),
    "eve": ("people", "people/ana", "manage-projects", "running", "policy", "policy/diff?a=0&b=1", "audit", "who-had",
            "why?person=ana&project=p17&data=hiv"),
    "olga": ("people", "running", "policy", "audit", "who-had?dataset=hiv", "why"),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalWorld]:
    """One world for all of these tests: they only look."""
    built = PortalWorld(tmp_path_factory.mktemp("pages"))
    built.grant()
    built.running("lea")
    yield built
    built.engine.dispose()


@pytest.mark.parametrize(("person", "path"), [(who, path) for who, paths in PAGES.items() for path in EVERYONE + paths])
def test_a_page_answers(world: PortalWorld, person: str, path: str) -> None:
    answer = world.browser(person).get(path)
    assert answer.status_code == 200, answer.text
    assert "<main" in answer.text


@pytest.mark.parametrize(
    "path", ["people", "manage-projects", "running", "policy", "audit", "why", "who-had", "queue", "data"]
)
def test_a_researcher_is_told_whose_page_it_is(world: PortalWorld, path: str) -> None:
    answer = world.browser("ana").get(path)
    assert answer.status_code == 403
    assert "Not permitted" in answer.text


def test_a_project_of_others_is_not_there(world: PortalWorld) -> None:
    assert world.browser("rob").get("projects/p17").status_code == 404
    assert world.browser("ana").get("projects/p18").status_code == 404
    assert world.browser("ana").get("projects/nothing").status_code == 404


def test_mounts_are_shown_with_their_agreement_and_refusals_with_their_reason(world: PortalWorld) -> None:
    text = world.browser("ana").get("projects/p17").text
    assert "AGR-0001" in text
    assert "/data/hiv" in text


def test_a_page_that_is_not_there_says_so(world: PortalWorld) -> None:
    answer = world.browser("ana").get("nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
