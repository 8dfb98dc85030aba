"""Direct identifiers: in text, in columns, and names with dates of birth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from egress_review import identifiers
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.tables import Table

NUMBER = rule(
    "identifier.number",
    "blocks",
    "An identifying number or address",
    source="GDPR Article 87; HIPAA Safe Harbor; check digits by the issuing bodies (python-stdnum)",
    why="It names one person directly.",
    remedy="Remove it.",
)
COLUMN = rule(
    "identifier.column",
    "blocks",
    "A column of identifiers",
    source="HIPAA Safe Harbor",
    why="A column of names, numbers or addresses of people has no place in a result.",
    remedy="Drop the column.",
)
NAMES = rule("identifier.names", "blocks", "Names or dates of birth", source="HIPAA Safe Harbor",
    why="A name, or an exact date of birth, points at one person.", remedy="Drop the column, or show the year alone.")  # fmt: skip

_COLUMN = re.compile(
    r"^(?:(?:patient|person|participant|subject|respondent|member|household|hh|case|record|study|row|resp|ind|user|client|customer|pseudo)[ _.-]?(?:id|no|nr|number|key|code)|id|pid|uid|uuid|guid|mrn|nhs(?:[ _]?n\w*)?|ssn|nino|iban|e-?mail|phone|telephone|mobile|passport|ip|pseudonym|caseid|idnum|respid|idcode|seqn|eid)$",
    re.IGNORECASE,
)
_BIRTH = re.compile(r"birth|dob\b|\bborn\b|geburt|naissance", re.IGNORECASE)
_NAME = re.compile(
    r"^(?:(?:first|last|given|family|sur|full|middle|maiden|patient|person|participant|athlete)[ _]?names?|surname|forename|name|names|nachname|vorname|prenom)$",
    re.IGNORECASE,
)
_DATE = re.compile(r"^(?:\d{4}-\d{2}-\d{2}(?:[T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2} \w{3,9} \d{4})$")
_PERSON = re.compile(r"^(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[^\W\d_][\w'’.-]+(?:,? [^\W\d_][\w'’.-]*){1,3}$")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in columns and text of the file."""
    for table in subject.tables:
        yield from _columns(subject, table)
    for where, text in subject.texts:
        yield from _text(where, text)


def _text(where: str, text: str) -> Iterator[Finding]:
    certain: Counter[str] = Counter()
    maybe: Counter[str] = Counter()
    first: dict[str, str] = {}
    context = identifiers.in_context(text[:200_000])
    for found, hit in enumerate(identifiers.hits(text)):
        first.setdefault(hit.what, hit.masked)
        (certain if hit.certain else maybe)[hit.what] += 1
        if found > 20_000:
            break
    for what, count in certain.items():
        yield NUMBER.found(where, f"{count} × {what}, such as {first[what]}.")
    for what, count in maybe.items():
        # Check digits hold by chance for one number in ten or so: several, or words that speak of it, are needed.
        total = len(re.findall(r"(?<![\d.])\d{9,13}(?![\d.])", text[:5_000_000]))
        if what in certain:
            continue
        if what in ("network address", "hardware address", "postcode", "coordinates of a place", "telephone number"):
            if count >= 2 or context:
                yield NUMBER.found(
                    where,
                    f"{count} × {what}, such as {first[what]}.",
                    severity="blocks" if count >= 5 or what == "telephone number" else "warns",
                )
        elif context or (count >= 3 and count > 0.5 * max(total, 1)):
            yield NUMBER.found(where, f"{count} × {what}, such as {first[what]}.")


def _columns(subject: Subject, table: Table) -> Iterator[Finding]:
    where = table.where or subject.name
    dates: list[int] = []
    for column, name in enumerate(table.header):
        cells = [str(t) for t in table.texts(column).drop_nulls().head(150).to_list()]
        if len(cells) < 2:
            continue
        different = len(set(cells)) / len(cells)
        label = name.strip()
        if (
            _COLUMN.match(label)
            and different > 0.5
            and len(cells) >= 5
            and any(c.isdigit() for cell in cells for c in cell)
            and not _counter(table, column)
        ):
            yield COLUMN.found(
                f"{where}: {label[:40]}",
                f"The column {label[:40]!r} names {many(len(set(cells)), 'person or record', 'people or records')}.",
            )
        elif (
            sum(
                bool(
                    re.fullmatch(
                        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,64}", cell.lower()
                    )
                )
                for cell in cells
            )
            > 0.8 * len(cells)
            and different > 0.5
        ):
            yield COLUMN.found(f"{where}: {label[:40]}", "The column holds keys such as hashes or UUIDs.")
        full_dates = sum(bool(_DATE.match(cell.strip())) for cell in cells)
        if full_dates > 0.8 * len(cells) and len(cells) >= 3:
            dates.append(column)
            if _BIRTH.search(label):
                yield NAMES.found(f"{where}: {label[:40]}", f"{full_dates} exact dates of birth.")
        people = sum(
            bool(_PERSON.match(cell.strip())) and cell.strip()[:1].isupper() and not cell.isupper() for cell in cells
        )
        capital = sum(
            bool(re.match(r"^[A-ZÀ-Þ][a-zà-ÿ'’-]+(?: [A-ZÀ-Þ]\.?)?[ ,]+[A-ZÀ-Þ][\w'’-]+", cell)) for cell in cells
        )
        single = sum(bool(re.match(r"^[A-ZÀ-Þ][a-zà-ÿ'’-]{1,20}$", cell)) for cell in cells)
        if (
            _NAME.match(label)
            and different > 0.6
            and len(cells) >= 3
            and (
                capital > 0.5 * len(cells)
                or (single > 0.8 * len(cells) and not re.match(r"^names?$", label, re.IGNORECASE))
            )
        ):
            yield NAMES.found(f"{where}: {label[:40]}", f"{max(people, capital, single)} names of people.")
        elif capital > 0.85 * len(cells) and different > 0.9 and len(cells) >= 8 and dates:
            yield NAMES.found(f"{where}: {label[:40]}", f"{capital} cells read like names of people, beside dates.")


def _counter(table: Table, column: int) -> bool:
    """A plain running number is a row number, judged by the rule on records."""
    values = table.numbers(column)
    return bool(table.height > 1 and abs(values[0]) <= 1 and ((values[1:] - values[:-1]) == 1).all())
