"""Carry a dataset out in the metadata of a notebook, which no page shows.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser, which counts nothing
Bounded by: a notebook is counted whole against the tier's budget
"""

from tests.redteam import submitting, wire

SIZE = 300_000


def make(inside, name: str) -> None:
    code = f"""
import json, os
smuggled = os.urandom({SIZE} // 2).hex()
book = {{"cells": [], "metadata": {{"smuggled": smuggled}}, "nbformat": 4, "nbformat_minor": 5}}
json.dump(book, open("/workspace/{name}", "w"))
"""
    done = inside.python(code)
    assert done.worked, done.output


def test_control_stock_gives_it_and_counts_nothing(stock_browser, stock_inside) -> None:
    name = f"{submitting.fresh()}.ipynb"
    make(stock_inside, name)
    answer = stock_browser.get(f"/user/mallory/api/contents/{name}?content=1")
    assert len(answer.json()["content"]["metadata"]["smuggled"]) == SIZE


def test_the_gateway_counts_all_of_it(enclave, researcher, session, inside) -> None:
    name = f"{submitting.fresh()}.ipynb"
    make(inside, name)
    before = wire.counted(enclave, session.id)
    answer = researcher.browser.get(f"{researcher.session}/api/contents/{name}?content=1&type=notebook")
    assert answer.status_code == 200
    assert wire.counted(enclave, session.id) - before >= SIZE
