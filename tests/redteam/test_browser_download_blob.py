"""Print script that saves a file which it made itself.

Way: browser
Control: JupyterLab at the stock hub, where Chromium saves it
Held by: the page is sandboxed without `allow-downloads`; from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const link = document.createElement("a");
link.href = URL.createObjectURL(new Blob(["secret"]));
link.download = "blob.csv";
document.body.append(link);
link.click();
const frame = document.createElement("iframe");
frame.src = URL.createObjectURL(new Blob(["secret"], {type: "application/octet-stream"}));
document.body.append(frame);
</script>
"""


def test_control_it_is_saved(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    stock_screen.wait_for_download("blob.csv")


def test_nothing_is_saved(scripted_screen) -> None:
    assert scripted_screen.ran(scripted_screen.show(OUTPUT))
    assert scripted_screen.downloads_after_a_while() == []


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
    assert plain_screen.downloads_after_a_while() == []
