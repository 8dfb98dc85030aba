"""Files come in by upload, review and placing."""

import re

from portal_world import ORIGIN, Browser, PortalWorld


def send(browser: Browser, path: str, name: str, data: bytes) -> int:
    browser.get("imports")
    answer = browser.client.post(
        f"/services/portal/{path}/upload",
        data={"csrf": browser.csrf, "context": "my own code"},
        files={"file": (name, data)},
        headers={"Origin": ORIGIN},
    )
    return answer.status_code


def test_code_comes_in_after_a_review(world: PortalWorld) -> None:
    world.grant()
    world.workspace("ana")
    ana, sam = world.browser("ana"), world.browser("sam")
    made = ana.post("imports", project="p17", title="Helpers", purpose="to plot")
    path = made.headers["location"].removeprefix("/services/portal/")
    request = path.rsplit("/", 1)[1]
    assert "Upload a file" in ana.get(path).text
    assert send(ana, f"imports/{request}", "..\\..\\helpers.py", b"def half(x):\n    return x / 2\n") == 303
    assert "helpers.py" in ana.get(path).text
    assert ana.post(f"{path}/submit").status_code == 303
    for reviewer in ("sam", "sue", "gil"):
        browser = world.browser(reviewer)
        text = browser.get(f"reviews/{request}").text
        for file_id in re.findall(r"/files/(\d+)/vote", text):
            browser.post(f"reviews/{request}/files/{file_id}/vote", verdict="approve", reason="read it")
        if "Bring it in" in ana.get(path).text:
            break
    release = re.findall(r'name="release" value="([^"]+)"', ana.get(path).text)[0]
    placed = ana.after(ana.post(f"imports/{request}/place", release=release))
    assert "In your workspace now" in placed.text
    assert (world.workspace("ana") / "imports" / request.lower() / "helpers.py").read_bytes().startswith(b"def half")
    assert sam.post(f"imports/{request}/place", release=release).status_code in (403, 404)


def test_a_file_over_the_limit_is_refused_unread(world: PortalWorld) -> None:
    ana = world.browser("ana")
    request = ana.post("imports", project="p17", title="x", purpose="y").headers["location"].rsplit("/", 1)[1]
    small = world.settings.egress.model_copy(update={"max_file_bytes": 1000})
    world.portal.settings = world.settings.model_copy(update={"egress": small})
    assert send(ana, f"imports/{request}", "big.py", b"x" * 2000) == 422
