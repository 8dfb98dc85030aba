"""Read the disks of the host through a device.

Way: container
Control: a container of root that is given the kernel log
Held by: no device node, no CAP_MKNOD, and the device cgroup
"""

from tests.redteam.inside import weak_container

ATTACK = """
import glob
names = glob.glob("/dev/vd*") + glob.glob("/dev/sd*") + glob.glob("/dev/nvme*") + glob.glob("/dev/mem") + glob.glob("/dev/kmsg")
open(names[0], "rb").close()
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "--device", "/dev/kmsg", "--cap-add", "SYSLOG") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_there_is_no_device(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "IndexError" in outcome.output or "Permission denied" in outcome.output, outcome.output
