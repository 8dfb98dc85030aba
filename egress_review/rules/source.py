"""Rows and values of the mounted data inside an output."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from egress_review import join, literal_tables, printed_tables
from egress_review.findings import Finding
from egress_review.index_columns import fingerprints
from egress_review.rules import statistics
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.rules.records import RESULT
from egress_review.source_index import SourceIndex
from egress_review.tables import Table

ROWS = rule(
    "source.rows",
    "blocks",
    "Rows of the source",
    source="Measured on planted leaks: docs/explanation/checks-measured.md",
    why="Several values of one person stand together in the output as they do in the data.",
    remedy="Take the rows out; release summaries by group.",
)
VALUES = rule("source.values", "blocks", "Values of the source", source="As for rows",
    why="A column lists single people's values, each exactly as in the data.", remedy="Release a summary of the column.")  # fmt: skip

EXTREME = rule("source.extreme", "blocks", "The least or greatest value of the source", source="SDC Handbook; OpenSAFELY: no min, max",
    why="The value at the end of a column belongs to one or a few people, and the output says so.",
    remedy="Show the 5th and 95th percentile instead.")  # fmt: skip

MAX_TABLES = 40
_TOLD = re.compile(
    r"(?<![^\W_])(?:max|min|maximum|minimum|largest|smallest|highest|lowest|oldest|youngest)\b[^\d\n+-]{0,24}([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\d%])",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings against every index that the check was given."""
    indexes: list[SourceIndex] = subject.facts.get("_indexes", [])
    if not indexes:
        return
    for index in indexes:
        yield from _extremes(subject, index)
    tables = candidates(subject)
    evidence = []
    for index in indexes:
        for table in tables:
            leak = join.find(index, table, subject.profile.threshold)
            if leak is not None:
                pairs = ", ".join(a if a == b else f"{a} = {b}" for a, b in leak.columns[:8])
                yield ROWS.found(
                    table.where or subject.name,
                    f"{leak.few} of {leak.rows} rows match fewer than {subject.profile.threshold} people of {leak.dataset} ({leak.unique} match exactly one; "
                    f"{leak.by_chance:.1f} would by chance), by {many(len(leak.columns), 'column', 'columns')}: {pairs}.",
                )
                evidence.append({"dataset": leak.dataset, "where": table.where, "columns": [list(pair) for pair in leak.columns], "rows": leak.rows,
                                 "hits": leak.hits, "unique": leak.unique, "few": leak.few, "people": leak.people, "by_chance": leak.by_chance})  # fmt: skip
                continue
            for name, source, count, held, chance in join.find_values(index, table):
                if RESULT.search(name) and table.height < 60:
                    continue
                yield VALUES.found(
                    f"{table.where or subject.name}: {name}",
                    f"{count} values ({100 * held:.0f} %; {100 * chance:.0f} % by chance) are values of {source} in {index.dataset}.",
                )
                evidence.append(
                    {
                        "dataset": index.dataset,
                        "where": table.where,
                        "columns": [[name, source]],
                        "rows": table.height,
                        "values": count,
                        "by_chance": chance,
                    }
                )
    subject.facts["source"] = evidence[:20]


