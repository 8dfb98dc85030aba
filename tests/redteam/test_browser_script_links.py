"""Print links to `javascript:` where printed HTML is cleaned: in HTML, Markdown, formulas and Markdown cells, and click.

Way: browser
Control: JupyterLab at the stock hub, where a link of that kind, made by printed script, runs its script when it is clicked
Held by: from tier 2 on printed HTML and Markdown keep no such address; formulas and Markdown cells are cleaned by
    JupyterLab, and no link of theirs runs script either
"""

from tests.redteam import screens
from tests.running import wait_for

RUN = "document.documentElement.dataset.told='ran'"
FORMULA = rf"$\href{{javascript:{RUN}}}{{x+y+z}}$ $\class{{enclave-formula}}{{x+y}}$"
LINK = f'<a href="javascript:{RUN}" class="the-link">the link</a>'
SHOWN = {
    "html": f"HTML({LINK!r})",
    "html with a formula": f"HTML({'<p>' + FORMULA + '</p>'!r})",
    "markdown": f"Markdown({'[the link](javascript:' + RUN + ') ' + LINK!r})",
    "a formula": f"Latex({FORMULA!r})",
    "a formula in markdown": f"Markdown({FORMULA!r})",
}
# Clicks on whatever was shown, as a person does who clicks everywhere.
CLICK_ALL = """() => {
  for (const one of document.querySelectorAll(".jp-OutputArea *, .jp-MarkdownOutput *")) {
    one.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    if (one.click) { one.click(); }
  }
  return [...document.querySelectorAll(".jp-OutputArea *, .jp-MarkdownOutput *")]
    .map((one) => one.getAttribute("href") || one.getAttribute("xlink:href") || "")
    .filter((address) => address.toLowerCase().includes("javascript:")).length;
}"""
CODE = "from IPython.display import HTML, Latex, Markdown, display\ndisplay({})"
CELL = {"cell_type": "markdown", "id": "beside", "metadata": {}, "source": f"{LINK} [x](javascript:{RUN}) {FORMULA}"}
TOLD = "() => document.documentElement.dataset.told || ''"


def test_control_a_link_runs_script_at_stock(stock_screen) -> None:
    made = f'const link = document.createElement("a"); link.href = "javascript:{RUN}"; document.body.append(link);'
    stock_screen.show(f"<script>{made} link.click();</script>")
    assert stock_screen.told() == "ran"


def test_no_link_of_any_kind_runs_script(plain_screen) -> None:
    for name, shown in SHOWN.items():
        plain_screen.run(CODE.format(shown))
        plain_screen.linger(1)  # formulas are set a moment after they are shown
        assert plain_screen.look(CLICK_ALL) == 0, name
        assert plain_screen.look(TOLD) == "", name
        assert plain_screen.in_place(), name


def test_no_link_of_a_markdown_cell_runs_script(plain_screen, monkeypatch) -> None:
    monkeypatch.setitem(screens.NOTEBOOK, "cells", [*screens.NOTEBOOK["cells"], CELL])
    plain_screen.fresh()
    plain_screen.run("pass")
    wait_for("the Markdown cell", lambda: plain_screen.look("() => document.body.innerText.includes('the link')"), 60)
    plain_screen.linger(1)
    assert plain_screen.look(CLICK_ALL) == 0
    assert plain_screen.look(TOLD) == ""
    monkeypatch.undo()
    plain_screen.fresh()
