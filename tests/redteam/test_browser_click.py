"""Print a link to a third party, with data in the address, and click on it as a person does.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the page is sandboxed without `allow-popups`, and the portal's page frames the session's own origin alone;
    from tier 2 on a printed link leads nowhere
"""

OUTPUT = '<a id="leads" href="THIRD/secret">more</a>'


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    stock_screen.click("#leads")
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    any_screen.click("#leads")
    third_party.hears_nothing()
