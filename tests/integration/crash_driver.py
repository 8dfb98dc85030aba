"""Runs one operation of the review queue again and again, killed with SIGKILL at its first, second, third … step.

A step is whatever changes something that outlives the process: a write, sync or rename of a file, a folder made, a
statement that writes, a commit. After each death another process looks at what is left and finishes the job. Usage: crash_driver.py OPERATION FOLDER
"""

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "egress_review"))

from egress_world import World, plain_checker, plain_rewriter
from sqlalchemy import event, func, select

from egress_review import fsck, imports, release, requests
from egress_review.errors import EgressError
from egress_review.models import Download, DownloadLink, Release, RequestFile, Vote
from egress_review.states import State

REQUEST, RELEASE = "REQ-0001", "REL-0001"
FILES = {"a.csv": "k,n\r\nx,60\r\ny,70\r\n", "out/b.csv": "j,n\r\nu,80\r\nv,90\r\n"}


def kill_at(world: World, number: int) -> None:
    """From now on this process dies just before its step of that number."""
    left = [number]

    def step(*_: object, **__: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(function: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            step()
            return function(*args, **kwargs)

        return stepped

    for name in ("fsync", "replace", "rename", "link", "unlink", "mkdir", "fchmod", "write"):
        setattr(os, name, before(getattr(os, name)))

    @event.listens_for(world.engine, "before_cursor_execute")
    def _statement(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            step()

    event.listen(world.engine, "commit", step)


def count(world: World, kind: type, *conditions: Any) -> int:
    return int(world.ask(lambda db: db.scalar(select(func.count()).select_from(kind).where(*conditions))))


def fetch(world: World, *, whole: bool = False) -> bytes:
    files = world.ask(release.release_files, RELEASE)
    chosen = None if whole else files[0].id
    token = release.make_link(world.engine, world.settings, RELEASE, actor="ana", release_file_id=chosen)
    return release.redeem(world.engine, world.settings, token, actor="ana").read()


class Submit:
    """Snapshot of two files, checks, queue."""

    def prepare(self, world: World) -> None:
        world.draft(FILES)

    def run(self, world: World) -> None:
        world.submit(REQUEST)

    def verify(self, world: World) -> None:
        assert world.state(REQUEST) in {State.Draft, State.Submitted, State.Checking, State.InReview}
        assert {file.name for file in world.files(REQUEST)} == set(FILES)
        resume(world)
        if world.state(REQUEST) is State.Draft:
            world.submit(REQUEST)
        assert world.state(REQUEST) is State.InReview
        assert count(world, RequestFile) == len(FILES)
        assert steps(world, "submit") == steps(world, "queue") == 1
        assert world.request(REQUEST).turn == 1


class FirstVote:
    """A claim, a new key, a signature, a vote."""

    def prepare(self, world: World) -> None:
        world.submitted({"a.csv": FILES["a.csv"]})

    def run(self, world: World) -> None:
        world.vote(REQUEST, "sam")

    def verify(self, world: World) -> None:
        assert world.state(REQUEST) is State.InReview
        assert count(world, Vote) in {0, 1}
        if not count(world, Vote):
            world.vote(REQUEST, "sam")
        world.vote(REQUEST, "sue")
        released(world)


class LastVote:
    """The vote that completes the quorum: sign, decide, release, ledger."""

    def prepare(self, world: World) -> None:
        world.submitted({"a.csv": FILES["a.csv"]})
        world.vote(REQUEST, "sam")

    def run(self, world: World) -> None:
        world.vote(REQUEST, "sue")

    def verify(self, world: World) -> None:
        state = world.state(REQUEST)
        assert (state, count(world, Vote), count(world, Release)) in {(State.InReview, 1, 0), (State.Released, 2, 1)}
        resume(world)
        if state is State.InReview:
            world.vote(REQUEST, "sue")
        released(world)


class Fetch:
    """A link made and redeemed: each download counted once, each link spent once."""

    whole = False

    def prepare(self, world: World) -> None:
        world.released({"a.csv": FILES["a.csv"]})

    def run(self, world: World) -> None:
        fetch(world, whole=self.whole)

    def verify(self, world: World) -> None:
        spent = count(world, DownloadLink, DownloadLink.used_at.is_not(None))
        assert count(world, Download) == spent <= 1
        assert count(world, DownloadLink) <= 1
        resume(world)
        data = fetch(world, whole=self.whole)
        assert data[:2] == b"PK" if self.whole else data == FILES["a.csv"].replace("\r\n", "\n").encode()
        assert count(world, Download) == spent + 1


class FetchBundle(Fetch):
    """The same for the bundle, which is packed, signed and stored on the way."""

    whole = True


class Resubmit:
    """The next turn of two files, of which one was mended and the other keeps its votes."""

    def prepare(self, world: World) -> None:
        world.submitted(FILES)
        for person in ("sam", "sue"):
            world.vote(REQUEST, person, "changes", "a.csv")
            world.vote(REQUEST, person, "approve", "out/b.csv")
        world.write("a.csv", "k,n\r\nx,160\r\ny,170\r\n")

    def run(self, world: World) -> None:
        world.submit(REQUEST)

    def verify(self, world: World) -> None:
        resume(world)
        if world.state(REQUEST) is State.ChangesAsked:
            assert world.request(REQUEST).turn == 1
            world.submit(REQUEST)
        assert (world.state(REQUEST), world.request(REQUEST).turn) == (State.InReview, 2)
        assert steps(world, "resubmit") == 1
        assert [file.since_turn for file in world.files(REQUEST)] == [2, 1]
        for person in ("sam", "sue"):
            world.vote(REQUEST, person, "approve", "a.csv")
        assert world.state(REQUEST) is State.Released
        assert fetch(world) == b"k,n\nx,160\ny,170\n"


class Revoke:
    """A release taken back while a link to it is out: either all of it holds, or the link still works."""

    def prepare(self, world: World) -> None:
        world.released({"a.csv": FILES["a.csv"]})
        files = world.ask(release.release_files, RELEASE)
        token = release.make_link(world.engine, world.settings, RELEASE, actor="ana", release_file_id=files[0].id)
        (world.settings.data_root / "token").write_text(token)

    def run(self, world: World) -> None:
        world.do(release.revoke, world.settings, RELEASE, actor="sam", reason="a small cell")

    def verify(self, world: World) -> None:
        state, token = world.state(REQUEST), (world.settings.data_root / "token").read_text()
        dead = count(world, DownloadLink, DownloadLink.killed_at.is_not(None))
        revoked = count(world, Release, Release.revoked_at.is_not(None))
        assert (state, dead, revoked) in {(State.Released, 0, 0), (State.Revoked, 1, 1)}
        resume(world)
        assert world.state(REQUEST) is state
        try:
            release.redeem(world.engine, world.settings, token, actor="ana")
        except EgressError:
            assert state is State.Revoked
        else:
            assert state is State.Released


class Place:
    """An approved import written into the workspace: whole or not at all, and again on demand."""

    def prepare(self, world: World) -> None:
        made = world.do(
            requests.create_draft, world.settings, project_id="p17", title="T", purpose="P", actor="ana",
            direction="in",
        )  # fmt: skip
        world.do(imports.upload, world.settings, made.id, "tool.py", [b"print(1)\n"], context="own", actor="ana")
        world.submit(made.id)
        for person in ("sam", "sue"):
            world.vote(made.id, person)

    def run(self, world: World) -> None:
        imports.place(world.engine, world.settings, RELEASE, actor="ana")

    def verify(self, world: World) -> None:
        folder = world.settings.workspaces / "p17" / "ana" / "imports" / REQUEST.lower()
        there = [path.name for path in folder.glob("*") if not path.name.startswith(".import-")]
        assert there in ([], ["tool.py"])
        imports.place(world.engine, world.settings, RELEASE, actor="ana")
        assert (folder / "tool.py").read_bytes() == b"print(1)\n"
        assert (folder / "tool.py").stat().st_mode & 0o777 == 0o444


OPERATIONS = {
    each.__name__: each for each in (Submit, Resubmit, FirstVote, LastVote, Fetch, FetchBundle, Revoke, Place)
}


def steps(world: World, step: str) -> int:
    return sum(json.loads(body)["details"].get("step") == step for body in world.log())


def resume(world: World) -> None:
    assert requests.resume(world.engine, world.settings, checker=plain_checker, rewriter=plain_rewriter) == []


def released(world: World) -> None:
    """Released once, with two signatures that verify at the gate, and the bytes that were reviewed."""
    assert world.state(REQUEST) is State.Released
    assert (count(world, Vote), count(world, Release)) == (2, 1)
    assert fetch(world) == FILES["a.csv"].replace("\r\n", "\n").encode()


def whole(world: World) -> None:
    """Nothing is damaged or missing, and the log has no gap."""
    assert world.ask(fsck.fsck, world.settings) == []
    numbers = [json.loads(body)["seq"] for body in world.log()]
    assert numbers == list(range(1, len(numbers) + 1))


def forked(work: Callable[[], None]) -> int:
    """Does `work` in a process of its own: 0 done, 1 failed, negative the signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def opened(root: Path, work: Callable[[World], None]) -> None:
    world = World(root, build=False)
    work(world)
    world.close()


def main(name: str, folder: Path) -> int:
    operation = OPERATIONS[name]()
    template, work = folder / "template", folder / "work"

    def build() -> None:
        world = World(template)
        world.open_to("hiv/full")
        operation.prepare(world)
        world.close()

    if forked(build):
        return 1
    for number in range(1, 500):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(template, work)

        def run(world: World, number: int = number) -> None:
            kill_at(world, number)
            operation.run(world)

        ended = forked(lambda run=run: opened(work, run))

        def verify(world: World) -> None:
            whole(world)
            operation.verify(world)
            whole(world)

        if ended not in {0, -signal.SIGKILL} or forked(lambda verify=verify: opened(work, verify)):
            print(f"{name}: wrong after step {number} (it ended with {ended})", file=sys.stderr)
            return 1
        if ended == 0:
            print(number - 1)
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
