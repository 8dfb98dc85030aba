"""Decisions against the oracle, properties that must hold in every world, and what a session mounts."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import casbin
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from policy_oracle import (
    ALWAYS,
    DAY,
    DUTY_ACTS,
    OWNERS,
    PEOPLE,
    PROJECTS,
    Collection,
    Human,
    Rule,
    Work,
    World,
    differences,
    may_duty,
    may_mount,
    random_world,
    to_snapshot,
)

from access_control import conditions, enforcer
from access_control.conditions import CONDITIONS
from access_control.decisions import Mount
from access_control.errors import Invalid
from access_control.facts import FUNCTIONS, Version
from access_control.rows import Rows
from access_control.snapshot import Snapshot

BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
RENDITIONS = [f"{dataset}/{short}" for dataset in ("hiv", "hi") for short in ("full", "fu")]
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**32)


def ana_sees_hiv(**rule) -> World:
    """A world in which everything that has to be so is so."""
    return World(
        people={
            "ana": Human(
                clearances=[(*ALWAYS, 3)],
                trainings=[("gdpr", *ALWAYS)],
                roles=[("researcher", "project:p17", *ALWAYS)],
            )
        },
        projects={"p17": Work(tier=3)},
        datasets={"hiv": Collection(trainings=["gdpr"], renditions={"full": 3})},
        rules=[Rule("AGR-1", projects=["p17"], data=["hiv/full"], **rule)],
    )


def sees(world: World, day: date = DAY) -> bool:
    return to_snapshot(world).decide("ana", "p17", "hiv/full", "mount", day).allowed


def every_decision(snapshot: Snapshot, day: date = DAY) -> dict[tuple[str, str, str], bool]:
    return {
        (person, project, rendition): snapshot.decide(person, project, rendition, "mount", day).allowed
        for person in PEOPLE
        for project in PROJECTS
        for rendition in RENDITIONS
    }


def test_twenty_thousand_random_decisions_are_the_oracle_s() -> None:
    decisions, allowed, wrong = differences(random.Random(20260601), 211)
    assert wrong == []
    assert decisions > 20_000
    assert allowed > 600, "a comparison in which everything is refused shows nothing"


@pytest.mark.parametrize("at", range(len(CONDITIONS)), ids=lambda at: CONDITIONS[at].expression)
def test_without_any_one_condition_the_oracle_notices(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison has eyes for every condition: with one replaced by true, answers differ from the oracle's."""
    parts = ["True" if other == at else one.expression for other, one in enumerate(CONDITIONS)]
    always = [part for part, one in zip(parts, CONDITIONS, strict=True) if not one.safeguard]
    safe = [part for part, one in zip(parts, CONDITIONS, strict=True) if one.safeguard]
    text = f"{' && '.join(always)} && (p.eft == 'deny' || ({' && '.join(safe)}))"
    weakened = conditions.compile_condition(conditions.parse(text))
    monkeypatch.setattr(enforcer._enforcer()._compiled, "_code", weakened)
    if at < 2:  # the index leaves out what the first two conditions would refuse: here it leaves out nothing
        monkeypatch.setattr(Rows, "candidates", lambda rows, *_names: list(rows))
    dice = random.Random(7)
    assert any(differences(dice, 20)[2] for _ in range(60))


@PROPERTY
@given(seeds)
def test_the_index_and_the_compiled_matcher_decide_as_stock_casbin_over_all_rows(seed: int) -> None:
    dice = random.Random(seed)
    snapshot = to_snapshot(random_world(dice))
    stock = casbin.Enforcer(conditions.load_model())
    for name, function in FUNCTIONS.items():
        stock.add_function(name, function)
    stock.model["p"]["p"].policy = list(snapshot.rows)
    for _ in range(12):
        person, project, rendition = dice.choice(PEOPLE), dice.choice(PROJECTS), dice.choice(RENDITIONS)
        question = snapshot.question(person, project, rendition, "mount", DAY)
        stock.model["g"]["g"].rm = question.roles
        expected = stock.enforce(*question[:6])
        assert snapshot.decide(person, project, rendition, "mount", DAY).allowed is expected


