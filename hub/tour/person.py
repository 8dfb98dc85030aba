"""A person of the tour: what they do, they do through the portal's own pages and forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx
import lxml.html

from hub.tour.browser import Browser, Form, Secret, forms, wait_for
from hub.tour.kernel import Answer, run_cell, start_kernel

PORTAL = "/services/portal/"


class TourError(Exception):
    """A step did not go as it must; says what was seen instead."""


@dataclass(frozen=True)
class ReviewedFile:
    """A file of a request as a reviewer's page shows it."""

    id: int
    name: str
    verdict: str
    leaves_sha256: str  # of what leaves: the canonical rewrite where there is one


def words(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    if "html" not in page.headers.get("content-type", ""):
        return page.text
    tree = lxml.html.fromstring(page.text or "<p></p>")
    main = tree.find(".//main")
    return re.sub(r"\s+", " ", str((main if main is not None else tree).text_content())).strip()


class Person:
    """Somebody at their own browser."""

    def __init__(self, origin: str, name: str, secret: Secret) -> None:
        self.name, self.secret = name, secret
        self.browser = Browser(origin)
        self.session = ""  # the origin of the running session

    def log_in(self) -> httpx.Response:
        """Logs in with password and one-time code; raises TourError when the portal does not greet them."""
        page = self.browser.log_in(self.name, self.secret)
        if page.status_code != 200 or not page.url.path.startswith(PORTAL):
            raise TourError(f"{self.name} was not let in: {page.status_code} at {page.url.path}: {words(page)[:300]}")
        return page

    def see(self, path: str) -> httpx.Response:
        """A page of the portal."""
        return self.browser.get(PORTAL + path)

    def fill(self, page: str | httpx.Response, action: str, **values: str) -> httpx.Response:
        """Sends the form of a page whose address ends with `action`; raises TourError when there is none."""
        shown = self.see(page) if isinstance(page, str) else page
        for form in forms(shown):
            if urlsplit(form.action).path.endswith(action):
                return self.browser.send(form, values)
        raise TourError(f"{self.name} finds no form {action} at {shown.url.path}: {words(shown)[:300]}")

    def post(self, action: str, **values: str) -> httpx.Response:
        """Sends a form that no page offers to this person, with a token of theirs: what a cheat would do."""
        token = next((form.values["csrf"] for form in forms(self.see("")) if "csrf" in form.values), "")
        address = str(self.browser.client.base_url.join(self.browser.origin + PORTAL + action))
        return self.browser.send(Form(address, "post", {"csrf": token}, set()), values)

    # -- the session -------------------------------------------------------------------------------------------------

    def open_session(self, project: str) -> str:
        """Starts a session and enters it; returns its origin."""
        page = self.see(f"sessions/{project}")
        if not self._frame(page):
            self.fill(page, f"projects/{project}/start")

        def entered() -> str:
            """Each look at the page brings a ticket of its own, good once."""
            shown = self.see(f"sessions/{project}")
            address = self._frame(shown)
            if not address and "No session can be opened" in shown.text:
                raise TourError(words(shown))
            return address

        address = wait_for(entered, 120, f"{self.name}'s session in {project}")
        self.session = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        shown = self.browser.get(address, headers={"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-site"})
        if shown.status_code != 200 or "jupyter" not in shown.text.lower():
            raise TourError(f"JupyterLab did not open: {shown.status_code} at {shown.url}: {words(shown)[:300]}")
        return self.session

    @staticmethod
    def _frame(page: httpx.Response) -> str:
        frames = lxml.html.fromstring(page.text or "<p></p>").findall(".//iframe")
        return str(frames[0].get("src")) if frames else ""

    def kernel(self) -> str:
        """A new kernel in the session."""
        return start_kernel(self.browser, self.session)

    def run(self, kernel: str, code: str) -> Answer:
        """Runs a cell."""
        return run_cell(self.browser, self.session, kernel, code)

    def session_answers(self) -> bool:
        """Whether the session still gives anything."""
        try:
            return self.browser.get(f"{self.session}/api/kernels").status_code == 200
        except httpx.HTTPError:
            return False

    def stop_session(self, project: str) -> None:
        """Stops the session if one runs."""
        page = self.see(f"projects/{project}")
        if any(urlsplit(form.action).path.endswith(f"{project}/stop") for form in forms(page)):
            self.fill(page, f"projects/{project}/stop")

    # -- release requests --------------------------------------------------------------------------------------------

    def submit(self, project: str, title: str, purpose: str, files: dict[str, str]) -> str:
        """Picks files of the workspace, each with its context, submits them and returns the request's id."""
        page = self.see(f"releases/new?project={quote(project)}")
        form = next(form for form in forms(page) if form.action.endswith("/releases/new"))
        numbers = {value: name.removeprefix("name-") for name, value in form.values.items() if name.startswith("name-")}
        if missing := set(files) - set(numbers):
            raise TourError(f"not in the workspace: {', '.join(sorted(missing))}; it has {', '.join(sorted(numbers))}")
        filled = {**form.values, "title": title, "purpose": purpose, "then": "submit"}
        pairs = [*filled.items()]
        for name, context in files.items():
            pairs = [pair for pair in pairs if pair[0] != f"context-{numbers[name]}"]
            pairs += [("pick", numbers[name]), (f"context-{numbers[name]}", context)]
        headers = {"Origin": self.browser.origin}
        body: dict[str, list[str]] = {}
        for name, value in pairs:
            body.setdefault(name, []).append(value)
        answer = self.browser.client.post(form.action, data=body, headers=headers)
        found = re.search(r"/releases/([\w-]+)$", answer.url.path)
        if answer.status_code != 200 or not found or found[1] == "new":
            raise TourError(f"the request was not taken: {answer.status_code} {words(answer)[:400]}")
        return found[1]

    def review_files(self, request: str) -> list[ReviewedFile]:
        """The files of a request, as this reviewer's page shows them."""
        page = self.see(f"reviews/{request}")
        if page.status_code != 200:
            raise TourError(f"{self.name} may not see {request}: {words(page)[:300]}")
        found = []
        for section in lxml.html.fromstring(page.text).iter("section"):
            label = section.get("aria-labelledby") or ""
            if not re.fullmatch(r"f\d+", label):
                continue
            told = section.find_class("hashes")[0].text_content()
            hashes = re.findall(r"\b[0-9a-f]{64}\b", str(told))
            tags = [str(tag.text_content()) for tag in section.find_class("tag")]
            name = str(section.find(".//h2").text_content())
            found.append(ReviewedFile(int(label[1:]), name, tags[0] if tags else "", hashes[-1]))
        return found

    def vote(self, request: str, file: int, verdict: str, reason: str = "") -> httpx.Response:
        """Votes on a file through the review page's form."""
        return self.fill(f"reviews/{request}", f"/files/{file}/vote", verdict=verdict, reason=reason)

    def close(self) -> None:
        """Closes the browser."""
        self.browser.close()
