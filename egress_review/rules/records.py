"""Tables that look like records of people and not like results, whatever their columns are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from egress_review.count_columns import COUNT, layout
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, rule
from egress_review.tables import Table

ROWS = rule(
    "records.rows",
    "blocks",
    "More rows than a result has",
    source="OpenSAFELY; profile setting max_rows",
    why="A table of this length is data, not a result.",
    remedy="Summarise it.",
)
LOOKS = rule("records.looks", "blocks", "A table that looks like records", source="Observed: leaks with every value shifted or scaled match no source row",
    why="Each row reads like one person: many columns, repeated values, no order and no counts.",
    remedy="Release summaries by group, each with its count.")  # fmt: skip

# Names of results; a table with them in most columns is one, unless its content says otherwise.
RESULT = re.compile(
    r"mean|avg|average|median|std|\bsd\b|\bse\b|err|coef|estimate|beta|odds|\bor\b|\bhr\b|\brr\b|ratio|\bp\b|p[_-]?val|pr\(|p>|^t$|^z$|stat|lower|upper|\bci\b|ci_|_ci|conf|\[?0\.0?\d+\]?$|quantile|percentile|^q\d+|^p\d+|\d+ ?%"
    r"|aic|bic|r2|r-squared|\bdf\b|dof|variance|rmse|effect|margin|predicted|fitted|yhat|density|cumulative|cdf|pdf|rate|percent|pct|prop|share|fraction|prevalence|weight(?:ed)?[_ ]|bin|edge|left|right|mid|bandwidth|residual[_ ]df|vif|loading|eigen|component|correlation|corr\b|cov",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in every table of the file; the logs' token tables count only by length."""
    for table in subject.tables:
        where = table.where or subject.name
        if table.height > subject.profile.max_rows:
            yield ROWS.found(
                where, f"The table has {table.height} rows; a result has at most {subject.profile.max_rows}."
            )
        elif table.height >= 12 and table.width >= 2:
            score, reasons = likeness(table)
            if score >= 5:
                yield LOOKS.found(
                    where,
                    f"{table.height} rows and {table.width} columns read like people: {', '.join(reasons)}.",
                    severity="blocks" if score >= 6 and table.height >= 25 else "warns",
                )


def _is_grid(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    if len(known) < 3 or len(known) < len(values):
        return False
    steps = np.diff(known)
    return bool(np.allclose(steps, steps[0], rtol=1e-3, atol=1e-9) and steps[0] != 0)


def likeness(table: Table) -> tuple[int, list[str]]:
    """How much a table reads like records, and the reasons; 5 and more is suspicious."""
    head = min(table.height, 3000)
    texts = [table.texts(c).head(head).to_list() for c in range(table.width)]
    numbers = [table.numbers(c)[:head] for c in range(table.width)]
    numeric = [c for c in range(table.width) if np.mean(~np.isnan(numbers[c])) > 0.7]
    score, reasons = 0, []
    distinct = [len({t for t in column if t is not None}) for column in texts]

    senses = layout(table)
    results = sum(bool(RESULT.search(name)) or bool(COUNT.match(name.strip())) for name in table.header)
    if results == 0 and not senses.crossed:
        score += 2
        reasons.append("no column is named for a statistic")
    elif results >= max(1, 0.4 * table.width):
        score -= 2
    # A result's rows are told apart by one or a few columns in front, and are in their order.
    if _keyed(texts, numbers):
        score -= 2
    else:
        score += 2
        reasons.append("the rows are in no order")
    repeating = [c for c in range(table.width) if 1 < distinct[c] <= max(2, 0.4 * head)]
    whole = [
        c for c in numeric if np.all(numbers[c][~np.isnan(numbers[c])] == np.floor(numbers[c][~np.isnan(numbers[c])]))
    ]
    if len([c for c in repeating if c in whole or c not in numeric]) >= 2 and not _complete_grid(texts, repeating):
        score += 1
        reasons.append("values repeat as characteristics of people do")
    if table.width >= 3:
        score += 1
    if table.width >= 6 and head >= 25:
        score += 1
    if head >= 50:
        score += 1
        reasons.append("there are many rows")
    if senses.crossed or any(
        re.match(r"^(?:all|total|sum)$", str(t or "").strip(), re.IGNORECASE) for t in texts[0][-2:]
    ):
        score -= 3
    if _symmetric(numbers, numeric):
        score -= 6
    if (
        numeric
        and all(_is_rounded_column(numbers[c]) for c in numeric if c in whole)
        and len(whole) == len(numeric)
        and len(whole) >= 1
    ):
        score -= 2
    return score, reasons


def rows_in_order(table: Table, first: int) -> bool:
    """Whether the columns from `first` on name each row once, in order, as a result's groups do."""
    texts = [table.texts(c).to_list() for c in range(first, table.width)]
    return _keyed(texts, [table.numbers(c) for c in range(first, table.width)])


def _is_rounded_column(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) and (known % 5 == 0).all() and known.max() >= 10)


