"""The worker's own root: nothing of the data is in it, and late imports work from below a closed folder."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from egress_review import jail

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts of one's own need root")
NOBODY = 65534


def in_child(work: Callable[[], None]) -> str:
    """Runs `work` in a forked process and returns what went wrong there; empty when nothing did."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = ""
        try:
            work()
        except BaseException:
            said = traceback.format_exc()
        os.write(writing, said.encode()[:60000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def shut_in(*more: str) -> None:
    assert jail.enter([*jail.needed(), *more])
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def test_nothing_but_programs_is_there(tmp_path: Path) -> None:
    secret = tmp_path / "data"
    secret.mkdir(mode=0o777)
    (secret / "people.csv").write_text("x")

    def look() -> None:
        assert (secret / "people.csv").exists()
        shut_in()
        assert not secret.exists()
        assert not Path("/etc/passwd").exists()
        assert not Path("/var").exists()
        assert not Path("/proc/self").exists()
        assert Path("/usr/bin").is_dir()

    assert in_child(look) == ""


def test_nothing_can_be_written() -> None:
    def write() -> None:
        shut_in()
        for folder in ("/", "/usr", str(Path(jail.__file__).parent)):
            with pytest.raises(OSError):
                (Path(folder) / "left-behind").write_text("x")

    assert in_child(write) == ""


def test_a_late_import_works_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    package = closed / "late_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("ANSWER = 42\n")
    closed.chmod(0o700)

    def without() -> None:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        sys.path.insert(0, str(closed))
        __import__("late_package")

    def within() -> None:
        shut_in(str(package))
        sys.path.insert(0, str(closed))
        assert __import__("late_package").ANSWER == 42

    assert "No module named 'late_package'" in in_child(without)
    assert in_child(within) == ""


def test_the_mounts_of_others_are_as_they_were() -> None:
    before = Path("/proc/mounts").read_text()
    assert in_child(shut_in) == ""
    assert Path("/proc/mounts").read_text() == before
