"""Print script that asks for a way to pay, of which the browser itself asks its maker, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the frame is given no `payment`; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const details = {total: {label: "x", amount: {currency: "EUR", value: "1"}}};
const ask = () => new PaymentRequest([{supportedMethods: "THIRD/secret"}], details).canMakePayment();
try { ask().catch(() => 0); } catch (error) { document.documentElement.dataset.said = error.name; }
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
