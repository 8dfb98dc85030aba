"""Logins on the server: asked of the hub again, ended, signed."""

import pytest

from access_control.errors import Refused
from hub.portal.logins import LIFETIME_SECONDS, Logins


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_hub_is_asked_again_only_when_the_answer_is_old() -> None:
    asked: list[str] = []
    time = Time()
    logins = Logins(lambda token: asked.append(token) or "ana", clock=time, verify_seconds=10)
    cookie = logins.cookie(logins.begin("ana", "t"))
    assert logins.find(cookie)
    assert asked == []
    time.now += 11
    assert logins.find(cookie)
    assert logins.find(cookie)
    assert asked == ["t"]


@pytest.mark.parametrize("answer", [None, "eve"])
def test_a_token_that_is_not_the_persons_any_more_ends_the_login(answer: str | None) -> None:
    logins = Logins(lambda _token: answer, verify_seconds=-1)
    cookie = logins.cookie(logins.begin("ana", "t"))
    assert logins.find(cookie) is None
    assert logins.find(cookie) is None


def test_a_login_does_not_last_for_ever() -> None:
    time = Time()
    logins = Logins(lambda _token: "ana", clock=time)
    cookie = logins.cookie(logins.begin("ana", "t"))
    time.now += LIFETIME_SECONDS + 1
    assert logins.find(cookie) is None


def test_a_hub_that_does_not_answer_is_no_yes() -> None:
    def down(_token: str) -> str:
        raise Refused("The hub does not answer.")

    logins = Logins(down, verify_seconds=-1)
    with pytest.raises(Refused):
        logins.find(logins.cookie(logins.begin("ana", "t")))


def test_all_logins_of_a_person_end_at_once() -> None:
    logins = Logins(lambda _token: "ana")
    one, two, other = (logins.cookie(logins.begin(who, "t")) for who in ("ana", "ana", "eve"))
    logins.end_of("ana")
    assert [logins.find(cookie) is None for cookie in (one, two, other)] == [True, True, False]


@pytest.mark.parametrize("changed", ["x{}", "{}x", "x.{}"])
def test_a_changed_signature_is_refused(changed: str) -> None:
    logins = Logins(lambda _token: "ana")
    signed = logins.sign("value")
    assert logins.unsign(signed) == "value"
    assert logins.unsign(changed.format(signed)) is None
    assert Logins(lambda _token: "ana").unsign(signed) is None
