"""What the portal's routers share: settings, database, policy, hub; and who is asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from hmac import compare_digest
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from access_control import clock
from access_control.database import reading, writing
from access_control.errors import Invalid, NotPermitted, Refused
from access_control.keeper import PolicyKeeper
from access_control.models import Person, Role
from access_control.settings import Settings
from access_control.snapshot import Snapshot
from hub.portal.hubapi import HubClient
from hub.portal.logins import Login, Logins
from hub.portal.numbers import LARGEST
from hub.portal.security import same_origin

COOKIE = "portal-login"


class InvalidField(Invalid):
    """A field of a form that cannot be taken; `field` is its name, so that the page can say it beside the field."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class LoginNeeded(Exception):
    """Nobody is logged in; a page sends the browser to the hub, the API answers 401."""


@dataclass
class Portal:
    """The parts of the running portal, made once at start."""

    settings: Settings
    engine: Engine
    keeper: PolicyKeeper
    hub: HubClient
    logins: Logins

    @property
    def cookie_name(self) -> str:
        """With TLS the `__Host-` prefix, so that no sibling host can plant a cookie of this name."""
        return f"__Host-{COOKIE}" if self.settings.web.scheme == "https" else COOKIE

    @property
    def prefix(self) -> str:
        """Where the portal is mounted, such as `/services/portal/`."""
        return self.hub.service.prefix

    def snapshot(self) -> Snapshot:
        """The policy in force; raises Refused when it cannot be read."""
        return self.keeper.current()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A database session for reading."""
        with reading(self.engine) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A database session whose transaction commits at the end."""
        with writing(self.engine) as db:
            yield db


@dataclass(frozen=True)
class Visitor:
    """The person who asks, and their roles today. Roles choose which menu is shown; services decide what is allowed."""

    id: str
    name: str
    roles: tuple[tuple[str, str], ...]
    login: Login | None = field(repr=False, compare=False, default=None)

    def has(self, *roles: str) -> bool:
        """Whether the person holds any of these roles in any domain."""
        return any(role in roles for role, _ in self.roles)

    def domains(self, *roles: str) -> list[str]:
        """The ids in whose domain the person holds one of these roles: `project:p17` gives `p17`."""
        return sorted({domain.partition(":")[2] or domain for role, domain in self.roles if role in roles})

    @property
    def csrf(self) -> str:
        """The token that each of this browser's forms carries; empty for a caller with a token of the hub."""
        return self.login.csrf if self.login else ""

    def say(self, sentence: str, *, kind: str = "good") -> None:
        """Keeps a sentence for this browser's next page."""
        if self.login:
            self.login.say(sentence, kind=kind)


def the_portal(request: Request) -> Portal:
    """The running portal."""
    return cast(Portal, request.app.state.portal)


PortalOf = Annotated[Portal, Depends(the_portal)]


def roles_today(db: Session, person: str, today: date) -> tuple[tuple[str, str], ...]:
    """The roles that a person holds on that day."""
    rows = db.execute(
        select(Role.role, Role.domain).where(Role.person_id == person, Role.start <= today, Role.until >= today)
    )
    return tuple(sorted((role, domain) for role, domain in rows))


def visitor_of(portal: Portal, person_id: str, login: Login | None) -> Visitor:
    """The visitor of that id; raises NotPermitted when the enclave doesn't know the person, or has suspended them."""
    with portal.reading() as db:
        person = db.get(Person, person_id)
        if person is None:
            raise NotPermitted(f"{person_id} is logged in but not enrolled in the enclave. An admin can add you.")
        if person.suspended:
            raise NotPermitted("Your access to the enclave is suspended. An admin can tell you why and lift it.")
        return Visitor(person.id, person.name, roles_today(db, person.id, clock.today()), login)


