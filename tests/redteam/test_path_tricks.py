"""Reach a closed address by another spelling of it.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: the path is decoded once, and one that is not plain names nothing
"""

from tests.redteam.roads import RECORDS, raw_get, write_records


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    answer = stock_browser.get("/user/mallory/files/records.csv")
    assert answer.status_code == 200
    assert RECORDS in answer.content


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    answer = researcher.browser.get(researcher.session + "/lab/../files/records.csv")
    assert answer.status_code in {403, 404, 405}, answer.status_code
    assert RECORDS not in answer.content


SPELLINGS = (
    "//files/records.csv",
    "/%66iles/records.csv",
    "/lab/%2e%2e/files/records.csv",
    "/files%2frecords.csv",
    "/./files/records.csv",
    "/api/contents/..%2f..%2fetc%2fpasswd",
    "/lab/tree/..;/files/records.csv",
    "/files/records.csv;.js",
    "/FILES/records.csv",
    "/files\\records.csv",
)


def test_no_spelling_of_it_works(researcher, inside) -> None:
    write_records(inside)
    for spelling in SPELLINGS:
        answer = raw_get(researcher, spelling)
        assert b" 200 " not in answer.split(b"\r\n")[0] or b"jupyter" in answer.lower(), spelling
        assert RECORDS not in answer, spelling
