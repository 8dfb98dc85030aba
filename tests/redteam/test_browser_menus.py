"""Download, export or print through JupyterLab's own menus.

Way: browser
Control: JupyterLab at the stock hub, whose menus offer it
Held by: the extensions that offer it are switched off in the gateway's page, and the addresses behind them are closed
"""

from tests.redteam.screens import PATIENCE, Screen

LEAD_OUT = ("download", "export", "print", "browser tab", "shareable link", "copy link")


def offered(screen: Screen) -> list[str]:
    """What JupyterLab's File menu offers that leads out."""

    def read() -> list[str]:
        page, frame = screen._page(), screen._frame()
        frame.locator(".lm-MenuBar-item", has_text="File").first.click(timeout=PATIENCE)
        frame.locator(".lm-Menu-itemLabel", has_text="Save").first.wait_for(state="attached", timeout=PATIENCE)
        found = frame.locator(".lm-Menu-itemLabel").all_text_contents()
        page.keyboard.press("Escape")
        return found

    screen.run("pass")  # JupyterLab is open
    labels = screen.stage.do(read)
    return [label for label in labels if any(word in label.lower() for word in LEAD_OUT)]


def test_control_stock_offers_it(stock_screen) -> None:
    found = " ".join(offered(stock_screen)).lower()
    assert "download" in found
    assert "export" in found


def test_the_enclave_offers_nothing_that_leads_out(any_screen) -> None:
    assert offered(any_screen) == []
