"""Print script that shows an SVG of its own making as a document of its own, with script and pictures of a third party.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: a document of a blob has its maker's policy; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const svg = `<svg xmlns="http://www.w3.org/2000/svg"><image href="THIRD/secret"/><script href="THIRD/secret-2.js"/></svg>`;
const frame = document.createElement("iframe");
frame.src = URL.createObjectURL(new Blob([svg], {type: "image/svg+xml"}));
document.body.append(frame);
setTimeout(() => frame.remove(), 1000);
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
