"""Reach a handler that was not thought of: the server's own shutdown.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: whatever the allowlist does not have is refused, not only what is known to be harmful
"""

from tests.redteam.roads import RECORDS, write_records


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    answer = stock_browser.get("/user/mallory/api/status")
    assert answer.status_code == 200
    assert b"kernels" in answer.content


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    answer = researcher.browser.get(researcher.session + "/api/status")
    assert answer.status_code in {403, 404, 405}, answer.status_code
    assert RECORDS not in answer.content
