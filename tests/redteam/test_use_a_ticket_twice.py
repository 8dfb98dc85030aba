"""Use the portal's ticket to a session a second time, or for another session.

Way: gateway
Control: the first use, which works
Held by: tickets are good once, for half a minute, for one session and one person
"""

from urllib.parse import urlsplit

import httpx


def ticket(researcher) -> str:
    return researcher._frame(researcher.see("sessions/smoking"))


def fresh(researcher) -> httpx.Client:
    return httpx.Client(transport=researcher.browser.client._transport, timeout=30)


def test_control_a_ticket_works_once(researcher) -> None:
    with fresh(researcher) as browser:
        assert browser.get(ticket(researcher)).status_code in {200, 302, 303}
        assert browser.cookies


def test_it_does_not_work_twice(researcher) -> None:
    address = ticket(researcher)
    with fresh(researcher) as first, fresh(researcher) as second:
        first.get(address)
        answer = second.get(address)
        assert answer.status_code in {401, 403}
        assert not second.cookies


def test_it_opens_no_other_session(researcher, start_person) -> None:
    dora = start_person("dora", "smoking")
    query = urlsplit(ticket(researcher)).query
    with fresh(researcher) as browser:
        answer = browser.get(f"{dora.session}/enter?{query}")
        assert answer.status_code in {401, 403}
        assert not browser.cookies


def test_a_made_up_one_is_refused(researcher) -> None:
    with fresh(researcher) as browser:
        for made_up in ("", "a.b.c", "ana", ticket(researcher).partition("ticket=")[2][:-4] + "AAAA"):
            assert browser.get(f"{researcher.session}/enter", params={"ticket": made_up}).status_code in {400, 401, 403}
