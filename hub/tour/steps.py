"""The steps of the tour, in order. Each does one thing as its person would, and returns what it proves."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Engine

from access_control.settings import Settings
from access_control.transparency import Checkpointer, verify_enclave
from hub.tour.browser import Secret, wait_for
from hub.tour.person import Person, ReviewedFile, TourError, words

PROJECT = "smoking"
TABLE, FIGURE, RECORDS = "weight-change.csv", "weight-change.png", "people.csv"

READ_AND_WRITE = f"""
import pandas as pd, matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
people = pd.read_parquet("/data/nhefs/data.parquet")
people["group"] = people["qsmk"].map({{0: "went on", 1: "gave up"}})
table = people.groupby(["group", "sex"])["wt82_71"].agg(n="count", mean_change="mean").reset_index()
table["n"] = (table["n"] / 5).round().astype(int) * 5
table["mean_change"] = table["mean_change"].round(1)
table.to_csv("/workspace/{TABLE}", index=False)
figure, axes = plt.subplots()
axes.bar(table["group"] + ", " + table["sex"].astype(str), table["mean_change"])
axes.set_ylabel("kg, 1971 to 1982")
figure.savefig("/workspace/{FIGURE}")
people.head(200).to_csv("/workspace/{RECORDS}", index=False)
print(len(people), "people;", len(table), "rows of the table")
"""


@dataclass
class Tour:
    """What the steps share."""

    engine: Engine
    settings: Settings
    people: Mapping[str, Person]
    kernel: str = ""
    request: str = ""
    reviewed: list[ReviewedFile] = field(default_factory=list)

    @classmethod
    def of(cls, engine: Engine, settings: Settings, secrets: Mapping[str, Secret]) -> Tour:
        """A tour with a browser for each person whose secret is given."""
        origin = settings.web.origin
        return cls(engine, settings, {name: Person(origin, name, secret) for name, secret in secrets.items()})

    def close(self) -> None:
        """Closes every browser."""
        for person in self.people.values():
            person.close()


Step = Callable[[Tour], str]


def must(what: bool, otherwise: str) -> None:
    """Raises TourError with what was seen instead when something is not as it must be."""
    if not what:
        raise TourError(otherwise)


def log_in(tour: Tour) -> str:
    """Ana logs in with a password and a one-time code"""
    tour.people["ana"].log_in()
    stranger = Person(tour.settings.web.origin, "ana", Secret("not her password", tour.people["ana"].secret.otp_seed))
    try:
        page = stranger.browser.log_in("ana", stranger.secret)
        entered = page.url.path.startswith("/services/portal/") and page.status_code == 200
    except Exception:
        entered = False
    finally:
        stranger.close()
    must(not entered, "a wrong password was let in")
    return "the provider asked for both; a wrong password is not let in"


def see_what_and_why(tour: Tour) -> str:
    """Her project page says what she may see, and why not the rest"""
    page = words(tour.people["ana"].see(f"projects/{PROJECT}"))
    must("nhefs/pseudonymised" in page and "AGR-" in page, f"the page does not name what is granted: {page[:400]}")
    must("ask for it in the catalogue" in page, f"the page does not say how to ask for other data: {page[:400]}")
    return "nhefs and randhie are hers by an agreement, which the page names; for other data it says how to ask"


def open_session(tour: Tour) -> str:
    """She starts a session and JupyterLab opens"""
    began = time.monotonic()
    tour.people["ana"].open_session(PROJECT)
    return f"{time.monotonic() - began:.1f} s from the button to JupyterLab, on an origin of its own"


def read_and_write(tour: Tour) -> str:
    """A kernel reads the data and writes a table, a figure, and a file of records"""
    ana = tour.people["ana"]
    tour.kernel = ana.kernel()
    answer = ana.run(tour.kernel, READ_AND_WRITE)
    must(
        not answer.error and "people" in answer.text, f"the cell failed: {answer.error or answer.text or answer.closed}"
    )
    return answer.text.strip()


REFUSALS = {
    "no write to data": ("open('/data/nhefs/data.parquet', 'ab')", ("Read-only file system", "Permission denied")),
    "no network": ("import socket; socket.create_connection(('192.0.2.1', 443), 3)", ("Network is unreachable",)),
    "no other dataset": ("open('/data/wagepan/data.parquet', 'rb')", ("No such file",)),
    "no secret": ("import os; os.environ['JUPYTERHUB_API_TOKEN']", ("KeyError",)),
}


def refused_inside(tour: Tour) -> str:
    """From inside she tries to write to the data, reach the network, and see another project's dataset"""
    ana = tour.people["ana"]
    for what, (code, expected) in REFUSALS.items():
        answer = ana.run(tour.kernel, code)
        must(any(sign in answer.error for sign in expected), f"{what}: {answer.error or 'it worked'}")
    return ", ".join(REFUSALS)


