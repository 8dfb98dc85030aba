"""Print script that reads the hub's and the portal's pages as their reader.

Way: browser
Control: JupyterLab at the stock hub, where it reads the page that makes tokens
Held by: hub and portal are another origin, which `connect-src` does not name and which allows no other to read it; from tier
    2 on printed script is taken out
"""

OUTPUT = """
<script>
(async () => {
  let said = "";
  for (const base of ["", "PORTAL"]) {
    for (const path of ["/hub/token", "/hub/home", "/services/portal/", "/services/portal/api/me"]) {
      await fetch(base + path, {credentials: "include"}).then(async (answer) => {
        if (answer.ok && !answer.url.includes("/lab")) { said += base + path + " " + (await answer.text()).length + "; "; }
      }).catch(() => 0);
    }
  }
  document.documentElement.dataset.told = "read: " + said;
})();
</script>
"""


def test_control_it_reads_the_hubs_page(stock_screen) -> None:
    stock_screen.show(OUTPUT.replace("PORTAL", ""))
    assert "/hub/token" in stock_screen.told()


def test_control_the_portals_own_page_reads_it(enclave, scripted_screen) -> None:
    scripted_screen.run("pass")
    page = scripted_screen.page
    address = f"{enclave.settings.web.origin}/services/portal/api/me"
    assert scripted_screen.stage.do(lambda: page.evaluate("async (a) => (await fetch(a)).status", address)) == 200


def test_it_reads_nothing(enclave, scripted_screen) -> None:
    scripted_screen.show(OUTPUT.replace("PORTAL", enclave.settings.web.origin))
    assert scripted_screen.told() == "read: "


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
