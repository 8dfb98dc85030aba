"""Hiding places in delimited tables: formulas, ragged rows, digits that nobody needs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO

import numpy as np

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.tables import Table, separator_of

FORMULA = rule(
    "csv.formula",
    "blocks",
    "A formula",
    source="OWASP, CSV injection",
    why="A spreadsheet runs it when the file is opened.",
    remedy="Write values, not formulas.",
)
RAGGED = rule(
    "csv.ragged",
    "blocks",
    "Rows of unequal length",
    source="Observed",
    why="Cells beyond the header are dropped by most readers and so seen by nobody.",
    remedy="Give every row as many cells as the header has.",
)
COMMENT = rule(
    "csv.comment",
    "warns",
    "Comment lines in a table",
    source="Observed",
    why="Lines that a reader skips can hold anything.",
    remedy="Put remarks into a text file of their own.",
)
DIGITS = rule(
    "csv.digits",
    "warns",
    "Digits beyond any use",
    source="US Census: at most 4 significant figures; steganography in low digits",
    why="Digits far behind the point carry hidden values, and exact statistics can be solved for the data behind them.",
    remedy="Round estimates to 4 or 5 significant figures.",
)
QUOTING = rule("csv.quoting", "warns", "Uneven quoting or number style", source="Observed",
    why="Quoting some cells and not others, or padding numbers, can carry a bit a cell.",
    remedy="Write the table with one program in one style.")  # fmt: skip

_FORMULA = re.compile(
    r"^[\s\"'%0ADad;]*(?:[=@＝＠﹦﹫]\s*[\w+\-({\"']|[+\-＋－]\s*[A-Za-z]+[\d!(]|[=+\-@].*(?:cmd|HYPERLINK|WEBSERVICE|IMPORT|DDE|EXEC)\b.*[(|!])|^\w+\|'[^']*'!",
    re.IGNORECASE,
)
SAMPLE = 200
SHAPED = 2 * 1024**2
_PLAIN = re.compile(r"^\s*[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?\s*$")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in a CSV file, and formulas or digits in any table."""
    if subject.kind == "csv" and subject.data:
        yield from _shape(subject)
    for table in subject.tables:
        yield from _cells(subject, table)


def _shape(subject: Subject) -> Iterator[Finding]:
    if any(table.notes.get("ragged") for table in subject.tables):
        yield RAGGED.found(subject.name, "There are rows with more cells than the header.")
    decoded = kinds.decode(subject.data)
    if decoded is None:
        return
    text = decoded[0]
    if len(text) > SHAPED:  # of a longer file the first lines; rows that are too long were looked for in all of it
        text = text[: text.rfind("\n", 0, SHAPED) + 1] or text[:SHAPED]
    separator = separator_of(text)
    lines = text.split("\n")
    if sum(line.startswith("#") for line in lines) > 0:
        yield COMMENT.found(
            subject.name, f"{many(sum(line.startswith('#') for line in lines), 'line begins', 'lines begin')} with #."
        )
    if '"' in text:
        try:
            rows = [row for row in csv.reader(StringIO(text), delimiter=separator) if row]
        except csv.Error as error:
            yield RAGGED.found(subject.name, f"The quoting is broken: {error}.")
            return
        widths = Counter(len(row) for row in rows)
        yield from _quoting(subject, text, separator)
    else:
        rows = []
        widths = Counter(line.count(separator) + 1 for line in lines if line.strip())
    if len(widths) > 1 and not _several_tables(text, separator):
        common = widths.most_common(1)[0][0]
        odd = sum(count for width, count in widths.items() if width != common)
        yield RAGGED.found(subject.name, f"{many(odd, 'row has', 'rows have')} more or fewer than {common} cells.")


def _several_tables(text: str, separator: str) -> bool:
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block]
    return len(blocks) > 1 and all(len({line.count(separator) for line in block.splitlines()}) == 1 for block in blocks)


def _quoting(subject: Subject, text: str, separator: str) -> Iterator[Finding]:
    needless = [0, 0]
    for line in text.splitlines()[1:2000]:
        for cell in line.split(separator):
            if re.fullmatch(r'"[^",;\t\n]*"', cell):
                needless[0] += 1
            elif cell and '"' not in cell and not re.fullmatch(r"[-+\d.eE%]+", cell):
                needless[1] += 1
    numbers_quoted = len(re.findall(r'(?:^|[,;\t])"[-+]?\d+\.?\d*"', text))
    numbers_bare = len(re.findall(r"(?:^|[,;\t])[-+]?\d+\.?\d*(?=[,;\t\r\n])", text))
    if min(needless) >= 8 or min(numbers_quoted, numbers_bare) >= 8:
        yield QUOTING.found(subject.name, "Some cells of one kind are in quotation marks and others are not.")


