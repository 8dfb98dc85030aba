"""Reach the session on the hub's own origin, where its script could act in the portal.

Way: hub
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: `/user/…` of the hub's origin answers with a redirect to the portal's page, never with the container's bytes
"""


def test_control_stock_serves_it_there(stock_browser) -> None:
    assert "jupyter" in stock_browser.get("/user/mallory/lab").text.lower()


def test_the_hubs_origin_shows_nothing_of_it(enclave, session, researcher) -> None:
    origin = enclave.settings.web.origin
    for path in ("lab", "api/contents", "files/records.csv", "api/kernels"):
        answer = researcher.browser.client.get(f"{origin}/user/ana/smoking/{path}", follow_redirects=False)
        assert answer.status_code in {302, 303, 307, 403, 404}, path
        assert b"kernel" not in answer.content
