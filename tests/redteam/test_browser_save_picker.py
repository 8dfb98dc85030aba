"""Print script that asks for a place on the reader's disk to write to.

Way: browser
Control: JupyterLab at the stock hub, where Chromium asks for it (and nobody answers)
Held by: JupyterLab is a frame of another origin than the portal's page, and such frames may not ask; from tier 2 on printed
    script is taken out
"""

OUTPUT = """
<script>
showSaveFilePicker({suggestedName: "records.csv"}).then(
  () => { document.documentElement.dataset.told = "written"; },
  (error) => { document.documentElement.dataset.told = error.name; });
</script>
"""


def test_control_it_is_asked_for(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    assert stock_screen.told() in {"AbortError", "written"}


def test_it_is_not_asked_for(scripted_screen) -> None:
    scripted_screen.show(OUTPUT)
    assert scripted_screen.told() == "SecurityError"


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
