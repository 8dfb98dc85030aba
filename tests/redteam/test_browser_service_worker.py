"""Leave a script in the workspace and print script that makes a service worker of it, which outlives the page.

Way: browser
Control: JupyterLab at the stock hub, which registers it from `/files`
Held by: no file of the workspace has an address, and the gateway refuses every request for a service worker; from tier 2 on
    printed script is taken out
"""

from tests.redteam.screens import write

OUTPUT = """
<script>
(async () => {
  const said = [];
  const base = location.pathname.split("/lab")[0];
  for (const place of ["/files/worker.js", "/api/contents/worker.js", "/lab/tree/worker.js", "/enclave/page.js"]) {
    await navigator.serviceWorker.register(base + place).then(() => said.push("registered"), () => said.push("no"));
  }
  document.documentElement.dataset.told = said.join(" ");
})();
</script>
"""


def test_control_it_is_registered(stock_screen) -> None:
    stock_screen.run("pass")
    write(stock_screen.inside, "worker.js", "self.onfetch = () => 0")
    stock_screen.show(OUTPUT)
    assert "registered" in stock_screen.told()


def test_it_is_not_registered(scripted_screen) -> None:
    scripted_screen.run("pass")
    write(scripted_screen.inside, "worker.js", "self.onfetch = () => 0")
    scripted_screen.show(OUTPUT)
    assert scripted_screen.told() == "no no no no"


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
