"""Become root by a set-user-ID program.

Way: container
Control: a container without no-new-privileges that has one
Held by: no program in the image has the bit, `nosuid` scratch space, and no new privileges
"""

from tests.redteam.inside import weak_container

ATTACK = """
import os, subprocess
lines = open("/proc/self/status").read()
assert "NoNewPrivs:\\t0" in lines, "NoNewPrivs is set"
"""


def test_control_it_works_without_the_defence() -> None:
    with weak_container("-u", "0") as control:
        outcome = control.python(ATTACK)
    assert outcome.worked, outcome.output


def test_privileges_never_grow(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "NoNewPrivs is set" in outcome.output, outcome.output


def test_no_program_has_the_bit(inside) -> None:
    outcome = inside.shell("find / -xdev -perm /6000 -type f 2>/dev/null || true")
    assert outcome.output.strip() == ""
