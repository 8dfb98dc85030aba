"""Read a binary file as base64 through the contents API.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: binary and large content never passes; only notebooks, small text and images by budget
"""

from tests.redteam.roads import RECORDS, write_records


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    stock_inside.shell("head -c 300000 /dev/urandom > /workspace/records.bin")
    answer = stock_browser.get("/user/mallory/api/contents/records.bin?format=base64&content=1")
    assert answer.status_code == 200
    assert len(answer.content) > 300000


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    inside.shell("head -c 300000 /dev/urandom > /workspace/records.bin")
    answer = researcher.browser.get(researcher.session + "/api/contents/records.bin?format=base64&content=1")
    assert len(answer.content) < 100000, answer.status_code
    assert RECORDS not in answer.content
