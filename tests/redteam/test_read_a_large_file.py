"""Read a large text file through the contents API.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: text above the limit of size is refused
"""

from tests.redteam.roads import RECORDS, write_records


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    stock_inside.python("open('/workspace/large.csv', 'w').write('0123456789,' * 2_000_000)")
    answer = stock_browser.get("/user/mallory/api/contents/large.csv?content=1")
    assert answer.status_code == 200
    assert len(answer.content) > 20_000_000


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    inside.python("open('/workspace/large.csv', 'w').write('0123456789,' * 2_000_000)")
    answer = researcher.browser.get(researcher.session + "/api/contents/large.csv?content=1")
    assert len(answer.content) < 1_000_000, answer.status_code
    assert RECORDS not in answer.content