@PROPERTY
@given(seeds)
def test_a_deny_wins_over_every_allow(seed: int) -> None:
    world = random_world(random.Random(seed))
    world.rules.append(Rule("WDR-1", effect="deny", role=["anyone"], data=["hiv"], acts=None))
    decisions = every_decision(to_snapshot(world))
    assert not any(allowed for (_, _, rendition), allowed in decisions.items() if rendition.startswith("hiv/"))


@PROPERTY
@given(seeds)
def test_a_withdrawal_of_one_dataset_leaves_one_whose_name_begins_alike(seed: int) -> None:
    world = random_world(random.Random(seed))
    before = every_decision(to_snapshot(world))
    world.rules.append(Rule("WDR-1", effect="deny", role=["anyone"], data=["hiv"], acts=None))
    after = every_decision(to_snapshot(world))
    for question, allowed in before.items():
        assert after[question] is (allowed and not question[2].startswith("hiv/"))


@PROPERTY
@given(seeds)
def test_after_the_last_day_of_every_allow_row_nobody_sees_anything(seed: int) -> None:
    world = random_world(random.Random(seed))
    world.rules = [replace(rule, start=BEFORE, until=DAY) if rule.effect == "allow" else rule for rule in world.rules]
    assert not any(every_decision(to_snapshot(world), AFTER).values())


@PROPERTY
@given(seeds)
def test_removing_a_row_opens_nothing_but_by_removing_a_deny(seed: int) -> None:
    world = random_world(random.Random(seed))
    snapshot = to_snapshot(world)
    before = every_decision(snapshot)
    for rule in world.rules:
        after = every_decision(snapshot.with_rows(remove=[rule.id]))
        opened = [question for question, allowed in after.items() if allowed and not before[question]]
        assert rule.effect == "deny" or opened == []


@PROPERTY
@given(seeds)
def test_adding_a_deny_row_opens_nothing(seed: int) -> None:
    world = random_world(random.Random(seed))
    before = every_decision(to_snapshot(world))
    for rule in world.rules:
        rule.effect = "deny"
        after = every_decision(to_snapshot(world))
        assert not any(allowed and not before[question] for question, allowed in after.items())
        before = after


@PROPERTY
@given(seeds)
def test_the_order_of_rows_is_of_no_account(seed: int) -> None:
    dice = random.Random(seed)
    world = random_world(dice)
    snapshot = to_snapshot(world)
    dice.shuffle(world.rules)
    other = to_snapshot(world)
    assert every_decision(snapshot) == every_decision(other)
    assert snapshot.digest == other.digest
    for person in PEOPLE:
        assert snapshot.mounts(person, "p17", DAY) == other.mounts(person, "p17", DAY)


@PROPERTY
@given(seeds)
def test_changing_rows_one_by_one_ends_in_the_same_snapshot_as_reading_them_all(seed: int) -> None:
    dice = random.Random(seed)
    world, target = random_world(dice), random_world(dice)
    target.people, target.projects, target.datasets = world.people, world.projects, world.datasets
    for rule in target.rules:
        rule.acts = None if rule.effect == "deny" else ["mount"]
    snapshot, whole = to_snapshot(world), to_snapshot(target)
    add = [whole.rows.by_id[rule.id]._asdict() for rule in target.rules]
    changed = snapshot.with_rows(add, remove=[rule.id for rule in world.rules])
    assert changed.digest == whole.digest
    assert every_decision(changed) == every_decision(whole)
    assert every_decision(snapshot) == every_decision(to_snapshot(world)), "a snapshot never changes"


def test_everything_in_place_is_a_yes_with_its_row() -> None:
    decision = to_snapshot(ana_sees_hiv()).decide("ana", "p17", "hiv/full", "mount", DAY)
    assert (decision.allowed, decision.row_id) == (True, "AGR-1")
    assert decision.reason == "AGR-1 allows it until 9999-12-31"


def _person(**values):
    return lambda world: world.people.update(ana=replace(world.people["ana"], **values))


