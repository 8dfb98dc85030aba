"""Have a notebook converted into a file to save.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: `/nbconvert` is closed
"""

from tests.redteam.roads import RECORDS, write_records

WRITE_BOOK = """
import nbformat
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("secret = 1")])
nbformat.write(book, "/workspace/book.ipynb")
"""


def test_control_it_works_at_stock(stock_browser, stock_inside) -> None:
    write_records(stock_inside)
    stock_inside.python(WRITE_BOOK)
    answer = stock_browser.get("/user/mallory/nbconvert/script/book.ipynb?download=true")
    assert answer.status_code == 200
    assert b"secret" in answer.content


def test_the_gateway_refuses_it(researcher, inside) -> None:
    write_records(inside)
    inside.python(WRITE_BOOK)
    answer = researcher.browser.get(researcher.session + "/nbconvert/script/book.ipynb?download=true")
    assert answer.status_code in {403, 404, 405}, answer.status_code
    assert RECORDS not in answer.content
