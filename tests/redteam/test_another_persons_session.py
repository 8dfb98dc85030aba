"""Open another person's session with one's own login.

Way: gateway
Control: the same request by the owner, which works
Held by: a ticket is signed for one session and one person, and a cookie for one session
"""

import httpx


def test_control_the_owner_gets_in(researcher) -> None:
    assert researcher.browser.get(f"{researcher.session}/api/kernels").status_code == 200


def test_a_cookie_of_one_session_opens_no_other(enclave, researcher, session, start_person) -> None:
    dora = start_person("dora", "smoking")
    mine = {
        cookie.name: cookie.value for cookie in researcher.browser.client.cookies.jar if cookie.domain.startswith("s-")
    }
    assert mine
    with httpx.Client(transport=researcher.browser.client._transport, timeout=30) as thief:
        answer = thief.get(f"{dora.session}/api/kernels", cookies=mine, follow_redirects=False)
    assert answer.status_code != 200


def test_a_stranger_is_refused(researcher, start_person) -> None:
    dora = start_person("dora", "smoking")
    answer = researcher.browser.get(f"{dora.session}/api/kernels", follow_redirects=False)
    assert answer.status_code in {302, 303, 401, 403}


def test_the_portal_gives_nobody_a_ticket_to_anothers(researcher, start_person) -> None:
    dora = start_person("dora", "smoking")
    for query in (
        "",
        "?person=dora",
        "?user=dora",
        "?session=" + dora.session.removeprefix("http://s-").partition(".")[0],
    ):
        page = researcher.see("sessions/smoking" + query)
        assert dora.session not in page.text
