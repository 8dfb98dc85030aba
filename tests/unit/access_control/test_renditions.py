from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from data_world import KEYED, OPEN, PEOPLE_CSV, DataWorld, data_world  # noqa: F401 - a fixture

from access_control import renditions
from access_control.database import reading, writing
from access_control.errors import Invalid, NotFound, NotPermitted, Refused
from access_control.models import Rendition, RenditionVersion


def write(data: DataWorld, rendition: str, project: str | None = None) -> RenditionVersion:
    with writing(data.engine) as db:
        return renditions.materialise(db, data.settings, rendition, project)


def ensure(data: DataWorld, rendition: str, project: str) -> RenditionVersion:
    with writing(data.engine) as db:
        return renditions.ensure_materialised(db, data.settings, rendition, project)


def rows(data: DataWorld, version: RenditionVersion) -> list[dict[str, Any]]:
    return data.table(version).to_pylist()


def test_a_rendition_is_published_as_declared(data: DataWorld) -> None:
    data.add()
    before = data.change()
    data.publish()
    [version] = data.versions("people/open")
    assert (version.number, version.rows, version.state, version.project_id) == (1, 240, "published", None)
    assert version.path == "renditions/people/open/1"
    assert Counter(row["age"] for row in rows(data, version)) == {"20-29": 60, "30-39": 60, "40-49": 60, "50-59": 60}
    assert data.table(version).column_names == ["age", "sex"]
    assert [(c["name"], c["type"], c.get("treatment")) for c in version.columns] == [
        ("age", "string", "in bands of 10"),
        ("sex", "string", None),
    ]
    assert version.uniqueness["smallest_group"] == 30
    assert data.change() > before
    [entry] = data.acts("rendition:published")
    assert entry["details"]["files"] == version.files


def test_the_folder_is_what_a_session_may_see_and_nothing_more(data: DataWorld) -> None:
    data.add()
    data.publish()
    [version] = data.versions("people/open")
    folder = data.settings.data_root / version.path
    assert {path.name for path in folder.iterdir()} == {"data.parquet", "datapackage.json"} == set(version.files)
    assert oct(folder.stat().st_mode)[-3:] == "555"
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"444"}
    package = data.package(version)
    assert [field["name"] for field in package["resources"][0]["schema"]["fields"]] == ["age", "sex"]
    assert "uniqueness" not in str(package)
    assert b"town" not in (folder / "data.parquet").read_bytes()


def test_what_is_pseudonymised_differs_between_projects_and_cannot_be_joined(data: DataWorld) -> None:
    data.add()
    data.publish(KEYED)
    assert data.versions("people/keyed") == []
    ours, theirs = ensure(data, "people/keyed", "p17"), ensure(data, "people/keyed", "p18")
    assert (ours.path, theirs.path) == ("renditions/people/keyed/1-p17", "renditions/people/keyed/1-p18")
    one, other = rows(data, ours), rows(data, theirs)
    assert len({row["person"] for row in one}) == 240
    assert not {row["person"] for row in one} & {row["person"] for row in other}
    # Neither name nor place in the file may link them: the order is another one in each.
    assert [row["age"] for row in one] != [row["age"] for row in other]
    assert [row["age"] for row in one] != [20 + n % 40 for n in range(240)]
    assert Counter(row["age"] for row in one) == Counter(row["age"] for row in other)


def test_a_person_keeps_the_pseudonym_in_later_versions(data: DataWorld) -> None:
    data.add("id,age\n1,10\n2,20\n")
    data.publish(KEYED)
    first = ensure(data, "people/keyed", "p17")
    data.add("id,age\n2,21\n3,30\n")
    data.publish(KEYED)
    second = data.versions("people/keyed")[-1]
    assert (second.number, second.dataset_version, second.project_id) == (2, 2, "p17")
    names = {row["age"]: row["person"] for row in rows(data, first) + rows(data, second)}
    assert names[20] == names[21]
    assert len(set(names.values())) == 3


