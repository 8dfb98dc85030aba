"""Why and why not, in sentences that name the one thing and who can change it."""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from policy_oracle import ALWAYS, DAY, PEOPLE, PROJECTS, Collection, Human, Rule, Work, World, random_world, to_snapshot

from access_control import enforcer
from access_control.why import explain


def world() -> World:
    return World(
        people={"ana": Human(clearances=[(*ALWAYS, 2)], roles=[("researcher", "project:p17", *ALWAYS)])},
        projects={"p17": Work()},
        datasets={"hiv": Collection(renditions={"full": 4, "ps": 2}), "hi": Collection(renditions={"full": 0})},
        rules=[Rule("AGR-1", projects=["p17"], data=["hiv"], until=DAY)],
    )


def test_a_dataset_is_explained_rendition_by_rendition() -> None:
    assert explain(to_snapshot(world()), "ana", "p17", "hiv", DAY) == [
        "ana in project p17 does not see hiv/full on 2026-06-01.",
        (
            "AGR-1 does not apply: the clearance of ana, 2, is below the data's tier 4. "
            "Who can change that: two admins, one who proposes and one who approves."
        ),
        "ana in project p17 may see hiv/ps on 2026-06-01.",
        "AGR-1 allows it until 2026-06-01.",
    ]


def test_a_deny_is_named_beside_what_it_overrides() -> None:
    withdrawn = world()
    withdrawn.rules.append(Rule("WDR-1", effect="deny", role=["anyone"], data=["hiv"], acts=None))
    assert explain(to_snapshot(withdrawn), "ana", "p17", "hiv/ps", DAY) == [
        "ana in project p17 does not see hiv/ps on 2026-06-01.",
        "AGR-1 would allow it until 2026-06-01, but a deny goes over every allow.",
        "WDR-1 denies it from 2020-01-01 to 9999-12-31. The stewards of acme, with a second person, can lift that.",
    ]


def test_expiry_is_named_with_its_day() -> None:
    assert explain(to_snapshot(world()), "ana", "p17", "hiv/ps", DAY + timedelta(days=1))[1] == (
        "AGR-1 does not apply: it ended on 2026-06-01. Who can change that: the stewards of acme."
    )


def test_where_no_row_speaks_of_it_the_catalogue_is_the_way() -> None:
    assert explain(to_snapshot(world()), "ana", "p17", "hi/full", DAY) == [
        "ana in project p17 does not see hi/full on 2026-06-01.",
        "No row of the policy gives hi/full to project p17. Ask for access in the catalogue: the stewards of acme decide.",
    ]


@pytest.mark.parametrize(
    ("person", "project", "data", "sentence"),
    [
        ("bo", "p17", "hiv/ps", "There is no person 'bo'."),
        ("ana", "p1", "hiv/ps", "There is no project 'p1'."),
        ("ana", "p17", "h", "There is no dataset or rendition 'h' in the catalogue."),
    ],
)
def test_what_is_not_known_is_said(person: str, project: str, data: str, sentence: str) -> None:
    assert explain(to_snapshot(world()), person, project, data, DAY) == [sentence]


def test_a_failed_decision_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(enforcer._enforcer().fm.fm, "released", lambda *_args: 1 / 0)
    (sentence,) = explain(to_snapshot(world()), "ana", "p17", "hiv/ps", DAY)
    assert sentence.startswith("ana in project p17 does not see hiv/ps: the decision could not be made")


@pytest.mark.parametrize("seed", range(30))
def test_the_explanation_agrees_with_the_decision_in_random_worlds(seed: int) -> None:
    snapshot = to_snapshot(random_world(random.Random(seed)))
    for person in PEOPLE:
        for project in PROJECTS:
            for rendition in snapshot.facts.renditions:
                allowed = snapshot.decide(person, project, rendition, "mount", DAY).allowed
                head, *rest = explain(snapshot, person, project, rendition, DAY)
                assert ("may see" in head) is allowed
                assert allowed is any(" allows it until " in sentence for sentence in rest)
                assert all(sentence.endswith(".") for sentence in [head, *rest])
                assert allowed or rest, "a no is never without a reason"


def test_the_worked_example_of_the_page_is_what_happens() -> None:
    page = Path(__file__).parents[3] / "docs" / "explanation" / "how-access-is-decided.md"
    text = " ".join(page.read_text().replace("\n> ", " ").split())
    year = (date(2026, 1, 1), date(2026, 12, 31))
    example = World(
        people={
            "ana": Human(
                clearances=[(*ALWAYS, 2)],
                trainings=[("gdpr", *ALWAYS)],
                roles=[("researcher", "project:p17", *ALWAYS)],
            )
        },
        projects={"p17": Work(tier=3, purposes=["cancer"])},
        datasets={"hiv": Collection(trainings=["gdpr"], renditions={"pseudonymised": 2})},
        rules=[
            Rule(
                "AGR-0042.1", projects=["p17"], data=["hiv/pseudonymised"], purposes=["cancer", "quality"],
                regions=["EU", "UK"], start=year[0], until=year[1],
            ),
            Rule("WDR-0007", effect="deny", role=["anyone"], data=["hiv"], acts=None, start=DAY, until=ALWAYS[1]),
        ],
    )  # fmt: skip
    rows = [
        " | ".join(row[:11]).replace("EU|UK", "EU\\|UK").replace("cancer|q", "cancer\\|q")
        for row in to_snapshot(example).rows
    ]
    assert [row in text for row in rows if not row.startswith("STANDING")] == [True, True]
    first_of_may = date(2026, 5, 1)
    (mount,) = to_snapshot(example).mounts("ana", "p17", first_of_may)
    assert (mount.row_id, mount.target) == ("AGR-0042.1", "/data/hiv")
    assert to_snapshot(example).mounts("ana", "p17", DAY) == []
    example.people["ana"].clearances = [(*ALWAYS, 1)]
    assert " ".join(explain(to_snapshot(example), "ana", "p17", "hiv", first_of_may)) in text
