"""`enclave check`: the checks of the queue, for anyone, with no server running."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from access_control.data_package import DATA_FILE
from access_control.errors import AccessError
from access_control.settings import Profile, Settings, load_settings
from egress_review.checking import check_files
from egress_review.errors import EgressError, Invalid
from egress_review.findings import FileResult
from egress_review.source_index import has_index, write_index
from egress_review.sources import Source

EXIT = {"pass": 0, "warn": 1, "block": 2, "unknown": 3}


def register(app: typer.Typer) -> None:
    """Adds the command `check` to `app`."""
    app.command("check")(check)


def check(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders to check.")],
    profile: Annotated[str, typer.Option(help="The profile of thresholds, from the settings.")] = "default",
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="A dataset's id (id@version for one version), or a Parquet or CSV file, whose rows are looked for."
        ),
    ] = None,
    unit: Annotated[
        str, typer.Option(help="The column that tells whose row it is; without it each row counts as a person.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Checks files as the review queue would. Exit status: 0 all pass, 1 some warn, 2 some block, 3 it could not tell."""
    try:
        settings = load_settings()
        if profile not in settings.egress.profiles:
            raise Invalid(f"There is no profile {profile!r}. Profiles: {', '.join(sorted(settings.egress.profiles))}.")
        with tempfile.TemporaryDirectory(prefix="enclave-check-") as scratch:
            results = _run(settings, paths, settings.egress.profiles[profile], against or [], unit, Path(scratch))
    except (AccessError, EgressError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from error
    for result in results:
        typer.echo(_line(result) if as_json else _words(result))
    raise typer.Exit(exit_status(results))


def exit_status(results: list[FileResult]) -> int:
    """3 when something could not be told, else 2, 1 or 0 by the gravest verdict; a block outweighs not knowing."""
    verdicts = {result.verdict for result in results}
    for verdict in ("block", "unknown", "warn"):
        if verdict in verdicts:
            return EXIT[verdict]
    return 0 if results else 3


def _line(result: FileResult) -> str:
    return json.dumps(
        {
            "path": result.path,
            "verdict": result.verdict,
            "kind": result.kind,
            "findings": [f.as_dict() for f in result.findings],
        }
    )


def _words(result: FileResult) -> str:
    lines = [f"{result.path}: {result.verdict}"]
    lines += [f"  {f.severity}  {f.rule}  {f.where}: {f.message} {f.remedy}" for f in result.findings]
    return "\n".join(lines)


def _files(paths: list[Path]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            for folder, folders, names in os.walk(path):
                folders.sort()
                found += [(Path(folder) / name, str(Path(folder) / name)) for name in sorted(names)]
        elif not os.path.lexists(path):
            raise Invalid(f"{path} is not there. Name files or folders that exist.")
        else:
            found.append((path, str(path)))
    if not found:
        raise Invalid("There is no file to check.")
    return found


def _run(  # noqa: PLR0917 - the options of one command
    settings: Settings, paths: list[Path], profile: Profile, against: list[str], unit: str, scratch: Path
) -> list[FileResult]:
    files = _files(paths)
    datasets, folders, sources = [], [], []
    for number, name in enumerate(against):
        dataset, _, version = name.partition("@")
        latest = int(version) if version.isdigit() else _latest(settings, dataset)
        if latest:
            datasets.append((dataset, latest))
            data = settings.datasets / dataset / f"v{latest}" / DATA_FILE
            sources.append(Source(f"{dataset} v{latest}", data, unit))
        elif Path(name).is_file():
            folder, parquet = _own_index(Path(name), scratch / str(number))
            folders.append(folder)
            sources.append(Source(Path(name).stem, parquet, unit))
        else:
            raise Invalid(
                f"No index of a dataset {dataset!r} is here, and no file of that name. Build it with `enclave dataset index`, or name a Parquet or CSV file."
            )
    # A name as given may climb (../out.csv): what leaves is called by its last parts.
    shown = [(path, os.path.normpath(name).lstrip("/").removeprefix("../")) for path, name in files]
    while any(name.startswith("../") for _, name in shown):
        shown = [(path, name.removeprefix("../")) for path, name in shown]
    common = os.path.commonpath([str(Path(name).parent) for _, name in shown]) if shown else ""
    relative = [(path, os.path.relpath(name, common) if common else name) for path, name in shown]
    results = check_files(
        settings, relative, profile=profile, datasets=datasets, index_folders=folders, sources=sources
    )
    return [
        FileResult(name, r.verdict, r.findings, r.kind, r.facts, r.rule_version)
        for (_, name), r in zip(files, results, strict=True)
    ]


def _latest(settings: Settings, dataset: str) -> int:
    if not dataset or "/" in dataset or dataset.startswith("."):
        return 0
    versions = (
        [int(p.name[1:]) for p in (settings.indexes / dataset).glob("v*") if p.name[1:].isdigit()]
        if (settings.indexes / dataset).is_dir()
        else []
    )
    return max((version for version in versions if has_index(settings, dataset, version)), default=0)


def _own_index(path: Path, folder: Path) -> tuple[Path, Path]:
    """The index of a file's rows, and the file as Parquet."""
    import polars as pl

    if path.suffix.lower() in (".csv", ".tsv"):
        frame = pl.read_csv(
            path,
            separator="\t" if path.suffix.lower() == ".tsv" else ",",
            infer_schema_length=10_000,
            ignore_errors=True,
        )
        folder.mkdir(mode=0o700, parents=True)
        frame.write_parquet(folder / "source.parquet")
        path = folder / "source.parquet"
    return write_index(path, folder / "v1", os.urandom(16), path.stem, 1), path
