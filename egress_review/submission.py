"""Submitting: the files go into the store, the checks run, the request is queued. Each stage can be taken up again.

No transaction is open while files are copied or checked. A process that dies leaves the request as it was (while
copying), or submitted or checking; `resume` goes on from there. Blobs that no row names are harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, select

from access_control import clock
from access_control.database import reading, writing
from access_control.settings import Profile, Settings
from egress_review import canonical_forms, checking, imports, ledger, ledger_store
from egress_review.deciding import publish_ready, settle
from egress_review.errors import EgressError, Invalid, Refused, WrongState
from egress_review.findings import FileResult, verdict_of
from egress_review.ledger import CountTable
from egress_review.models import ReleaseRequest, RequestFile
from egress_review.permissions import caller, check_is_author, check_may_draft
from egress_review.policies import can, check_editable, editable_turn
from egress_review.queue_rules import CANONICAL
from egress_review.records import advance, digest, get_request, rows_of
from egress_review.release import expire_due
from egress_review.snapshot import Taken, take
from egress_review.sources import Source, sources_of
from egress_review.standing import basis_of
from egress_review.states import State, Step
from egress_review.store import Store
from egress_review.voting import Verdict


class Checker(Protocol):
    """The call of `checking.check_files`."""

    def __call__(
        self,
        settings: Settings,
        files: Sequence[tuple[Path, str]],
        *,
        profile: Profile,
        datasets: Sequence[tuple[str, int]] = (),
        peers: Sequence[str] | None = None,
        sources: Sequence[Source] = (),
    ) -> list[FileResult]:
        """Checks files in order."""
        ...


Rewriter = Callable[[Path, str, Settings | None], bytes | None]


@dataclass(frozen=True)
class _Checked:
    """What was found in one file, before it is written down."""

    result: FileResult
    rewrite_sha256: str | None
    rewrite_size: int
    rewrite_name: str


def submit(
    engine: Engine,
    settings: Settings,
    request_id: str,
    *,
    actor: str,
    checker: Checker = checking.check_files,
    rewriter: Rewriter = canonical_forms.rewrite,
) -> State:
    """Copies the files into the store, checks them and queues the request (or its next turn) for review; takes seconds.

    Returns the state afterwards. Raises Refused when the checks could not run; the request then stays in `checking`,
    with its files kept, and `resume` goes on.
    """
    with reading(engine) as db:
        request = get_request(db, request_id)
        who = caller(db, settings, actor)
        check_is_author(who, request)
        check_may_draft(who, request.project_id)
        check_editable(request)
        turn, direction, project, author = (
            editable_turn(request),
            request.direction,
            request.project_id,
            request.author_id,
        )
        rows = rows_of(db, request, turn)
        asked = [(file.name, file.context) for file in rows]
        uploaded = [Taken(file.name, file.sha256, file.size) for file in rows]
    store = Store(settings.store)
    if direction == "in":
        if not uploaded:
            raise Invalid("The import has no files. Upload some first.")
        taken = uploaded
    else:
        taken = take(store, settings.workspaces, project, author, [name for name, _ in asked], limits=settings.egress)
    with writing(engine) as db:
        request = get_request(db, request_id, lock=True)
        check_editable(request)
        files = rows_of(db, request, turn)
        if editable_turn(request) != turn or [(file.name, file.context) for file in files] != asked:
            raise WrongState(f"The files of {request_id} were changed while it was submitted. Submit it again.")
        _write_taken(request, files, {each.name: each for each in taken}, _before(db, request, turn))
        basis = basis_of(db, settings, request)
        if (request.owners, request.reviewers) != (basis.owners, basis.reviewers):
            for file in files:  # who must agree has changed, so nobody has agreed yet
                file.since_turn = turn
        request.mounts, request.tier, request.owners = basis.mounts, basis.tier, basis.owners
        request.reviewers, request.profile = basis.reviewers, basis.profile
        request.turn, request.submitted_at, request.reason = turn, clock.now(), ""
        step = Step.Submit if State(request.state) is State.Draft else Step.Resubmit
        hashes = [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in files]
        advance(
            db, request, step, actor=actor, files=hashes, tier=basis.tier, owners=basis.owners, needs=basis.reviewers
        )
    return run_checks(engine, settings, request_id, checker=checker, rewriter=rewriter)


def _before(db: Any, request: ReleaseRequest, turn: int) -> dict[str, RequestFile]:
    return {file.name: file for file in rows_of(db, request, turn - 1)} if turn > 1 else {}


def _write_taken(
    request: ReleaseRequest, files: list[RequestFile], taken: dict[str, Taken], before: dict[str, RequestFile]
) -> None:
    """Writes the hashes; an unchanged file keeps its votes, so one that was not approved must not come back
    unchanged.
    """
    stuck = []
    for file in files:
        file.sha256, file.size = taken[file.name].sha256, taken[file.name].size
        file.since_turn = file.turn
        old = before.get(file.name)
        if old is not None and (old.sha256, old.context) == (file.sha256, file.context):
            file.since_turn = old.since_turn
            if old.outcome in {Verdict.Changes, Verdict.Reject}:
                stuck.append(file.name)
    if stuck:
        raise Invalid(
            f"{', '.join(stuck)}: reviewers did not accept this, and nothing in it has changed since turn "
            f"{request.turn}. Change the file, say more in its context, or take it out."
        )


def run_checks(
    engine: Engine,
    settings: Settings,
    request_id: str,
    *,
    checker: Checker = checking.check_files,
    rewriter: Rewriter = canonical_forms.rewrite,
) -> State:
    """Checks the files of a submitted request, writes down what was found, and queues it; returns the state afterwards.

    A request in another state is left alone. When two processes do it at once, the first to finish counts.
    """
    with writing(engine) as db:
        request = get_request(db, request_id, lock=True)
        if can(request, Step.Check):
            advance(db, request, Step.Check, actor="<checks>")
        if State(request.state) is not State.Checking:
            return State(request.state)
        turn, direction = request.turn, request.direction
        files = rows_of(db, request, turn)
        datasets = sorted({(str(each["dataset"]), int(each["dataset_version"])) for each in request.mounts})
        sources = sources_of(db, settings, request.mounts, request.project_id)
        profile = settings.egress.profiles[request.profile]
        earlier = ledger_store.earlier_tables(db, request)
    try:
        store = Store(settings.store)
        pairs = [(store.verify(file.sha256), file.name) for file in files]
        if direction == "in":
            found = [_Checked(result, None, 0, "") for result in imports.check_uploads(settings, pairs, profile)]
        else:
            results = checker(settings, pairs, profile=profile, datasets=datasets, sources=sources)
            if [result.path for result in results] != [name for _, name in pairs]:
                raise Refused("the checks did not answer for every file")
            found = _rewritten(settings, store, files, results, rewriter)
            found = _differenced(settings, files, found, earlier, profile)
    except (EgressError, OSError) as error:  # no answer of the checks is no pass
        with writing(engine) as db:
            request = get_request(db, request_id, lock=True)
            request.reason = f"The checks could not run: {error}"
        raise Refused(
            f"The files of {request_id} are kept, but they could not be checked: {error} It will be tried again."
        ) from error
    with writing(engine) as db:
        request = get_request(db, request_id, lock=True)
        if State(request.state) is not State.Checking or request.turn != turn:
            return State(request.state)
        rows = {file.name: file for file in rows_of(db, request, turn)}
        before = _before(db, request, turn)
        for checked in found:
            _write_checked(rows[checked.result.path], checked, before.get(checked.result.path))
        request.reason = ""
        verdicts = {file.name: file.verdict for file in rows.values()}
        advance(db, request, Step.Queue, actor="<checks>", verdicts=verdicts, profile=request.profile)
        return settle(db, settings, request)


def _rewritten(
    settings: Settings, store: Store, files: list[RequestFile], results: list[FileResult], rewriter: Rewriter
) -> list[_Checked]:
    """Makes the canonical form of each file and stores it: these are the bytes that leave if they are approved."""
    made: list[_Checked] = []
    names: set[str] = set()
    for file, result in zip(files, results, strict=True):
        data, why = None, "There is no canonical form of this type of file."
        try:
            data = rewriter(store.path(file.sha256), result.kind, settings)
        except (EgressError, OSError, ValueError) as error:
            why = f"It could not be rewritten: {error}"
        if data is None:
            extra = CANONICAL.found(file.name, f"{why} So it cannot leave.")
            findings = [*result.findings, extra]
            blocked = FileResult(
                result.path, verdict_of(findings), findings, result.kind, result.facts, result.rule_version
            )
            made.append(_Checked(blocked, None, 0, ""))
            continue
        blob = store.put([data])
        name = canonical_forms.released_name(file.name, result.kind)
        if name.casefold() in names:  # fig.svg and fig.png would both leave as fig.png
            name = f"{file.name}.{name.rpartition('.')[2]}"
        names.add(name.casefold())
        made.append(_Checked(result, blob.sha256, blob.size, name))
    return made


def _differenced(
    settings: Settings, files: list[RequestFile], found: list[_Checked], earlier: list[CountTable], profile: Profile
) -> list[_Checked]:
    """Adds what each table gives away together with released ones, and with the other files of the request."""
    store = Store(settings.store)
    done, beside = [], list(earlier)
    for file, checked in zip(files, found, strict=True):
        if checked.rewrite_sha256 is None:
            done.append(checked)
            continue
        result = checked.result
        try:
            tables = ledger_store.count_tables(store.path(checked.rewrite_sha256), result.kind, file.name)
        except ValueError:  # the checks have said already that it is broken
            tables = []
        extra = ledger_store.compare(tables, beside, profile.threshold)
        beside += tables
        facts = {**result.facts, "rounded": ledger.all_rounded(tables, profile.round_to), "count_tables": len(tables)}
        findings = [*result.findings, *extra]
        verdict = "block" if extra else result.verdict
        done.append(
            _Checked(
                FileResult(result.path, verdict, findings, result.kind, facts, result.rule_version),
                checked.rewrite_sha256,
                checked.rewrite_size,
                checked.rewrite_name,
            )
        )
    return done


def _write_checked(file: RequestFile, checked: _Checked, before: RequestFile | None) -> None:
    result = checked.result
    file.kind, file.verdict, file.facts = result.kind, result.verdict, result.facts
    file.findings = [dict(finding.as_dict()) for finding in result.findings]
    file.findings_digest = digest({"verdict": file.verdict, "findings": file.findings})
    file.rules_version = result.rule_version
    file.rewrite_sha256, file.rewrite_size = checked.rewrite_sha256, checked.rewrite_size
    file.rewrite_name = checked.rewrite_name or file.name
    if before is not None and file.since_turn < file.turn:
        marks = ("findings_digest", "rules_version", "rewrite_sha256", "rewrite_name")
        if any(getattr(before, mark) != getattr(file, mark) for mark in marks):
            file.since_turn = file.turn  # what reviewers saw is not what is found now


def resume(
    engine: Engine,
    settings: Settings,
    *,
    checker: Checker = checking.check_files,
    rewriter: Rewriter = canonical_forms.rewrite,
) -> list[str]:
    """Takes up what a process that died has left: checks to run, approvals to release, releases that are over.

    Safe to run at any time and from several processes. Returns a sentence for each thing that could not be done.
    """
    Store(settings.store).sweep()
    with reading(engine) as db:
        query = select(ReleaseRequest.id, ReleaseRequest.state).order_by(ReleaseRequest.id)
        todo = [(row.id, State(row.state)) for row in db.execute(query)]
    problems = []
    for request_id, state in todo:
        try:
            if state in {State.Submitted, State.Checking}:
                run_checks(engine, settings, request_id, checker=checker, rewriter=rewriter)
            elif state in {State.Approved, State.PartlyApproved}:
                with writing(engine) as db:
                    publish_ready(db, settings, get_request(db, request_id, lock=True))
        except EgressError as error:
            problems.append(f"{request_id}: {error}")
    with writing(engine) as db:
        expire_due(db)
    return problems
