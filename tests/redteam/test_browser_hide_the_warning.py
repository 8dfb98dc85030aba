"""Print a style that hides the gateway's warnings from their reader, in every way that a style can hide.

Way: browser
Control: the same style for an element beside the warning, which it hides
Held by: the warning's looks are its own element's, all of them and important, above any printed style, and it is shown in
    the browser's top layer
"""

import json

from hub.gateway.control import GatewayControl
from tests.running import wait_for

WORDS = "Memory ran out, so the test says."
STYLE = """<style>
#NAME {display: none !important; visibility: hidden !important; opacity: 0 !important; clip-path: inset(100%) !important;
  transform: scale(0) translate(-9999px) !important; filter: opacity(0) !important; font-size: 0 !important;
  max-height: 0 !important; max-width: 0 !important; overflow: hidden !important; z-index: -1 !important;
  content-visibility: hidden !important; position: static !important; color: transparent !important; scale: 0 !important;
  top: -9999px !important; left: -9999px !important; animation: gone 1s infinite !important; zoom: 0.01 !important}
@keyframes gone {from, to {opacity: 0; transform: scale(0)}}
</style>"""
LOOK = """(name) => {
  const one = document.getElementById(name);
  const box = one.getBoundingClientRect();
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const looks = getComputedStyle(one);
  return JSON.stringify({text: one.textContent, seen: box.width > 99 && box.height > 9 && there === one &&
    looks.opacity === "1" && looks.visibility === "visible" && looks.clipPath === "none" && looks.fontSize === "14px"
    && looks.filter === "none" && looks.color === "rgb(255, 255, 255)"});
}"""
BESIDE = """() => {
  const one = document.createElement("div");
  one.id = "beside";
  one.textContent = "x".repeat(200);
  one.style.cssText = "position: fixed; top: 0; left: 0; z-index: 99999; color: rgb(255, 255, 255); font-size: 14px";
  document.body.append(one);
}"""


def _seen(screen, name) -> dict:
    return json.loads(screen.look(LOOK, name))


def test_control_an_element_beside_it_is_hidden(plain_screen) -> None:
    plain_screen.run("pass")
    plain_screen.look(BESIDE)
    assert _seen(plain_screen, "beside")["seen"]
    plain_screen.show(STYLE.replace("NAME", "beside"))
    assert not _seen(plain_screen, "beside")["seen"]
    plain_screen.look("() => document.getElementById('beside').remove()")


def test_the_warning_is_seen(enclave, plain_screen) -> None:
    plain_screen.show(STYLE.replace("NAME", "enclave-banner"))
    session = enclave.session("ana", "wages").id
    assert GatewayControl(enclave.settings.run / "gateway.sock").tell_memory(session, WORDS)
    wait_for("the warning", lambda: _seen(plain_screen, "enclave-banner")["text"] == WORDS, 60)
    wait_for("it to be seen", lambda: _seen(plain_screen, "enclave-banner")["seen"], 60)
