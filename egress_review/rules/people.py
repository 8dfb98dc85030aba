"""What gives one value or one line for each person: residuals and predictions, listings of a frame, dumps, curves of ranks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from egress_review.count_columns import layout
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.rules.records import RESULT, rows_in_order
from egress_review.table import Floats, Table

VALUES = rule(
    "records.values",
    "blocks",
    "A value for each person",
    source="SDC Handbook: residuals and fitted values are records; SACRO: predictions of a model's own data",
    why="Residuals, fitted values, scores and leverages stand one for each person, and give their data back.",
    remedy="Release a summary: quantiles by group with counts, or a plot that is binned.",
)
LISTING = rule(
    "records.listing",
    "blocks",
    "Rows of data in a listing",
    source="Observed: `head()`, `list`, `str()`, `glimpse` and SQL dumps left in logs and notebooks",
    why="The first rows of a frame are people.",
    remedy="Take the listing out; show names and types of columns alone.",
)
CURVE = rule(
    "records.curve",
    "blocks",
    "A curve with a point for each person",
    source="SDC Handbook: exact distribution functions and ROC curves give back ranks and values",
    why="Each step of the curve is one person's value.",
    remedy="Give the curve at fixed points, such as deciles.",
)

_PER_PERSON = re.compile(
    r"^(?:(?:std|stud\w*|stand\w*|pearson|deviance|raw)[ _.]?)?resid(?:ual)?s?$|^(?:leverage|hat|h_ii|cooks?[_ ']?s?[_ ]?d(?:ist\w*)?|dfbetas?\w*|dffits|student\w*_resid\w*)$"
    r"|^(?:ps|pscore|propensity(?:[_ ]?score)?|ipw|ipt?w|iptw)$|^shap[_ .]|^(?:intercept|slope)s?$",
    re.IGNORECASE,
)
_OBSERVED = re.compile(
    r"^(?:y|y_?true|actual|observed|label|truth|target|outcome|true|real|y_test|y_obs|ground[_ ]truth)$", re.IGNORECASE
)
_PREDICTED = re.compile(
    r"^(?:p|prob\w*|score|y_?pred\w*|y_?hat|pred\w*|fitted\w*|p_?hat|estimate[ds]?|proba_?\d?)$", re.IGNORECASE
)
_SPREAD = re.compile(r"\bse\b|std|\bsd\b|ci|lower|upper|conf|^n$|count|p[_-]?val|^t$|^z$", re.IGNORECASE)
_INFLUENCE = re.compile(r"cook|leverage|hat|dfbeta|dffits|stud\w*_?resid", re.IGNORECASE)
_STR = re.compile(r"^ ?\$ ?[\w.]+ *:? *<?(?:int|num|chr|dbl|fct|lgl|date|dttm|Factor)\b[^\n]{6,}$", re.MULTILINE)
_STATA_LIST = re.compile(r"^\s*\d+\. \|[^\n|]*(?:\|[^\n|]*)*\|\s*$", re.MULTILINE)
_SQL = re.compile(
    r"\bINSERT\s+INTO\s+[\w.\"`\[\]]+\s*(?:\([^)]*\)\s*)?VALUES\s*\(|^COPY\s+\w+[^\n]*FROM stdin",
    re.IGNORECASE | re.MULTILINE,
)
# Each piece of these ends in one way only: otherwise a text that just fails takes a time that doubles with each piece.
_TUPLES = re.compile(r"[\[(]\s*+(?:[\[(](?:[^()\[\],\n]{0,80},){2,40}[^()\[\],\n]{0,80}[\])]\s*+,?\s*+){3,}[\])]")
_VALUE = r"(?:['\"][^'\"\n]{0,60}['\"]\s*+|\[[^\[\]{}]{0,60}\]\s*+|[^{}\[\]:,'\"]{1,60}+)"
_DICTS = re.compile(
    rf"\[\s*+(?:\{{(?:\s*+['\"][^'\"]{{1,60}}['\"]\s*+:\s*+{_VALUE},?){{2,60}}\s*+\}}\s*+,?\s*+){{3,}}\]"
)
_TRACE = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception): [^\n]*['\"][^'\"\n]*\d[^'\"\n]*['\"]", re.MULTILINE)
_RANK = re.compile(r"^(?:rank|place|position|top|#|no\.?|nr)$", re.IGNORECASE)
MIN_ROWS = 20
MAX_TEXT = 500_000


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in tables and in text."""
    for table in subject.tables:
        if not 3 <= table.height <= subject.profile.max_rows:
            continue
        yield from _rows_printed(subject, table)
        if not table.notes.get("log"):
            yield from _values(subject, table)
            yield from _curves(subject, table)
    if subject.kind in ("text", "notebook", "html", "csv", "json", "pdf"):
        for where, text in subject.texts:
            yield from _listings(where, text[:MAX_TEXT], subject.kind)


