"""Print script that reaches into the window of the portal that shows it: its page, its address, its cookies.

Way: browser
Control: JupyterLab at the stock hub, where it opens the hub's page in a window and reads its token
Held by: the portal is another origin, and no window can be opened; from tier 2 on printed script is taken out
"""

CONTROL = """
<script>
const other = window.open("/hub/token");
const timer = setInterval(() => {
  if (other.document.cookie.includes("_xsrf")) {
    document.documentElement.dataset.told = other.document.body.innerText;
    other.close();
    clearInterval(timer);
  }
}, 100);
</script>
"""
OUTPUT = """
<script>
const tries = {
  page: () => parent.document.body.innerText,
  address: () => parent.location.href,
  cookies: () => parent.document.cookie,
  token: () => parent.document.querySelector("[name=csrf]").value,
  leads: () => { top.location.href = "/services/portal/"; return "led"; },
  opener: () => window.opener.location.href,
  window: () => window.open("/services/portal/").document.cookie,
  sibling: () => parent.frames[0] === window ? null.x : "another frame",
};
const said = [];
for (const [name, act] of Object.entries(tries)) {
  try { said.push(name + " " + act()); } catch { /* refused */ }
}
document.documentElement.dataset.told = "reached: " + said.join("; ");
</script>
"""


def test_control_it_reads_the_hubs_window(stock_screen) -> None:
    stock_screen.show(CONTROL)
    assert "Token" in stock_screen.told()


def test_it_reaches_nothing(scripted_screen) -> None:
    scripted_screen.show(OUTPUT)
    assert scripted_screen.told() == "reached: "
    assert scripted_screen.in_place()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
