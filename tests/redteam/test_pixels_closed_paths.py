"""Ask Jupyter's own addresses for data in a session that is shown as pictures.

Way: gateway
Control: a session of a tier that is not shown as pictures, where the gateway passes these on
Held by: in a tier with `pixels_only` the gateway's table has no address of Jupyter's, and the container's server is not on a
    socket that the gateway could ask
"""

import pytest

PATHS = (
    "/lab", "/api", "/api/contents", "/api/contents/notes.txt", "/api/kernels", "/api/kernelspecs", "/api/sessions",
    "/lab/api/settings", "/lab/api/workspaces", "/files/notes.txt", "/api/terminals", "/static/lab/main.js", "/metrics",
)  # fmt: skip


def test_control_another_session_answers(researcher) -> None:
    for path in ("/lab", "/api", "/api/contents", "/api/kernels", "/api/kernelspecs", "/api/sessions"):
        assert researcher.browser.get(researcher.session + path).status_code == 200, path


@pytest.mark.parametrize("path", PATHS)
def test_a_session_of_pictures_does_not(evil_display, path) -> None:
    session, client = evil_display.person.session, evil_display.person.browser.client
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = client.request(method, session + path, headers={"Origin": session}, follow_redirects=False)
        assert answer.status_code == 403, (method, answer.status_code)


def test_its_own_page_is_there(evil_display) -> None:
    session, browser = evil_display.person.session, evil_display.person.browser
    assert browser.get(f"{session}/enclave/screen").status_code == 200
    assert browser.get(f"{session}/enclave/novnc/core/rfb.js").status_code == 200
    assert browser.get(f"{session}/enclave/novnc/../../settings.py").status_code in {403, 404}
