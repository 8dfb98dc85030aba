"""Materialises a rendition: streaming from a dataset version's Parquet to a staged folder, without the database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from access_control import data_package, quality, uniqueness
from access_control.errors import Invalid, Refused
from access_control.generalise import TIMES, Rule
from access_control.integrity import sha256_of
from access_control.parquet_sink import ParquetSink, remove_tree, staging_folder, write_file
from access_control.pseudonyms import Pseudonym, master_key
from access_control.readers import read_parquet
from access_control.rendition_spec import ColumnSpec, RenditionSpec, RowFilter, Suppression, declared_columns
from access_control.settings import Settings
from access_control.shuffling import shuffled

Progress = Callable[[str, float], None]
_BEFORE_SUPPRESSION = ".unsuppressed.parquet"


@dataclass(frozen=True)
class Plan:
    """Everything that a version is made from; plain values, read from the database beforehand."""

    spec: RenditionSpec
    spec_text: str
    project_id: str | None
    dataset_version: int
    source: Path  # data.parquet of the dataset version
    source_sha256: str
    columns: tuple[dict[str, str], ...]  # the dataset's dictionary
    dataset_tier: int
    owner: str
    licence: str
    citation: str

    @property
    def shuffles(self) -> bool:
        """Whether rows change their order: in the original's, versions could be joined row by row."""
        return self.spec.per_project or self.spec.tier < self.dataset_tier


@dataclass(frozen=True)
class StagedRendition:
    """A written version that waits for its row in the database."""

    plan: Plan
    folder: Path
    files: dict[str, str]
    rows: int
    columns: tuple[dict[str, str], ...]
    quality: tuple[dict[str, Any], ...]
    uniqueness: dict[str, Any]

    def discard(self) -> None:
        """Removes the staged files."""
        remove_tree(self.folder)


_COMPARE: dict[str, Callable[[pa.Array, Any], pa.Array]] = {
    "equals": pc.equal,
    "at_least": pc.greater_equal,
    "at_most": pc.less_equal,
    "above": pc.greater,
    "below": pc.less,
}


def _meets(column: pa.Array, row: RowFilter, kind: str) -> pa.Array:
    """For each row, whether it meets the condition; a missing value does not."""
    if row.condition == "present":
        return pc.equal(pc.is_valid(column), pa.scalar(row.value))
    if row.condition in {"one_of", "none_of"}:
        values = pa.array(row.value)
        if kind in {"integer", "number"}:
            column, values = column.cast(pa.float64()), values.cast(pa.float64())
        found = pc.is_in(column, values.cast(column.type))
        wanted = found if row.condition == "one_of" else pc.invert(found)
        return pc.and_(wanted, pc.is_valid(column))
    value = pa.scalar(row.value)
    if kind in TIMES:
        value = value.cast(column.type)
    return pc.fill_null(_COMPARE[row.condition](column, value), fill_value=False)


def _rules(settings: Settings, plan: Plan) -> list[tuple[ColumnSpec, Rule]]:
    """Each column with its rule, pseudonyms with their key."""
    rules: list[tuple[ColumnSpec, Rule]] = []
    master: bytes | None = None
    for column in plan.spec.whole(plan.columns):
        rule = column.rule
        if isinstance(rule, Pseudonym):
            master = master or master_key(settings)
            rule = rule.keyed(master, plan.project_id)
        rules.append((column, rule))
    return rules


def _treat(batch: pa.RecordBatch, rules: list[tuple[ColumnSpec, Rule]]) -> pa.RecordBatch:
    arrays, names = [], []
    for column, rule in rules:
        try:
            arrays.append(rule.apply(batch.column(column.source)))
        except pa.ArrowException as error:
            raise Invalid(f"columns.{column.source}: the treatment cannot be applied: {error}") from error
        names.append(column.name)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _transformed(plan: Plan, rules: list[tuple[ColumnSpec, Rule]], progress: Progress) -> Iterator[pa.RecordBatch]:
    """The treated rows that the filters leave; the first batch is empty and tells the schema."""
    kinds = {row["name"]: row["type"] for row in plan.columns}
    needed = sorted({column.source for column, _ in rules} | {row.column for row in plan.spec.rows})
    with read_parquet(plan.source, lambda share: progress("writing", share), needed) as reading:
        yield _treat(pa.RecordBatch.from_arrays([pa.array([], f.type) for f in reading.schema], needed), rules)
        for batch in reading.batches:
            for row in plan.spec.rows:
                try:
                    batch = batch.filter(_meets(batch.column(row.column), row, kinds[row.column]))  # noqa: PLW2901
                except pa.ArrowException as error:
                    raise Invalid(f"rows: {row.column} {row.condition}: {error}") from error
            yield _treat(batch, rules)


