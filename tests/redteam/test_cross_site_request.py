"""Have another site's page change something with the reader's cookie.

Way: gateway
Control: the same request from the session's own origin, which works
Held by: whatever changes something needs the session's own origin, and the cookie is SameSite=Strict
"""

import pytest


def delete(researcher, name: str, origin: str | None) -> int:
    headers = {"Origin": origin} if origin else {}
    return researcher.browser.client.delete(f"{researcher.session}/api/contents/{name}", headers=headers).status_code


def test_control_its_own_origin_works(researcher, inside) -> None:
    inside.shell("echo x > /workspace/gone.txt")
    assert delete(researcher, "gone.txt", researcher.session) == 204


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_another_origin_is_refused(researcher, inside, origin) -> None:
    inside.shell("echo x > /workspace/stays.txt")
    assert delete(researcher, "stays.txt", origin) == 403
    assert inside.shell("cat /workspace/stays.txt").worked
