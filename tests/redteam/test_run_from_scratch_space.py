"""Bring a program in and run it from a temporary folder.

Way: container
Control: stock DockerSpawner
Held by: scratch space is mounted `noexec`; what a session runs is the image's (the workspace may run scripts by an interpreter of the image)
"""

ATTACK = """
import os, shutil, subprocess
shutil.copy("/bin/true", "/tmp/program")
os.chmod("/tmp/program", 0o755)
subprocess.run(["/tmp/program"], check=True)
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_it_is_not_run(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "Permission denied" in outcome.output, outcome.output
