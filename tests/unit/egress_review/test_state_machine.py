"""Whatever people do, in whatever order: nothing leaves without its quorum, and nothing but the bytes that were reviewed.

The oracle keeps its own book of who approved which bytes; it knows nothing of the enclave's tables.
"""

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from egress_world import PEOPLE, World, plain_checker, plain_rewriter
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from egress_review import freezing, release, requests, reviews
from egress_review.errors import EgressError
from egress_review.states import State

ELIGIBLE = {"sam", "sue", "sid", "lou"}  # stewards of acme, whose data was mounted
NAMES = ("a.csv", "b.csv")
TEXTS = tuple(f"k,n\r\nx,{n}\r\ny,{n + 500}\r\n" for n in (60, 160, 260))
PERSON = st.sampled_from(sorted(PEOPLE))
REVIEWER = st.sampled_from([*sorted(ELIGIBLE), "sam", "sue", "ana", "lea", "gil", "eve"])
REQUEST = st.integers(1, 2).map(lambda number: f"REQ-{number:04d}")

Key = tuple[str, str, str, str]  # request, name, bytes, context


class Queue(RuleBasedStateMachine):
    template: Path

    @initialize()
    def build(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="enclave-machine-"))
        shutil.copytree(self.template, self.root / "enclave")
        self.world = World(self.root / "enclave", build=False)
        self.world.draft({"a.csv": TEXTS[0]})
        self.workspace = {"a.csv": TEXTS[0], "b.csv": TEXTS[1]}
        self.world.write("b.csv", TEXTS[1])
        self.sent: dict[str, dict[str, Key]] = {}  # what was last submitted of each request
        self.votes: defaultdict[Key, dict[str, str]] = defaultdict(dict)
        self.appealed: dict[str, set[str]] = {}
        self.downloads = 0
        self.submit_as("REQ-0001", "ana")
        self.world.draft({})

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()
            shutil.rmtree(self.root)

    @rule(text=st.sampled_from(TEXTS), name=st.sampled_from(NAMES))
    def write(self, text: str, name: str) -> None:
        self.write_as(text, name)

    def write_as(self, text: str, name: str) -> None:
        self.world.write(name, text)
        self.workspace[name] = text

    @rule(request=REQUEST, name=st.sampled_from(NAMES), context=st.sampled_from(["one", "two"]), person=PERSON)
    def add(self, request: str, name: str, context: str, person: str) -> None:
        actor = "ana" if person < "l" else person
        self.attempt(requests.add_files, request, [name], context=context, actor=actor)

    @rule(request=REQUEST, name=st.sampled_from(NAMES))
    def remove(self, request: str, name: str) -> None:
        self.attempt(requests.remove_file, request, name, actor="ana")

    @rule(request=REQUEST, person=st.sampled_from(["ana", "ana", "ana", "sam", "lea"]))
    def submit(self, request: str, person: str) -> None:
        self.submit_as(request, person)

    def submit_as(self, request: str, person: str) -> None:
        try:
            self.world.submit(request, person)
        except EgressError:
            return
        assert person == "ana"
        self.sent[request] = {
            file.name: (request, file.name, self.workspace[file.name], file.context)
            for file in self.world.files(request)
        }

    @rule(
        request=REQUEST,
        person=REVIEWER,
        verdict=st.sampled_from(["approve", "approve", "approve", "reject", "changes"]),
        name=st.sampled_from([None, *NAMES]),
    )
    def vote(self, request: str, person: str, verdict: str, name: str | None) -> None:
        self.vote_as(request, person, verdict, name)

    def vote_as(self, request: str, person: str, verdict: str, name: str | None) -> None:
        for file in self.world.files(request):
            if name in {None, file.name}:
                try:
                    self.world.do(
                        reviews.vote, self.world.settings, request, file.id, verdict, actor=person, reason="seen"
                    )
                except EgressError:
                    continue
                assert person in ELIGIBLE - self.appealed.get(request, set())
                self.votes[self.sent[request][file.name]][person] = verdict
                self.the_released_have_their_quorum()

    @rule(request=REQUEST, first=st.sampled_from(sorted(ELIGIBLE)), second=st.sampled_from(sorted(ELIGIBLE)))
    def agree(self, request: str, first: str, second: str) -> None:
        for person in (first, second):
            self.vote_as(request, person, "approve", None)
        self.download_as("ana")

    @rule(request=REQUEST, text=st.sampled_from(TEXTS), name=st.sampled_from(NAMES))
    def turn(self, request: str, text: str, name: str) -> None:
        self.write_as(text, name)
        self.attempt(requests.add_files, request, [name], context="one", actor="ana")
        self.submit_as(request, "ana")

    @rule(request=REQUEST)
    def outsiders_vote(self, request: str) -> None:
        for person in ("ana", "lea", "gil", "eve"):
            self.vote_as(request, person, "approve", None)

    @rule(request=REQUEST)
    def claim(self, request: str) -> None:
        self.attempt(reviews.claim, request, actor="sid")

    @rule(request=REQUEST)
    def withdraw(self, request: str) -> None:
        if self.downloads % 2:
            self.attempt(requests.withdraw, request, actor="ana")

    @rule(request=REQUEST)
    def appeal(self, request: str) -> None:
        if self.attempt(requests.appeal, request, actor="ana", reason="again"):
            keys = list(self.sent[request].values())
            voted = {person for key, said in self.votes.items() if key[0] == request for person in said}
            self.appealed[request] = voted
            for key in keys:
                self.votes[key].clear()

    @rule(person=st.sampled_from(["sam", "lou", "ana"]), request=REQUEST)
    def freeze(self, person: str, request: str) -> None:
        if self.downloads % 2:
            self.attempt(freezing.freeze, request, actor=person, reason="stop")

    @rule(person=st.sampled_from(["sam", "lou", "ana", "lou"]), request=REQUEST)
    def thaw(self, person: str, request: str) -> None:
        if self.attempt(freezing.thaw, request, actor=person, reason="go on"):
            assert person == "lou"

    @rule(person=st.sampled_from(["sue", "ana"]), number=st.integers(1, 2))
    def revoke(self, person: str, number: int) -> None:
        if self.downloads % 3 == 2:
            self.attempt(release.revoke, f"REL-{number:04d}", actor=person, reason="no")

    @rule(hours=st.sampled_from([1, 5, 400]))
    def wait(self, hours: int) -> None:
        self.world.wait(hours=hours if hours < 400 or self.downloads else 1)

    @rule()
    def resume(self) -> None:
        requests.resume(self.world.engine, self.world.settings, checker=plain_checker, rewriter=plain_rewriter)

    @rule(person=st.sampled_from(["ana", "ana", "ana", "lea", "sam", "eve"]))
    def download(self, person: str) -> None:
        self.download_as(person)

    def download_as(self, person: str) -> None:
        for number in (1, 2):
            release_id = f"REL-{number:04d}"
            for file in self.world.ask(release.release_files, release_id):
                try:
                    token = release.make_link(
                        self.world.engine, self.world.settings, release_id, actor=person, release_file_id=file.id
                    )
                    got = release.redeem(self.world.engine, self.world.settings, token, actor=person)
                except EgressError:
                    continue
                self.downloads += 1
                request = self.world.ask(lambda db, held=release_id: db.get_one(release.Release, held).request_id)
                key = self.sent[request][file.name]
                assert person == "ana"
                assert got.read() == key[2].replace("\r\n", "\n").encode()
                approving = {who for who, verdict in self.votes[key].items() if verdict == "approve"}
                assert len(approving & ELIGIBLE) >= 2, (key, self.votes[key])
                assert self.world.state(request) is State.Released

    @invariant()
    def the_released_have_their_quorum(self) -> None:
        if not hasattr(self, "world"):
            return
        for request, keys in self.sent.items():
            if self.world.state(request) in {State.Approved, State.Released}:
                for key in keys.values():
                    assert sum(verdict == "approve" for verdict in self.votes[key].values()) >= 2, request

    def attempt(self, service: object, *args: object, **kwargs: object) -> bool:
        try:
            self.world.do(service, self.world.settings, *args, **kwargs)  # type: ignore[arg-type]
        except EgressError:
            return False
        return True


@pytest.mark.timeout(900)
def test_no_sequence_of_calls_lets_anything_else_out(built: Path) -> None:
    Queue.template = built
    run_state_machine_as_test(
        Queue,
        settings=settings(
            max_examples=20, stateful_step_count=40, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
