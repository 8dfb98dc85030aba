"""Sends each notice once. What was refused is tried again until it is of no use any more; what may or may not have
arrived is left to an admin, for one reminder too few is better than a stream of the same.
"""

from __future__ import annotations

import hashlib
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.orm import Session

from access_control import audit, clock
from access_control.audit import Act
from access_control.database import reading, writing
from access_control.errors import Invalid, NotFound
from access_control.models import Person
from access_control.settings import Settings
from hub.notices import due as due_now
from hub.notices.due import Due
from hub.notices.mail import NotHanded, Unanswered, check_address, connected, hand, letter
from hub.notices.models import Notice, Stage

ACTOR = "<upkeep>"
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
LOST_AFTER = timedelta(minutes=10)  # a try that takes longer was left by a program that died
AT_ONCE = 200  # notices of one round; the rest goes in the next
_OPEN = (Stage.Waiting.value, Stage.Trying.value, Stage.Handing.value)


@dataclass(frozen=True)
class _Taken:
    """A notice that this program sends now; nobody else does as long as `tried_at` stands."""

    id: int
    person: str
    tried_at: datetime
    about: Due


def deliver(engine: Engine, settings: Settings) -> list[str]:
    """Writes down what is newly due, and sends what waits. Returns a sentence for each thing that could not be done.

    Safe to run from several programs at once. Without a mail server nothing is written: the portal shows it all.
    """
    if not settings.mail.host:
        return []
    with reading(engine) as db:
        found = {each.key: each for each in due_now.due(db, settings)}
    with writing(engine) as db:
        problems = _tidy(db, found)
        _write_down(db, found)
    with reading(engine) as db:
        waiting = select(Notice.id, Notice.key, Notice.person_id).where(
            Notice.stage == Stage.Waiting.value, Notice.next_at <= clock.now()
        )
        todo = [
            (row.id, found[row.key], row.person_id)
            for row in db.execute(waiting.order_by(Notice.id).limit(AT_ONCE))
            if row.key in found  # another program may have found more in the meantime
        ]
    if not todo:
        return problems
    taken = [each for row in todo if (each := _take(engine, *row)) is not None]
    return [*problems, *_send(engine, settings, taken)]


def _write_down(db: Session, found: dict[str, Due]) -> None:
    known = set(db.execute(select(Notice.key, Notice.person_id)).tuples())
    now = clock.now()
    for each in found.values():
        for person in each.people:
            if (each.key, person) not in known:
                db.add(Notice(key=each.key, person_id=person, made_at=now, next_at=now))


def _tidy(db: Session, found: dict[str, Due]) -> list[str]:
    """Ends what is not due any more, and takes up what a program that died has left."""
    now = clock.now()
    problems = []
    for row in db.scalars(select(Notice).where(Notice.stage.in_(_OPEN)).order_by(Notice.id)):
        left = row.tried_at is not None and now - row.tried_at > LOST_AFTER
        if row.stage == Stage.Handing.value and left:
            row.problem = "The program that sent it died before the mail server's answer, so it may have arrived."
            _set(db, row, Stage.Unknown, Act.NoticeFailed)
            problems.append(f"Notice {row.id} to {row.person_id}: {row.problem}")
        elif row.stage == Stage.Trying.value and left:
            row.stage = Stage.Waiting.value
        wanted = found.get(row.key)
        if row.stage == Stage.Waiting.value and (wanted is None or row.person_id not in wanted.people):
            row.stage, row.done_at = Stage.Over.value, now
    db.flush()
    return problems


def _take(engine: Engine, number: int, about: Due, person: str) -> _Taken | None:
    """Takes a notice for this program; None when another has it."""
    now = clock.now()
    with writing(engine) as db:
        mine = _move(db, number, Stage.Waiting, Stage.Trying, tries=Notice.tries + 1, tried_at=now)
    return _Taken(number, person, now, about) if mine else None


def _move(db: Session, number: int, before: Stage, after: Stage, **values: Any) -> bool:
    change = update(Notice).where(Notice.id == number, Notice.stage == before.value)
    if before is not Stage.Waiting:
        change = change.where(Notice.tried_at == values.pop("tried_at"))
    done = cast("CursorResult[Any]", db.execute(change.values(stage=after.value, **values)))
    return done.rowcount == 1


