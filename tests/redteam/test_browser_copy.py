"""Print script that marks what is shown and copies it to the clipboard, as a person may by hand.

Way: browser
Control: JupyterLab at the stock hub, where it is copied and nothing is counted
Bounded by: the tier's budget: what can be copied was shown first, and the gateway counts each byte that is shown; from tier
    2 on printed script is taken out
"""

from tests.redteam.screens import shown_bytes

OUTPUT = """
<script>
const area = document.createElement("textarea");
area.value = "secret".repeat(1000);
document.body.append(area);
area.select();
document.documentElement.dataset.told = String(document.execCommand("copy"));
area.remove();
</script>
"""
RECORDS = 200_000
CODE = f"""
from IPython.display import HTML, display
display(HTML("<p>" + "r" * {RECORDS} + "</p>" + {OUTPUT!r}))
"""


def test_control_it_is_copied(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    assert stock_screen.told() == "true"


def test_what_is_copied_was_counted_when_it_was_shown(enclave, scripted_screen) -> None:
    scripted_screen.run("pass")
    before = shown_bytes(enclave, "ana", "empty")
    scripted_screen.run(CODE)
    assert scripted_screen.told() == "true"
    assert shown_bytes(enclave, "ana", "empty") - before >= RECORDS


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
