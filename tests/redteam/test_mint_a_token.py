"""Mint an API token, with which a script skips every control of the browser.

Way: hub
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: the role of users has no scope for tokens
"""

from tests.redteam.roads import hub_post


def test_control_it_works_at_stock(stock_browser) -> None:
    answer = hub_post(stock_browser, "/hub/api/users/mallory/tokens", {"note": "mine"})
    assert answer.status_code == 201
    assert answer.json()["token"]


def test_the_hub_refuses_it(researcher, enclave) -> None:
    answer = hub_post(
        researcher.browser.client, f"{enclave.settings.web.origin}/hub/api/users/ana/tokens", {"note": "mine"}
    )
    assert answer.status_code in {403, 404}
    assert "token" not in (answer.json() if answer.headers["content-type"].startswith("application/json") else {})