def _send(engine: Engine, settings: Settings, taken: Iterable[_Taken]) -> list[str]:
    taken = list(taken)
    problems: list[str] = []
    left = list(taken)
    try:
        with connected(settings) as server:
            while left:
                each = left.pop(0)
                problem = _send_one(engine, settings, server, each)
                problems += [f"Notice {each.id} to {each.person}: {problem}"] if problem else []
    except NotHanded as error:  # no connection: none of them was tried
        for each in left:
            _put_back(engine, each, str(error))
        problems.append(f"{error} {len(left)} notices wait, and are tried again.")
    return problems


def _send_one(engine: Engine, settings: Settings, server: smtplib.SMTP, taken: _Taken) -> str:
    """Sends one and writes down how it went; returns what went wrong, or nothing."""

    def handing() -> None:
        with writing(engine) as db:
            if not _move(db, taken.id, Stage.Trying, Stage.Handing, tried_at=taken.tried_at):
                raise NotHanded("It took too long, and another program sends it.")

    try:
        hand(server, _letter(engine, settings, taken), before=handing)
    except NotHanded as error:
        _put_back(engine, taken, str(error))
        return str(error)
    except Unanswered as error:
        return _end(engine, taken, Stage.Unknown, Act.NoticeFailed, f"{error} It may have arrived.")
    return _end(engine, taken, Stage.Sent, Act.NoticeSent, "")


def _letter(engine: Engine, settings: Settings, taken: _Taken) -> Any:
    with reading(engine) as db:
        address = check_address(db.get_one(Person, taken.person).email, taken.person)
    about = taken.about
    page = f"{settings.web.origin}/services/portal/{about.page}"
    text = (
        f"{about.sentence}\n\n{page}\n\n"
        "There are no data and no names of files in this message, and none should be in an answer to it: act in the\n"
        "portal.\n"
    )
    name = hashlib.sha256(f"{about.key} {taken.person}".encode()).hexdigest()[:32]
    host = settings.mail.sender.rpartition("@")[2]
    subject = f"{about.subject.partition(':')[2]} {'waits' if about.kind in {'remind', 'escalate'} else 'ends soon'}"
    return letter(settings.mail, to=address, subject=subject, text=text, message_id=f"<{name}@{host}>")


def _put_back(engine: Engine, taken: _Taken, problem: str) -> None:
    with writing(engine) as db:
        row = db.get_one(Notice, taken.id, with_for_update=True, populate_existing=True)
        if row.tried_at != taken.tried_at or row.stage not in {Stage.Trying.value, Stage.Handing.value}:
            return  # another program has it by now
        first, row.problem = not row.problem, problem
        row.next_at = clock.now() + min(FIRST_WAIT * 2 ** min(row.tries - 1, 10), LONGEST_WAIT)
        row.stage = Stage.Waiting.value
        if first:
            _record(db, row, Act.NoticeFailed)


def _end(engine: Engine, taken: _Taken, stage: Stage, act: Act, problem: str) -> str:
    with writing(engine) as db:
        row = db.get_one(Notice, taken.id, with_for_update=True, populate_existing=True)
        row.problem = problem
        _set(db, row, stage, act)
    return problem


def _set(db: Session, row: Notice, stage: Stage, act: Act) -> None:
    row.stage, row.done_at = stage.value, clock.now()
    _record(db, row, act)


def _record(db: Session, row: Notice, act: Act) -> None:
    details = {"notice": row.id, "about": row.key, "tries": row.tries, "problem": row.problem}
    audit.record(db, act, actor=ACTOR, subject=f"person:{row.person_id}", details=details)


def troubles(db: Session) -> list[Notice]:
    """The notices that were tried and have not arrived, or of which nobody knows it, the oldest first."""
    stuck = select(Notice).where(Notice.problem != "", Notice.stage.in_((Stage.Waiting.value, Stage.Unknown.value)))
    return list(db.scalars(stuck.order_by(Notice.id)))


def again(db: Session, number: int, *, actor: str) -> None:
    """Lets a notice of which nobody knows whether it arrived be sent once more; raises NotFound, Invalid."""
    row = db.get(Notice, number, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no notice {number}. `enclave notices list` lists them.")
    if row.stage not in {Stage.Unknown.value, Stage.Waiting.value}:
        raise Invalid(f"Notice {number} is {row.stage}. Only one that is unknown or waiting is sent again.")
    row.stage, row.next_at, row.done_at = Stage.Waiting.value, clock.now(), None
    details = {"notice": row.id, "about": row.key, "step": "again"}
    audit.record(db, Act.NoticeFailed, actor=actor, subject=f"person:{row.person_id}", details=details)
