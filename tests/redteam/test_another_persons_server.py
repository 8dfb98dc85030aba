"""Start, stop or read another person's session through the REST API.

Way: hub
Control: the same request for her own, which is answered
Held by: scopes end at one's own sessions, and no person is the hub's admin
"""

from tests.redteam.roads import hub_post


def test_control_her_own_model_is_there(enclave, researcher) -> None:
    assert researcher.browser.get(f"{enclave.settings.web.origin}/hub/api/users/ana").status_code == 200


def test_another_persons_is_not(enclave, researcher) -> None:
    enclave.known("dora")
    origin = enclave.settings.web.origin
    assert researcher.browser.get(f"{origin}/hub/api/users/dora").status_code in {403, 404}
    assert hub_post(researcher.browser.client, f"{origin}/hub/api/users/dora/servers/smoking", {}).status_code in {
        403,
        404,
    }
    assert researcher.browser.get(f"{origin}/hub/api/users").json() in ([], {}) or researcher.browser.get(
        f"{origin}/hub/api/users"
    ).status_code in {403, 404}


def test_not_even_for_an_admin_of_access(enclave) -> None:
    eve = enclave.signed_in("eve")
    answer = hub_post(eve.client, f"{enclave.settings.web.origin}/hub/api/users/ana/servers/smoking", {})
    assert answer.status_code in {403, 404}
    assert eve.get(f"{enclave.settings.web.origin}/hub/admin").status_code in {403, 404}
