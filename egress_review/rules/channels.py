"""Two ways of writing the same thing, used by turns: each choice carries a bit. And numbers whose last digits carry bytes."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from egress_review import kinds
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.rules.encodings import spells
from egress_review.tables import Table

TURNS = rule(
    "text.two-ways",
    "warns",
    "The same thing written in two ways",
    source="Observed: text steganography by spelling, spacing and punctuation",
    why="Where a file goes back and forth between two ways of writing, each choice can carry a bit.",
    remedy="Write the file with one program in one style.",
)
FAR = rule(
    "text.far-away",
    "blocks",
    "Text out of sight",
    source="Observed",
    why="Behind hundreds of blanks, empty lines or empty cells nobody looks.",
    remedy="Remove the empty part, and what comes after it.",
)
TAILS = rule(
    "csv.tails",
    "blocks",
    "Digits that carry bytes",
    source="Steganography in low digits",
    why="The last digits of measured numbers are spread evenly; here they stay below 256, as bytes do.",
    remedy="Round the numbers to what is meant.",
)
EXACT = rule(
    "csv.exact",
    "warns",
    "Many numbers with all their digits",
    source="US Census: at most 4 significant figures",
    why="Nobody can tell what the last digits of so many numbers hold.",
    remedy="Round estimates to 4 or 5 significant figures.",
)
SPELLINGS = rule("csv.spellings", "warns", "Several spellings of one value", source="Observed",
    why="Missing values, yes and no, or keys out of their order can carry data.", remedy="Write each value in one way, in order.")  # fmt: skip

ENOUGH = 12  # of each way, before going back and forth is taken for a channel


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in the raw text and in the numbers of tables."""
    if subject.kind in ("text", "csv", "json", "html", "svg", "notebook"):
        decoded = kinds.decode(subject.data)
        if decoded:
            yield from _raw(subject, decoded[0][:2_000_000])
    for table in subject.tables:
        if table.height <= 100_000:
            yield from _table(subject, table)


def by_turns(ways: Sequence[bool], *, least: int = ENOUGH) -> bool:
    """Whether two ways change irregularly: both are usual, and neither stands in a block of its own."""
    if len(ways) < 2 * least or not least <= sum(ways) <= len(ways) - least:
        return False
    switches = sum(a != b for a, b in itertools.pairwise(ways))
    share = sum(ways) / len(ways)
    return 0.55 * 2 * share * (1 - share) < switches / len(ways) < 0.9


# -- raw text


def _raw(subject: Subject, text: str) -> Iterator[Finding]:
    if subject.kind in ("text", "csv", "json"):
        yield from _far(subject, text)
    for title, ways in _choices(subject.kind, text):
        if by_turns(ways):
            yield TURNS.found(subject.name, f"{title}: {sum(ways)} of {len(ways)} times the one, else the other.")
    if subject.kind not in ("text", "csv"):
        return
    signs = Counter(re.findall(r"(?:^|(?<=[\s(\[,;]))([-−–‐‑‒﹣－])(?=\d*\.?\d)", text, re.MULTILINE))
    if len([sign for sign, count in signs.items() if count >= 4]) > 1:
        yield TURNS.found(subject.name, f"Negative numbers are written with {len(signs)} different signs.")
    if not text.isascii():
        yield from _composed(subject, text)


def _choices(kind: str, text: str) -> Iterator[tuple[str, list[bool]]]:
    if kind == "text":
        prose = "\n".join(line for line in text.splitlines() if not re.search(r" {3,}|\t", line))
        yield (
            "One or two blanks between words",
            [len(gap) == 2 for gap in re.findall(r"(?<=[a-z,])( {1,2})(?=[a-z])", prose)],
        )
        if re.search(r"\w", text) and not re.search(r"^\s*(?:def|class|import|function|library)\b", text, re.MULTILINE):
            yield "One or two empty lines", [len(gap) == 3 for gap in re.findall(r"(?<=\S)(\n{2,3})(?=\S)", text)]
        yield (
            "Two marks of emphasis",
            [mark == "*" for mark in re.findall(r"(?<![\w*_])([*_])(?=\w+\1(?![\w*_]))", text)],
        )
        yield "Straight and curly apostrophes", [mark == "’" for mark in re.findall(r"(?<=\w)(['’])(?=\w)", text)]
        yield (
            "A tab or blanks before a line",
            [line.startswith("\t") for line in text.splitlines() if line[:1] in "\t " and line.strip()],
        )
    if kind == "csv":
        lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        yield "An empty line or none", [not b.strip() for a, b in itertools.pairwise(lines) if a.strip()]
    if kind in ("json", "notebook"):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        for mark in (",", ":"):
            yield (
                f"A blank after {mark!r} or none",
                [gap == " " for gap in re.findall(mark + r"( ?)(?=[\w\"\[{-])", bare)],
            )
    if kind in ("html", "svg"):
        yield (
            "Tags in small letters and in capitals",
            [tag.isupper() for tag in re.findall(r"</?([A-Za-z]{1,10})[\s>]", text)],
        )
        yield "A blank before the end of a tag or none", [gap == " " for gap in re.findall(r"<[a-z]+( ?)>", text)]
        yield (
            "Letters written as character codes",
            [len(found) > 1 for found in re.findall(r"&#(?:6[5-9]|[7-9]\d|1[01]\d|12[0-2]);|[a-zA-Z]", text)],
        )


