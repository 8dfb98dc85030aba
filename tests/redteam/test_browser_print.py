"""Print script that sends the page to the printer, and so to a file.

Way: browser
Control: JupyterLab at the stock hub, where the dialog opens and nothing is counted
Bounded by: the tier's budget: what can be printed was shown first, and the gateway counts each byte that is shown; from tier
    2 on printed script is taken out, and what a person prints is what a person saw
"""

from tests.redteam.screens import shown_bytes

OUTPUT = """
<script>
addEventListener("beforeprint", () => { document.documentElement.dataset.told = "printing"; });
print();
</script>
"""
RECORDS = 200_000
CODE = f"""
from IPython.display import HTML, display
display(HTML("<p>" + "r" * {RECORDS} + "</p>" + {OUTPUT!r}))
"""


def test_control_it_is_printed(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    assert stock_screen.told() == "printing"
    stock_screen.fresh()  # the dialog would stay over the page


def test_what_is_printed_was_counted_when_it_was_shown(enclave, scripted_screen) -> None:
    scripted_screen.run("pass")
    before = shown_bytes(enclave, "ana", "empty")
    scripted_screen.run(CODE)
    assert scripted_screen.told() == "printing"
    assert shown_bytes(enclave, "ana", "empty") - before >= RECORDS
    scripted_screen.fresh()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
