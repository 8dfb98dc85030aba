"""Print rules by which the browser fetches or renders addresses of a third party ahead of their use.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `script-src` and `connect-src` name the session's own origin alone, and so does `Connection-Allowlist`; from
    tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const rules = document.createElement("script");
rules.type = "speculationrules";
const one = (address) => [{source: "list", urls: [address], eagerness: "immediate"}];
rules.textContent = JSON.stringify({prefetch: one("THIRD/secret"), prerender: one("THIRD/secret-2")});
document.head.append(rules);
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