def _spread_out(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 1 and len(np.unique(known)) > 0.6 * len(known)


def _values(subject: Subject, table: Table) -> Iterator[Finding]:
    names = [name.strip().rsplit("/", 1)[-1] for name in table.header]
    senses = layout(table)
    personal = [c for c, name in enumerate(names) if _PER_PERSON.search(name) and _spread_out(table.numbers(c))]
    observed = [c for c, name in enumerate(names) if _OBSERVED.match(name)]
    predicted = [c for c, name in enumerate(names) if _PREDICTED.match(name) and _spread_out(table.numbers(c))]
    influence = [c for c in personal if _INFLUENCE.search(names[c])]
    found = influence or (personal if table.height >= MIN_ROWS else [])
    if not found and observed and predicted and table.height >= MIN_ROWS:
        found = predicted
    if found and not senses.counts and not any(_SPREAD.search(name) for name in names):
        yield VALUES.found(
            f"{table.where or subject.name}: {names[found[0]][:40]}",
            f"{many(table.height, 'value', 'values')} of {names[found[0]][:40]!r}, one for each person.",
        )
    # A list of the greatest values has their ranks beside them and nothing that names a group.
    if table.width == 2 and _RANK.match(names[0]) and not senses.crossed and table.height <= 100:
        values = table.numbers(1)
        if (
            not np.isnan(values).any()
            and len(np.unique(np.sign(np.diff(values)))) <= 2
            and (np.diff(values) <= 0).all()
            and not RESULT.search(names[1])
        ):
            yield VALUES.found(
                f"{table.where or subject.name}: {names[1][:40]}",
                f"The {table.height} greatest values, one person's each.",
            )


def _rows_printed(subject: Subject, table: Table) -> Iterator[Finding]:
    """A frame printed with its row numbers in front, whose columns are no statistics and whose rows are in no order."""
    if not table.notes.get("printed") or table.width < 3 or table.header[0].strip():
        return
    numbers = table.numbers(0)
    start = numbers[0] if len(numbers) else np.nan
    if np.isnan(start) or not (np.diff(numbers) == 1).all() or start not in (0.0, 1.0):
        return
    named = [name.strip() for name in table.header[1:] if name.strip()]
    if (
        any(RESULT.search(name) for name in named)
        or len(named) < 0.6 * (table.width - 1)
        or all(re.fullmatch(r"[\d.]+", name) for name in named)
    ):
        return
    if rows_in_order(table, 1):
        return
    yield LISTING.found(
        table.where or subject.name,
        f"{many(table.height, 'row', 'rows')} of a frame, printed with their row numbers.",
        severity="blocks" if table.width > 3 or table.height >= 5 else "warns",
    )


def _curves(subject: Subject, table: Table) -> Iterator[Finding]:
    for column, name in enumerate(table.header):
        if not re.search(r"cdf|cumulative (?:share|prop\w*|prob\w*)|quantile_rank", name.strip(), re.IGNORECASE):
            continue
        values = table.numbers(column)
        if table.height >= MIN_ROWS and not np.isnan(values).any():
            steps = np.diff(values)
            if (
                (steps > 0).all()
                and np.allclose(steps, steps[0], rtol=0.02)
                and abs(values[-1] - 1) < 1e-9
                and abs(steps[0] * table.height - 1) < 0.1
            ):
                other = [c for c in range(table.width) if c != column and _spread_out(table.numbers(c))]
                even = [c for c in other if np.allclose(np.diff(table.numbers(c)), np.diff(table.numbers(c))[0])]
                if len(even) < len(other):
                    yield CURVE.found(
                        f"{table.where or subject.name}: {name[:40]}",
                        f"Each of the {table.height} steps is one person.",
                    )


def _listings(where: str, text: str, kind: str) -> Iterator[Finding]:
    listed = _STR.findall(text)
    if len(listed) >= 2 and sum(len(re.findall(r"[\s,]", line)) > 4 for line in listed) >= 2:
        yield LISTING.found(where, "A listing of columns with their first values, as `str()` and `glimpse` give.")
    if len(_STATA_LIST.findall(text)) >= 2:
        yield LISTING.found(where, "Rows listed one by one, as Stata's `list` gives.")
    if "INSERT" in text.upper() or "COPY " in text:
        inserted = _SQL.search(text)
        if inserted:
            yield LISTING.found(where, "Rows of a database in SQL.")
    if kind != "json" and (match := _DICTS.search(text)):
        yield LISTING.found(where, f"Rows as dictionaries, such as {match.group()[:3]}….", severity="warns")
    if kind in ("text", "notebook") and (match := _TUPLES.search(text)):
        rows = re.findall(r"[\[(]([^()\[\]\n]+)[\])]", match.group())
        lengths = {row.count(",") for row in rows}
        mixed = any(re.search(r"['\"]", row) for row in rows) or any("." in row for row in rows)
        if (
            len(lengths) == 1
            and mixed
            and not re.search(r"coef|ci|interval", text[max(0, match.start() - 80) : match.start()])
        ):
            yield LISTING.found(where, f"{len(rows)} rows as tuples of {lengths.pop() + 1} values.", severity="warns")
    if "Traceback (most recent call last)" in text and _TRACE.search(text):
        yield LISTING.found(where, "The message of an error quotes a value of the data.", severity="warns")
