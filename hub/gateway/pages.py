"""What the gateway says to a person, in words: one small page without script, or JSON for JupyterLab's own requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1b1f24;display:grid;
place-items:center;min-height:100vh}main{max-width:34rem;padding:2rem;background:#fff;border:1px solid #d5dae1;
border-radius:8px}h1{font-size:1.25rem;margin:0 0 .75rem}p{margin:.5rem 0}a{color:#0b57a4}
@media(prefers-color-scheme:dark){body{background:#15181c;color:#e8eaed}main{background:#1e2227;border-color:#3a4048}
a{color:#8ab4f8}}"""


@dataclass(frozen=True)
class Words:
    """A status, a title, and sentences: what is wrong and what to do next."""

    status: int
    title: str
    sentences: tuple[str, ...]

    def html(self, portal: str) -> bytes:
        """As a page with a link to the portal."""
        body = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences)
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(self.title)}</title>'
            f"<style>{_STYLE}</style>"
            f"<main><h1>{escape(self.title)}</h1>{body}"
            f'<p><a href="{escape(portal)}" target="_top">{escape(portal)}</a></p></main></html>'
        ).encode()

    def json(self) -> bytes:
        """As JupyterLab shows it in a dialog."""
        return json.dumps({"message": f"{self.title}. {' '.join(self.sentences)}", "reason": self.title}).encode()


NO_SESSION = Words(404, "No such session", ("There is no session at this address. Open your project in the portal.",))
NOT_SIGNED_IN = Words(
    403,
    "You are not in this session",
    ("A session opens from its project's page in the portal, and only for the person it belongs to.",),
)
BAD_TICKET = "You cannot enter with this address"
WAITING = Words(
    503,
    "The session is being checked",
    ("The enclave is deciding your access anew and has not finished. Nothing is lost; try again in a few seconds.",),
)
DIED = Words(
    502,
    "The session's server does not answer",
    (
        "It ended by itself, or the container was stopped. Files in your workspace are kept.",
        "Stop the session in the portal and start it again.",
    ),
)


def died(memory: str) -> Words:
    """The session's server does not answer; `memory` is what was said of memory that ran out, if it did."""
    if not memory:
        return DIED
    again = "Stop the session in the portal and start it again."
    return Words(502, "The session's server does not answer: memory ran out", (memory, again))


REFUSED_ANSWER = Words(
    502,
    "The session's answer was not passed on",
    ("Your session's server answered in a way that JupyterLab's own does not. Stop the session and start it again.",),
)
OUR_FAULT = Words(
    500,
    "The enclave could not answer this",
    ("That is its own fault, and it is in its log. Try again; if it stays, tell who runs the enclave.",),
)
DOWNLOAD = Words(
    403,
    "Nothing is downloaded from a session",
    (
        "Results leave through the release queue of the portal.",
        "On your project's page pick the files, say what they are for, and submit them.",
        "A data steward looks at them, and you download there what was approved.",
    ),
)
TERMINALS = Words(403, "Terminals are closed", ("Sessions of this tier work with notebooks and consoles alone.",))
CLOSED = Words(403, "Closed", ("The enclave does not pass this on to the session.",))
METHOD = Words(405, "Not possible here", ("The enclave does not pass on this kind of request for this address.",))
OTHER_SITE = Words(403, "Asked by another site", ("A session answers only to its own page, shown in the portal.",))
NO_FILE = Words(404, "Not possible in this session", ("There is no such file.",))
TOO_BIG = Words(413, "Too large", ("What was sent is larger than the enclave takes here.",))

BY_REASON = {"download": DOWNLOAD, "terminals": TERMINALS, "method": METHOD, "closed": CLOSED}


def ended(reason: str) -> Words:
    """The session is over; says why."""
    return Words(410, "This session has ended", (reason, "Files in your workspace are kept."))


