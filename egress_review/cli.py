"""`enclave egress …` and `enclave release …`: the review queue from the command line of the enclave's machine.

Who has the enclave's files may act for anybody (`--as`); every act is in the log under that person's name, with the
account that gave the command.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from access_control import audit
from access_control.audit import Act
from access_control.database import open_database, reading, writing
from access_control.settings import Settings, load_settings
from egress_review import bundle_check, claims, freezing, imports, reminders, requests, reviews, seeding, states
from egress_review import fsck as store_check
from egress_review import release as gate
from egress_review.errors import EgressError, Invalid, NotFound
from egress_review.models import ReleaseRequest
from egress_review.signing import enclave_key, key_id, pem, public_from_pem

egress = typer.Typer(help="The review queue: what asks to leave the enclave, or to come in.", no_args_is_help=True)
release = typer.Typer(help="Releases: fetch them, verify them anywhere, take them back.", no_args_is_help=True)
console = Console()

As = Annotated[str, typer.Option("--as", help="The id of the person who does this.")]
RequestId = Annotated[str, typer.Argument(help="Such as REQ-0042.", metavar="REQUEST")]
ReleaseId = Annotated[str, typer.Argument(help="Such as REL-0042.", metavar="RELEASE")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Adds the groups `egress` and `release` to the command line."""
    app.add_typer(egress, name="egress")
    app.add_typer(release, name="release")


@contextmanager
def _enclave(actor: str = "") -> Iterator[tuple[Engine, Settings]]:
    """The enclave of this machine; a command given for a person is logged with the account that gave it."""
    settings = load_settings()
    engine = open_database(settings.database)
    try:
        if actor:
            with writing(engine) as db:
                details = {"step": "command line", "account": getpass.getuser(), "for": actor}
                audit.record(db, Act.RequestChanged, actor="<command line>", subject=f"person:{actor}", details=details)
        yield engine, settings
    except EgressError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()


def _file_id(db: Session, settings: Settings, request_id: str, name: str, actor: str) -> int:
    seen = reviews.view(db, settings, request_id, viewer=actor)
    ids = [each.file.id for each in seen.files if each.file.name == name]
    if not ids:
        raise Invalid(f"{name} is not among the files: {', '.join(each.file.name for each in seen.files)}.")
    return ids[0]


def _print(*rows: tuple[Any, ...], head: tuple[str, ...]) -> None:
    table = Table(*head)
    for row in rows:
        table.add_row(*[str(cell) for cell in row])
    console.print(table)


@egress.command("list")
def list_requests(
    state: Annotated[str, typer.Option(help="Only those in this state, such as 'in review'.")] = "",
) -> None:
    """List requests, the newest first."""
    with _enclave() as (engine, _), reading(engine) as db:
        rows = db.scalars(select(ReleaseRequest).order_by(ReleaseRequest.id.desc()))
        shown = [(row.id, row.state, row.direction, row.project_id, row.author_id, row.turn, row.title) for row in rows
                 if not state or row.state == state]  # fmt: skip
        _print(*shown, head=("request", "state", "way", "project", "author", "turn", "title"))


@egress.command("queue")
def queue(actor: As) -> None:
    """List what a reviewer can decide on, the longest waiting first."""
    with _enclave() as (engine, settings), reading(engine) as db:
        items = reviews.queue(db, settings, reviewer=actor)
        rows = [(each.request.id, each.request.title, each.files, each.verdict, f"{each.voted}/{each.needed}",
                 ", ".join(each.claimed_by), f"{each.waiting_since:%Y-%m-%d %H:%M}") for each in items]  # fmt: skip
        _print(*rows, head=("request", "title", "files", "checks", "voted", "claimed by", "waiting since"))


@egress.command("show")
def show(request_id: RequestId, actor: As) -> None:
    """Show a request as that person sees it, as JSON."""
    with _enclave(actor) as (engine, settings), reading(engine) as db:
        seen = reviews.view(db, settings, request_id, viewer=actor)
        files = [
            {
                "id": each.file.id, "name": each.file.name, "sha256": each.file.sha256, "context": each.file.context,
                "verdict": each.file.verdict, "findings": each.file.findings, "outcome": each.outcome,
                "needed": each.needed,
                "votes": [{"by": vote.reviewer_id, "verdict": vote.verdict, "why": vote.reason} for vote in each.votes],
            }
            for each in seen.files
        ]  # fmt: skip
        request = seen.request
        comments = [{"by": each.author_id, "place": each.place, "text": each.text} for each in seen.comments]
        value = {
            "id": request.id, "state": request.state, "turn": request.turn, "project": request.project_id,
            "author": request.author_id, "title": request.title, "purpose": request.purpose, "reason": request.reason,
            "owners": request.owners, "tier": request.tier, "blind": seen.blind, "can": sorted(seen.can),
            "release": seen.release_id, "files": files, "comments": comments,
        }  # fmt: skip
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@egress.command("draft")
def draft(
    project: Annotated[str, typer.Option(help="The project's id.")],
    title: Annotated[str, typer.Option(help="A few words.")],
    purpose: Annotated[str, typer.Option(help="What the files are wanted for.")],
    actor: As,
    inwards: Annotated[bool, typer.Option("--in", help="An import instead of a release.")] = False,
) -> None:
    """Start a request; prints its id."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        made = requests.create_draft(
            db, settings, project_id=project, title=title, purpose=purpose, actor=actor,
            direction="in" if inwards else "out",
        )  # fmt: skip
        typer.echo(made.id)


@egress.command("add")
def add(
    request_id: RequestId,
    patterns: Annotated[list[str], typer.Argument(help="Files, folders or globs of the workspace.")],
    context: Annotated[str, typer.Option(help="What they show, of whom, how many.")],
    actor: As,
) -> None:
    """Add workspace files to a draft."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        for file in requests.add_files(db, settings, request_id, patterns, context=context, actor=actor):
            typer.echo(file.name)