def _work(**values):
    return lambda world: world.projects.update(p17=replace(world.projects["p17"], **values))


def _data(**values):
    return lambda world: world.datasets.update(hiv=replace(world.datasets["hiv"], **values))


def _rule(**values):
    return lambda world: world.rules.__setitem__(0, replace(world.rules[0], **values))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_person(suspended=True), "ana is suspended"),
        (_person(clearances=[]), "the clearance of ana, 0, is below the data's tier 3"),
        (_person(clearances=[(ALWAYS[0], BEFORE, 4)]), "the clearance of ana, 0, is below the data's tier 3"),
        (_person(clearances=[(AFTER, ALWAYS[1], 4)]), "the clearance of ana, 0, is below the data's tier 3"),
        (_person(clearances=[(*ALWAYS, 4), (*ALWAYS, 1)]), "the clearance of ana, 1, is below the data's tier 3"),
        (_person(trainings=[]), "dataset hiv asks for the training gdpr, which ana has not passed"),
        (
            _person(trainings=[("gdpr", ALWAYS[0], BEFORE)]),
            "dataset hiv asks for the training gdpr, which ana passed but it ran out on 2026-05-31",
        ),
        (_person(roles=[]), "ana has no role researcher in project:p17 on 2026-06-01"),
        (
            _person(roles=[("researcher", "project:p1", *ALWAYS)]),
            "ana has no role researcher in project:p17 on 2026-06-01",
        ),
        (
            _person(roles=[("researcher", "project:p17", ALWAYS[0], BEFORE)]),
            "ana has no role researcher in project:p17",
        ),
        (_person(roles=[("researcher", "*", *ALWAYS)]), "ana has no role researcher in project:p17 on 2026-06-01"),
        (_person(region="US"), "ana is in region US, and it is for EU or UK"),
        (_work(tier=2), "the tier of project p17, 2, is below the data's tier 3"),
        (_work(state="suspended"), "project p17 is suspended, not active"),
        (_work(state="proposed"), "project p17 is proposed, not active"),
        (_work(until=BEFORE), "project p17 ended on 2026-05-31"),
        (_work(start=AFTER), "project p17 starts on 2026-06-02"),
        (_work(purposes=["marketing"]), "project p17 has the purposes marketing, and it is for cancer or quality"),
        (_work(purposes=[]), "project p17 has the purposes none, and it is for cancer or quality"),
        (
            _work(purposes=["cancer", "marketing"]),
            "project p17 has the purpose marketing besides, and it is for cancer or quality only",
        ),
        (_data(embargo=DAY), "dataset hiv is under embargo until 2026-06-01"),
        (_data(retention=BEFORE), "dataset hiv was to be kept until 2026-05-31 only"),
        (_data(permitted=["quality"]), "dataset hiv is permitted for quality only, and project p17 has"),
        (_rule(until=BEFORE), "it ended on 2026-05-31"),
        (_rule(start=AFTER), "it starts on 2026-06-02"),
        (_rule(trainings=["gdpr", "sdc"]), "it asks for the training sdc, which ana has not passed"),
        (_rule(projects=["p1"]), "no row of the policy gives hiv/full to p17"),
        (_rule(data=["hi"]), "no row of the policy gives hiv/full to p17"),
    ],
)
def test_each_condition_alone_closes_and_says_so(change, reason: str) -> None:
    world = ana_sees_hiv(purposes=["cancer", "quality"], regions=["EU", "UK"])
    assert sees(world)
    change(world)
    decision = to_snapshot(world).decide("ana", "p17", "hiv/full", "mount", DAY)
    assert not decision.allowed
    assert reason in decision.reason
    assert not may_mount(world, "ana", "p17", "hiv/full", DAY)


