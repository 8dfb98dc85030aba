"""Print script that sets so many cookies for the enclave's domain that the browser throws its reader's logins away.

Way: browser
Control: the reader's logins, which are there before
Bounded by: it ends logins and opens none: hub, portal and session ask for a new one, and with TLS the cookies of all three
    have the prefix `__Host-`, which no other host can set; from tier 2 on printed script is taken out
"""

import contextlib
from collections.abc import Iterator

import pytest

from tests.redteam import screens
from tests.redteam.screens import Screen
from tests.running import wait_for

FILL = """<script>
for (let i = 0; i < 400; i++) { document.cookie = `filler${i}=1; domain=DOMAIN; path=/`; }
document.documentElement.dataset.told = "filled";
</script>"""


def _logins(screen) -> set[str]:
    kept = screen.stage.do(screen.stage.context.cookies)
    return {cookie["name"] for cookie in kept if cookie["name"] in ("portal-login", "jupyterhub-hub-login", "enclave")}


def test_control_the_logins_are_there(plain_screen) -> None:
    plain_screen.run("pass")
    assert {"portal-login", "enclave"} <= _logins(plain_screen)


def test_from_tier_2_on_no_login_is_lost(enclave, plain_screen) -> None:
    output = FILL.replace("DOMAIN", enclave.settings.web.host)
    assert not plain_screen.ran(plain_screen.show(output))
    assert {"portal-login", "enclave"} <= _logins(plain_screen)


@pytest.fixture
def own_screen(enclave) -> Iterator[Screen]:
    """Ana in a browser of its own, since she loses her logins there."""
    with contextlib.contextmanager(screens.open_stage)() as stage:
        screens.log_in(stage, enclave, "ana")
        yield Screen(stage, screens.portal_entrance(enclave, "ana", "empty"), framed=True)


def test_below_it_logins_are_lost_and_none_is_won(enclave, own_screen) -> None:
    own_screen.run("pass")
    assert {"portal-login", "enclave"} <= _logins(own_screen)
    own_screen.show(FILL.replace("DOMAIN", enclave.settings.web.host))
    assert own_screen.told() == "filled"
    wait_for("the logins to be lost", lambda: not _logins(own_screen) & {"portal-login", "enclave"}, 60)
    assert own_screen.look("async () => (await fetch('/api/kernels')).status") == 403
    portal = f"{enclave.settings.web.origin}/services/portal/"
    assert not own_screen.stage.do(lambda: own_screen._page().goto(portal).url).startswith(portal)