def _far(subject: Subject, text: str) -> Iterator[Finding]:
    gap = re.search(r"[^\S\n]{240,}\S", text)
    if gap:
        yield FAR.found(subject.name, f"{len(gap.group()) - 1} blanks stand inside a line.")
    empty = re.search(r"(?:\r?\n[ \t]*){41,}(?=\S)", text)
    if empty:
        yield FAR.found(subject.name, f"Text comes after {empty.group().count(chr(10)) - 1} empty lines.")
    if subject.kind == "csv":
        cells = re.search(r"([,;\t|])(?:\"?\"?\1){30,}[^\s,;|]", text)
        rows = re.search(r"(?:\n[,;\t| \"]*){30,}\n(?=[^\n]*\w)", text)
        if cells or rows:
            yield FAR.found(subject.name, "Something stands behind dozens of empty cells or rows.")
        far = [
            cell
            for cell in re.findall(r'"((?:[^"]|""){200,})"', text)
            if cell.count("\n") > 3 or len(cell) > 1000 or re.match(r"\s*[\[{]", cell)
        ]
        if far:
            yield FAR.found(subject.name, f"A single cell holds {len(far[0])} characters.", severity="warns")
        if re.search(r"<[a-zA-Z][\w-]*\s+[\w-]+[^<>\n]*>", text):
            yield FAR.found(
                subject.name, "A cell holds markup with attributes, which a table does not show.", severity="warns"
            )


def _composed(subject: Subject, text: str) -> Iterator[Finding]:
    apart = len(re.findall(r"[A-Za-z][\u0300-\u036f]", text))
    together = sum(
        bool(unicodedata.decomposition(c)) and c.isalpha() and "<" not in unicodedata.decomposition(c)
        for c in text[:200_000]
    )
    if apart >= 8 and together >= 8:
        yield TURNS.found(subject.name, f"{apart} letters have their accent apart and {together} have it in one.")


# -- numbers

_NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_WHOLE = re.compile(r"-?\d+(?:\.0*)?|0?\.\d{2,4}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T][\d:.]+)?|(?:\d{1,2}[./]){2}\d{4}")
_SIGNS = str.maketrans("", "", "-+.")
_NOTHING = frozenset("-+.0e")  # of a number that has no other signs, nothing is left
_MISSING = {"na", "nan", "n/a", "null", "none", ".", "-", "nil", "missing", "#n/a", "<na>"}
_YES = {"true", "t", "yes", "y", "false", "f", "no", "n"}


def _table(subject: Subject, table: Table) -> Iterator[Finding]:
    where = table.where or subject.name
    native = subject.kind in ("parquet", "feather", "xlsx")
    exact = 0
    for column in range(table.width):
        name = (table.header[column] or f"column {column + 1}")[:60]
        texts = [str(t).strip() for t in table.texts(column).head(20_000).to_list() if t is not None]
        numbers = [t for t in texts if _NUMBER.match(t)]
        if all(map(_WHOLE.fullmatch, numbers)) and spells([re.sub(r"^0?\.|\.0*$|-", "", t) for t in numbers]):
            yield TAILS.found(where, f"The numbers in {name} spell words when they are read as character codes.")
        exact += sum(len(t) >= 13 and len(re.sub(r"[-+.]|[eE].*", "", t).lstrip("0")) >= 13 for t in numbers)
        if _bytes_behind(numbers) or (len(numbers) >= 6 and _bytes_within(table, column)):
            yield TAILS.found(where, f"The last digits of the numbers in {name} stay below 256, as bytes do.")
        if not native:
            yield from _styles(where, name, numbers)
        yield from _spellings(where, name, texts)
    if exact >= (240 if native else 96) and subject.kind != "notebook":
        yield EXACT.found(where, f"{exact} numbers have 13 digits and more.")


