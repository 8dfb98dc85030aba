"""Print script that writes to the reader's clipboard what was never shown.

Way: browser
Control: JupyterLab at the stock hub, where it is put there
Held by: the gateway's and the portal's pages give the frame no `clipboard-write`; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
navigator.clipboard.writeText("secret".repeat(100000)).then(
  () => { document.documentElement.dataset.told = "written"; },
  (error) => { document.documentElement.dataset.told = error.name; });
</script>
"""


def test_control_it_is_put_there(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    assert stock_screen.told() == "written"


def test_it_is_not_put_there(scripted_screen) -> None:
    scripted_screen.show(OUTPUT)
    assert scripted_screen.told() == "NotAllowedError"


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
