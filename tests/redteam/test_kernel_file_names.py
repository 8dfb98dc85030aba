"""Carry a dataset out in the names of files, which the file browser lists.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser, which counts nothing
Bounded by: a listing is counted against the tier's budget like everything that is shown
"""

from tests.redteam import submitting, wire

COUNT = 400


def make(inside, folder: str) -> None:
    code = f"import os\nos.makedirs('/workspace/{folder}')\n"
    code += f"[open('/workspace/{folder}/' + os.urandom(100).hex(), 'w').close() for _ in range({COUNT})]"
    done = inside.python(code)
    assert done.worked, done.output


def test_control_stock_lists_them_and_counts_nothing(stock_browser, stock_inside) -> None:
    folder = submitting.fresh()
    make(stock_inside, folder)
    answer = stock_browser.get(f"/user/mallory/api/contents/{folder}?content=1")
    assert len(answer.json()["content"]) == COUNT


def test_the_gateway_counts_the_listing(enclave, researcher, session, inside) -> None:
    folder = submitting.fresh()
    make(inside, folder)
    before = wire.counted(enclave, session.id)
    answer = researcher.browser.get(f"{researcher.session}/api/contents/{folder}?content=1&type=directory")
    assert len(answer.json()["content"]) == COUNT
    assert wire.counted(enclave, session.id) - before >= COUNT * 200