def _suppressed(path: Path, how: Suppression) -> Iterator[pa.RecordBatch]:
    small = uniqueness.in_small_groups(path, how.together, how.below)
    # Rows made missing form a group of their own: when that one is small too, they have to go.
    leave_out = how.how == "rows" or int(small.sum()) < how.below
    at = 0
    with read_parquet(path, lambda _share: None) as reading:
        for batch in reading.batches:
            here = pa.array(small[at : at + batch.num_rows])
            at += batch.num_rows
            if leave_out:
                yield batch.filter(pc.invert(here))
                continue
            arrays = [
                pc.if_else(here, pa.scalar(None, column.type), column) if name in how.together else column
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _write(target: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> ParquetSink:
    with ParquetSink(target, schema) as sink:
        for batch in batches:
            sink.write(batch)
    return sink


def _materialise(settings: Settings, plan: Plan, folder: Path, progress: Progress) -> ParquetSink:
    batches = _transformed(plan, _rules(settings, plan), progress)
    schema = next(batches).schema
    target = folder / data_package.DATA_FILE
    if plan.spec.suppress is not None:
        before = folder / _BEFORE_SUPPRESSION
        _write(before, schema, batches)
        progress("suppressing small groups", 0.0)
        batches = _suppressed(before, plan.spec.suppress)
    if plan.shuffles:
        batches = shuffled(batches, schema, folder, plan.source.stat().st_size * 4)
    sink = _write(target, schema, batches)
    (folder / _BEFORE_SUPPRESSION).unlink(missing_ok=True)
    return sink


def stage_rendition(settings: Settings, plan: Plan, progress: Progress | None = None) -> StagedRendition:
    """Writes, checks and reports a version. Raises Refused when the original was altered or a check fails, Invalid for
    a treatment that does not fit the values; nothing is left behind then.
    """
    report: Progress = progress or (lambda _what, _share: None)
    spec = plan.spec
    _check_source(plan)
    with staging_folder(settings.renditions / spec.dataset_id / spec.name) as folder:
        sink = _materialise(settings, plan, folder, report)
        target = folder / data_package.DATA_FILE
        report("checking quality", 0.0)
        outcomes = quality.run(target, spec.checks, spec.rows_at_least)
        if failed := [outcome.sentence for outcome in outcomes if not outcome.passed]:
            raise Refused(f"{spec.id} is not published; these checks failed: {'; '.join(failed)}. Nothing was changed.")
        found: dict[str, Any] = {}
        if spec.uniqueness is not None:
            report("counting groups", 0.0)
            found = uniqueness.report(target, spec.uniqueness.quasi_identifiers)
            smallest = spec.uniqueness.smallest_group
            if smallest is not None and found["quasi_identifiers"] and found["smallest_group"] < smallest:
                raise Refused(
                    f"{spec.id} is not published: its smallest group has {found['smallest_group']} rows, and "
                    f"{found['rows_below'].get(str(smallest), 'some')} rows are in groups below {smallest}. Generalise "
                    "more, or suppress small groups. Nothing was changed."
                )
        columns = declared_columns(spec, plan.columns)
        text = _package(plan, columns, sink)
        files = {
            data_package.DATA_FILE: sink.sha256,
            data_package.PACKAGE_FILE: write_file(folder / data_package.PACKAGE_FILE, text),
        }
        report("writing", 1.0)
        checked = tuple(outcome.as_dict() for outcome in outcomes)
        return StagedRendition(plan, folder, files, sink.rows, tuple(columns), checked, found)


def _check_source(plan: Plan) -> None:
    try:
        found = sha256_of(plan.source)
    except OSError as error:
        raise Refused(
            f"Version {plan.dataset_version} of {plan.spec.dataset_id} cannot be read ({error.strerror or error}). "
            "Restore it from the backup, or add the file again."
        ) from error
    if found != plan.source_sha256:
        raise Refused(
            f"Version {plan.dataset_version} of {plan.spec.dataset_id} was altered since it was added. Nothing is made "
            "from it; restore it from the backup, or add the file again."
        )


def _package(plan: Plan, columns: list[dict[str, str]], sink: ParquetSink) -> str:
    spec = plan.spec
    provenance: Mapping[str, Any] = {
        "dataset": spec.dataset_id,
        "datasetVersion": plan.dataset_version,
        "rendition": spec.id,
        "declaration": f"sha256:{hashlib.sha256(plan.spec_text.encode()).hexdigest()}",
        "writer": f"pyarrow {pa.__version__}",
        **({"project": plan.project_id} if plan.project_id is not None else {}),
    }
    return data_package.package(
        name=f"{spec.dataset_id}-{spec.name}", version=str(plan.dataset_version), title=spec.title,
        description=spec.description, licence=plan.licence, citation=plan.citation, owner=plan.owner, columns=columns,
        rows=sink.rows, size=sink.size, sha256=sink.sha256, provenance=provenance,
    )  # fmt: skip
