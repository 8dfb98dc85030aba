"""Print script that leaves data in a cookie of the enclave's domain, for another session of the same reader.

Way: browser
Control: another page of the same person in a tier whose printed script runs, which finds it
Bounded by: tiers: it joins sessions of one person in tiers 0 and 1, whose script runs, and holds four kilobytes; from tier 2 on
    printed script is taken out, so nothing there writes it or reads it, and no container ever sees a cookie
"""

LEAVE = """
<script>
document.cookie = "moved=secret; domain=DOMAIN; path=/";
document.documentElement.dataset.told = "left";
</script>
"""
FIND = "<script>document.documentElement.dataset.told = 'found: ' + document.cookie</script>"
CLEAR = "<script>document.cookie = 'moved=; domain=DOMAIN; path=/; max-age=0'</script>"


def test_control_script_finds_it(enclave, scripted_screen) -> None:
    domain = enclave.settings.web.host
    scripted_screen.show(LEAVE.replace("DOMAIN", domain))
    assert scripted_screen.told() == "left"
    scripted_screen.fresh()
    scripted_screen.show(FIND)
    assert "moved=secret" in scripted_screen.told()
    scripted_screen.show(CLEAR.replace("DOMAIN", domain))


def test_a_session_of_tier_2_neither_leaves_nor_finds_it(enclave, plain_screen) -> None:
    for output in (LEAVE, FIND):
        assert not plain_screen.ran(plain_screen.show(output.replace("DOMAIN", enclave.settings.web.host)))
        assert plain_screen.look("() => document.documentElement.dataset.told || ''") == ""
    kept = plain_screen.stage.do(plain_screen.stage.context.cookies)
    assert "moved" not in {cookie["name"] for cookie in kept}
