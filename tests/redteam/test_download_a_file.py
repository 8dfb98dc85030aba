"""Download a file of the workspace by its address.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: `/files` is closed: the allowlist does not have it, and the page says where the release queue is
"""

from tests.redteam.roads import RECORDS, write_records


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    answer = stock_browser.get("/user/mallory/files/records.csv")
    assert answer.status_code == 200
    assert RECORDS in answer.content


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    answer = researcher.browser.get(researcher.session + "/files/records.csv")
    assert answer.status_code in {403, 404, 405}, answer.status_code
    assert RECORDS not in answer.content
    assert b"release" in answer.content.lower()