def _cells(subject: Subject, table: Table) -> Iterator[Finding]:
    where = table.where or subject.name
    formulas: list[str] = []
    if not table.notes.get("printed"):
        formulas += [name for name in table.header if _FORMULA.match(name) and not re.match(r"^[-+]?[\d.]+", name)]
        for column in range(table.width):
            texts = table.texts(column).drop_nulls()
            suspects = (
                texts.filter(texts.str.contains(r"^[\s\"'%0ADad;]*[=+\-@＝＠＋－﹦﹫]|\|'")) if len(texts) else texts
            )
            formulas += [cell for cell in suspects.head(5000).to_list() if _FORMULA.match(cell)]
    if formulas:
        yield FORMULA.found(
            where,
            f"{many(len(formulas), 'cell begins as a formula', 'cells begin as formulas')}, such as {formulas[0][:60]!r}.",
        )
    if subject.kind in ("csv", "xlsx", "parquet", "feather", "json") and 0 < table.height <= 100_000:
        yield from _digits(where, table, native=subject.kind in ("parquet", "feather", "xlsx", "json"))


def _digits(where: str, table: Table, *, native: bool) -> Iterator[Finding]:
    for column in range(table.width):
        name = table.header[column] or f"column {column + 1}"
        cells = table.texts(column).drop_nulls()
        # Evenly chosen: a channel of one digit a row shows in a part of the rows as well.
        cells = cells.gather_every(max(1, len(cells) // SAMPLE)) if len(cells) > 2 * SAMPLE else cells
        texts = [t for t in cells.to_list() if _PLAIN.match(t)]
        if len(texts) < 4:
            continue
        long = [t for t in texts if len(re.sub(r"[-+.]|[eE].*", "", t).strip("0")) > 17]
        if long:
            yield DIGITS.found(
                where,
                f"{many(len(long), 'number in', 'numbers in')} {name} with more than 17 digits, such as {long[0][:40]}.",
                severity="blocks",
            )
            continue
        values = np.array([float(t) for t in texts])
        if not native:
            padded = [t for t in texts if re.fullmatch(r"[-+]?0\d+(?:\.\d+)?", t.strip()) or t.strip().startswith("+")]
            decimals = Counter(len(t.split(".")[1]) if "." in t else 0 for t in texts if "e" not in t.lower())
            zeros = [
                t for t in texts if "." in t and "e" not in t.lower() and len(t.split(".")[1]) > 1 and t.endswith("0")
            ]
            if 0 < len(padded) < len(texts) and len(padded) >= 4 and len({len(t) for t in texts}) > 1:
                yield QUOTING.found(where, f"{len(padded)} numbers in {name} have needless zeros or signs before them.")
            if (
                len(decimals) > 1
                and len(zeros) >= 4
                and len(texts) >= 8
                and 0.15 < len(zeros) / len(texts) < 0.95
                and len({len(t.rstrip("0")) for t in zeros}) >= 1
                and len(decimals) <= 3
                and max(decimals) > 1
            ):
                yield QUOTING.found(where, f"{len(zeros)} numbers in {name} have needless zeros after them.")
        yield from _tails(where, name, values, texts)


def _tails(where: str, name: str, values: np.ndarray, texts: list[str]) -> Iterator[Finding]:
    """Numbers that are round but for a tail: the tail is a second, hidden column."""
    count = 0
    for text in texts:
        plain = re.sub(r"[eE].*", "", text).lstrip("+-")
        digits = plain.replace(".", "").lstrip("0")
        gap = re.match(r"^(\d{1,7}?)0{3,}(\d+)$", digits) if "." in plain else None
        if (gap and len(digits) <= 15 and not plain.startswith("0.0000")) or (
            "." in plain and re.match(r"^\d+\.\d{0,5}?0{3,}[1-9]\d*$", plain) and len(digits) <= 15 and digits != plain
        ):
            count += 1
    if count >= 4 and count > len(texts) * 0.3 and np.ptp(values) >= 0:
        yield DIGITS.found(
            where, f"{count} numbers in {name} are round except for digits far behind.", severity="blocks"
        )
