"""The demo's world: built whole, twice without change, and deciding as its people expect."""

import pytest

from access_control import clock
from access_control.database import open_database, reading
from access_control.keeper import PolicyKeeper
from access_control.models import Agreement, Person, Project, Rendition
from access_control.settings import Settings
from access_control.snapshot import Snapshot
from hub.demo import world
from hub.demo.prepare import build_world
from hub.prepare import prepare


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(data_root=tmp_path_factory.mktemp("world") / "data")
    engine, _ = prepare(settings)
    build_world(engine, settings)
    return settings


@pytest.fixture(scope="module")
def snapshot(built: Settings) -> Snapshot:
    return PolicyKeeper(open_database(built.database), built.data_root).current()


def test_it_may_be_built_again(built: Settings) -> None:
    engine = open_database(built.database)
    with reading(engine) as db:
        before = [db.query(table).count() for table in (Person, Project, Agreement, Rendition)]
    build_world(engine, built)
    with reading(engine) as db:
        assert [db.query(table).count() for table in (Person, Project, Agreement, Rendition)] == before
    assert before[0] == len(world.PEOPLE)


@pytest.mark.parametrize(
    ("person", "project", "renditions"),
    [
        ("ana", "smoking", {"nhefs/pseudonymised", "randhie/open"}),
        ("bo", "smoking", {"randhie/open"}),
        ("ana", "wages", {"wagepan/pseudonymised", "gpa2/full"}),
        ("ana", "empty", set()),
        ("cem", "smoking", set()),
        ("eve", "smoking", set()),
        ("sol", "smoking", set()),
    ],
)
def test_who_sees_what(snapshot: Snapshot, person: str, project: str, renditions: set[str]) -> None:
    assert {mount.rendition for mount in snapshot.mounts(person, project, clock.today())} == renditions


def test_duties_are_of_those_who_hold_them(snapshot: Snapshot) -> None:
    today = clock.today()
    assert snapshot.may("sam", "review", today, owner="health-institute", author="ana", project="smoking").allowed
    assert not snapshot.may("tom", "review", today, owner="health-institute", author="ana").allowed
    assert not snapshot.may("ana", "review", today, owner="health-institute", author="ana").allowed
    assert snapshot.may("eve", "administer", today).allowed
    assert snapshot.may("ivy", "audit", today).allowed
    assert not snapshot.may("ivy", "administer", today).allowed
    assert not snapshot.may("ana", "open", today, project="paused").allowed