@egress.command("remove")
def remove(request_id: RequestId, name: Annotated[str, typer.Argument(help="The file's name.")], actor: As) -> None:
    """Take a file out of the turn that is being prepared."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        requests.remove_file(db, settings, request_id, name, actor=actor)


@egress.command("context")
def context(
    request_id: RequestId,
    name: Annotated[str, typer.Argument(help="The file's name.")],
    text: Annotated[str, typer.Argument(help="What it shows, of whom, how many.")],
    actor: As,
) -> None:
    """Say anew what a file shows; in the next turn the file loses its votes by it."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        requests.set_context(db, settings, request_id, name, text, actor=actor)


@egress.command("upload")
def upload(
    request_id: RequestId,
    files: Annotated[list[Path], typer.Argument(help="Files of this machine.", exists=True, dir_okay=False)],
    context: Annotated[str, typer.Option(help="What they are, and where they come from.")],
    actor: As,
) -> None:
    """Add files of this machine to an import."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        for path in files:
            with path.open("rb") as file:
                chunks = iter(lambda file=file: file.read(1024 * 1024), b"")  # type: ignore[misc]  # a bound default
                imports.upload(db, settings, request_id, path.name, chunks, context=context, actor=actor)


@egress.command("submit")
def submit(request_id: RequestId, actor: As) -> None:
    """Copy the files, check them, queue the request; prints the state afterwards."""
    with _enclave(actor) as (engine, settings), console.status("Copying and checking"):
        state = requests.submit(engine, settings, request_id, actor=actor)
    typer.echo(state)


@egress.command("withdraw")
def withdraw(request_id: RequestId, actor: As, reason: Why = "") -> None:
    """Take a request back."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        requests.withdraw(db, settings, request_id, actor=actor, reason=reason)


@egress.command("appeal")
def appeal(request_id: RequestId, actor: As, reason: Why) -> None:
    """Ask for other reviewers of a rejected request, once."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        requests.appeal(db, settings, request_id, actor=actor, reason=reason)


@egress.command("claim")
def claim(
    request_id: RequestId, actor: As, give_back: Annotated[bool, typer.Option(help="Give the place back.")] = False
) -> None:
    """Take a reviewer's place on a request for some hours."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        if give_back:
            claims.unclaim(db, settings, request_id, actor=actor)
        else:
            typer.echo(f"Yours until {claims.claim(db, settings, request_id, actor=actor).until:%Y-%m-%d %H:%M} UTC")


@egress.command("vote")
def vote(
    request_id: RequestId,
    name: Annotated[str, typer.Argument(help="The file's name.")],
    verdict: Annotated[str, typer.Argument(help="approve, changes or reject.")],
    actor: As,
    reason: Why = "",
) -> None:
    """Vote on one file; prints the request's state afterwards."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        number = _file_id(db, settings, request_id, name, actor)
        typer.echo(reviews.vote(db, settings, request_id, number, verdict, actor=actor, reason=reason))


@egress.command("comment")
def comment(
    request_id: RequestId,
    text: Annotated[str, typer.Argument(help="What you have to say.")],
    actor: As,
    name: Annotated[str, typer.Option("--file", help="The file that it is about.")] = "",
    place: Annotated[str, typer.Option(help="Such as 'row 3'.")] = "",
) -> None:
    """Say something on a request, or on one file of it."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        number = _file_id(db, settings, request_id, name, actor) if name else None
        reviews.comment(db, settings, request_id, text, actor=actor, file_id=number, place=place)