def refused_download(tour: Tour) -> str:
    """Through the browser she tries to download the file past the review"""
    ana = tour.people["ana"]
    for path in (f"/files/{RECORDS}?download=1", f"/files/{RECORDS}", f"/nbconvert/csv/{RECORDS}?download=true"):
        answer = ana.browser.get(ana.session + path)
        must(answer.status_code >= 400, f"{path} answered {answer.status_code}")
        must("release" in answer.text.lower(), f"{path} does not say where the review queue is: {words(answer)[:200]}")
    return "each address is refused with a page that says where the release queue is"


def submit(tour: Tour) -> str:
    """She submits the three files, each with what it shows"""
    tour.request = tour.people["ana"].submit(
        PROJECT,
        "Weight after giving up smoking",
        "A paper on weight change",
        {
            TABLE: "Mean change of weight by smoking and sex; groups of 200 to 650 people, counts rounded to 5",
            FIGURE: "The means of the table as bars",
            RECORDS: "The first 200 people of the data",
        },
    )
    page = words(tour.people["ana"].see(f"releases/{tour.request}"))
    must("block" in page, f"the checks did not find the records: {page[:500]}")
    return f"{tour.request}: the checks block {RECORDS}, because its rows are rows of the data"


def no_way_round(tour: Tour) -> str:
    """She tries to download before approval, and to approve her own request"""
    ana = tour.people["ana"]
    page = ana.see(f"releases/{tour.request}")
    must("/released/" not in page.text, "a download is offered before any review")
    for action in (f"reviews/{tour.request}/files/1/vote", f"released/{tour.request}/bundle"):
        answer = ana.post(action, verdict="approve", reason="mine")
        must(answer.status_code in {403, 404, 409}, f"{action} answered {answer.status_code}: {words(answer)[:200]}")
    return "both are refused, and the page says why"


def review(tour: Tour) -> str:
    """Two stewards of the data's owner review, blind to each other"""
    seen: dict[str, list[ReviewedFile]] = {}
    for name in ("sam", "sol"):
        reviewer = tour.people[name]
        reviewer.log_in()
        seen[name] = reviewer.review_files(tour.request)
        for file in seen[name]:
            rejected = file.name == RECORDS
            reviewer.vote(
                tour.request,
                file.id,
                "reject" if rejected else "approve",
                "These are people, not results." if rejected else "Groups are large, counts are rounded.",
            )
    tour.reviewed = seen["sam"]
    must(seen["sam"] == seen["sol"], "the two reviewers did not see the same files")
    state = words(tour.people["ana"].see(f"releases/{tour.request}"))
    must("partly approved" in state or "released" in state, f"the request is not decided: {state[:400]}")
    return f"tier 3 needs two; {TABLE} and {FIGURE} approved and signed, {RECORDS} rejected"