@pytest.mark.parametrize(
    ("person", "project", "data", "act", "reason"),
    [
        ("an", "p17", "hiv/full", "mount", "there is no person 'an'"),
        ("ana", "p1", "hiv/full", "mount", "there is no project 'p1'"),
        ("ana", "p17", "hiv/ful", "mount", "there is no rendition 'hiv/ful'"),
        ("ana", "p17", "hiv", "mount", "there is no rendition 'hiv'"),
        ("ana", "p17", "hiv/full", "read", "nobody may read 'hiv/full'"),
        ("ana", "p17", "hiv/full", "any", "nobody may any 'hiv/full'"),
        ("ana", "p17", "output", "review", "STANDING-REVIEW does not apply"),
        ("", "", "", "", "there is no person ''"),
    ],
)
def test_what_is_not_known_is_refused(person: str, project: str, data: str, act: str, reason: str) -> None:
    decision = to_snapshot(ana_sees_hiv()).decide(person, project, data, act, DAY)
    assert not decision.allowed
    assert reason in decision.reason


# -- duties ------------------------------------------------------------------------------------------------------------

STAFF = World(
    people={
        "resa": Human(roles=[("researcher", "project:p17", *ALWAYS)]),
        "lea": Human(roles=[("lead", "project:p17", *ALWAYS)]),
        "once": Human(roles=[("researcher", "project:p17", ALWAYS[0], BEFORE), ("steward", "owner:acme", *ALWAYS)]),
        "stew": Human(roles=[("steward", "owner:acme", *ALWAYS)]),
        "lest": Human(roles=[("lead-steward", "owner:acme", *ALWAYS)]),
        "other": Human(roles=[("steward", "owner:ac", *ALWAYS)]),
        "both": Human(roles=[("steward", "owner:acme", *ALWAYS), ("researcher", "project:p17", *ALWAYS)]),
        "adst": Human(roles=[("steward", "owner:acme", *ALWAYS), ("admin", "*", *ALWAYS)]),
        "exad": Human(roles=[("steward", "owner:acme", *ALWAYS), ("admin", "*", ALWAYS[0], BEFORE)]),
        "ad": Human(roles=[("admin", "*", *ALWAYS)]),
        "aud": Human(roles=[("auditor", "*", *ALWAYS)]),
        "susp": Human(roles=[("admin", "*", *ALWAYS), ("steward", "owner:acme", *ALWAYS)], suspended=True),
        "fake": Human(
            roles=[("admin", "owner:acme", *ALWAYS), ("steward", "*", *ALWAYS), ("auditor", "project:p17", *ALWAYS)]
        ),
        "steward": Human(),
        "admin": Human(),
    },
    projects={"p17": Work(), "p1": Work(), "old": Work(state="closed")},
)
ACME = {"owner": "acme", "project": "p17", "author": "resa"}


@pytest.mark.parametrize(
    ("act", "context", "allowed"),
    [
        ("review", ACME, {"stew", "lest", "exad"}),
        ("review", {"owner": "acme", "project": "old", "author": "resa"}, {"stew", "lest", "exad", "once", "both"}),
        ("review", {**ACME, "author": "stew"}, {"lest", "exad"}),
        ("review", {"owner": "acme"}, {"stew", "lest", "exad", "once", "both"}),
        ("review", {**ACME, "owner": "ac"}, {"other"}),
        ("review", {**ACME, "owner": "acm"}, set()),
        ("review", {"project": "p17"}, set()),
        ("review", {**ACME, "project": "none"}, set()),
        ("lead-review", ACME, {"lest"}),
        ("lead-review", {**ACME, "author": "lest"}, set()),
        ("steward", ACME, {"stew", "lest", "adst", "exad"}),
        ("steward", {**ACME, "author": "adst"}, {"stew", "lest", "exad"}),
        ("administer", {}, {"ad", "adst"}),
        ("administer", {"author": "ad"}, {"adst"}),
        ("audit", {}, {"ad", "adst", "aud"}),
        ("seed", {}, {"ad", "adst", "aud"}),
        ("open", {"project": "p17"}, {"resa", "lea", "both"}),
        ("open", {"project": "old"}, set()),
        ("open", {}, set()),
        ("mount", ACME, set()),
        ("any", ACME, set()),
        ("", ACME, set()),
    ],
)
def test_separation_of_duties(act: str, context: dict[str, str], allowed: set[str]) -> None:
    snapshot = to_snapshot(STAFF)
    found = {person for person in STAFF.people if snapshot.may(person, act, DAY, **context).allowed}
    assert found == allowed
    if act in DUTY_ACTS and context.get("project") != "none":
        whole = {"project": None, "owner": None, "author": None, **context}
        assert found == {person for person in STAFF.people if may_duty(STAFF, person, act, DAY, **whole)}


