"""Tickets, cookies, signed names, numbers and the fields of forms that a browser sends back."""

from __future__ import annotations

import base64
import hmac
import time

from access_control.errors import AccessError, NotPermitted
from hub.gateway import entrance
from hub.portal.context import Form
from hub.portal.logins import Logins
from hub.portal.numbers import LARGEST, number_of
from hub.tickets import Redeemer, issue
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target, holds, may_refuse

_KEY = b"k" * 64
_SESSION = "0123456789abcdef" * 2
_BITS = (
    ".",
    "..",
    _SESSION,
    "YW5h",
    "ana",
    "0",
    "99999999999",
    "-1",
    "\u0661",
    "\u00b2",
    "1e9",
    "=",
    "é",
    "\ud800",
    "2026-01-31",
    "20260131",
    "2026-W01-1",
    "١٢",
    "1_000",
    "+5",
    " 7 ",
    "9" * 5000,
)


def run(data: bytes) -> None:
    choices = Choices(data)
    redeemer = Redeemer(_KEY)
    good = issue(_KEY, _SESSION, "ana")
    ticket = _bent(choices, good)
    with may_refuse(NotPermitted):
        person = redeemer.redeem(ticket, choices.pick((_SESSION, "other", "")))
        holds(ticket == good and person == "ana", "only a ticket of ours is redeemed")
    cookie = entrance.make_cookie(_KEY, _SESSION, "ana")
    changed = _bent(choices, cookie)
    if entrance.cookie_holds(_KEY, changed, _SESSION, "ana"):
        holds(changed == cookie, "only a cookie of ours holds")
    holds(not entrance.cookie_holds(_KEY, cookie, _SESSION, "anna"), "a cookie is one person's")
    logins = Logins(lambda token: "ana")
    signed = logins.cookie(logins.begin("ana", "t"))
    wrong = _bent(choices, signed)
    holds(logins.find(wrong) is None or wrong == signed, "only a signed name is a login")
    text = choices.text(_BITS)
    number = number_of(text)
    holds(
        number is None or ((str(number) == text.lstrip("0") or number == 0) and 0 <= number <= LARGEST),
        "a number is one",
    )
    form = Form([("a", choices.text(_BITS)), ("a", choices.text(_BITS))])
    for read in (form.whole, form.day, form.text, form.words, form.all):
        with may_refuse(AccessError):
            read("a")


def _bent(choices: Choices, text: str) -> str:
    """The text, or something like it; a MAC of our own over what is changed cannot be made without the key."""
    how = choices.number(5)
    if how == 0:
        return text
    if how == 1:
        return ".".join(choices.text(_BITS) for _ in range(choices.number(6)))
    if how == 2:
        parts = text.split(".")
        parts[choices.number(len(parts) - 1)] = choices.text(_BITS)
        return ".".join(parts)
    if how == 3:
        forged = hmac.new(b"x" * 64, choices.some(9), "sha256").hexdigest()
        return f"{_SESSION}.{base64.urlsafe_b64encode(b'ana').decode()}.{int(time.time() * 1000)}.n.{forged}"
    at = choices.number(len(text))
    return text[:at] + choices.text(_BITS) + text[at + choices.number(2) :]


def start() -> list[bytes]:
    return [bytes([how, n]) + bytes(range(n, n + 40)) for how in range(6) for n in range(4)]


TARGET = Target(
    "tokens",
    "tickets, cookies, numbers and fields of forms",
    run,
    start,
    tuple(bit.encode("utf-8", "replace") for bit in _BITS[:-1]),
    share=0.5,
)
