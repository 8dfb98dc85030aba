"""Print a form that changes something in the portal in its reader's name: a vote, an end of a session.

Way: browser
Control: the same form sent by the portal's own page, which works
Held by: `form-action` is `'none'`, the sandbox keeps it in the frame, and the portal takes a change from its own pages alone;
    from tier 2 on neither form nor script is shown
"""

OUTPUT = """
<form id="act" method="post" action="PORTAL/services/portal/projects/empty/stop" target="TARGET">
<input name="csrf" value="guess"></form>
<script>document.getElementById("act").submit()</script>
"""
ANSWER = """
async (address) => {
  const body = new URLSearchParams({csrf: document.querySelector("[name=csrf]").value});
  return (await fetch(address, {method: "POST", body})).status;
}
"""


def portal_hears(enclave, screen, target: str) -> list[str]:
    """What the portal was sent, and with which answer, after the form was shown."""
    heard: list[str] = []
    screen.run("pass")
    page = screen.page

    def listen(response) -> None:
        if response.request.method == "POST" and "/services/portal/" in response.url:
            heard.append(f"{response.status} {response.url}")

    screen.stage.do(lambda: page.on("response", listen))
    screen.show(OUTPUT.replace("PORTAL", enclave.settings.web.origin).replace("TARGET", target))
    screen.linger(1.0)
    screen.stage.do(lambda: page.remove_listener("response", listen))
    return heard


def test_nothing_is_changed(enclave, any_screen) -> None:
    session = enclave.session("ana", "empty") or enclave.start_session("ana", "empty")
    for target in ("_self", "_top", "_blank"):
        assert portal_hears(enclave, any_screen, target) == []
    assert enclave.session("ana", "empty").id == session.id


def test_control_the_portals_own_page_changes_it(enclave, scripted_screen) -> None:
    scripted_screen.run("pass")
    page = scripted_screen.page
    address = f"{enclave.settings.web.origin}/services/portal/projects/empty/stop"
    assert scripted_screen.stage.do(lambda: page.evaluate(ANSWER, address)) == 200
    enclave.stop_session("ana", "empty")
