"""Leave a program in the image for the next session.

Way: container
Control: a container of root with a writable root
Held by: the root file system is read-only, and belongs to another user
"""

from tests.redteam.inside import weak_container

ATTACK = """
open("/opt/venv/lib/python3.11/site-packages/sitecustomize.py", "w").write("print(1)")
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_the_image_stays(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert (
        "Read-only file system" in outcome.output
        or "Permission denied" in outcome.output
        or "Operation not permitted" in outcome.output
    ), outcome.output
