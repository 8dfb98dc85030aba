"""Act in the portal as a steward, by script in names, titles, contexts and comments that its pages show.

Way: submission
Control: the same words in a page without escaping
Held by: every value is escaped, and the pages' policy runs no script but the portal's own file
"""

import lxml.html

from tests.redteam import submitting

SCRIPT = r"<img src=x onerror=alert(1)><script>alert(2)<\/script>"
NAME = "<img src=x onerror=alert(1)>.csv"


def active(page: str) -> list[str]:
    """What of a page would run."""
    tree = lxml.html.fromstring(page)
    handlers = [str(node.tag) for node in tree.iter() if any(str(name).startswith("on") for name in node.attrib)]
    inline = [node.text for node in tree.iter("script") if not node.get("src")]
    return handlers + [text for text in inline if text and "alert" in text]


def test_control_it_runs_without_escaping() -> None:
    assert active(f"<ul><li>{NAME}</li><li>{SCRIPT.replace(chr(92), '')}</li></ul>")


def test_no_page_shows_it_as_anything_but_text(enclave, inside, researcher) -> None:
    folder = submitting.fresh()
    submitting.write(inside, f"{folder}/{NAME}", submitting.table())
    body = {
        "project": "smoking", "title": SCRIPT, "purpose": SCRIPT, "submit": True,
        "files": [{"name": f"{folder}/{NAME}", "context": SCRIPT}],
    }  # fmt: skip
    made = submitting.api(researcher.browser, "POST", "release-requests", body)
    assert made.status_code == 201, made.text
    request = made.json()["request"]["id"]
    said = submitting.api(
        researcher.browser, "POST", f"release-requests/{request}/discussion/comments", {"text": SCRIPT}
    )
    assert said.status_code == 201, said.text
    sam = enclave.signed_in("sam")
    pages = [
        *(researcher.see(path) for path in ("releases/new?project=smoking", "releases", f"releases/{request}")),
        *(sam.get("/services/portal/" + path) for path in ("queue", f"reviews/{request}")),
    ]
    for page in pages:
        assert page.status_code == 200, page.url
        assert "onerror=alert" in page.text, page.url
        assert not active(page.text), page.url
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