def test_a_person_who_is_not_known_has_no_duty() -> None:
    assert not to_snapshot(STAFF).may("nobody", "review", DAY, owner="acme").allowed


def test_projects_of_lists_where_a_session_may_be_opened() -> None:
    snapshot = to_snapshot(STAFF)
    assert snapshot.projects_of("resa", DAY) == ["p17"]
    assert snapshot.projects_of("once", DAY) == []
    assert snapshot.projects_of("once", BEFORE) == ["p17"]
    assert snapshot.projects_of("nobody", DAY) == []
    assert snapshot.members("p17") == ["both", "fake", "lea", "once", "resa"]


def test_no_row_of_the_policy_can_give_a_duty() -> None:
    snapshot = to_snapshot(STAFF)
    row = {
        "id": "X-1", "eft": "allow", "role": "researcher", "project": "any", "data": "any", "act": "any",
        "purpose": "any", "region": "any", "start": "2020-01-01", "until": "2030-01-01",
    }  # fmt: skip
    with pytest.raises(Invalid, match="may only have the act 'mount'"):
        snapshot.with_rows([row])


# -- mounts ------------------------------------------------------------------------------------------------------------


def with_versions(world: World, versions: dict[str, tuple[Version, ...]], *, per_project: bool = False) -> Snapshot:
    snapshot = to_snapshot(world)
    renditions = {
        name: replace(data, versions=versions.get(name, data.versions), per_project=per_project)
        for name, data in snapshot.facts.renditions.items()
    }
    return Snapshot(snapshot.rows, replace(snapshot.facts, renditions=renditions), Path("/srv/enclave"))


def test_a_mount_carries_its_evidence() -> None:
    (mount,) = to_snapshot(ana_sees_hiv()).mounts("ana", "p17", DAY)
    assert mount == Mount(
        dataset_id="hiv",
        rendition="hiv/full",
        version=1,
        source="/srv/enclave/renditions/hiv/full/1",
        target="/data/hiv",
        files={"data.parquet": "00"},
        row_id="AGR-1",
        agreement_id=None,
        tier=3,
        reason="AGR-1 allows it until 9999-12-31",
    )
    assert Mount.from_dict(mount.as_dict()) == mount


def test_several_renditions_of_a_dataset_lie_beside_each_other() -> None:
    world = ana_sees_hiv()
    world.datasets["hiv"].renditions["ps"] = 1
    world.datasets["hi"] = Collection(renditions={"full": 0})
    world.rules[0].data = ["hiv", "hi"]
    mounts = to_snapshot(world).mounts("ana", "p17", DAY)
    assert {mount.rendition: mount.target for mount in mounts} == {
        "hi/full": "/data/hi",
        "hiv/full": "/data/hiv/full",
        "hiv/ps": "/data/hiv/ps",
    }


def test_the_newest_published_version_is_mounted_and_an_older_one_may_be_kept() -> None:
    old, new = Version(1, None, "renditions/hiv/full/1", {}), Version(2, None, "renditions/hiv/full/2", {})
    world = ana_sees_hiv()
    (running,) = with_versions(world, {"hiv/full": (old,)}).mounts("ana", "p17", DAY)
    later = with_versions(world, {"hiv/full": (new, old)})
    assert [mount.version for mount in later.mounts("ana", "p17", DAY)] == [2]
    assert later.still("ana", "p17", running, DAY).allowed
    withdrawn = with_versions(world, {"hiv/full": (new,)})
    decision = withdrawn.still("ana", "p17", running, DAY)
    assert not decision.allowed
    assert decision.reason == "version 1 of hiv/full is withdrawn"


