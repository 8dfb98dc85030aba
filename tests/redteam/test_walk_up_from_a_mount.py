"""Leave a mount by `..`, a link, or a handle of a file.

Way: container
Control: a container with CAP_DAC_READ_SEARCH and no seccomp profile, which opens files of the host by handle
Held by: mounts are roots of their own; `open_by_handle_at` is refused and the capability is gone
"""

from tests.redteam.inside import weak_container

ATTACK = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
mount = os.open("/etc/hosts", os.O_RDONLY)
handle = ctypes.create_string_buffer(struct.pack("<IiQ", 8, 1, 2) + bytes(8))
found = libc.open_by_handle_at(mount, handle, os.O_RDONLY)
if found < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
print(os.listdir(found))
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0", "--cap-add", "DAC_READ_SEARCH", "--security-opt", "seccomp=unconfined") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_no_file_opens_by_handle(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Operation not permitted" in outcome.output, outcome.output
