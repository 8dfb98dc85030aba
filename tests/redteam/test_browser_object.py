"""Print an object and an embedded file of a third party, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `object-src` is `'none'`; from tier 2 on printed markup keeps no such element
"""

OUTPUT = '<object data="THIRD/secret"></object><embed src="THIRD/secret-2">'


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
