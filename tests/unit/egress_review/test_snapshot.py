import errno
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from access_control.settings import Egress
from egress_review import snapshot
from egress_review.errors import EgressError, Invalid, NotFound, Refused
from egress_review.snapshot import Taken, expand, list_workspace, take
from egress_review.store import Store

LIMITS = Egress(max_files=5, max_file_bytes=1000, max_request_bytes=1500)


class Place:
    def __init__(self, root: Path) -> None:
        self.base = root / "workspaces"
        self.home = self.base / "p17" / "ana"
        self.home.mkdir(parents=True)
        self.store = Store(root / "store")
        self.outside = root / "outside"
        self.outside.mkdir()
        (self.outside / "secret.csv").write_text("secret")

    def write(self, name: str, data: bytes = b"data") -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, *names: str, limits: Egress = LIMITS) -> list[Taken]:
        return take(self.store, self.base, "p17", "ana", names, limits=limits)

    def expand(self, *patterns: str) -> list[str]:
        return expand(self.base, "p17", "ana", patterns, LIMITS)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_files_are_taken_with_their_hashes(place: Place) -> None:
    place.write("a.csv", b"one")
    place.write("out/b.csv", b"")
    taken = place.take("a.csv", "out/b.csv")
    assert [(each.name, each.size) for each in taken] == [("a.csv", 3), ("out/b.csv", 0)]
    assert taken[0].sha256 == hashlib.sha256(b"one").hexdigest()
    assert place.store.read(taken[0].sha256) == b"one"


def make_link(place: Place) -> str:
    (place.home / "x").symlink_to(place.outside / "secret.csv")
    return "x"


def make_link_inside(place: Place) -> str:
    place.write("a")
    (place.home / "x").symlink_to("a")
    return "x"


def make_linked_folder(place: Place) -> str:
    (place.home / "x").symlink_to(place.outside)
    return "x/secret.csv"


def make_hard_link(place: Place) -> str:
    os.link(place.write("a"), place.home / "x")
    return "x"


def make_pipe(place: Place) -> str:
    os.mkfifo(place.home / "x")
    return "x"


def make_socket(place: Place) -> str:
    here = os.open(place.home, os.O_RDONLY)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/x")
    os.close(here)
    return "x"


def make_folder(place: Place) -> str:
    (place.home / "x").mkdir()
    return "x"


def make_sparse(place: Place) -> str:
    with (place.home / "x").open("wb") as file:
        file.truncate(900)
    return "x"


def make_large(place: Place) -> str:
    place.write("x", b"x" * 1001)
    return "x"


def make_nothing(place: Place) -> str:
    return "x"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (make_link, "is a link"),
        (make_link_inside, "is a link"),
        (make_linked_folder, "link"),
        (make_hard_link, "2 hard links"),
        (make_pipe, "no regular file"),
        (make_socket, "no regular file"),
        (make_folder, "is a folder"),
        (make_sparse, "has holes"),
        (make_large, "1,001 bytes"),
        (make_nothing, "not in the workspace"),
    ],
)
def test_what_is_no_plain_file_is_refused(place: Place, make: object, says: str) -> None:
    name = make(place)  # type: ignore[operator]
    with pytest.raises(Invalid, match=says):
        place.take(name)
    assert not list((place.store.root / "blobs").glob("*/*"))


@pytest.mark.parametrize("name", ["../../outside/secret.csv", "/etc/passwd", "..", "a/../../b"])
def test_no_name_leads_out_of_the_workspace(place: Place, name: str) -> None:
    with pytest.raises(Invalid):
        place.take(name)


def test_a_workspace_that_is_a_link_is_refused(place: Place) -> None:
    place.home.rmdir()
    place.home.symlink_to(place.outside)
    with pytest.raises((EgressError, OSError)):
        place.take("secret.csv")


def test_no_workspace_is_said(place: Place) -> None:
    with pytest.raises(NotFound, match="Open a session"):
        take(place.store, place.base, "p17", "bob", ["a"], limits=LIMITS)
    with pytest.raises(NotFound, match="Open a session"):
        expand(place.base, "p17", "bob", ["a"], LIMITS)
    assert list_workspace(place.base, "p17", "bob") == []