def test_ensure_writes_once(data: DataWorld) -> None:
    data.add()
    data.publish(KEYED)
    data.publish(OPEN)
    assert ensure(data, "people/keyed", "p17").id == ensure(data, "people/keyed", "p17").id
    assert ensure(data, "people/open", "p17").id == ensure(data, "people/open", "p18").id
    assert len(data.versions("people/keyed")) == len(data.versions("people/open")) == 1


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ('column = "age"\nat_least = 50', 60),
        ('column = "age"\nabove = 50\nbelow = 52', 6),
        ('column = "age"\nat_most = 20', 6),
        ('column = "sex"\nequals = "f"', 120),
        ('column = "town"\none_of = ["Aa", "Bo"]', 160),
        ('column = "town"\nnone_of = ["Aa"]', 160),
        ('column = "age"\none_of = [20, 21.5]', 6),
        ('column = "town"\npresent = true', 240),
    ],
)
def test_rows_are_filtered(data: DataWorld, condition: str, left: int) -> None:
    data.add()
    data.publish(f"{OPEN}\n[[rows]]\n{condition}\n")
    assert data.versions("people/open")[0].rows == left


def test_a_missing_value_meets_no_condition(data: DataWorld) -> None:
    data.add("age,sex\n,f\n20,m\n30,\n")
    data.publish(OPEN + '[[rows]]\ncolumn = "age"\nbelow = 99\n[[rows]]\ncolumn = "sex"\nnone_of = ["x"]\n')
    assert rows(data, data.versions("people/open")[0]) == [{"age": "20-29", "sex": "m"}]


def test_days_are_compared_as_days(data: DataWorld) -> None:
    data.add("age,sex,seen\n20,f,2020-01-01\n30,m,2021-01-01\n")
    data.publish(OPEN + '[[rows]]\ncolumn = "seen"\nabove = 2020-06-01\n')
    assert [row["sex"] for row in rows(data, data.versions("people/open")[0])] == ["m"]


SUPPRESSED = "age,sex\n" + "20,f\n" * 12 + "30,f\n" * 7 + "40,m\n" * 4


@pytest.mark.parametrize(
    ("how", "below", "expected"),
    [
        ("rows", 5, {("20-29", "f"): 12, ("30-39", "f"): 7}),
        ("rows", 10, {("20-29", "f"): 12}),
        ("values", 10, {("20-29", "f"): 12, (None, None): 11}),
        # Four rows made missing would be a small group of their own: they go.
        ("values", 5, {("20-29", "f"): 12, ("30-39", "f"): 7}),
    ],
)
def test_small_groups_are_suppressed(data: DataWorld, how: str, below: int, expected: dict[Any, int]) -> None:
    data.add(SUPPRESSED)
    data.publish(OPEN + f'[suppress]\ntogether = ["age", "sex"]\nbelow = {below}\nhow = "{how}"\n')
    [version] = data.versions("people/open")
    assert Counter((row["age"], row["sex"]) for row in rows(data, version)) == expected
    assert version.uniqueness["smallest_group"] >= below
    assert all(b"unsuppressed" not in name.encode() for name in data.stored())


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("[checks]\nrows_at_least = 1000\n", "240 rows; at least 1,000 wanted"),
        ('[checks.sex]\none_of = ["f"]\n', "120 values are none of those listed"),
        ('[checks.age]\ntype = "integer"\n', "is of type string; integer wanted"),
        ("smallest_group = 31\n", "smallest group has 30 rows"),
    ],
)
def test_a_failed_check_stops_publication_whole(data: DataWorld, more: str, fault: str) -> None:
    data.add()
    with pytest.raises(Refused, match=fault):
        data.publish(OPEN + more)
    assert data.versions("people/open") == []
    assert all(name.startswith("datasets/") for name in data.stored())
    with reading(data.engine) as db:
        assert db.get(Rendition, "people/open") is None


def test_a_failed_check_shows_before_any_project_has_it(data: DataWorld) -> None:
    data.add()
    with pytest.raises(Refused, match="at least 1,000"):
        data.publish(KEYED + "[checks]\nrows_at_least = 1000\n")
    with reading(data.engine) as db:
        assert db.get(Rendition, "people/keyed") is None


def test_a_failed_new_version_leaves_the_old_one(data: DataWorld) -> None:
    data.add()
    data.publish(OPEN + "[checks]\nrows_at_least = 100\n")
    data.add("age,sex\n20,f\n")
    with pytest.raises(Refused):
        data.publish(OPEN + "[checks]\nrows_at_least = 100\n")
    with reading(data.engine) as db:
        current = renditions.current_version(db, "people/open", "p17")
    assert current is not None
    assert (current.number, current.rows) == (1, 240)


def test_a_new_version_leaves_the_older_one_in_place(data: DataWorld) -> None:
    data.add()
    data.publish()
    data.publish()
    first, second = data.versions("people/open")
    assert (first.state, second.state, second.number) == ("published", "published", 2)
    assert data.table(first).num_rows == data.table(second).num_rows == 240
    with reading(data.engine) as db:
        current = renditions.current_version(db, "people/open", None)
    assert current is not None
    assert current.number == 2


