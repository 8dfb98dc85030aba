"""The program `enclave`: runs an enclave, shows the demo, looks after it; and the commands of every other part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from access_control.errors import AccessError
from access_control.settings import Settings, find_settings_file, load_settings
from egress_review.errors import EgressError
from hub import prepare, programs, supervisor
from hub.ports import free_port

app = typer.Typer(
    help="A secure data enclave with notebook access.", no_args_is_help=True, pretty_exceptions_enable=False
)
console = Console()
ROOT = Path(__file__).resolve().parents[1]
DEMO_PORT = 8000


@app.command()
def run(
    quiet: Annotated[bool, typer.Option(help="Print nothing but errors.")] = False,
) -> None:
    """Run the enclave in the foreground until it is told to stop; its sessions go on without it."""
    settings = load_settings()
    supervisor.check_may_start(settings)
    _, ports = prepare.prepare(settings)
    if not quiet:
        console.print(f"The enclave is at {settings.web.origin}/services/portal/ ; logs are in {settings.logs}")
    supervisor.Supervisor(
        settings,
        programs.programs(settings, ports),
        find_settings_file(),
        lambda line: console.print(line, style="red"),
    ).run()


@app.command()
def status() -> None:
    """Say which of the programs answer; ends with 1 when one does not."""
    missing = supervisor.missing(load_settings())
    for name in missing:
        console.print(f"{name} does not answer", style="red")
    if missing:
        raise typer.Exit(1)
    console.print("Every program answers.")


@app.command()
def init(
    admins: Annotated[list[str] | None, typer.Option("--admin", help="Id of a first admin; give two.")] = None,
    region: Annotated[str, typer.Option(help="Where the enclave's staff sits.")] = "EU",
) -> None:
    """Prepare a data root: folders, secrets, tables, and the first two admins."""
    from access_control import clock, people
    from access_control.database import writing
    from access_control.models import Organisation, Person

    settings = load_settings()
    engine, _ = prepare.prepare(settings)
    with writing(engine) as db:
        for admin in admins or []:
            if db.get(Organisation, "enclave") is None:
                people.add_organisation(db, id="enclave", title="The enclave", region=region, actor="<setup>")
            if db.get(Person, admin) is None:
                people.add_person(
                    db, id=admin, name=admin, email=f"{admin}@localhost", affiliation="enclave", region=region,
                    actor="<setup>",
                )  # fmt: skip
                until = clock.today().replace(year=clock.today().year + 1)
                people.grant_role(
                    db, admin, role="admin", domain="*", start=clock.today(), until=until, source="first installation"
                )
    console.print(f"{settings.data_root} is ready. Next: enclave doctor, then enclave run")


@app.command()
def doctor() -> None:
    """Say what is missing or unsafe on this machine, and what to do about it; ends with 1 when something is."""
    from hub.doctor import Level, examine

    table = Table("", "What", "How it is", "What to do")
    marks = {Level.GOOD: "[green]ok[/]", Level.WARNING: "[yellow]look[/]", Level.BAD: "[red]bad[/]"}
    findings = examine(load_settings())
    for finding in findings:
        table.add_row(marks[finding.level], finding.what, finding.how, finding.remedy)
    console.print(table)
    if any(finding.level is Level.BAD for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Start, take the tour, stop and clean up.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    port: Annotated[int, typer.Option(help="The port of the demo; 0 takes a free one.")] = 0,
) -> None:
    """Start an enclave with demo people and public data, take the tour through it, and leave it running."""
    if once and folder is None:
        with tempfile.TemporaryDirectory(prefix="enclave-") as scratch:
            raise typer.Exit(_demo(Path(scratch), port or free_port(), once=True))
    raise typer.Exit(_demo((folder or ROOT / ".cache" / "demo").resolve(), port or DEMO_PORT, once=once))


def _demo(folder: Path, port: int, *, once: bool) -> int:
    from hub.demo import prepare as demo_prepare
    from hub.demo.stage import close_sessions

    config = prepare.write_settings_file(folder / "enclave.toml", data_root=folder / "data", port=port)
    os.environ["ENCLAVE_CONFIG"] = str(config)
    settings = load_settings(config)
    supervisor.check_may_start(settings)
    engine, _ = prepare.prepare(settings)
    with console.status("Preparing the demo's people and data") as status:
        demo_prepare.build_world(engine, settings, lambda line: status.update(f"Preparing the demo: {line}"))
    engine.dispose()
    command = [sys.executable, "-m", "hub.cli", "run", "--quiet"]
    running = subprocess.Popen(command, preexec_fn=supervisor.die_with_parent)  # noqa: PLW1509 - one thread
    try:
        with console.status("Starting the programs"):
            supervisor.wait_until_up(settings)
        _print_logins(settings)
        code = _tour(config)
        if once:
            return code
        console.print(f"\nOpen {settings.web.origin}/services/portal/ in a browser. Ctrl-C ends the demo.")
        return running.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()
        close_sessions(settings)


def _tour(config: Path) -> int:
    """The tour in a process of its own, as anybody would take it."""
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "tour"], check=False, env={**os.environ, "ENCLAVE_CONFIG": str(config)}
    ).returncode


def _print_logins(settings: Settings) -> None:
    from hub.demo.world import PEOPLE
    from hub.keys import demo_credentials

    known = demo_credentials(settings, [person.id for person in PEOPLE])
    console.print("\nDemo logins: person, password, seed of the one-time codes, roles\n", style="bold")
    for person in PEOPLE:
        # Plain lines: a table would cut the seeds at a narrow terminal's edge, and they are there to be copied.
        roles = ", ".join(f"{role} in {domain.partition(':')[2] or 'the enclave'}" for role, domain in person.roles)
        one = known[person.id]
        console.print(
            f"{person.id:5} {one.password:17} {one.totp_seed}  {roles}", soft_wrap=True, highlight=False, markup=False
        )
    config = os.environ.get("ENCLAVE_CONFIG", "")
    console.print(f"A code for now: ENCLAVE_CONFIG={config} {Path(sys.argv[0]).name} code PERSON", soft_wrap=True)


@app.command()
def tour() -> None:
    """Drive the running demo through its main job and say what each step proves; ends with 1 when one does not hold."""
    from access_control.database import open_database
    from hub.keys import demo_credentials
    from hub.tour.browser import Secret
    from hub.tour.run import PEOPLE, run_tour

    settings = load_settings()
    known = demo_credentials(settings, list(PEOPLE))
    secrets = {person: Secret(one.password, one.totp_seed) for person, one in known.items()}
    if not run_tour(open_database(settings.database), settings, secrets, console):
        raise typer.Exit(1)


@app.command()
def code(person: Annotated[str, typer.Argument(help="Id of a demo person.")]) -> None:
    """Print the one-time code of a demo person, as their phone would show it."""
    import pyotp

    from hub.keys import demo_credentials

    console.print(pyotp.TOTP(demo_credentials(load_settings(), [person])[person].totp_seed).now())


_PARTS = (
    "access_control.cli",
    "hub.index_cli",
    "egress_review.check_cli",
    "egress_review.cli",
    "hub.audit_cli",
    "hub.notices.cli",
)


def _register_all() -> None:
    """Every part's own commands."""
    import importlib

    for name in _PARTS:
        importlib.import_module(name).register(app)


def main() -> None:
    """Runs the program; an error that is meant for a person is printed as its sentence, not as a trace."""
    if sys.argv[1:2] not in (["run"], ["status"]):  # these need nothing of the other parts, and start at once
        _register_all()
    try:
        app()
    except (AccessError, EgressError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
