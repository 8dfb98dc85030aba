"""Direct identifiers: in text, in columns, and names with dates of birth."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

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
KEY = rule(
    "identifier.key",
    "blocks",
    "The key of one person",
    source="HIPAA Safe Harbor: record numbers and any other unique code",
    why="A record number, in a file name, a text or a column, leads to one person for whoever holds the list.",
    remedy="Remove it; number what you show anew where numbers are needed.",
)
EVENTS = rule(
    "identifier.dates",
    "warns",
    "Exact dates of events",
    source="HIPAA Safe Harbor: all elements of dates, except the year, that relate to an individual",
    why="The day of an admission, a birth or a death is known to others, and finds the person.",
    remedy="Give months or years, or counts by period.",
)
STORY = rule(
    "identifier.story",
    "warns",
    "The story of one person",
    source="ICMJE: case descriptions need consent; SDC Handbook: qualitative outputs",
    why="An age, a place and what happened, told of one person, are enough to be recognised.",
    remedy="Leave the single case out, or describe groups.",
)

# `treated_id`, `father`: numbers of people, whatever the pairing is for.
_PEOPLE = re.compile(
    r"^(?:(?:treated|control|case|matched|donor|twin|child|mother|father|partner|individual|subject|patient|person|participant|respondent|neighbou?r)(?:[ _.]?(?:\d{1,2}|id|no|nr|number|key|code|index))?|(?:test|train|holdout|outlier)[ _]?(?:index|indices|ids?))$",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?<![A-Za-z])(?:mrn|nhs|pt|pat|patient|subj|sub|subject|participant|person|proband|resp|respondent|hosp|case)(?:[ _-]?(?:id|no|nr|number))?[ _:#=-]{0,2}0*(\d{2,})(?![\d.]|[ _-]?(?:years?|yrs?|%|per\b|to\b|and\b|or\b|days?|months?|of\b|people|patients|participants))",
    re.IGNORECASE,
)
_STORY = re.compile(
    r"\b(?:an? |the )?\d{1,3}[- ]year[- ]old (?:[a-z]+ ){0,2}?(?:woman|man|boy|girl|male|female|patient|lady|gentleman|mother|father|farmer|nurse|student)\b",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"\b(?:dob|date of birth|birth ?date|born(?: on)?|geboren(?: am)?|née? le)\b\W{0,6}(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2} [A-Z]\w{2,8} \d{4})",
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
        yield from _persons(where, text[:500_000])
    base = subject.name.rsplit("/", 1)[-1]
    if (match := _KEY.search(base.rsplit(".", 1)[0])) and (
        len(match[1]) >= 4 or match.group()[-len(match[1]) - 1 :].startswith("0")
    ):
        yield KEY.found(
            subject.name, f"The name of the file holds what reads like a person's number, {match.group()[:3]}…."
        )


def _persons(where: str, text: str) -> Iterator[Finding]:
    """People told of one by one: by their key, their day of birth, their story."""
    keys = {match.group() for match in _KEY.finditer(text) if len(match[1]) >= 2}
    if keys:
        # A number of two or three digits may count something else.
        sure = len(keys) >= 3 or any(re.search(r"0\d{3}|\d{5}", key) for key in keys)
        yield KEY.found(
            where,
            f"{many(len(keys), 'key', 'keys')} of people, such as {min(keys)[:4]}….",
            severity="blocks" if sure else "warns",
        )
    if _BORN.search(text):
        yield NAMES.found(where, "A date of birth stands in the text.")
    if story := _STORY.search(text):
        yield STORY.found(where, f"One person is told of: “{story.group()[:60]}”.")


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
    dated = any(_BIRTH.search(name) for name in table.header)
    for column, name in enumerate(table.header):
        cells = [str(t) for t in table.texts(column).drop_nulls().head(150).to_list()]
        if not cells:
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
        elif len(cells) >= 3 and different > 0.5 and _PEOPLE.match(label) and _numbered(table, column):
            yield KEY.found(
                f"{where}: {label[:40]}",
                f"The column {label[:40]!r} holds {len(set(cells))} numbers of people or of rows.",
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
        if full_dates > 0.8 * len(cells):
            dates.append(column)
            if len(cells) >= 3 and label and not _BIRTH.search(label) and _uneven(cells):
                yield EVENTS.found(f"{where}: {label[:40]}", f"{len(cells)} exact dates at no regular distance.")
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
            and len(cells) >= (1 if dated else 3)
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


def _numbered(table: Table, column: int) -> bool:
    """Whole numbers, or codes, that are not small: a key, and no count or category."""
    values = table.numbers(column)
    known = values[~np.isnan(values)]
    if not len(known):
        return all(
            any(letter.isdigit() for letter in str(text))
            for text in table.texts(column).drop_nulls().head(150).to_list()
        )
    return bool(
        (known == np.floor(known)).all() and (known >= 0).all() and known.max() >= 20 and (known % 5 != 0).any()
    )


def _uneven(cells: list[str]) -> bool:
    """Dates of events, and not of a calendar: neither each day, each week, each month nor each quarter."""
    if len({cell.strip()[10:] for cell in cells if re.search(r"\d:\d\d", cell)}) > 2:
        return True  # to the minute: a calendar has no such times
    days = []
    for cell in cells:
        match = re.match(r"(\d{4})-(\d{2})-(\d{2})", cell.strip())
        if match is None:
            return False
        try:
            days.append(dt.date(*(int(part) for part in match.groups())))
        except ValueError:
            return False
    days = sorted(set(days))
    gaps = {(after - before).days for before, after in pairwise(days)}
    if len(gaps) <= 1 or gaps <= {1, 2, 3, 4} or all(gap % 7 == 0 for gap in gaps):
        return False
    return len({day.day for day in days}) > 1 and not all(day.day >= 28 for day in days)