def test_a_version_keyed_by_project_is_mounted_in_that_project_alone() -> None:
    mine, theirs, shared = (Version(n, project, f"r/{n}", {}) for n, project in ((1, "p17"), (2, "p1"), (3, None)))
    world = ana_sees_hiv()
    keyed = with_versions(world, {"hiv/full": (shared, theirs, mine)}, per_project=True)
    (mount,) = keyed.mounts("ana", "p17", DAY)
    assert mount.version == 1
    assert not keyed.still("ana", "p17", replace(mount, version=2, source="/srv/enclave/r/2"), DAY).allowed
    assert with_versions(world, {"hiv/full": (theirs, shared)}, per_project=True).mounts("ana", "p17", DAY) == []
    assert with_versions(world, {"hiv/full": (mine,)}).mounts("ana", "p17", DAY) == []


def test_a_mount_that_was_tampered_with_is_not_kept() -> None:
    snapshot = to_snapshot(ana_sees_hiv())
    (mount,) = snapshot.mounts("ana", "p17", DAY)
    assert snapshot.still("ana", "p17", mount, DAY).allowed
    assert not snapshot.still("ana", "p17", replace(mount, source="/etc"), DAY).allowed
    assert not snapshot.still("ana", "p17", replace(mount, rendition="hi/full"), DAY).allowed
    assert not snapshot.still("ana", "p17", mount, ALWAYS[0] - timedelta(days=1)).allowed


def test_refusals_name_the_one_thing_and_who_can_change_it() -> None:
    world = ana_sees_hiv()
    assert to_snapshot(world).refusals("ana", "p17", DAY) == []
    world.people["ana"].clearances = [(*ALWAYS, 1)]
    (refusal,) = to_snapshot(world).refusals("ana", "p17", DAY)
    assert refusal.rendition == "hiv/full"
    assert refusal.sentence == "AGR-1 does not apply: the clearance of ana, 1, is below the data's tier 3"
    assert refusal.who_can_change == "two admins, one who proposes and one who approves"


def test_refusals_tell_of_a_deny_and_of_a_missing_version() -> None:
    world = ana_sees_hiv()
    (refusal,) = with_versions(world, {"hiv/full": ()}).refusals("ana", "p17", DAY)
    assert (refusal.sentence, refusal.who_can_change) == ("hiv/full has no published version", "the stewards of acme")
    world.rules.append(Rule("WDR-1", effect="deny", role=["anyone"], data=["hiv"], acts=None))
    (refusal,) = to_snapshot(world).refusals("ana", "p17", DAY)
    assert (refusal.sentence, refusal.who_can_change) == ("WDR-1 denies it", "the stewards of acme")


@PROPERTY
@given(seeds)
def test_every_rendition_of_the_project_s_rows_is_either_mounted_or_refused_with_a_reason(seed: int) -> None:
    dice = random.Random(seed)
    snapshot = to_snapshot(random_world(dice))
    person, project = dice.choice(PEOPLE), dice.choice(PROJECTS)
    mounted = {mount.rendition for mount in snapshot.mounts(person, project, DAY)}
    refused = {refusal.rendition for refusal in snapshot.refusals(person, project, DAY)}
    assert mounted | refused == set(snapshot._covered(snapshot.facts.projects[project]))
    assert not mounted & refused


def test_the_digest_changes_with_rows_and_facts() -> None:
    world = ana_sees_hiv()
    digests = {to_snapshot(world).digest}
    world.people["ana"].clearances = [(*ALWAYS, 4)]
    digests.add(to_snapshot(world).digest)
    world.rules[0].until = DAY
    digests.add(to_snapshot(world).digest)
    world.people["ana"].roles.append(("auditor", "*", *ALWAYS))
    digests.add(to_snapshot(world).digest)
    assert len(digests) == 4
    assert all(len(digest) == 64 for digest in digests)


def test_owners_of_the_oracle_are_two() -> None:
    assert OWNERS == ["acme", "ac"], "a name and its beginning: the near miss that the comparison rests on"
