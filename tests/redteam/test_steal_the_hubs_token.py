"""Take the hub's token out of the environment and use it.

Way: container
Control: stock DockerSpawner
Held by: no token, secret or address of the hub is ever given to a container
"""

ATTACK = """
import os, urllib.request
request = urllib.request.Request(os.environ["JUPYTERHUB_API_URL"] + "/user", headers={"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]})
print(urllib.request.urlopen(request, timeout=10).read())
"""


def test_control_it_works_at_stock(stock_inside) -> None:
    outcome = stock_inside.python(ATTACK)
    assert outcome.worked, outcome.output


def test_there_is_no_token(inside) -> None:
    outcome = inside.python(ATTACK)
    assert not outcome.worked
    assert "KeyError" in outcome.output, outcome.output


def test_no_secret_is_in_any_environment(inside) -> None:
    outcome = inside.shell("cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u")
    assert "JUPYTERHUB" not in outcome.output
    assert not [
        line
        for line in outcome.output.splitlines()
        if any(word in line.upper() for word in ("TOKEN", "SECRET", "PASSW"))
    ]
