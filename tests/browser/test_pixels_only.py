"""A session that is shown as pictures, in a browser: pixels arrive, and what is typed reaches the notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from hub.container import container_name
from tests import pixels as pictures
from tests.browser.conftest import PATIENCE, Crowd
from tests.redteam.inside import Inside
from tests.running import Enclave, wait_for

CODE = "open('/workspace/typed.txt', 'w').write('typed')"
COLOURS = """() => {
  const canvas = document.querySelector("#screen canvas");
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    running = Enclave.start(tmp_path_factory.mktemp("pixels"), more=pictures.SETTINGS)
    yield running
    running.close()


@pytest.fixture
def screen(pixels: Enclave, chromium: Browser) -> Iterator[tuple[Page, Frame, Inside]]:
    """Ana's session: the page around it, the frame with the screen, and its container."""
    crowd = Crowd(pixels, chromium)
    with pixels.running_session("ana", pictures.PROJECT) as record:
        page = crowd.page("ana", f"sessions/{pictures.PROJECT}")
        expect(page.locator("iframe")).to_be_visible(timeout=PATIENCE)
        frame = wait_for(
            "the screen's frame", lambda: next((f for f in page.frames if "/enclave/screen" in f.url), None)
        )
        expect(frame.locator("html")).to_have_attribute("data-display", "connected", timeout=PATIENCE)
        yield page, frame, Inside(container_name(record.id))
        for context in crowd.contexts.values():
            context.close()


def try_until(what: str, act: Callable[[], None], done: Callable[[], bool], seconds: float = 20) -> None:
    """A machine under load may not have been ready for the keys: they are pressed again."""
    for _ in range(6):
        act()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if done():
                return
            time.sleep(0.5)
    raise AssertionError(f"in vain: {what}")


@pytest.mark.timeout(900)  # on a machine under load the browser in the container is slow
def test_pixels_arrive_and_typing_reaches_the_notebook(screen: tuple[Page, Frame, Inside]) -> None:
    page, frame, inside = screen
    # JupyterLab's own colours; before it is there the screen is of one.
    wait_for("JupyterLab on the screen", lambda: frame.evaluate(COLOURS) > 50, pause=1)
    frame.locator("#screen canvas").click(position={"x": 600, "y": 600})

    def new_notebook() -> None:
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Shift+C")  # the palette of commands
        page.wait_for_timeout(2000)
        page.keyboard.type("new notebook", delay=30)
        page.wait_for_timeout(2000)
        page.keyboard.press("Enter")

    def run_cell() -> None:
        page.keyboard.press("Enter")  # the kernel's dialog, or into the cell
        page.wait_for_timeout(5000)
        page.keyboard.press("Enter")
        page.keyboard.press("Control+a")
        page.keyboard.type(CODE, delay=30)
        page.keyboard.press("Shift+Enter")

    try_until("a new notebook", new_notebook, lambda: inside.shell("ls /workspace/*.ipynb").worked)
    try_until("a cell that writes", run_cell, lambda: inside.shell("grep -q typed /workspace/typed.txt").worked)


def test_the_page_has_no_clipboard_and_no_files(screen: tuple[Page, Frame, Inside]) -> None:
    _, frame, inside = screen
    assert frame.locator("a, button, input, textarea:not([style]), form").count() == 0
    assert inside.shell("test ! -e /run/enclave/jupyter.sock").worked
    for path in ("/lab", "/api/contents", "/files/notes.txt"):
        assert frame.evaluate("path => fetch(path).then(answer => answer.status)", path) == 403
