"""Take all memory of the machine.

Way: container
Control: stock DockerSpawner
Bounded by: a limit on memory without swap; the kernel that takes too much is ended, and the session's page says so
"""

from hub.tour.person import Person
from tests.redteam.inside import Inside
from tests.running import wait_for

ATTACK = """
import pathlib
files = [pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), pathlib.Path("/sys/fs/cgroup/memory.max")]
limit = next(file for file in files if file.exists()).read_text().strip()
assert limit == "max" or int(limit) > 1 << 60, f"limited to {limit}"
"""


def test_control_stock_has_no_bound(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_memory_is_limited(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "limited to" in outcome.output


def test_whoever_takes_too_much_is_ended_alone(inside) -> None:
    assert not inside.python("block = [bytearray(64 << 20) for _ in range(100)]", 60).worked
    assert inside.python("print('alive')").output.strip() == "alive"


def test_the_person_is_told_that_memory_ran_out(inside: Inside, researcher: Person) -> None:
    def status() -> dict[str, str]:
        answer: dict[str, str] = researcher.browser.client.get(f"{researcher.session}/enclave/status").json()
        return answer

    def told() -> bool:
        inside.python("block = [bytearray(64 << 20) for _ in range(100)]", 60)
        return status()["level"] == "memory"

    wait_for("the page's words", told, 120)
    assert "took more memory than a session may have" in status()["sentence"]
