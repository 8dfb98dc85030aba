"""`enclave dataset …` and `enclave rendition …`: bring data in, declare renditions, check files, withdraw versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine, select

from access_control import catalogue, dataset_facts, retention
from access_control.changes import SETUP, get_rendition
from access_control.data_checks import verify_data
from access_control.database import open_database, reading, writing
from access_control.errors import Invalid, Refused
from access_control.ingest import add_dataset, check_addition, stage_dataset
from access_control.models import DatasetVersion, RenditionVersion
from access_control.rendition_writer import stage_rendition
from access_control.renditions import (
    check_declaration,
    check_may_publish,
    complete_publication,
    plan_version,
    prepare_publication,
    register_version,
    stage_all,
    withdraw_rendition_version,
)
from access_control.settings import Settings, load_settings

AfterIngest = Callable[[Settings, DatasetVersion, Path], None]

dataset = typer.Typer(help="Datasets: add, describe, check, delete.", no_args_is_help=True)
rendition = typer.Typer(help="Renditions of datasets: check, publish, report, withdraw.", no_args_is_help=True)
console = Console()
_after: list[AfterIngest] = []

Actor = Annotated[
    str, typer.Option("--as", help="Id of the person on whose behalf; without it, the installation itself.")
]
Reason = Annotated[str, typer.Option(help="Why: it is kept in the audit log.")]
_DAY = ["%Y-%m-%d"]
Embargo = Annotated[datetime | None, typer.Option("--embargo", formats=_DAY, help="Not to be seen before that day.")]
Retention = Annotated[datetime | None, typer.Option("--retention", formats=_DAY, help="To be deleted after that day.")]
Purposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="A purpose term, such as DUO:0000006; repeat it.")
]
Trainings = Annotated[list[str] | None, typer.Option("--training", help="A course that readers need; repeat it.")]


def register(app: typer.Typer, after: AfterIngest | None = None) -> None:
    """Adds both groups. `after` is called with each new version before it is committed; the hub indexes it there."""
    app.add_typer(dataset, name="dataset")
    app.add_typer(rendition, name="rendition")
    _after[:] = [after] if after is not None else []


def _open() -> tuple[Settings, Engine]:
    settings = load_settings()
    return settings, open_database(settings.database)


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on the terminal that names what is being done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def _dictionary(file: Path | None) -> dict[str, str]:
    """Descriptions of columns from a TOML file of `column = "what it is"`."""
    if file is None:
        return {}
    import tomllib

    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f'{file} cannot be read as TOML: {error}. Write a line such as age = "Age in years".') from error
    if wrong := [name for name, text in values.items() if not isinstance(text, str)]:
        raise Invalid(f'{file}: {wrong[0]} is no text. Write a line such as age = "Age in years".')
    return values


@dataset.command("add")
def add(  # noqa: PLR0917 - options of a command
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8, with a line of names) or a Parquet file.")],
    id: Annotated[str, typer.Option(help="Id of the dataset, new or there already.")],  # noqa: A002
    owner: Annotated[str, typer.Option(help="Id of the organisation that owns it.")],
    tier: Annotated[int, typer.Option(help="Sensitivity, 0 open to 4 highly restricted.")],
    title: Annotated[str, typer.Option(help="For the catalogue; needed for a new dataset.")] = "",
    description: Annotated[str, typer.Option(help="For the catalogue.")] = "",
    licence: Annotated[str, typer.Option(help="Under which it is held.")] = "",
    citation: Annotated[str, typer.Option(help="What a publication has to cite.")] = "",
    purpose: Purposes = None,
    training: Trainings = None,
    embargo: Embargo = None,
    retention_date: Retention = None,
    profile: Annotated[str, typer.Option(help="Thresholds of output checks, from the settings.")] = "default",
    dictionary: Annotated[Path | None, typer.Option(help='TOML: a line `column = "what it is"` a column.')] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of the CSV; found in its first line without it.")] = None,
    missing: Annotated[list[str] | None, typer.Option(help="A text that means missing; repeat it.")] = None,
    actor: Actor = SETUP,
) -> None:
    """Add a dataset, or a new version of one: converted to Parquet, hashed, described, made read-only."""
    settings, engine = _open()
    facts: dict[str, Any] = {
        "id": id, "owner": owner, "tier": tier, "title": title, "actor": actor, "egress_profile": profile,
    }  # fmt: skip
    with reading(engine) as db:
        check_addition(db, settings, **facts)
    with _progress() as progress:
        staged = stage_dataset(
            settings, file, id=id, column_descriptions=_dictionary(dictionary), delimiter=delimiter, missing=missing,
            progress=progress,
        )  # fmt: skip
    with writing(engine) as db:
        version = add_dataset(
            db, settings, staged, **facts, description=description, licence=licence, citation=citation,
            permitted_use=purpose or (), required_trainings=training or (),
            embargo_until=embargo.date() if embargo else None,
            retention_until=retention_date.date() if retention_date else None,
            after=(lambda added, path: _after[0](settings, added, path)) if _after else None,
        )  # fmt: skip
    console.print(f"{id} version {version.number}: {version.rows:,} rows, {len(version.columns)} columns")
    for column in version.columns:
        if note := column.get("note"):
            console.print(f"  {escape(column['name'])}: {note}", style="yellow")
    console.print(f"Nobody sees it before a rendition is published: enclave rendition publish FILE (of {id}/…)")


@dataset.command("list")
def list_all() -> None:
    """Every dataset with its owner, tier and renditions."""
    _, engine = _open()
    table = Table("Dataset", "Title", "Owner", "Tier", "Version", "Renditions")
    with reading(engine) as db:
        for entry in catalogue.list_datasets(db):
            names = ", ".join(f"{one.id.partition('/')[2]} ({one.tier})" for one in entry.renditions)
            version = str(entry.version or "-")
            table.add_row(entry.id, escape(entry.title), entry.owner_id, str(entry.tier), version, names)
    console.print(table)


@dataset.command("show")
def show(dataset_id: Annotated[str, typer.Argument(help="Id of the dataset.")]) -> None:
    """What the catalogue says of one dataset: its dictionary and renditions, never data."""
    _, engine = _open()
    with reading(engine) as db:
        entry = catalogue.describe(db, dataset_id)
    console.print(f"[bold]{escape(entry.title)}[/] ({entry.id}), tier {entry.tier}, of {escape(entry.owner)}")
    console.print(escape(entry.description))
    table = Table("Column", "Type", "Description")
    for column in entry.columns:
        table.add_row(escape(column.name), column.type, escape(column.description))
    console.print(table)
    for one in entry.renditions:
        version = f"version {one.version}" if one.version else "no version yet"
        console.print(f"{one.id}: {escape(one.title)}, tier {one.tier}, {version}")


@dataset.command("set")
def set_facts(  # noqa: PLR0917 - options of a command
    dataset_id: Annotated[str, typer.Argument(help="Id of the dataset.")],
    reason: Reason,
    title: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
    tier: Annotated[int | None, typer.Option(help="0 open to 4 highly restricted.")] = None,
    licence: Annotated[str | None, typer.Option()] = None,
    citation: Annotated[str | None, typer.Option()] = None,
    purpose: Purposes = None,
    training: Trainings = None,
    embargo: Embargo = None,
    retention_date: Retention = None,
    profile: Annotated[str | None, typer.Option(help="Thresholds of output checks.")] = None,
    actor: Actor = SETUP,
) -> None:
    """Change what is known of a dataset; running sessions are decided again."""
    values: dict[str, Any] = {
        "title": title, "description": description, "tier": tier, "licence": licence, "citation": citation,
        "permitted_use": purpose, "required_trainings": training, "egress_profile": profile,
        "embargo_until": embargo.date() if embargo else None,
        "retention_until": retention_date.date() if retention_date else None,
    }  # fmt: skip
    values = {name: value for name, value in values.items() if value is not None}
    if not values:
        raise Invalid("Nothing to change: give at least one option, such as --tier.")
    settings, engine = _open()
    with writing(engine) as db:
        dataset_facts.change_dataset(db, settings, dataset_id, values, actor=actor, reason=reason)
    console.print(f"{dataset_id}: {', '.join(values)} changed")


@dataset.command("verify")
def verify(
    dataset_id: Annotated[str | None, typer.Argument(help="Id of a dataset; without it, all.")] = None,
) -> None:
    """Hash every stored file again; ends with 1 when one is missing or altered (its version is taken out of use)."""
    settings, engine = _open()
    with _progress() as progress:
        problems, count = verify_data(engine, settings, dataset_id, progress)
    for problem in problems:
        console.print(problem, style="red", markup=False)
    if problems:
        raise typer.Exit(1)
    console.print(f"{count} versions are as they were written.")


@dataset.command("delete")
def delete(
    dataset_id: Annotated[str, typer.Argument(help="Id of the dataset.")],
    reason: Reason,
    before_retention: Annotated[bool, typer.Option(help="Delete although its retention date is not reached.")] = False,
    actor: Actor = SETUP,
) -> None:
    """Delete every file of a dataset, with a record of what was deleted; its entries in the log stay."""
    settings, engine = _open()
    proof = retention.delete_data(
        engine, settings, dataset_id, actor=actor, reason=reason, before_retention=before_retention
    )
    console.print(f"{len(proof.files)} files of {dataset_id} are deleted; the record is {proof.path}")


@rendition.command("check")
def check(file: Annotated[Path, typer.Argument(help="The declaration, a TOML file.")]) -> None:
    """Check a declaration against its dataset without changing anything, and show what it would hold."""
    _, engine = _open()
    with reading(engine) as db:
        spec, columns = check_declaration(db, file)
    console.print(f"{spec.id} is well declared; tier {spec.tier}.")
    table = Table("Column", "Type", "Treatment")
    for column in columns:
        table.add_row(escape(column["name"]), column["type"], escape(column.get("treatment", "")))
    console.print(table)


@rendition.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="The declaration, a TOML file.")],
    actor: Actor = SETUP,
) -> None:
    """Declare a rendition and write its new version; a failed quality check stops it, and nothing is changed."""
    settings, engine = _open()
    with reading(engine) as db:
        publication = prepare_publication(db, settings, file, actor=actor)
    with _progress() as progress:
        staged = stage_all(settings, publication, progress)
    with writing(engine) as db:
        complete_publication(db, settings, publication, staged, actor=actor)
    if publication.rehearsal:
        console.print(f"{publication.spec.id} is declared; it is written for each project that is granted it.")
    for one in [] if publication.rehearsal else staged:
        project = f" for {one.plan.project_id}" if one.plan.project_id else ""
        console.print(f"{publication.spec.id} is published{project}: {one.rows:,} rows")


@rendition.command("write")
def write(
    rendition_id: Annotated[str, typer.Argument(help="Such as hiv/pseudonymised.")],
    project: Annotated[str | None, typer.Option(help="The project, where pseudonyms are keyed by project.")] = None,
    actor: Actor = SETUP,
) -> None:
    """Write a new version from the newest version of the dataset, as declared."""
    settings, engine = _open()
    with reading(engine) as db:
        check_may_publish(db, get_rendition(db, rendition_id).dataset_id, actor)
        plan = plan_version(db, settings, rendition_id, project)
    with _progress() as progress:
        staged = stage_rendition(settings, plan, progress)
    with writing(engine) as db:
        version = register_version(db, settings, staged, actor=actor)
    console.print(f"{rendition_id} version {version.number}: {version.rows:,} rows")


@rendition.command("report")
def report(rendition_id: Annotated[str, typer.Argument(help="Such as hiv/open.")]) -> None:
    """For the steward: versions, quality checks, and how far people stand out in the newest one."""
    _, engine = _open()
    with reading(engine) as db:
        found = get_rendition(db, rendition_id)
        versions = db.scalars(
            select(RenditionVersion)
            .where(RenditionVersion.rendition_id == rendition_id)
            .order_by(RenditionVersion.published_at)
        ).all()
    console.print(f"{found.id}: {escape(found.title)}, tier {found.tier}")
    table = Table("Version", "Project", "Dataset version", "Rows", "State", "Published")
    for one in versions:
        day = f"{one.published_at:%Y-%m-%d %H:%M} by {one.published_by}"
        table.add_row(
            str(one.number), one.project_id or "all", str(one.dataset_version), f"{one.rows:,}", one.state, escape(day)
        )
    console.print(table)
    if not versions:
        raise Refused(f"{rendition_id} has no version yet: it is written for the first project that is granted it.")
    for outcome in versions[-1].quality:
        console.print(f"  {outcome['sentence']}", markup=False)
    _print_uniqueness(versions[-1].uniqueness)


def _print_uniqueness(found: dict[str, Any]) -> None:
    if not found:
        console.print("No quasi-identifiers are declared.")
        return
    table = Table("Quasi-identifiers", "Groups", "Smallest", "Unique rows", "Rows below 5", "Rows below 10")
    rows = [(" + ".join(found["quasi_identifiers"]), found)]
    rows += [(f"{one['column']} alone", one) for one in found["alone"]]
    rows += [(f"without {one['column']}", one) for one in found["without"]]
    for name, one in rows:
        below = one["rows_below"]
        numbers = (one["groups"], one["smallest_group"], one["unique_rows"], below["5"], below["10"])
        table.add_row(escape(name), *(f"{number:,}" for number in numbers))
    console.print(table)


@rendition.command("withdraw")
def withdraw(
    rendition_id: Annotated[str, typer.Argument(help="Such as hiv/open.")],
    version: Annotated[int, typer.Argument(help="The number of the version.")],
    reason: Reason,
    project: Annotated[str | None, typer.Option(help="The project, where versions are of one project.")] = None,
    actor: Actor = SETUP,
) -> None:
    """Take a version out of use at once: sessions that mount it stop."""
    _, engine = _open()
    with writing(engine) as db:
        withdraw_rendition_version(db, rendition_id, version, actor=actor, reason=reason, project_id=project)
    console.print(f"Version {version} of {rendition_id} is withdrawn.")