def test_limits_on_number_and_sum(place: Place) -> None:
    for name in "abcdef":
        place.write(name, b"x" * 800)
    with pytest.raises(Invalid, match="6 files"):
        place.take(*"abcdef")
    with pytest.raises(Invalid, match="1,500 bytes together"):
        place.take("a", "b")
    with pytest.raises(Invalid, match="no files"):
        place.take()
    with pytest.raises(Invalid, match="6 files"):
        place.expand("*")


def changing(monkeypatch: pytest.MonkeyPatch, path: Path, change: object, after: int) -> None:
    """Changes the file once `after` chunks of it were read."""
    real, count = snapshot._chunks, [0]

    def chunks(fd: int, most: int) -> Iterator[bytes]:
        for chunk in real(fd, most):
            yield chunk
            count[0] += 1
            if count[0] == after:
                change(path)  # type: ignore[operator]

    monkeypatch.setattr(snapshot, "_chunks", chunks)


def rewritten(path: Path) -> None:
    path.write_bytes(b"B" * 100)


def rewritten_with_old_times(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"B" * 100)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def cut(path: Path) -> None:
    os.truncate(path, 10)


def linked(path: Path) -> None:
    os.link(path, path.with_name("other"))


@pytest.mark.parametrize("change", [rewritten, rewritten_with_old_times, grown, cut, linked])
@pytest.mark.parametrize("after", [1, 2])
def test_a_file_that_changes_while_it_is_copied_is_found(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: object, after: int
) -> None:
    path = place.write("a", b"A" * 100)
    changing(monkeypatch, path, change, after)
    with pytest.raises(Refused, match="changed while it was copied"):
        place.take("a")
    assert not list((place.store.root / "blobs").glob("*/*"))
    assert list((place.store.root / "staging").iterdir()) == []


def test_a_file_swapped_for_a_link_all_the_time_never_gives_what_lies_outside(place: Place) -> None:
    place.write("a", b"mine")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (place.home / "l").symlink_to(place.outside / "secret.csv")
            os.replace(place.home / "l", place.home / "a")
            (place.home / "f").write_bytes(b"mine")
            os.replace(place.home / "f", place.home / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(300):
            try:
                (taken,) = place.take("a")
            except EgressError:
                continue
            assert taken.sha256 == hashlib.sha256(b"mine").hexdigest()
    finally:
        stop.set()
        swapper.join()


def test_a_full_disk_leaves_no_half_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("a")

    def no_room(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(snapshot, "write_all", no_room)
    with pytest.raises(Refused, match="disk is full"):
        place.take("a")
    assert list((place.store.root / "staging").iterdir()) == []


def test_files_folders_and_globs(place: Place) -> None:
    for name in ("a.csv", "out/b.csv", "out/deep/c.png", "out/.hidden", ".ipynb_checkpoints/a.csv"):
        place.write(name)
    assert place.expand("a.csv") == ["a.csv"]
    assert place.expand("out") == place.expand("./out/") == ["out/b.csv", "out/deep/c.png"]
    assert place.expand("**/*.csv", "a.csv") == ["a.csv", "out/b.csv"]
    assert place.expand("out/.hidden") == ["out/.hidden"]
    for pattern in ("*.xlsx", "/etc", "../../outside/*", "nothing"):
        with pytest.raises(Invalid, match="matches"):
            place.expand(pattern)


def test_links_are_shown_with_the_reason_and_never_followed(place: Place) -> None:
    place.write("a")
    (place.home / "l").symlink_to(place.outside / "secret.csv")
    (place.home / "d").symlink_to(place.outside)
    found = {file.name: file.problem for file in list_workspace(place.base, "p17", "ana")}
    assert found["a"] == ""
    assert "link" in found["l"]
    assert "link" in found["d"]
    assert set(found) == {"a", "l", "d"}
    with pytest.raises(Invalid, match="link"):
        place.expand("*")


def test_a_name_that_is_no_text_is_shown_and_cannot_be_taken(place: Place) -> None:
    (place.home / os.fsdecode(b"\xff.csv")).write_bytes(b"x")
    (file,) = list_workspace(place.base, "p17", "ana")
    assert "\\xff" in file.name or "udcff" in file.name
    assert file.problem
