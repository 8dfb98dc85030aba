"""Take every process of the machine.

Way: container
Control: stock DockerSpawner
Bounded by: a limit on processes in each session; the machine and the other sessions go on
"""

import time

ATTACK = """
import os, pathlib
files = [pathlib.Path("/sys/fs/cgroup/pids/pids.max"), pathlib.Path("/sys/fs/cgroup/pids.max")]
limit = next(file for file in files if file.exists()).read_text().strip()
assert limit == "max" or int(limit) > 4096, f"limited to {limit}"
"""


def test_control_stock_has_no_bound(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_processes_are_counted(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "limited to 256" in outcome.output


def test_a_bomb_leaves_the_machine_alive(inside) -> None:
    bomb = "import os, time\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(5)\n            os._exit(0)\nexcept OSError as error:\n    print(error)\n"
    assert "Resource temporarily unavailable" in inside.python(bomb, 60).output
    time.sleep(6)
    assert inside.python("print('alive')").output.strip() == "alive"
