"""The ledger of released tables, and the comparison of new ones with it across all projects that used the same data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_control import clock
from access_control.settings import Settings
from egress_review.findings import Finding
from egress_review.ledger import CountTable, all_rounded, count_table, differences, from_rows
from egress_review.models import LedgerTable, Release, ReleaseRequest, RequestFile
from egress_review.queue_rules import DIFFERENCING
from egress_review.store import Store
from egress_review.tables import extract

ROUNDED = 5  # counts that are all multiples of this were rounded, and their differences tell of nobody
MAX_SHOWN = 20  # findings of one file; a table that is one person apart everywhere needs no more


def count_tables(path: Path, kind: str, name: str) -> list[CountTable]:
    """The tables of counts in a canonical rewrite, which the enclave wrote itself; raises ValueError for a broken
    one.
    """
    found = []
    for table in extract(path, kind):
        counted = count_table(", ".join(part for part in (name, table.where.strip(", ")) if part), table)
        if counted:
            found.append(counted)
    return found


def datasets_of(request: ReleaseRequest) -> list[str]:
    """The datasets that the author's sessions had mounted."""
    return sorted({str(mount["dataset"]) for mount in request.mounts})


def earlier_tables(db: Session, request: ReleaseRequest) -> list[CountTable]:
    """The released tables that share a dataset with the request, whatever their project; revoked ones too: they are
    out.
    """
    mine = set(datasets_of(request))
    rows = db.scalars(select(LedgerTable).order_by(LedgerTable.id))
    return [
        from_rows(
            ", ".join(part for part in (row.release_id, row.file_name, row.place) if part), row.variables, row.cells
        )
        for row in rows
        if mine & set(row.datasets)
    ]


def compare(new: Sequence[CountTable], earlier: Sequence[CountTable], threshold: int) -> list[Finding]:
    """A finding for each pair of counts that gives away fewer people than the threshold, cut at MAX_SHOWN."""
    found = []
    for table in new:
        for other in earlier:
            if other.cells == table.cells and other.variables == table.variables:
                continue
            if all_rounded([table], ROUNDED) and all_rounded([other], ROUNDED):
                continue  # what is left between rounded counts is rounding
            for each in differences(table, other, threshold):
                people = "person" if each.size == 1 else "people"
                found.append(
                    DIFFERENCING.found(
                        f"{each.table}: {each.place}",
                        f"With {each.earlier} this gives away {each.size} {people}: {each.counts[0]} here, "
                        f"{each.counts[1]} there.",
                    )
                )
                if len(found) >= MAX_SHOWN:
                    return found
    return found


def enter(db: Session, settings: Settings, release: Release, request: ReleaseRequest, file: RequestFile) -> int:
    """Enters the tables of a released file into the ledger; returns how many."""
    tables = tables_of(settings, file)
    for table in tables:
        db.add(
            LedgerTable(
                release_id=release.id,
                project_id=request.project_id,
                datasets=datasets_of(request),
                file_name=file.name,
                sha256=file.rewrite_sha256 or file.sha256,
                place=table.id.removeprefix(file.name).strip(", "),
                variables=list(table.variables),
                population=file.context,
                cells=table.as_rows(),
                at=clock.now(),
            )
        )
    db.flush()
    return len(tables)


def tables_of(settings: Settings, file: RequestFile) -> list[CountTable]:
    """The tables of counts in the canonical rewrite of a file; empty where it has none."""
    if not file.rewrite_sha256:
        return []
    try:
        return count_tables(Store(settings.store).path(file.rewrite_sha256), file.kind, file.name)
    except ValueError:  # a table that cannot be read has no counts to compare
        return []
