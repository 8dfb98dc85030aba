"""Print script that reads and acts in another session of the same reader, whose cookie the browser would send.

Way: browser
Control: the same requests to the session's own origin, which work
Held by: each session is an origin of its own; `connect-src` and `frame-src` name no other, and the gateway answers to none;
    from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
(async () => {
  const said = [];
  const ask = (what, options) => fetch("OTHER" + what, {credentials: "include", ...options});
  await ask("/api/contents").then((answer) => answer.ok && said.push("read"), () => 0);
  await ask("/api/kernels", {method: "POST", body: '{"name": "python3"}'}).then((answer) => answer.ok && said.push("ran"), () => 0);
  await new Promise((done) => {
    const socket = new WebSocket("OTHER/api/events/subscribe".replace("http", "ws"));
    socket.onopen = () => { said.push("connected"); done(); };
    socket.onerror = done;
  }).catch(() => 0);
  await new Promise((done) => {
    const picture = new Image();
    picture.onload = () => { said.push("pictured"); done(); };
    picture.onerror = done;
    picture.src = "OTHER/kernelspecs/python3/logo-64x64.png";
  });
  document.documentElement.dataset.told = "did: " + said.join(" ");
})();
</script>
"""


def origin(enclave, project: str) -> str:
    return enclave.settings.web.session_origin(enclave.session("ana", project).id)


def test_control_its_own_session_answers(enclave, scripted_screen) -> None:
    scripted_screen.run("pass")
    scripted_screen.show(OUTPUT.replace("OTHER", origin(enclave, "empty")))
    said = scripted_screen.told()
    assert "read" in said
    assert "ran" in said
    assert "connected" in said


def test_the_other_session_does_not(enclave, scripted_screen, plain_screen) -> None:
    plain_screen.run("pass")
    scripted_screen.show(OUTPUT.replace("OTHER", origin(enclave, "wages")))
    assert scripted_screen.told() == "did: "


def test_printed_script_does_not_run_from_tier_2_on(enclave, plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
