import os
import stat

import pytest
from egress_world import World

from egress_review import imports, release, requests
from egress_review.errors import Invalid, NotPermitted, Refused, WrongState
from egress_review.imports import check_uploads
from egress_review.states import State


def drafted(world: World, files: dict[str, bytes]) -> str:
    request = world.do(
        requests.create_draft,
        world.settings,
        project_id="p17",
        title="Code",
        purpose="Model",
        actor="ana",
        direction="in",
    )
    for name, data in files.items():
        world.do(imports.upload, world.settings, request.id, name, [data], context="Mine, from home", actor="ana")
    return str(request.id)


def approved(world: World, files: dict[str, bytes]) -> str:
    request_id = drafted(world, files)
    assert world.submit(request_id) is State.InReview
    for person in ("sam", "sue"):
        world.vote(request_id, person)
    assert world.state(request_id) is State.Released
    return world.release_of(request_id)


def test_an_approved_import_is_placed_read_only(world: World) -> None:
    release_id = approved(world, {"model.py": b"print('hello')\r\n", "lib/a.py": b"x = 1\n"})
    placed = imports.place(world.engine, world.settings, release_id, actor="ana")
    assert placed == ["imports/req-0001/lib/a.py", "imports/req-0001/model.py"]
    path = world.settings.workspaces / "p17" / "ana" / placed[1]
    assert path.read_bytes() == b"print('hello')\r\n"  # as it came: nothing is rewritten inwards
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert imports.place(world.engine, world.settings, release_id, actor="ana") == placed
    with pytest.raises(NotPermitted):
        imports.place(world.engine, world.settings, release_id, actor="lea")


def test_an_import_never_goes_out_and_a_release_never_comes_in(world: World) -> None:
    inwards = approved(world, {"a.py": b"x = 1\n"})
    with pytest.raises(Refused, match="not the other way"):
        release.make_link(world.engine, world.settings, inwards, actor="ana")
    outwards = world.released()
    with pytest.raises(Refused, match="not the other way"):
        imports.place(world.engine, world.settings, outwards, actor="ana")


def test_nothing_is_placed_before_the_quorum(world: World) -> None:
    request_id = drafted(world, {"a.py": b"x = 1\n"})
    world.submit(request_id)
    world.vote(request_id, "sam")
    assert world.state(request_id) is State.InReview
    assert not (world.settings.workspaces / "p17" / "ana" / "imports").exists()


@pytest.mark.parametrize("trap", ["imports", "imports/req-0001", "imports/req-0001/a.py"])
def test_a_link_that_the_researcher_left_leads_nowhere(world: World, trap: str) -> None:
    release_id = approved(world, {"a.py": b"x = 1\n"})
    outside = world.settings.data_root / "outside"
    outside.mkdir()
    path = world.settings.workspaces / "p17" / "ana" / trap
    path.parent.mkdir(parents=True, exist_ok=True)
    if trap.endswith(".py"):
        path.symlink_to(outside / "victim")
        imports.place(world.engine, world.settings, release_id, actor="ana")
        assert not path.is_symlink()
    else:
        path.symlink_to(outside)
        with pytest.raises(Refused, match="does not take the files"):
            imports.place(world.engine, world.settings, release_id, actor="ana")
    assert os.listdir(outside) == []


SUSPECT = {
    "import-executable": {"a.py": b"\x7fELF rest", "b.txt": b"MZ\x90 rest"},
    "import-archive": {"a.zip": b"PK\x03\x04", "a.txt": b"\x1f\x8b\x08 rest", "x.whl": b"PK\x03\x04"},
    "import-pickle": {"m.pkl": b"x", "m.txt": b"\x80\x04\x95 rest"},
    "import-secret": {
        "k.txt": b"-----BEGIN RSA PRIVATE " + b"KEY-----\nabc",
        "aws.py": b"k = 'AKIA" + b"A" * 16 + b"'",
        "conf.py": b"password = 'correct-horse'",
        "t.txt": b"ghp_" + b"a" * 36,
    },
    "import-data": {"d.parquet": b"PAR1", "d.csv": b"a,b\n" * 2000},
    "import-script": {"run.sh": b"#!/bin/sh\nid\n"},
}


@pytest.mark.parametrize("rule", SUSPECT)
def test_what_is_suspect_is_found(world: World, rule: str) -> None:
    profile = world.settings.egress.profiles["default"]
    for name, data in SUSPECT[rule].items():
        path = world.settings.data_root / "upload"
        path.write_bytes(data)
        (result,) = check_uploads(world.settings, [(path, name)], profile)
        assert rule in {finding.rule for finding in result.findings}, name
        assert result.verdict == ("warn" if rule == "import-script" else "block")


def test_plain_code_and_small_tables_pass(world: World) -> None:
    profile = world.settings.egress.profiles["default"]
    for name, data in {
        "a.py": b"import pandas\nkey = load()\n",
        "codes.csv": b"code,name\n1,one\n",
        "n.md": b"# Hi",
    }.items():
        path = world.settings.data_root / "upload"
        path.write_bytes(data)
        (result,) = check_uploads(world.settings, [(path, name)], profile)
        assert result.verdict == "pass", (name, result.findings)


def test_limits_names_and_directions(world: World) -> None:
    request_id = drafted(world, {"a.py": b"x"})
    too_large = iter([b"x" * (world.settings.egress.max_file_bytes // 2 + 1)] * 2)
    with pytest.raises(Invalid, match=r"over .* bytes"):
        world.do(imports.upload, world.settings, request_id, "b", too_large, context="c", actor="ana")
    for name in ("../b", "/b", "A.py"):
        with pytest.raises(Invalid):
            world.do(imports.upload, world.settings, request_id, name, [b"x"], context="c", actor="ana")
    with pytest.raises(WrongState, match="uploaded, not picked"):
        world.do(requests.add_files, world.settings, request_id, ["x"], context="c", actor="ana")
    with pytest.raises(WrongState, match="picked from the workspace"):
        world.do(imports.upload, world.settings, world.draft({}), "b", [b"x"], context="c", actor="ana")
    with pytest.raises(Invalid, match="no files"):
        world.submit(drafted(world, {}))
