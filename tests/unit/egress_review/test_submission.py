"""Submitting with the real checks and the real canonical forms, in their sandbox."""

from egress_world import World

from egress_review import release, requests
from egress_review.states import State


def submit(world: World, files: dict[str, bytes]) -> str:
    request = world.do(requests.create_draft, world.settings, project_id="p17", title="T", purpose="P", actor="ana")
    for name, data in files.items():
        world.write(name, data)
        world.do(requests.add_files, world.settings, request.id, [name], context="Counts of all people", actor="ana")
    assert requests.submit(world.engine, world.settings, request.id, actor="ana") is State.InReview
    return str(request.id)


def test_a_rounded_table_goes_all_the_way(bare_world: World) -> None:
    request_id = submit(bare_world, {"t.csv": b"sex,n\r\nf,1200\r\nm,1350\r\n"})
    (file,) = bare_world.files(request_id)
    assert file.kind == "csv"
    assert file.verdict in {"pass", "warn"}, file.findings
    assert file.facts["rounded"] is True
    for person in ("sam", "gil"):
        bare_world.vote(request_id, person)
    release_id = bare_world.release_of(request_id)
    (out,) = bare_world.ask(release.release_files, release_id)
    assert out.media_type == "text/csv"
    token = release.make_link(bare_world.engine, bare_world.settings, release_id, actor="ana", release_file_id=out.id)
    got = release.redeem(bare_world.engine, bare_world.settings, token, actor="ana")
    assert got.read().split() == [b"sex,n", b"f,1200", b"m,1350"]


def test_small_cells_and_programs_are_blocked(bare_world: World) -> None:
    request_id = submit(bare_world, {"t.csv": b"sex,n\nf,2\nm,135\n", "tool.csv": b"\x7fELF" + bytes(range(256)) * 4})
    table, tool = bare_world.files(request_id)
    assert table.verdict == tool.verdict == "block"
    assert tool.rewrite_sha256 is None
    assert "no-canonical-form" in {finding["rule"] for finding in tool.findings}


def test_two_names_never_leave_as_one(bare_world: World) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="20" height="20" fill="red"/></svg>'
    request_id = submit(bare_world, {"fig.svg": svg, "fig.txt": b"A figure of all people.\n"})
    names = [file.rewrite_name for file in bare_world.files(request_id)]
    assert len(set(names)) == 2
