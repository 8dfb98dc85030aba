"""A walk through the review queue: people do what comes to their mind, and a book says what may come of it.

The book knows who said what of which bytes, whose data was mounted, which grants hold and which links are good; it knows
nothing of the enclave's tables. Every walk is drawn from a number, so that one that failed can be walked again.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from egress_world import World, plain_checker, plain_rewriter
from sqlalchemy import select

from access_control import agreements, people
from access_control.models import Agreement
from egress_review import freezing, release, requests, reviews, seeding
from egress_review.errors import EgressError
from egress_review.findings import FileResult
from egress_review.states import State

SIDES = {"sam": "acme", "sue": "acme", "sid": "acme", "lou": "acme", "gil": "globex", "gus": "globex"}
VOTERS = [*SIDES, *SIDES, "ana", "lea", "eve", "bea"]
NAMES = ("a.csv", "b.csv")
TEXTS = tuple(f"k,n\r\nx,{n}\r\ny,{n + 500}\r\n" for n in (60, 160, 260))
CONTEXTS = ("one", "two")
SEEDED = "REQ-0001"


@dataclass
class Sent:
    """A file as it was last submitted, and the last word of each who spoke of it since it is so."""

    data: str
    context: str
    rules: int
    said: dict[str, str] = field(default_factory=dict)

    def approved(self, owners: set[str]) -> bool:
        """Two approve, one for each owner among them, and more than do not."""
        ayes = {who for who, verdict in self.said.items() if verdict == "approve"}
        sides = {SIDES.get(who, "none") for who in ayes}
        return len(ayes) >= 2 and 2 * len(ayes) > len(self.said) and owners <= sides and "none" not in sides


@dataclass
class Token:
    """A link that was given out."""

    text: str
    request: str
    name: str
    until: datetime
    dead: bool = False


class Walk:
    """One enclave, its book, and what has happened (`been`)."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.random = world, random.Random(number)
        self.trace: list[str] = []
        self.been: Counter[str] = Counter()
        self.workspace = {name: TEXTS[0] for name in NAMES}
        self.rules = 1
        self.sent: dict[str, dict[str, Sent]] = {}
        self.owners: dict[str, set[str]] = {}  # whose data the author had mounted when it was submitted
        self.mounted = {"acme"}
        self.appealed: dict[str, set[str]] = {}
        self.ever: defaultdict[str, set[str]] = defaultdict(set)  # who voted on a request, in any turn
        self.granted = self.member = True
        self.gone: set[str] = set()  # suspended
        self.tokens: list[Token] = []
        self.over: dict[str, datetime] = {}  # until when each released request can be fetched
        for name, text in self.workspace.items():
            world.write(name, text)
        made = seeding.seed(
            world.engine, world.settings, project_id="p17", as_author="ana", title="T", purpose="P",
            files={"a.csv": (TEXTS[0].encode(), "one")}, why_unsafe="known", actor="lou", checker=self.check,
            rewriter=plain_rewriter,
        )  # fmt: skip
        assert made == SEEDED
        self.sent[SEEDED], self.owners[SEEDED] = {"a.csv": Sent(TEXTS[0], "one", 1)}, {"acme"}
        self.requests = [SEEDED]
        self.begin()

    def step(self) -> None:
        """One thing that somebody does."""
        self.do(self.random.choices([each for each, _ in self.actions()], self.weights())[0])

    def do(self, action: Callable[[], None]) -> None:
        """That thing, and what must hold after it."""
        self.trace.append(action.__name__)
        action()
        self.nothing_leaves_without_its_quorum()

    def actions(self) -> list[tuple[Callable[[], None], int]]:
        """What may happen, and how often."""
        return [
            (self.begin, 3), (self.write, 2), (self.edit, 3), (self.submit, 3), (self.turn, 4), (self.mend, 7),
            (self.withdraw, 2), (self.refuse, 1), (self.appeal, 2), (self.vote, 12), (self.agree, 5),
            (self.claim, 2), (self.look, 8), (self.freeze, 2), (self.thaw, 4), (self.revoke, 2), (self.grant, 2),
            (self.suspend, 1), (self.mount_more, 1), (self.new_rules, 1), (self.wait, 3), (self.resume, 1),
            (self.keep_links, 6), (self.redeem, 8), (self.download, 8),
        ]  # fmt: skip

    def weights(self) -> list[int]:
        return [weight for _, weight in self.actions()]

    def one_of(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def request(self) -> str:
        """Any request, the latest most often."""
        return self.requests[-1] if self.random.random() < 0.6 else self.one_of(*self.requests)

    def check(self, settings: Any, files: Sequence[tuple[Path, str]], **rest: Any) -> list[FileResult]:
        """The checks at the present version of the rules."""
        found = plain_checker(settings, files, **rest)
        return [
            FileResult(each.path, each.verdict, each.findings, each.kind, each.facts, f"v{self.rules}")
            for each in found
        ]

    # What the author does

    def begin(self) -> None:
        """A new request of both files, or of one."""
        if self.member and len(self.requests) < 6:
            names = self.one_of(NAMES, NAMES, NAMES[:1])
            self.requests.append(self.world.draft({name: self.workspace[name] for name in names}))
            self.submit()

    def write(self) -> None:
        name, text = self.one_of(*NAMES), self.one_of(*TEXTS)
        self.world.write(name, text)
        self.workspace[name] = text

    def edit(self) -> None:
        request, name, actor = self.request(), self.one_of(*NAMES), self.one_of("ana", "ana", "lea", "sam", "bea")
        if self.random.random() < 0.25:
            done = self.attempt(requests.remove_file, request, name, actor=actor)
        else:
            done = self.attempt(requests.add_files, request, [name], context=self.one_of(*CONTEXTS), actor=actor)
        if done:
            assert actor == "ana"
            assert request != SEEDED
            assert self.member

    def submit(self) -> None:
        self.submit_one(self.request(), self.one_of("ana", "ana", "ana", "sam", "lea"))

    def submit_one(self, request: str, person: str) -> None:
        before = self.world.state(request)
        try:
            requests.submit(
                self.world.engine, self.world.settings, request, actor=person, checker=self.check,
                rewriter=plain_rewriter,
            )  # fmt: skip
        except EgressError:
            return
        assert person == "ana"
        assert request != SEEDED
        assert self.member
        assert before in {State.Draft, State.ChangesAsked}
        kept = self.sent.get(request, {}) if self.owners.get(request) == self.mounted else {}
        if request in self.owners and self.owners[request] != self.mounted:
            self.been["more mounted"] += 1
        self.owners[request], self.sent[request] = set(self.mounted), {}
        for file in self.world.files(request):
            new, old = Sent(self.workspace[file.name], file.context, self.rules), kept.get(file.name)
            same = old is not None and (old.data, old.context, old.rules) == (new.data, new.context, new.rules)
            self.been["votes kept" if same and old.said else "votes lost" if old and old.said else "new file"] += 1
            self.sent[request][file.name] = old if same else new

    def turn(self) -> None:
        request = self.request()
        self.write()
        self.attempt(requests.add_files, request, [self.one_of(*NAMES)], context=self.one_of(*CONTEXTS), actor="ana")
        self.submit_one(request, "ana")

    def mend(self) -> None:
        """All but one file are liked; the author mends that one, and now and then the others too."""
        request, mended = self.request(), self.one_of(*NAMES)
        for person in self.random.sample(sorted(SIDES), 3):
            for name in list(self.sent.get(request, {})):
                self.vote_as(request, person, "changes" if name == mended else "approve", name)
        text = self.one_of(*TEXTS)
        self.world.write(mended, text)
        self.workspace[mended] = text
        if self.random.random() < 0.3:
            self.one_of(self.new_rules, self.write, self.edit)()
        self.submit_one(request, "ana")

    def withdraw(self) -> None:
        request, person = self.request(), self.one_of("ana", "ana", "lea", "sam")
        if self.attempt(requests.withdraw, request, actor=person):
            assert person == "ana"
            assert request not in self.over

    def appeal(self) -> None:
        request, person = self.request(), self.one_of("ana", "ana", "lea")
        if self.attempt(requests.appeal, request, actor=person, reason="again"):
            assert person == "ana"
            assert request not in self.appealed, "once"
            self.been["appealed"] += 1
            self.appealed[request] = set(self.ever[request])
            for file in self.sent[request].values():
                file.said.clear()

    # What reviewers do

    def vote(self) -> None:
        verdict = self.one_of("approve", "approve", "approve", "approve", "reject", "changes")
        self.vote_as(self.request(), self.one_of(*VOTERS), verdict, self.one_of(None, *NAMES))

    def vote_as(self, request: str, person: str, verdict: str, name: str | None) -> None:
        for file in self.world.files(request):
            if name in {None, file.name}:
                before = self.world.state(request)
                if not self.attempt(reviews.vote, request, file.id, verdict, actor=person, reason="seen"):
                    continue
                assert before is State.InReview
                assert SIDES.get(person) in self.owners[request]
                assert person not in self.appealed.get(request, set()) | self.gone
                self.sent[request][file.name].said[person] = verdict
                self.ever[request].add(person)
                self.nothing_leaves_without_its_quorum()

    def agree(self) -> None:
        request = self.request()
        for person in self.random.sample(sorted(SIDES), self.one_of(2, 3, 4)):
            self.vote_as(request, person, "approve", None)

    def refuse(self) -> None:
        request = self.request()
        for person in self.random.sample(sorted(SIDES), 3):
            self.vote_as(request, person, "reject", None)
        self.appeal()

    def claim(self) -> None:
        person, request = self.one_of(*VOTERS), self.request()
        if self.attempt(reviews.claim, request, actor=person):
            assert SIDES.get(person) in self.owners[request]

    def look(self) -> None:
        """Votes are blind: the author sees none while they are cast, a reviewer not before enough have voted."""
        person, request = self.one_of(*SIDES, "ana", "bea"), self.request()
        try:
            seen = self.world.ask(reviews.view, self.world.settings, request, viewer=person)
        except EgressError:
            return
        assert person != "bea"
        assert (person, request) != ("ana", SEEDED)
        if self.world.state(request) is not State.InReview:
            return
        others = {vote.reviewer_id for each in seen.files for vote in each.votes} - {person}
        if person == "ana":
            assert not others
        elif SIDES[person] in self.owners[request] and person not in self.appealed.get(request, set()) | self.gone:
            enough = all(
                len(file.said) >= 2 and self.owners[request] <= {SIDES[who] for who in file.said}
                for file in self.sent[request].values()
            )
            assert enough or not others

    # What stewards, leads and admins do

    def freeze(self) -> None:
        person, request = self.one_of("sam", "lou", "ana", "bea"), self.request()
        if self.attempt(freezing.freeze, request, actor=person, reason="stop"):
            assert person in {"sam", "lou"}
            self.been["frozen"] += 1
            self.kill(request)

    def thaw(self) -> None:
        person, request = self.one_of("sam", "lou", "lou", "ana"), self.request()
        before = self.world.request(request)
        if self.attempt(freezing.thaw, request, actor=person, reason="go on"):
            assert person == "lou"
            assert before.state == "frozen"
            assert self.world.request(request).state == before.frozen_from

    def revoke(self) -> None:
        person, number = self.one_of("sue", "ana"), self.one_of(1, 2, 3)
        if self.attempt(release.revoke, f"REL-{number:04d}", actor=person, reason="no"):
            assert person == "sue"
            self.been["revoked"] += 1
            self.kill(self.request_of(f"REL-{number:04d}"))

    def grant(self) -> None:
        """acme suspends its agreement, or resumes it."""
        row = self.world.ask(lambda db: db.scalars(select(Agreement.id).order_by(Agreement.id)).first())
        change = agreements.suspend_agreement if self.granted else agreements.resume_agreement
        if self.tokens or not self.granted:
            self.world.do(change, row, reason="so", actor="sam")
            self.granted = not self.granted

    def suspend(self) -> None:
        person = self.one_of("sid", "gus", "ana")
        if self.been["download"] > 2 and person not in self.gone:
            self.world.do(people.suspend_person, person, reason="left", actor="eve")
            self.gone.add(person)
            self.member = self.member and person != "ana"

    def mount_more(self) -> None:
        """ana's next session has data of globex too: from the next turn on their stewards have a say."""
        if self.mounted == {"acme"} and self.granted and self.member:
            self.world.agree("pay/full", "p17", "globex", "gil", "lea")
            self.world.session("ana", "p17")
            self.mounted = {"acme", "globex"}

    def new_rules(self) -> None:
        """The checks change: what they find in the next turn is not what reviewers have seen."""
        self.rules += 1

    # Time, and programs

    def wait(self) -> None:
        hours = self.one_of(0.1, 0.1, 0.1, 1, 5, 400 if len(self.tokens) > 5 else 1)
        self.world.wait(hours=hours)
        if hours == 400:
            self.resume()

    def resume(self) -> None:
        requests.resume(self.world.engine, self.world.settings, checker=self.check, rewriter=plain_rewriter)

    # What comes out

    def files(self) -> list[tuple[str, int, str]]:
        """Every released file: its release, its number, its name."""
        return [
            (release_id, file.id, file.name)
            for release_id in (f"REL-{number:04d}" for number in range(1, len(self.requests) + 1))
            for file in self.world.ask(release.release_files, release_id)
        ]

    def keep_links(self) -> None:
        person = self.one_of("ana", "ana", "ana", "lea", "sam", "eve")
        for file in self.files():
            self.link(person, file)

    def link(self, person: str, file: tuple[str, int, str]) -> None:
        release_id, number, name = file
        engine, settings = self.world.engine, self.world.settings
        try:
            text = release.make_link(engine, settings, release_id, actor=person, release_file_id=number)
        except EgressError:
            return
        assert person == "ana"
        until = self.world.at + timedelta(minutes=settings.egress.link_minutes)
        self.tokens.append(Token(text, self.request_of(release_id), name, until))
        self.may_leave(self.tokens[-1])

    def download(self) -> None:
        self.keep_links()
        self.redeem()

    def redeem(self) -> None:
        for token in self.random.sample(self.tokens, min(3, len(self.tokens))):
            person = self.one_of("ana", "ana", "ana", "lea")
            try:
                got = release.redeem(self.world.engine, self.world.settings, token.text, actor=person)
            except EgressError:
                continue
            self.been["download"] += 1
            assert person == "ana"
            assert not token.dead, "used, revoked or frozen"
            assert self.world.at < token.until
            token.dead = True
            self.may_leave(token)
            assert got.name == token.name
            assert got.read() == self.sent[token.request][token.name].data.replace("\r\n", "\n").encode()

    def may_leave(self, token: Token) -> None:
        """What the book says of a file that the gate has let out, or would."""
        assert token.request != SEEDED
        assert self.member
        assert self.granted
        assert self.world.state(token.request) is State.Released
        assert self.sent[token.request][token.name].approved(self.owners[token.request])
        assert self.world.at < self.over[token.request]

    def kill(self, request: str) -> None:
        for token in self.tokens:
            token.dead = token.dead or token.request == request

    def request_of(self, release_id: str) -> str:
        return str(self.world.ask(lambda db: db.get_one(release.Release, release_id).request_id))

    def nothing_leaves_without_its_quorum(self) -> None:
        """Whatever is released, or says that it is approved, has its quorum in the book, and nothing else is."""
        let_go: defaultdict[str, set[str]] = defaultdict(set)
        for release_id, _, name in self.files():
            let_go[self.request_of(release_id)].add(name)
        assert SEEDED not in let_go
        for request, files in self.sent.items():
            state = self.world.state(request)
            self.been[state.value] += 1
            if state is State.Released:
                assert let_go[request], "released, and nothing of it"
            if request in let_go and let_go[request] and request not in self.over:
                self.over[request] = self.world.at + timedelta(days=self.world.settings.egress.download_days)
                self.been["two owners"] += len(self.owners[request]) > 1
            for name in let_go[request]:
                assert files[name].approved(self.owners[request]), (request, name, files[name].said)
            if state is State.Approved:
                assert all(file.approved(self.owners[request]) for file in files.values())

    def attempt(self, service: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        try:
            self.world.do(service, self.world.settings, *args, **kwargs)
        except EgressError:
            return False
        return True
