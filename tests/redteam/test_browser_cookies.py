"""Print script that reads the cookies of the reader's logins.

Way: browser
Control: JupyterLab at the stock hub, where it reads the token that guards each change
Held by: JupyterLab has an origin of its own, whose one cookie is HttpOnly, and the portal's cookies are another origin's;
    from tier 2 on printed script is taken out
"""

OUTPUT = "<script>document.documentElement.dataset.told = 'cookies: ' + document.cookie</script>"


def test_control_it_reads_them(stock_screen) -> None:
    stock_screen.show(OUTPUT)
    assert "_xsrf=" in stock_screen.told()


def test_it_reads_none(scripted_screen) -> None:
    scripted_screen.show(OUTPUT)
    said = scripted_screen.told()
    kept = {cookie["name"] for cookie in scripted_screen.stage.do(scripted_screen.stage.context.cookies)}
    assert len(kept) > 1
    assert not [name for name in kept - {"moved"} if f"{name}=" in said]


def test_printed_script_does_not_run_from_tier_2_on(plain_screen) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT))
