"""Write the kernel's settings below /proc/sys.

Way: container
Control: a container of root without masked system paths
Held by: /proc/sys is read-only, and nobody inside is root
"""

from tests.redteam.inside import weak_container

ATTACK = """
open("/proc/sys/kernel/hostname", "w").write(open("/proc/sys/kernel/hostname").read())
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "--security-opt", "systempaths=unconfined") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_settings_stay(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