def paused(sentence: str) -> Words:
    """The session has passed its budget."""
    return Words(429, "This session is paused", (sentence,))


def refused(sentence: str, status: int = 403) -> Words:
    """A refusal whose sentence somebody else wrote."""
    return Words(status, "Not possible in this session", (sentence,))


# Shows the gateway's warnings over JupyterLab, and asks it to save before the session ends. It runs before JupyterLab
# does, and keeps JupyterLab's application object for itself.
PAGE_SCRIPT = b"""(() => {
  "use strict";
  let app = null;
  Object.defineProperty(window, "jupyterapp", {
    configurable: true,
    set(value) { app = value; delete window.jupyterapp; },
  });
  const bar = document.createElement("div");
  bar.id = "enclave-banner";
  bar.setAttribute("role", "status");
  // What a cell prints may bring styles of its own. These are the element's, and important: no printed style is above
  // them. In the top layer nothing lies over it.
  const looks = {
    all: "initial", position: "fixed", left: "50%", bottom: "2rem", transform: "translateX(-50%)",
    "z-index": "2147483647", "max-width": "44rem", padding: ".75rem 1rem", "border-radius": "6px", color: "#fff",
    font: "14px/1.4 system-ui,sans-serif", "box-shadow": "0 2px 12px rgba(0,0,0,.4)", "box-sizing": "border-box",
  };
  const look_as = (name, value) => bar.style.setProperty(name, value, "important");
  for (const [name, value] of Object.entries(looks)) { look_as(name, value); }
  look_as("display", "none");
  const show = (text, serious) => {
    if (bar.textContent !== text) { bar.textContent = text; }
    look_as("background", serious ? "#8c1d18" : "#7a4b00");
    look_as("display", text ? "block" : "none");
    if (!bar.showPopover || !bar.isConnected) { return; }
    if (bar.popover !== "manual") { bar.popover = "manual"; }
    if (text && !bar.matches(":popover-open")) { bar.showPopover(); }
    if (!text && bar.matches(":popover-open")) { bar.hidePopover(); }
  };
  let ending = false, over = false, failures = 0;
  const save = async () => {
    if (!app || !app.commands.hasCommand("docmanager:save-all")) { return "Save your work now."; }
    try {
      await app.commands.execute("docmanager:save-all");
      return "Your open files were saved.";
    } catch (error) {
      return "Not all of your open files could be saved.";
    }
  };
  const end = async (status) => {
    if (ending) { return; }
    ending = true;
    const until = Date.now() + status.ends_in * 1000;
    let said = app ? "Your open files are being saved." : "";
    const tick = () => {
      if (over) { return; }
      const left = Math.max(0, Math.round((until - Date.now()) / 1000));
      show("This session ends in " + left + " s. " + said + " " + status.sentence, true);
      setTimeout(tick, 250);
    };
    tick();
    said = await save();
  };
  const take = (status) => {
    if (status.level === "ending") { end(status); }
    else if (!ending) { show(status.sentence, ["paused", "memory"].includes(status.level)); }
  };
  const look = async () => {
    try {
      const answer = await fetch("/enclave/status", {cache: "no-store"});
      const status = await answer.json();
      failures = 0;
      over = answer.status === 410;
      if (answer.ok) { take(status); }
      else if (over || !ending) { show(status.message || "The session does not answer.", true); }
    } catch (error) {
      failures += 1;
      if (failures > 2) { show("The enclave cannot be reached. Kernels keep running; this page tries again.", true); }
    }
  };
  const poll = async () => {
    await look();
    if (!over) { setTimeout(poll, 5000); }
  };
  const listen = () => {
    if (over) { return; }
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/enclave/news");
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = () => { look(); setTimeout(listen, 5000); };
  };
  const begin = () => { document.body.appendChild(bar); listen(); setTimeout(poll, 3000); };
  if (document.body) { begin(); } else { addEventListener("DOMContentLoaded", begin); }
})();
"""
