"""Carry a dataset out in the text of an error.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser, which counts nothing
Bounded by: counted against the tier's budget like everything that is shown
"""

from tests.redteam.printing import PAYLOAD, counts_at_least, stock_cell

SIZE = 300_000
CODE = PAYLOAD.format(size=SIZE) + "raise ValueError(payload)\n"


def test_control_stock_gives_all_of_it(stock, stock_browser, stock_inside) -> None:
    answer = stock_cell(stock, stock_browser, CODE)
    assert len(str(answer.outputs) + answer.error + answer.text) >= SIZE


def test_the_gateway_counts_all_of_it(enclave, researcher, session) -> None:
    counts_at_least(enclave, researcher, session.id, CODE, SIZE)
