"""Print a link that saves what its address holds, and click on it as a person does.

Way: browser
Control: JupyterLab at the stock hub, where Chromium saves it
Held by: the page is sandboxed without `allow-downloads`; from tier 2 on a printed link has no `download`
"""

OUTPUT = '<a id="saves" href="data:text/csv,secret" download="link.csv">records</a>'


def test_control_it_is_saved(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    stock_screen.click("#saves")
    stock_screen.wait_for_download("link.csv")


def test_nothing_is_saved(any_screen) -> None:
    any_screen.show(OUTPUT)
    any_screen.click("#saves")
    assert any_screen.downloads_after_a_while() == []
