"""Share one's session with somebody who has no access.

Way: hub
Control: the session itself, which is hers and runs
Held by: no role has a scope of shares
"""

from tests.redteam.roads import hub_post


def test_control_her_own_session_exists(enclave, session) -> None:
    assert enclave.server("ana", "smoking") is not None


def test_it_cannot_be_shared(enclave, session, researcher) -> None:
    enclave.known("bo")
    address = f"{enclave.settings.web.origin}/hub/api/shares/ana/smoking"
    for body in ({"user": "bo"}, {"user": "bo", "scopes": ["access:servers!server=ana/smoking"]}):
        assert hub_post(researcher.browser.client, address, body).status_code in {403, 404}
    codes = f"{enclave.settings.web.origin}/hub/api/share-codes/ana/smoking"
    assert hub_post(researcher.browser.client, codes, {}).status_code in {403, 404}
