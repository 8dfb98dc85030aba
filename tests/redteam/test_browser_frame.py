"""Print a frame that shows a page of a third party, with data in the address.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `frame-src` lets only blobs in; from tier 2 on printed markup keeps no such element
"""

OUTPUT = '<iframe src="THIRD/secret"></iframe>'


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
