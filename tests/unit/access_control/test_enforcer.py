"""Each way in which pycasbin is known to answer yes in error, and that here it is a no."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
import threading
from datetime import date
from pathlib import Path

import casbin
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from policy_oracle import ALWAYS, DAY, Collection, Human, Rule, Work, World, to_snapshot

from access_control import conditions, enforcer, facts
from access_control.errors import Refused
from access_control.rows import Row, Rows
from access_control.snapshot import Snapshot

TEXT = conditions.MODEL.read_text()


def world(**human) -> World:
    return World(
        people={
            "ana": Human(clearances=[(*ALWAYS, 3)], roles=[("researcher", "project:p17", *ALWAYS)], **human),
            "steward": Human(clearances=[(*ALWAYS, 4)]),
            "researcher": Human(clearances=[(*ALWAYS, 4)]),
            "anyone": Human(clearances=[(*ALWAYS, 4)]),
        },
        projects={"p17": Work()},
        datasets={"hiv": Collection(renditions={"full": 3})},
        rules=[Rule("AGR-1", projects=["p17"], data=["hiv"])],
    )


def ana(snapshot: Snapshot, person: str = "ana"):
    return snapshot.decide(person, "p17", "hiv/full", "mount", DAY)


@pytest.mark.parametrize("person", ["researcher", "steward", "anyone"])
def test_a_person_who_is_called_like_a_role_does_not_hold_it(person: str) -> None:
    """Stock Casbin: g(x, x) is always true."""
    assert casbin.util.generate_g_function(None)(person, person) is True
    snapshot = to_snapshot(world())
    assert not ana(snapshot, person).allowed
    assert not snapshot.may(person, "review", DAY, owner="acme").allowed
    assert ana(snapshot).allowed


def test_an_empty_policy_is_a_no_and_so_is_one_of_no_matching_row() -> None:
    """Stock Casbin runs the matcher with empty columns."""
    empty = world()
    empty.rules = []
    assert not ana(to_snapshot(empty)).allowed
    question = to_snapshot(world()).question("ana", "p17", "hiv/full", "mount", DAY)
    assert enforcer.ask([], question) == (False, None, "")
    assert enforcer.failing(enforcer.NEVER, question) == 0


@pytest.mark.parametrize("effect", ["Deny", "DENY", "deny ", "", "Allow"])
def test_an_effect_that_is_spelt_otherwise_never_reaches_casbin_and_would_allow_nothing(effect: str) -> None:
    """Stock Casbin ignores the row, and a withdrawal is lost; loading refuses it (test_loading), and Casbin allows none."""
    snapshot = to_snapshot(world())
    row = snapshot.rows.by_id["AGR-1"]._replace(eft=effect)
    assert not ana(Snapshot(Rows.of([row]), snapshot.facts, Path("/srv"))).allowed


@pytest.mark.parametrize(
    "text", ["True) or (True", "any') or ('a' == 'a", "__import__('os')", "eval(p.purpose)", "#", "&&"]
)
@pytest.mark.parametrize("column", ["role", "project", "data", "act", "purpose", "region", "training"])
def test_the_text_of_a_row_is_never_code(text: str, column: str) -> None:
    """Stock Casbin with eval(p.rule) in its matcher runs a row's text."""
    snapshot = to_snapshot(world())
    row = snapshot.rows.by_id["AGR-1"]._replace(**{column: text})
    rows = Rows.of([row])
    question = snapshot.question("ana", "p17", "hiv/full", "mount", DAY)
    assert enforcer.ask(list(rows), question) == (False, None, "")
    assert "eval" not in TEXT


def test_a_withdrawal_with_wildcards_is_not_skipped() -> None:
    """Stock FastEnforcer filters by exact columns and loses `any`."""
    withdrawn = world()
    withdrawn.rules.append(Rule("WDR-1", effect="deny", role=["anyone"], data=None, projects=None, acts=None))
    decision = ana(to_snapshot(withdrawn))
    assert (decision.allowed, decision.row_id) == (False, "WDR-1")


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemError("x"), RecursionError(), AttributeError("names"), KeyError(1)]
)
def test_an_exception_is_a_no_with_its_reason(error: Exception, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def broken(*_args):
        raise error

    monkeypatch.setitem(enforcer._enforcer().fm.fm, "trained", broken)
    with caplog.at_level(logging.ERROR):
        decision = ana(to_snapshot(world()))
    assert not decision.allowed
    assert decision.row_id is None
    assert "the decision could not be made" in decision.reason
    assert caplog.records
    assert to_snapshot(world()).mounts("ana", "p17", DAY) == []


@pytest.mark.parametrize("answer", ["yes", 1, None, object(), [True]])
def test_an_answer_that_is_no_boolean_is_a_no(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(enforcer._enforcer().fm.fm, "independent", lambda *_args: answer)
    assert not ana(to_snapshot(world())).allowed


def test_a_row_of_another_length_is_a_no() -> None:
    snapshot = to_snapshot(world())
    question = snapshot.question("ana", "p17", "hiv/full", "mount", DAY)
    assert enforcer.ask([("AGR-1", "allow")], question)[0] is False  # type: ignore[list-item]


def test_a_disabled_enforcer_would_allow_everything_and_nothing_disables_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert enforcer._enforcer().enabled is True
    source = Path(enforcer.__file__).read_text()
    assert "enable_enforce" not in source


def test_an_exchanged_matcher_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = enforcer._enforcer()
    monkeypatch.setattr(ours.model["m"]["m"], "value", "True")
    assert not ana(to_snapshot(world())).allowed


def test_rows_of_one_question_are_not_left_for_the_next() -> None:
    ana(to_snapshot(world()))
    assert enforcer._enforcer()._policy.policy == (enforcer.NEVER,)


def test_threads_have_enforcers_of_their_own() -> None:
    found = []

    def look() -> None:
        found.append((enforcer._enforcer(), ana(to_snapshot(world())).allowed))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({id(one) for one, _ in found}) == 8
    assert all(allowed for _, allowed in found)


def test_two_distributions_of_casbin_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    enforcer.check_installation()
    versions = {"pycasbin": "2.8.0", "casbin": "1.43.0"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    with pytest.raises(Refused, match="'casbin' is installed beside 'pycasbin'"):
        enforcer.check_installation()


@pytest.mark.parametrize("version", ["1.43.0", "2.7.9", "3.0.0"])
def test_another_pycasbin_stops_the_start(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "casbin":
            raise importlib.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)
    with pytest.raises(Refused, match=f"pycasbin {version} is installed"):
        enforcer.check_installation()


def test_the_reason_is_taken_from_the_conditions_of_the_model_themselves() -> None:
    """What failing() evaluates is the text that check_model() compared with model.conf."""
    snapshot = to_snapshot(world())
    question = snapshot.question("ana", "p17", "hiv/full", "mount", DAY)
    assert enforcer.failing(snapshot.rows.by_id["AGR-1"], question) is None
    later = question._replace(today=date(1999, 1, 1).isoformat())
    at = enforcer.failing(snapshot.rows.by_id["AGR-1"], later)
    assert at is not None
    assert conditions.CONDITIONS[at].expression == "p.start <= r.today"


def test_the_functions_of_the_model_are_ours_alone() -> None:
    known = set(enforcer._enforcer().fm.fm) - {"g"}
    assert known == {*facts.FUNCTIONS, "__builtins__"}
    assert enforcer._enforcer().fm.fm["__builtins__"] == {}
    assert Row._fields == tuple(token[2:] for token in enforcer._enforcer().model["p"]["p"].tokens)