def _keyed(texts: list[list[str | None]], numbers: list[np.ndarray]) -> bool:
    """Whether the first one to three columns name each row once, in a sorted or grouped order."""
    first_numeric = not np.isnan(numbers[0]).any()
    if _is_grid(numbers[0]) and len(numbers) > 1:
        # A plain 0, 1, 2 … before other columns is a row number, not a key.
        counter = first_numeric and numbers[0][0] in (0.0, 1.0) and numbers[0][1] - numbers[0][0] == 1.0
        return not counter or len(numbers) <= 2 or _keyed(texts[1:], numbers[1:])
    if not first_numeric and len(set(texts[0])) == len(texts[0]):
        codes = sum(bool(re.search(r"\d{2,}", str(t or ""))) for t in texts[0])
        return codes < 0.5 * len(texts[0]) or any(
            re.search(r"[\[(].*,|\d\s*[-–]\s*\d", str(t or "")) for t in texts[0][:5]
        )
    for width in (1, 2, 3):
        if width > len(texts) - (0 if len(texts) == 1 else 1):
            break
        keys = list(zip(*texts[:width], strict=True))
        if len(set(keys)) < len(keys):
            continue
        sortable = [
            tuple(
                (float(n) if not np.isnan(n) else 0.0, "" if not np.isnan(n) else str(t or ""))
                for t, n in zip((c[i] for c in texts[:width]), (c[i] for c in numbers[:width]), strict=True)
            )
            for i in range(len(keys))
        ]
        if sortable == sorted(sortable) or sortable == sorted(sortable, reverse=True):
            integers = [c for c in range(width) if not np.isnan(numbers[c]).any()]
            return width == 1 or len(integers) < width or _complete_grid(texts, list(range(width)))
        # Grouped but not sorted: each key of the first column stands in one run.
        runs = sum(a != b for a, b in zip(texts[0], texts[0][1:], strict=False)) + 1
        if width > 1 and runs == len(set(texts[0])) and runs < len(keys):
            return True
    return False


def _complete_grid(texts: list[list[str | None]], columns: list[int]) -> bool:
    for a in range(len(columns)):
        for b in range(a + 1, len(columns)):
            pairs = {(x, y) for x, y in zip(texts[columns[a]], texts[columns[b]], strict=True)}
            size = len(set(texts[columns[a]])) * len(set(texts[columns[b]]))
            if len(pairs) >= 0.8 * size and len(pairs) >= 0.9 * len(texts[0]) and size >= 4:
                return True
    return False


def _symmetric(numbers: list[np.ndarray], numeric: list[int]) -> bool:
    """A correlation or covariance matrix."""
    if len(numeric) < 3 or len(numbers[0]) != len(numeric):
        return False
    square = np.column_stack([numbers[c] for c in numeric])
    return bool(np.allclose(square, square.T, equal_nan=True) or np.allclose(np.diag(square), 1))
