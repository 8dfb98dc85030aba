"""A release from the workspace to the download, over pages alone, with the real checks and previews."""

import hashlib
import re

import pytest
from portal_world import Browser, PortalWorld

TABLE = "region,people,mean_age\nnorth,125,41.5\nsouth,240,39.0\neast,185,43.5\n"
NASTY = '<img src=x onerror="alert(1)">'


def ready(world: PortalWorld) -> Browser:
    """ana, with a session that had hiv mounted and a table in her workspace."""
    world.grant()
    world.running("ana")
    (world.workspace("ana") / "table.csv").write_text(TABLE)
    return world.browser("ana")


def submit(ana: Browser, *files: tuple[str, str], title: str = "Table 1") -> str:
    """Submits files with their contexts; returns the request's path in the portal."""
    text = ana.get("releases/new?project=p17").text
    fields: dict[str, object] = {"project": "p17", "title": title, "purpose": "a paper", "then": "submit"}
    picks = []
    for number, name in re.findall(r'name="name-(\d+)" value="([^"]+)"', text):
        for wanted, context in files:
            if name == wanted:
                picks.append(number)
                fields |= {f"name-{number}": name, f"context-{number}": context}
    answer = ana.post("releases/new", pick=picks, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/services/portal/")


def vote(reviewer: Browser, review: str, verdict: str = "approve", reason: str = "looked at it") -> str:
    """Votes the same on every file; returns the page that is shown then."""
    text = reviewer.get(review).text
    for file_id in re.findall(r"/files/(\d+)/vote", text):
        answer = reviewer.post(f"{review}/files/{file_id}/vote", verdict=verdict, reason=reason)
        assert answer.status_code == 303, answer.text
    return reviewer.get(review).text


def test_from_the_workspace_to_the_download(world: PortalWorld) -> None:
    ana, sam = ready(world), world.browser("sam")
    path = submit(ana, ("table.csv", "people by region, all above 100"))
    review = path.replace("releases/", "reviews/")
    assert "in review" in ana.get(path).text
    assert "Table 1" in sam.get("queue").text
    text = sam.get(review).text
    file_id = re.findall(r"/files/(\d+)/vote", text)[0]
    assert hashlib.sha256(TABLE.encode()).hexdigest() in text
    preview = sam.get(f"{review}/files/{file_id}/preview").text
    assert "<td>north</td>" in preview
    assert "table.csv" not in ana.get("released/REL-0001/1").text
    vote(sam, review)
    text = ana.get(path).text
    assert "Download" in text
    action = re.findall(r'action="/services/portal/(released/[^"/]+/\d+)"', text)[0]
    link = ana.post(action)
    assert link.status_code == 303
    got = ana.client.get(link.headers["location"])
    assert got.status_code == 200, got.text
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-sha256"] == hashlib.sha256(got.content).hexdigest()
    assert b"north" in got.content
    assert ana.client.get(link.headers["location"]).status_code in (403, 404, 409)
    bundle = ana.after(ana.post(action.rsplit("/", 1)[0] + "/bundle"))
    assert bundle.status_code == 200
    assert bundle.content[:2] == b"PK"


def test_a_link_works_for_its_person_alone(world: PortalWorld) -> None:
    ana, sam = ready(world), world.browser("sam")
    path = submit(ana, ("table.csv", "people by region"))
    vote(sam, path.replace("releases/", "reviews/"))
    action = re.findall(r'action="/services/portal/(released/[^"/]+/\d+)"', ana.get(path).text)[0]
    assert sam.post(action).status_code in (403, 404)
    link = ana.post(action).headers["location"]
    assert world.browser("lea").client.get(link).status_code in (403, 404)
    assert world.browser().client.get(link).status_code == 303


def test_nobody_reviews_what_is_not_theirs_to_review(world: PortalWorld) -> None:
    ana = ready(world)
    path = submit(ana, ("table.csv", "people by region"))
    review = path.replace("releases/", "reviews/")
    assert ana.get(review).status_code == 303
    for person in ("rob", "gil", "eve"):
        browser = world.browser(person)
        # An admin may see that it is there; a stranger may not even know.
        assert browser.get(review).status_code == (200 if person == "eve" else 404), person
        assert browser.post(f"{review}/files/1/vote", verdict="approve", reason="x").status_code in (403, 404), person
        assert browser.get(f"{review}/files/1/preview").status_code in (403, 404), person
    assert ana.post(f"{review}/files/1/vote", verdict="approve", reason="x").status_code == 403
    assert ana.get("releases/REQ-0001").status_code == 200


def test_a_rejected_file_cannot_be_downloaded_and_the_author_reads_why(world: PortalWorld) -> None:
    ana, sam = ready(world), world.browser("sam")
    path = submit(ana, ("table.csv", "people by region"))
    vote(sam, path.replace("releases/", "reviews/"), "reject", "the regions are too small")
    text = ana.get(path).text
    assert "too small" in text
    assert "/released/" not in text
    appealed = ana.after(ana.post(f"{path}/appeal", reason="they are above 100"))
    assert "Your appeal" in appealed.text


def test_what_a_researcher_names_and_says_is_shown_as_text(world: PortalWorld) -> None:
    ana = ready(world)
    folder = world.workspace("ana")
    (folder / "<b onclick=alert(1)>.csv").write_text(f"name,people\n{NASTY},120\n</pre><script>alert(1)</script>,130\n")
    listing = ana.get("releases/new?project=p17").text
    assert "<b onclick" not in listing
    (folder / "plain.csv").write_text(f"name,people\n{NASTY.replace(chr(34), '')},120\n<script>alert(1)</script>,130\n")
    path = submit(ana, ("plain.csv", NASTY), title=NASTY)
    ana.post(f"{path}/comment", text=f"{NASTY}<script>alert(3)</script>")
    sam, review = world.browser("sam"), path.replace("releases/", "reviews/")
    file_id = re.findall(r"/files/(\d+)/", sam.get(review).text)[0]
    for text in (ana.get(path).text, sam.get(review).text, sam.get(f"{review}/files/{file_id}/preview").text,
                 sam.get("queue").text, ana.get("releases").text):  # fmt: skip
        assert "<img src=x" not in text
        assert "<script>alert" not in text
        assert "onerror=&#34;" in text or "onerror=alert" in text


@pytest.mark.parametrize("act", ["submit", "withdraw", "comment", "appeal", "add", "remove", "nonsense"])
def test_nobody_acts_on_a_request_of_others(world: PortalWorld, act: str) -> None:
    ana = ready(world)
    path = submit(ana, ("table.csv", "people by region"))
    answer = world.browser("lea").post(f"{path}/{act}", text="x", reason="x", name="table.csv", pick="")
    assert answer.status_code in (303, 403, 404, 409, 422)
    if answer.status_code == 303:
        assert act in ("add", "comment")
    assert "in review" in ana.get(path).text


def test_a_file_without_a_word_on_what_it_shows_is_refused(world: PortalWorld) -> None:
    ana = ready(world)
    answer = ana.post(
        "releases/new", project="p17", title="x", purpose="y", pick=["1"], **{"name-1": "table.csv", "context-1": ""}
    )
    assert answer.status_code == 422
    assert "table.csv" in answer.text
