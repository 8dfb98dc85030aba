"""The portal's API under schemathesis: what its OpenAPI says of it is true, whoever calls and whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.running import Enclave

API = "/services/portal/api"
EXAMPLES = 6  # of an operation; of one that does several acts, three times as many
CHECKS = [
    status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance
]  # fmt: skip

# What exists, so that calls get beyond "there is no such thing". `paused` has no sessions: none is started here.
KNOWN: dict[str, tuple[Any, ...]] = {
    "project_id": ("paused", "nowhere"),
    "dataset_id": ("nhefs", "gpa2"),
    "person_id": ("bo", "tom", "nobody"),
    "agreement_id": ("AGR-0001", "AGR-0002"),
    "request_id": ("REQ-0001", "REQ-0002", 1, 2),
    "proposal_id": (1, 2),
    "file_id": (1, 2**31),
    "session_id": ("0" * 32,),
    "release_id": ("REL-0001",),
    "project": ("wages", "smoking", "paused"),
    "rendition": ("gpa2/full", "nhefs/open"),
    "purpose": ("GRU", "HMB", "DUO:0000042"),
    "data": ("gpa2/full", "nhefs"),
    "person": ("bo", "ana"),
    "at": ("2026-01-01T00:00", "9999-12-31T23:59:59", "2026-13-01"),
    "before": (1, 2**63),
    "changes": (
        "change,id\nremove,AGR-0001.1\n",
        ("change,id,eft,role,project,data,act,purpose,region,start,until,training\n"
        "add,BAN-7,deny,researcher,project:wages,any,mount,any,any,2030-01-01,2030-01-02,any\n"),
        "change,id,eft\nadd,BAN-8,Deny\n",
    ),
}  # fmt: skip
# The fields of acts, by name: what may be good, beside what is odd.
FIELDS: dict[str, tuple[str, ...]] = {
    "until": ("2030-01-01", "9999-12-31", "2030-02-30"),
    "start": ("2026-01-01", "0001-01-01"),
    "level": ("1", "4", "-1", "9" * 30),
    "role": ("researcher", "auditor"),
    "domain": ("project:paused", "*", "project:"),
    "source": ("a letter",),
    "reason": ("because",),
    "course": ("safe-researcher",),
    "party": ("north-university", "health-institute", "nobody"),
    "digest": ("0" * 64,),
    "regions": ("EU", "any EU"),
    "trainings": ("safe-researcher", "../x"),
    "reviewers": ("2", "77"),
    "conditions": ("none",),
}
ODD = ("", "x\0y", "\ud7ff", "'\"--", "1e9", "٣")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    """An enclave of this module's own: admins suspend people and change the policy in it."""
    running = Enclave.start(tmp_path_factory.mktemp("api"))
    yield running
    running.close()


class Caller:
    """A person who calls the API with the cookie of a real login, or nobody."""

    def __init__(self, enclave: Enclave, person: str | None) -> None:
        self.address = f"http://127.0.0.1:{enclave.settings.web.port}"
        origin = enclave.settings.web.origin
        self.headers = {"Host": origin.partition("://")[2], "Origin": origin}
        if person is not None:
            browser = enclave.signed_in(person)
            me = browser.get(f"{API}/me").json()
            assert me["id"] == person
            cookies = {cookie.name: cookie.value for cookie in browser.client.cookies.jar if cookie.path != "/hub/"}
            self.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
            self.headers["X-CSRF-Token"] = me["csrf"]
        self.session = requests.Session()

    def schema(self) -> Any:
        answer = self.session.get(f"{self.address}{API}/openapi.json", headers=self.headers, timeout=60)
        return schemathesis.openapi.from_dict(answer.json())

    def call(self, case: Any) -> Any:
        return case.call(base_url=self.address, headers=self.headers, session=self.session, timeout=60)


def operations(caller: Caller) -> Iterator[Any]:
    for result in caller.schema().get_all_operations():
        yield result.ok()


def make_likely(case: Any, data: st.DataObject) -> None:
    """Puts things that exist in place of some of what was made up."""
    for values in (case.path_parameters, case.query, case.body):
        if not isinstance(values, dict):
            continue
        for name in values:
            if name in KNOWN and data.draw(st.integers(0, 3)):
                values[name] = data.draw(st.sampled_from(KNOWN[name]))
        if isinstance(values.get("fields"), dict) and data.draw(st.integers(0, 3)):
            values["fields"] = {name: data.draw(st.sampled_from(likely)) for name, likely in FIELDS.items()}
            if data.draw(st.booleans()):
                values["fields"][data.draw(st.sampled_from(sorted(FIELDS)))] = data.draw(st.sampled_from(ODD))


def try_operation(operation: Any, caller: Caller, mode: GenerationMode, examples: int) -> list[str]:
    """Calls one operation with a fixed sequence of inputs and returns what was not as it is documented."""
    found: list[str] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE:
            make_likely(case, data)
        answer = caller.call(case)
        told = f"{operation.label} {case.path_parameters} {case.query} {case.body!r:.200} -> {answer.status_code}"
        if answer.status_code >= 500:
            found.append(f"{told} {answer.text[:200]}")
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except Exception as error:  # schemathesis raises groups of many kinds
            found.append(f"{told}: {error!r:.600} {[str(each)[:600] for each in getattr(error, 'exceptions', [])]}")

    run()
    return found


def errors_of(enclave: Enclave) -> list[str]:
    """What the portal wrote of its failures."""
    return [line for line in enclave.tail("portal", 200).splitlines() if " INFO " not in line]


@pytest.mark.parametrize("person", ["ana", "sol", "eve"])
def test_answers_are_as_documented(own: Enclave, person: str) -> None:
    caller = Caller(own, person)
    problems: list[str] = []
    tried = 0
    for operation in operations(caller):
        modes = [GenerationMode.POSITIVE]
        if operation.body or operation.query:
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            tried += 1
            acts = "{act}" in operation.path or "{answer}" in operation.path
            problems += try_operation(operation, caller, mode, EXAMPLES * 3 if acts else EXAMPLES)
    assert tried > 40
    assert not problems, f"{len(problems)}:\n" + "\n".join([*problems[:40], *errors_of(own)])
    assert caller.session.get(f"{caller.address}{API}/me", headers=caller.headers, timeout=60).status_code == 200


def test_without_a_login_nothing_is_answered(own: Enclave) -> None:
    schema, nobody = Caller(own, "ana"), Caller(own, None)
    problems: list[str] = []

    def run(operation: Any) -> None:
        @settings(max_examples=2, derandomize=True, database=None, deadline=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            case = data.draw(operation.as_strategy())
            make_likely(case, data)
            answer = nobody.call(case)
            if answer.status_code not in (401, 403):
                problems.append(f"{operation.label}: {answer.status_code} {answer.text[:200]}")

        ask()

    for operation in operations(schema):
        run(operation)
    assert not problems, "\n".join(problems)


def test_a_page_without_a_login_leads_to_the_hub(own: Enclave) -> None:
    nobody = Caller(own, None)
    for path in ("", "projects", "people", "audit", "queue", "policy", "data", "access/agreements/AGR-0001"):
        answer = nobody.session.get(
            f"{nobody.address}/services/portal/{path}", headers=nobody.headers, timeout=60, allow_redirects=False
        )
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/hub/api/oauth2/authorize?"), path
