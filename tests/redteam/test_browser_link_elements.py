"""Print every kind of `link` that a browser fetches: icon, font, preload, module, dictionary of compression.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `default-src` and `Connection-Allowlist` name the session's own origin alone; from tier 2 on printed markup keeps no such element
"""

OUTPUT = """
<link rel="icon" href="THIRD/secret-icon"><link rel="manifest" href="THIRD/secret-manifest">
<link rel="modulepreload" href="THIRD/secret-module"><link rel="prefetch" href="THIRD/secret-prefetch">
<link rel="compression-dictionary" href="THIRD/secret-dictionary">
<link rel="alternate stylesheet" href="THIRD/secret-style">
<link rel="preload" as="image" imagesrcset="THIRD/secret-set 1x">
<link rel="preload" as="font" crossorigin href="THIRD/secret-font.woff">
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