def test_a_withdrawn_version_is_out_of_use_and_the_one_before_counts_again(data: DataWorld) -> None:
    data.add()
    data.publish()
    data.publish()
    before = data.change()
    with writing(data.engine) as db:
        renditions.withdraw_rendition_version(db, "people/open", 2, actor="sam", reason="a mistake")
    with reading(data.engine) as db:
        current = renditions.current_version(db, "people/open", None)
    assert current is not None
    assert current.number == 1
    assert data.change() > before
    [entry] = data.acts("rendition:withdrawn")
    assert (entry["details"]["version"], entry["details"]["reason"]) == (2, "a mistake")


@pytest.mark.parametrize(
    ("changed", "error", "fault"),
    [
        ({"actor": "gil"}, NotPermitted, "withdraw versions"),
        ({"number": 7}, NotFound, "no version 7"),
        ({"reason": " "}, Invalid, "reason is needed"),
        ({"rendition_id": "people/none"}, NotFound, "no rendition"),
        ({"project_id": "p17"}, NotFound, "no version 1 for project p17"),
    ],
)
def test_what_cannot_be_withdrawn(data: DataWorld, changed: dict[str, Any], error: type[Exception], fault: str) -> None:
    data.add()
    data.publish()
    wanted: dict[str, Any] = {"rendition_id": "people/open", "number": 1, "actor": "sam", "reason": "why", **changed}
    with pytest.raises(error, match=fault), writing(data.engine) as db:
        renditions.withdraw_rendition_version(db, **wanted)
    assert data.versions("people/open")[0].state == "published"


def test_only_the_owners_steward_publishes(data: DataWorld) -> None:
    data.add()
    for actor in ("gil", "nobody"):
        with pytest.raises(NotPermitted, match="publish renditions of people"):
            data.publish(actor=actor)


def test_project_and_rendition_must_go_together(data: DataWorld) -> None:
    data.add()
    data.publish(OPEN)
    data.publish(KEYED)
    for rendition, project, error in (
        ("people/keyed", None, Refused),
        ("people/open", "p17", Refused),
        ("people/keyed", "p99", NotFound),
        ("people/none", None, NotFound),
    ):
        with pytest.raises(error):
            write(data, rendition, project)


def test_a_rendition_stays_keyed_by_project_or_not(data: DataWorld) -> None:
    data.add()
    data.publish(OPEN)
    with pytest.raises(Refused, match="cannot be changed to be keyed by project"):
        data.publish(KEYED.replace("people/keyed", "people/open"))


def test_nothing_is_made_from_an_altered_original(data: DataWorld) -> None:
    original = data.settings.data_root / data.add().path / "data.parquet"
    original.chmod(0o600)
    original.write_bytes(original.read_bytes() + b" ")
    with pytest.raises(Refused, match="was altered since it was added"):
        data.publish()
    original.unlink()
    with pytest.raises(Refused, match="cannot be read"):
        data.publish()


def test_a_rollback_takes_the_version_away(data: DataWorld) -> None:
    data.add()
    with pytest.raises(RuntimeError), writing(data.engine) as db:
        renditions.publish_rendition(db, data.settings, OPEN, actor="sam")
        raise RuntimeError
    assert all(name.startswith("datasets/") for name in data.stored())


def test_a_declaration_is_read_from_its_file(data: DataWorld, tmp_path: Path) -> None:
    data.add()
    path = tmp_path / "open.toml"
    path.write_text(OPEN.replace("bands = 10", "bnds = 10"))
    with pytest.raises(Invalid, match=r"open\.toml is not accepted"), writing(data.engine) as db:
        renditions.publish_rendition(db, data.settings, path, actor="sam")
    with pytest.raises(Invalid, match="cannot be read"), reading(data.engine) as db:
        renditions.check_declaration(db, tmp_path / "none.toml")


def test_a_large_publication_needs_no_open_transaction(data: DataWorld) -> None:
    data.add()
    with reading(data.engine) as db:
        publication = renditions.prepare_publication(db, data.settings, OPEN, actor="sam")
    staged = renditions.stage_all(data.settings, publication)
    data.add(PEOPLE_CSV + "999,50,f,Aa\n")
    with pytest.raises(Refused, match="changed while it was written"), writing(data.engine) as db:
        renditions.complete_publication(db, data.settings, publication, staged, actor="sam")
    assert all(name.startswith("datasets/") for name in data.stored())
