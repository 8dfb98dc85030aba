"""Print script that has the browser look a name up and open a connection ahead of its use, the name being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `Connection-Allowlist: (response-origin)`, which Chromium has from 152 on (in a browser without it, script of
    tiers 0 and 1 can do this); from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const link = document.createElement("link");
link.rel = "preconnect";
link.href = "THIRD";
document.head.append(link);
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("connection")


def test_the_third_party_hears_nothing(scripted_screen, third_party) -> None:
    assert scripted_screen.ran(scripted_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen, third_party) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()