@egress.command("freeze")
def freeze(
    request_id: RequestId, actor: As, reason: Why, thaw: Annotated[bool, typer.Option(help="Undo a freeze.")] = False
) -> None:
    """Stop a request where it is, or let it go on."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        (freezing.thaw if thaw else freezing.freeze)(db, settings, request_id, actor=actor, reason=reason)


@egress.command("reminders")
def show_reminders() -> None:
    """List what has waited too long, and for whom."""
    with _enclave() as (engine, settings), reading(engine) as db:
        for each in reminders.due(db, settings):
            typer.echo(f"{each.kind}: {each.sentence}")


@egress.command("resume")
def resume() -> None:
    """Take up what a program that died has left; ends with 1 when something could not be done."""
    with _enclave() as (engine, settings):
        problems = requests.resume(engine, settings)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)


@egress.command("fsck")
def fsck() -> None:
    """Compare every stored file with its hash; ends with 1 when one is damaged or missing."""
    with _enclave() as (engine, settings), reading(engine) as db, Progress(transient=True) as bar:
        task = bar.add_task("Hashing", total=None)
        found = store_check.fsck(db, settings, progress=lambda _: bar.advance(task))
    for damage in found:
        typer.echo(damage.sentence, err=True)
    if found:
        raise typer.Exit(1)
    typer.echo("Every stored file is what its name says, and none is missing.")


@egress.command("seed")
def seed(  # noqa: PLR0917 - options of a command
    files: Annotated[list[Path], typer.Argument(help="Known-unsafe files.", exists=True, dir_okay=False)],
    project: Annotated[str, typer.Option(help="The project that it seems to come from.")],
    author: Annotated[str, typer.Option(help="The member who seems to have written it; never sees it.")],
    title: Annotated[str, typer.Option(help="As a researcher would put it.")],
    purpose: Annotated[str, typer.Option(help="As a researcher would put it.")],
    context: Annotated[str, typer.Option(help="As a researcher would put it.")],
    why: Annotated[str, typer.Option(help="Why it is unsafe.")],
    actor: As,
) -> None:
    """Put a known-unsafe request into the queue, to measure reviewers. For lead stewards."""
    with _enclave(actor) as (engine, settings), console.status("Checking"):
        held = {path.name: (path.read_bytes(), context) for path in files}
        made = seeding.seed(
            engine, settings, project_id=project, as_author=author, title=title, purpose=purpose, files=held,
            why_unsafe=why, actor=actor,
        )  # fmt: skip
    typer.echo(made)


@egress.command("calibration")
def calibration(actor: As) -> None:
    """Show how reviewers do: misses, time, agreement. For lead stewards."""
    with _enclave(actor) as (engine, settings), reading(engine) as db:
        found = seeding.calibration(db, settings, actor=actor)
    rows = [(each.reviewer, each.files, each.seeded, each.missed, f"{each.seconds:.0f}") for each in found.reviewers]
    _print(*rows, head=("reviewer", "files", "seeded", "missed", "seconds a file"))
    if found.agreement is not None:
        typer.echo(f"Agreement over {found.pairs} pairs of votes: {found.agreement:.0%}")


@egress.command("states")
def show_states() -> None:
    """Print the states of a request and what leads from one to the next, as docs/reference/request-states.md has
    them.
    """
    typer.echo(states.reference())


@release.command("fetch")
def fetch(
    release_id: ReleaseId,
    actor: As,
    name: Annotated[str, typer.Option("--file", help="One file instead of the bundle.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for it.")] = Path(),
) -> None:
    """Fetch the bundle of a release, or one file of it, through the gate, as its author."""
    with _enclave(actor) as (engine, settings):
        number = None
        if name:
            with reading(engine) as db:
                ids = {each.name: each.id for each in gate.release_files(db, release_id)}
            if name not in ids:
                raise NotFound(f"{name} is not among the files of {release_id}.")
            number = ids[name]
        token = gate.make_link(engine, settings, release_id, actor=actor, release_file_id=number)
        got = gate.redeem(engine, settings, token, actor=actor)
        target = out / got.name
        target.write_bytes(got.read())
    typer.echo(str(target))


@release.command("place")
def place(release_id: ReleaseId, actor: As) -> None:
    """Put an approved import into its author's workspace, read-only."""
    with _enclave(actor) as (engine, settings):
        for path in imports.place(engine, settings, release_id, actor=actor):
            typer.echo(path)


@release.command("revoke")
def revoke(release_id: ReleaseId, actor: As, reason: Why) -> None:
    """Take a release back for good; its links die at once."""
    with _enclave(actor) as (engine, settings), writing(engine) as db:
        gate.revoke(db, settings, release_id, actor=actor, reason=reason)


@release.command("key")
def key() -> None:
    """Print the public key that releases are signed with: publish it, so that anyone can verify a bundle."""
    with _enclave() as (_, settings):
        public = enclave_key(settings).public_key()
    typer.echo(f"{pem(public)}# {key_id(public)}")


@release.command("verify")
def verify(
    bundle: Annotated[Path, typer.Argument(help="The ZIP.", exists=True, dir_okay=False)],
    public: Annotated[Path | None, typer.Option("--key", help="The enclave's public key, from elsewhere.")] = None,
) -> None:
    """Verify a bundle offline: signatures of enclave and reviewers, quorum, and every byte. Ends with 1 when it
    fails.
    """
    try:
        given = public_from_pem(public.read_bytes().split(b"#", 1)[0]) if public else None
        found = bundle_check.check_bundle(bundle.read_bytes(), given)
    except EgressError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for sentence in found.checked:
        typer.echo(sentence)
    if not found.key_given:
        typer.echo(
            "The key is the bundle's own. Compare its id with the one that the enclave publishes, or give --key."
        )
