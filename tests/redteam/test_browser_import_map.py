"""Print a map of modules that leads to a third party, and import from it.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `script-src` names the session's own origin alone; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script type="importmap">{"imports": {"numbers": "THIRD/secret.js"}}</script>
<script type="module">import "numbers";</script>
<script type="module" src="THIRD/secret-2.js"></script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(scripted_screen, third_party) -> None:
    assert scripted_screen.ran(scripted_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen, third_party) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()
