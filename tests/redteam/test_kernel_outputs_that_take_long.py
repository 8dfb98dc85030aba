"""Hold up every session, its leases and cuts too, by an output that takes minutes to clean.

Way: gateway
Control: the cleaner alone, which does not come to an end of it
Held by: large outputs are cleaned in a process beside the gateway, which is ended when it takes too long; the output is not
    shown, and its session waits before its next
"""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

from hub.gateway import printed

DEPTH = 300_000
CODE = f"""
from IPython.display import HTML, display
for _ in range(3):
    display(HTML("<div>" * {DEPTH} + "secret"))
print("that was all")
"""


def test_control_the_cleaner_does_not_come_to_an_end() -> None:
    work = multiprocessing.get_context("spawn").Process(target=printed.clean_html, args=("<div>" * DEPTH,))
    work.start()
    try:
        work.join(15)
        assert work.is_alive()
    finally:
        work.kill()
        work.join()


def test_others_are_served_meanwhile_and_the_cell_ends(start_person, researcher) -> None:
    hostile = start_person("ana", "wages")
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(hostile.run, hostile.kernel(), CODE)
        served = 0
        while not running.done():
            answer = researcher.browser.client.get(f"{researcher.session}/api/kernels", timeout=30)
            assert answer.status_code == 200
            served += 1
    assert served > 3
    answer = running.result()
    assert "that was all" in answer.text
    assert "secret" not in str(answer.outputs)