def _extremes(subject: Subject, index: SourceIndex) -> Iterator[Finding]:
    """What the output calls a minimum or maximum, where it is that of a column and fewer than k people hold it."""
    k = subject.profile.threshold
    told: dict[tuple[str, str, float], None] = {}
    for table in subject.tables[:MAX_TABLES]:
        for _, name, cells in statistics.extreme_cells(table):
            for beside, value in cells[:200]:
                told[f"{table.where or subject.name}: {name}", f"{beside} {name}", value] = None
    for where, text in subject.texts[:60]:
        for match in list(_TOLD.finditer(text[:200_000]))[:200]:
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
            told[where, line[-200:], float(match[1])] = None
    if not told:
        return
    cells_of = list(told)
    hashes = fingerprints(pl.Series([value for _, _, value in cells_of]), index.key).exact
    seen = set()
    for (where, beside, value), hashed in zip(cells_of, hashes, strict=True):
        for column in index.columns:
            named = column.name.casefold() in beside.casefold()
            if not named and len(f"{abs(value):.12g}".replace(".", "").strip("0")) < 3:
                continue  # so short a number is the end of some column or other by chance
            for end, extreme in column.extremes.items():
                if extreme.exact == int(hashed) and 0 < extreme.rows < k and (column.name, end) not in seen:
                    seen.add((column.name, end))
                    yield EXTREME.found(
                        where,
                        f"{value:.12g} is the {end} value of {column.name} in {index.dataset}, held by {many(extreme.rows, 'person', 'people')}.",
                    )


def candidates(subject: Subject) -> list[Table]:
    """The tables of the file, the same unfolded, and what lines of one pattern have in common."""
    found = [table for table in subject.tables if table.height >= 3 and not table.notes.get("pairs")][:MAX_TABLES]
    for table in list(found):
        found += [other for other in (unmelted(table), transposed(table)) if other is not None]
        found += literal_tables.strung_in(table)
    if subject.kind in ("text", "notebook", "html", "json", "svg"):
        for where, text in subject.texts[:60]:
            if len(re.findall(r"\d", text[:200_000])) >= 12:
                found += printed_tables.log_tables(where, text) + literal_tables.tables_in(where, text)
    return found[: 3 * MAX_TABLES]


def unmelted(table: Table) -> Table | None:
    """A long table of (who, variable, value) as a wide one; None when it is none."""
    if table.width < 2 or table.height < 12:
        return None
    for place in range(table.width):
        names = table.texts(place).fill_null("").to_list()
        variables = list(dict.fromkeys(names))
        if not 2 <= len(variables) <= 80 or len(names) % len(variables) or len(names) / len(variables) < 3:
            continue
        if any(names.count(variable) != len(names) // len(variables) for variable in variables[:3]):
            continue
        counts = dict.fromkeys(variables, 0)
        for name in names:
            counts[name] += 1
        if len(set(counts.values())) > 1 or all(re.fullmatch(r"[-+]?[\d.]+", variable) for variable in variables):
            continue
        others = [c for c in range(table.width) if c != place]
        value = max(others, key=lambda c: table.columns[c].n_unique())
        # A running id names more rows than a value does; the value column is the last one then.
        if others[-1] != value and table.columns[value].n_unique() <= len(names) // len(variables):
            value = others[-1]
        cells: dict[str, list[str | None]] = {variable: [] for variable in variables}
        keys = [c for c in others if c != value]
        order = range(table.height)
        if keys:
            key = table.texts(keys[0]).fill_null("").to_list()
            if len(set(key)) == len(names) // len(variables):
                order = sorted(order, key=lambda row: key[row])  # type: ignore[assignment]  # a list of rows
        texts = table.texts(value).to_list()
        for row in order:
            cells[names[row]].append(texts[row])
        columns = [pl.Series(f"c{i}", column, dtype=pl.String) for i, column in enumerate(cells.values())]
        return Table(f"{table.where} (unfolded)".strip(), variables, columns)
    return None


def transposed(table: Table) -> Table | None:
    """A table that lies on its side: people in columns."""
    if not (table.width >= 6 and 2 <= table.height <= 80 and table.width > table.height):
        return None
    rows = [table.texts(c).to_list() for c in range(table.width)]
    start = 1 if all(t is None or not re.fullmatch(r"[-+]?[\d.]+", t.strip()) for t in rows[0]) else 0
    header = [str(t or "") for t in rows[0]] if start else [""] * table.height
    columns = [pl.Series(f"c{i}", [row[i] for row in rows[start:]], dtype=pl.String) for i in range(table.height)]
    return Table(f"{table.where} (on its side)".strip(), header, columns)