def download(tour: Tour) -> str:
    """Ana downloads what was approved, and compares it with what was reviewed"""
    ana = tour.people["ana"]
    page = ana.see(f"releases/{tour.request}")
    links = [form for form in ana_forms(page) if not form.endswith("/bundle")]
    expected = {file.leaves_sha256 for file in tour.reviewed if file.name != RECORDS}
    got: set[str] = set()
    for link in links:
        answer = ana.fill(page, link)
        must(answer.status_code == 200, f"{link} answered {answer.status_code}: {words(answer)[:200]}")
        got.add(hashlib.sha256(answer.content).hexdigest())
        again = ana.browser.get(str(answer.url))
        must(again.status_code >= 400, "a link for one use worked twice")
    must(got == expected, f"the bytes are not those that were reviewed: {sorted(got)} instead of {sorted(expected)}")
    return f"{len(got)} files, hash-equal to the reviewed ones; each link worked once; {RECORDS} is not among them"


def ana_forms(page: object) -> list[str]:
    """The addresses of the download forms of a request's page."""
    from hub.tour.browser import forms

    return [form.action.partition("/services/portal")[2] for form in forms(page) if "/released/" in form.action]  # type: ignore[arg-type]


def tier_lowered(tour: Tour) -> str:
    """An admin lowers Ana's tier while her session runs"""
    ana, eve = tour.people["ana"], tour.people["eve"]
    must(ana.session_answers(), "the session does not answer before the tier is lowered")
    eve.log_in()
    answer = eve.fill("people/ana", "people/ana/lower-clearance", level="0", reason="The tour lowers it.")
    began = time.monotonic()
    must(answer.status_code == 200, f"lowering answered {answer.status_code}: {words(answer)[:300]}")
    wait_for(lambda: not ana.session_answers(), 60, "the session to be cut")
    cut = time.monotonic() - began

    def closed() -> bool:
        return "/released/" not in ana.see(f"releases/{tour.request}").text

    wait_for(closed, 60, "her downloads to be closed")
    return (
        f"the session was gone {cut:.2f} s after the page answered (tiers 0 and 1 are warned first), "
        "and her open downloads are closed"
    )


def tier_restored(tour: Tour) -> str:
    """Giving the tier back takes two admins, neither of whom is Ana"""
    eve, adam = tour.people["eve"], tour.people["adam"]
    today = date.today()  # noqa: DTZ011 - the day of the machine that both run on
    sent = eve.fill(
        "people/ana", "people/ana/propose-clearance", level="3", start=str(today),
        until=str(today.replace(year=today.year + 1, day=1)), source="The tour gives it back.",
    )  # fmt: skip
    must(sent.status_code == 200, f"proposing answered {sent.status_code}: {words(sent)[:300]}")
    adam.log_in()
    must(not _approvals(eve), "the admin who proposed it is offered to approve it")
    offered = _approvals(adam)
    must(bool(offered), "the second admin is not offered to approve it")
    answer = adam.fill("people", offered[-1])
    must(answer.status_code == 200, f"approving answered {answer.status_code}: {words(answer)[:300]}")
    return "proposed by eve, approved by adam; eve alone could not"


def _approvals(admin: Person) -> list[str]:
    from hub.tour.browser import forms

    shown = forms(admin.see("people"))
    return [form.action.partition("/services/portal")[2] for form in shown if form.action.endswith("/approve")]


def verify_log(tour: Tour) -> str:
    """The audit log is verified, offline"""
    Checkpointer(tour.engine, tour.settings).checkpoint()
    found = verify_enclave(tour.engine, tour.settings)
    must(found.sound, " ".join(found.problems))
    return f"{found.entries} entries under {found.checkpoints} signed checkpoints, none edited, removed or reordered"


STEPS: tuple[Step, ...] = (
    log_in,
    see_what_and_why,
    open_session,
    read_and_write,
    refused_inside,
    refused_download,
    submit,
    no_way_round,
    review,
    download,
    tier_lowered,
    tier_restored,
    verify_log,
)