def the_visitor(request: Request) -> Visitor:
    """The person behind a page's request, by the cookie; raises LoginNeeded."""
    portal = the_portal(request)
    login = portal.logins.find(request.cookies.get(portal.cookie_name))
    if login is None:
        raise LoginNeeded
    visitor = visitor_of(portal, login.person, login)
    request.state.visitor = visitor
    return visitor


VisitorOf = Annotated[Visitor, Depends(the_visitor)]


class Form:
    """The fields of a posted form whose CSRF token was good; what is missing raises Invalid naming the field."""

    def __init__(self, fields: list[tuple[str, str]], file: UploadFile | None = None) -> None:
        self._fields = fields
        self._file = file

    @property
    def file(self) -> UploadFile:
        """The uploaded file; raises Invalid when none was chosen."""
        if self._file is None or not self._file.filename:
            raise InvalidField("No file was chosen. Choose one.", "file")
        return self._file

    def text(self, name: str, default: str | None = None) -> str:
        """The field without blanks around it; raises Invalid when it is empty and has no default."""
        value = next((value.strip() for key, value in self._fields if key == name), "")
        if value:
            return value
        if default is None:
            raise InvalidField(f"“{name.replace('_', ' ')}” is empty. Fill it in.", name)
        return default

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be given more than once."""
        return [value.strip() for key, value in self._fields if key == name and value.strip()]

    def words(self, name: str) -> list[str]:
        """A field of words parted by blanks or commas."""
        return self.text(name, "").replace(",", " ").split()

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self.text(name)
        try:
            number = int(value)
        except ValueError:
            number = LARGEST + 1
        if abs(number) > LARGEST:
            raise InvalidField(f"“{name.replace('_', ' ')}” must be a whole number, not {value[:40]!r}.", name)
        return number

    def day(self, name: str) -> date:
        """A day such as 2026-12-31."""
        value = self.text(name)
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise InvalidField(
                f"“{name.replace('_', ' ')}” must be a day such as 2026-12-31, not {value!r}.", name
            ) from None

    def items(self) -> list[tuple[str, str]]:
        """All fields as they came."""
        return list(self._fields)


async def the_form(request: Request, visitor: VisitorOf) -> Form:
    """The posted form, after the CSRF token and the origin were checked; raises Refused when either is wrong."""
    portal = the_portal(request)
    if not same_origin(request.headers, portal.settings.web.origin):
        raise Refused("This change was not asked for by a page of the portal, so it was refused.")
    data = await request.form(max_files=1, max_fields=2000)
    fields = [(key, value) for key, value in data.multi_items() if isinstance(value, str)]
    file = next((value for _, value in data.multi_items() if isinstance(value, UploadFile)), None)
    if any("\0" in text for pair in fields for text in pair):
        raise Invalid("Text may not hold a NUL character. Take it out.")
    request.state.fields = fields
    token = next((value for key, value in fields if key == "csrf"), "")
    if not same_token(token, visitor.csrf):
        raise Refused("This form is from an older login. Send it again.")
    return Form(fields, file)


def same_token(given: str, wanted: str) -> bool:
    """Compares two tokens in constant time; an empty one never fits."""
    return bool(wanted) and compare_digest(given.encode(), wanted.encode())


FormOf = Annotated[Form, Depends(the_form)]


def the_caller(request: Request) -> Visitor:
    """The person behind a call of the API: a token of the hub that opens the portal, or the cookie.

    With the cookie, a change needs the header X-CSRF-Token as well.
    """
    portal = the_portal(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"token", "bearer"} and token:
        person = portal.hub.person_of(token.strip())
        if person is None:
            raise LoginNeeded
        visitor = visitor_of(portal, person, None)
        request.state.visitor = visitor
        return visitor
    visitor = the_visitor(request)
    if request.method not in {"GET", "HEAD", "OPTIONS"} and not same_token(
        request.headers.get("x-csrf-token", ""), visitor.csrf
    ):
        raise Refused("The header X-CSRF-Token is missing or from an older login; GET api/me gives the present one.")
    return visitor


CallerOf = Annotated[Visitor, Depends(the_caller)]
