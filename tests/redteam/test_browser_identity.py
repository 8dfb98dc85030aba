"""Print script that asks for a login by an identity provider, whom the browser itself asks, past every policy of the page.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the frame is given no `identity-credentials-get`;
    from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const provider = {configURL: "THIRD/secret.json", clientId: "secret"};
navigator.credentials.get({identity: {providers: [provider]}}).catch(() => 0);
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