def _bytes_behind(numbers: Sequence[str]) -> bool:
    """Fractions whose last or first three digits are all below 256 while the digits around them vary."""
    fractions = [t.split(".")[1] for t in numbers if re.fullmatch(r"[-+]?\d*\.\d{3,}", t)]
    if len(fractions) < 16 or len(fractions) < 0.9 * len(numbers):
        return False
    for tails, heads in (
        ([f[-3:] for f in fractions], [t[:-3].rstrip(".") for t in numbers]),
        ([f[:3] for f in fractions], [f[3:] for f in fractions]),
    ):
        if (
            len({len(f) for f in fractions}) == 1
            and len(set(heads)) >= 8
            and len(set(tails)) >= 8
            and all(int(t) < 256 for t in tails)
        ):
            widest = max(int(t) for t in tails)
            if widest >= 64 and (256 / 1000) ** len(tails) < 1e-9:
                return True
    return False


def _bytes_within(table: Table, column: int) -> bool:
    """Doubles whose lowest six bytes are all ASCII: the bits of a number that was measured are even."""
    values = table.numbers(column)
    values = values[np.isfinite(values) & (values != np.floor(values))][:5000]
    if len(values) < 6:
        return False
    low = values.astype("<f8").view(np.uint8).reshape(-1, 8)[:, :6]
    used = low[(low != 0).any(axis=1)]
    return (
        len(used) >= 6
        and len(np.unique(used)) > 8
        and bool((used < 128).mean() > 0.97)
        and bool((used >= 32).mean() > 0.7)
    )


def _styles(where: str, name: str, numbers: Sequence[str]) -> Iterator[Finding]:
    """One column, several ways to write a number: each choice is a bit or two."""
    if len(numbers) < 24:
        return
    points = [t for t in numbers if "." in t and "e" not in t.lower()]
    shown = {len(t.split(".")[1]) for t in points}
    # R and `#g` keep a fixed count of significant digits, and with it the zeros.
    significant = {len(t.translate(_SIGNS).lstrip("0")) for t in points if not _NOTHING.issuperset(t)}
    zeros = [t.endswith("0") and len(t.split(".")[1]) > 1 for t in points]
    choices = {
        "needless zeros after it": zeros if len(shown) > 1 and len(significant) > 2 else [],
        "a plus sign": [t.startswith("+") for t in numbers if not t.startswith("-")],
        "a zero before the point": [t.lstrip("+-").startswith("0.") for t in points if re.match(r"[-+]?0?\.", t)],
        "a minus before zero": [t.startswith("-") for t in numbers if _NOTHING.issuperset(t.lower())],
        "a capital E": ["E" in t for t in numbers if "e" in t.lower()],
        "an exponent": ["e" in t.lower() for t in numbers if 1e-3 <= abs(float(t)) < 1e6],
    }
    for title, ways in choices.items():
        if 6 <= sum(ways) <= len(ways) - 6:
            yield SPELLINGS.found(
                where, f"{sum(ways)} of {len(ways)} numbers in {name} are written with {title}, the others without."
            )
            return


def _spellings(where: str, name: str, texts: Sequence[str]) -> Iterator[Finding]:
    missing = Counter(t for t in texts if t.lower() in _MISSING)
    if len([t for t, n in missing.items() if n >= 3]) >= 3:
        yield SPELLINGS.found(where, f"Missing values in {name} are written in {len(missing)} ways.")
    yes = {t.lower()[0] + str(len(t) > 1): set[str]() for t in texts if t.lower() in _YES}
    for t in texts:
        if t.lower() in _YES:
            yes[t.lower()[0] + str(len(t) > 1)].add(t)
    if any(len(ways) >= 3 for ways in yes.values()):
        yield SPELLINGS.found(where, f"True and false in {name} are written in several ways.")
    if len(texts) < 24:
        return
    ends = _numbered(texts)
    if ends and len(set(ends)) == len(ends) and max(ends) - min(ends) == len(ends) - 1:
        falls = sum(b < a for a, b in itertools.pairwise(ends))
        if 0.2 * len(ends) < falls < 0.8 * len(ends):
            yield SPELLINGS.found(where, f"{name} counts from {min(ends)} to {max(ends)}, but not in order.")
    if all(map(_DAY.fullmatch, texts)) and len(set(texts)) > 0.4 * len(texts) and re.match(r"\d{4}", texts[0]):
        falls = sum(b < a for a, b in itertools.pairwise(texts))
        if falls > 0.25 * len(texts):
            yield SPELLINGS.found(where, f"The {many(len(texts), 'date', 'dates')} in {name} are in no order.")


def _numbered(texts: Sequence[str]) -> list[int]:
    """The numbers behind texts that are otherwise all the same (`town 3`); none where they are not."""
    head = re.sub(r"\d+$", "", texts[0])
    if not all(t.startswith(head) and t[len(head) :].isdecimal() for t in texts):
        return []
    return [int(t[len(head) :]) for t in texts]
