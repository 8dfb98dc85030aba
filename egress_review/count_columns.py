"""Which numbers of a table are counts of people, which are shares, and which are something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from egress_review.tables import Floats, Table

COUNT = re.compile(
    r"^(?:n|no|nobs|n[ _.]?obs|obs|counts?(?:\(.*)?|cnt|freq\.?|frequency|frequencies|sizes?|len|totals?|all|number|num|cases|patients|people|persons"
    r"|participants|subjects|individuals|households|events?|deaths?|respondents|observations|records|rows|units|children|women|men|males?|females?"
    r"|head[ _]?count|staff|employees|firms|enterprises|businesses|establishments|companies|pupils|students|admissions|referrals|births|infections"
    r"|infected|controls|attendances|prescriptions|missing|support|observed|fälle|faelle|personen|patientinnen|patienten|köpfe|nombre|casos|número"
    r"|(?:numero|número|nombre|anzahl|aantal|antal|liczba|number)(?: (?:de|di|of|van|der))? \w+|aantal|antal|liczba|numero|pazienti|casi|pacientes|personas"
    r"|(?:number|count|n|no\.?|#|total|sum)[ _.](?:of|in|at|with|by)?[ _.]?\w*|n_\w+|num_\w+|[\w ]+[ _](?:n|count|counts|cnt|freq|frequency|obs|cases|events|deaths|total|people|patients|persons|size|women|men|children|base)"
    r"|at[ _.]?risk|n[ _.]?at[ _.]?risk|denominator|numerator|unweighted[ _]?\w*|effectifs?|anzahl|grand[ _]?total|margin)$",
    re.IGNORECASE,
)
STRICT = re.compile(
    r"^(?:n|no|nobs|n[ _.]?obs|obs|counts?|cnt|freq\w*|size|len|totals?|all|number|num|observations|cases)$",
    re.IGNORECASE,
)
SHARE = re.compile(
    r"%|percent|pct|proportion|prop\b|share|fraction|prevalence|\brates?\b|_rate\b|\brate_|\bper[ _]1\d*|_prop\b",
    re.IGNORECASE,
)
MEASURE = re.compile(
    r"mean|avg|average|median|std|\bsd\b|stdev|\bse\b|std[_. ]?err|coef|estimate|beta|odds|ratio|hazard|\bp\b|p[_-]?val|\bt\b|\bz\b|stat|year|\bage\b|age_|income|wage|salary"
    r"|price|cost|score|index|\bid\b|code|weight|height|date|month|day|value|min|max|quantile|percentile|\b[pq]\d{1,2}\b|\d+ ?%|lower|upper|\bci\b|conf|aic|bic|r2|r-squared|\bdf\b|dof|var\b|variance|rmse"
    r"|exper|educ|tenure|hours|duration|time\b|length|threshold|bins?\b|edge|step|lag|order|rank|round|version|epoch|seed|param|amount|earnings|temperature|dose|level_",
    re.IGNORECASE,
)
LABELS = re.compile(r"^(?:all|total|totals|sum|grand total|overall|margin|insgesamt|gesamt|ensemble)$", re.IGNORECASE)
SUPPRESSED = re.compile(
    r"^(?:\*+|x|xx+|c|\[c\]|\.\.?\.?|s|sup\w*|redacted|\[redacted\]|masked|n/?d|-+|–|—|<\s*=?\s*\d+|≤\s*\d+|&lt;\d+|nan|na|\[z\]|hidden|conf\w*)$",
    re.IGNORECASE,
)


@dataclass
class Layout:
    """The columns of a table by their sense."""

    labels: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    crossed: bool = False  # a cross table: the counts stand in a grid


def is_whole(values: Floats) -> bool:
    """Whether all numbers of a column are whole and not negative, and there is one."""
    for part in (values[:1000], values) if len(values) > 1000 else (values,):
        missing = np.isnan(part)
        if not bool((missing | ((part >= 0) & (part == np.floor(part)))).all()):
            return False
    return bool(len(values)) and not bool(missing.all())


def suppressed(table: Table, column: int) -> list[int]:
    """Rows of `column` whose cell is a mark for a suppressed count."""
    texts = table.texts(column)
    rows = [int(row) for row in np.flatnonzero(np.isnan(table.numbers(column)))]
    return [row for row in rows if (text := texts[row]) is None or SUPPRESSED.match(str(text).strip())]


def layout(table: Table) -> Layout:
    """Tells counts from labels and measures; a table that reads like records has no counts other than by name."""
    if "layout" not in table.memo:
        table.memo["layout"] = _layout(table)
    found: Layout = table.memo["layout"]
    return found


def _layout(table: Table) -> Layout:
    found = Layout()
    if table.height == 0 or table.notes.get("log"):
        return found
    if "counts" in table.notes:  # whoever read the table knows
        counts = [int(c) for c in table.notes["counts"]]
        return Layout([c for c in range(table.width) if c not in counts], counts, crossed=len(counts) > 1)
    if table.notes.get("pairs"):
        return found
    whole = [is_whole(table.numbers(c)) for c in range(table.width)]
    for column in range(table.width):
        name = table.header[column].strip()
        leaf = name.rsplit("/", 1)[-1].strip("()' ").rsplit(", ", 1)[-1].strip("' ")
        if SHARE.search(name) and not (column == 0 and table.width > 1 and whole[0] and _different(table.numbers(0))):
            found.shares.append(column)
        elif (
            (COUNT.match(leaf) or COUNT.match(name))
            and whole[column]
            and not (column == 0 and table.width > 1 and table.height > 1 and _sequence(table.numbers(0)))
        ):
            found.counts.append(column)
    found.labels = _label_columns(table)
    if _tallied(table, whole):
        return Layout([0], [1])
    grid = [c for c in range(table.width) if c not in found.labels and c not in found.shares]
    if grid and _crossed(table, grid, whole, found):
        found.counts = sorted(set(found.counts) | set(grid))
        found.crossed = len(grid) > 1
    found.counts = [c for c in found.counts if c not in found.labels]
    return found


def _tallied(table: Table, whole: list[bool]) -> bool:
    """Categories and a nameless column of whole numbers that fall, as `value_counts` writes them."""
    if table.width != 2 or not 2 <= table.height <= 200 or table.header[1].strip() not in ("", "0") or not whole[1]:
        return False
    values = table.numbers(1)
    return (
        bool(table.header[0].strip())
        and bool((np.diff(values) <= 0).all())
        and table.texts(0).n_unique() == table.height
    )


def _sequence(values: Floats) -> bool:
    return bool(len(values) > 2 and not np.isnan(values).any() and (np.diff(values) == 1).all())


def _label_columns(table: Table) -> list[int]:
    labels = []
    for column in range(table.width):
        values = table.numbers(column)
        known = ~np.isnan(values)
        if (
            not known.any()
            and table.texts(column).null_count() < table.height
            and not all(SUPPRESSED.match(str(t).strip()) for t in table.texts(column).drop_nulls().unique().to_list())
        ):
            labels.append(column)
            continue
        if known.mean() < 0.5 and len(suppressed(table, column)) < (~known).sum():
            labels.append(column)
            continue
        break
    if (
        not labels
        and table.width > 1
        and not STRICT.match(table.header[0].strip())
        and not (SHARE.search(table.header[0]) and not is_whole(table.numbers(0)))
    ):
        first = table.numbers(0)
        known_values = first[~np.isnan(first)]
        if _different(known_values) and (
            table.height == 1
            or bool((np.diff(known_values) > 0).all())
            or any(LABELS.match(t.strip()) for t in table.texts(0).drop_nulls().to_list())
        ):
            labels.append(0)
    return labels


def _different(values: Floats) -> bool:
    return all(len(np.unique(part)) == len(part) for part in (values[:1000], values))


def _crossed(table: Table, grid: list[int], whole: list[bool], found: Layout) -> bool:
    if table.height > 200 or len(grid) > 100:
        return False
    for column in grid:
        values = table.numbers(column)
        name = table.header[column].strip()
        missing = np.isnan(values)
        if not whole[column] and not (missing.all() and len(suppressed(table, column)) == table.height):
            return False
        if len(suppressed(table, column)) < missing.sum():
            return False
        if MEASURE.search(name) and not COUNT.match(name) and not re.match(r"^[\d.\[(<>\-–+, ]+\]?$", name):
            return False
    margins = any(LABELS.match(table.header[c].strip()) for c in grid) or any(
        LABELS.match(str(t).strip()) for c in found.labels for t in table.texts(c).drop_nulls().to_list()
    )
    if margins:
        return True
    if not found.labels or (len(grid) < 2 and not found.counts):
        return False
    if len(grid) == 1:
        return bool(found.counts)
    # Groups in front are all different, as a cross table's are.
    keys = list(zip(*(table.texts(c).fill_null("").to_list() for c in found.labels), strict=True))
    return len(set(keys)) == len(keys) and (table.height <= 40 or bool(found.counts))


def is_rounded(values: Floats, base: int) -> bool:
    """Whether every count is a multiple of `base`, or a midpoint of sixes as OpenSAFELY rounds."""
    known = values[~np.isnan(values)]
    return bool(((known % base) == 0).all() or (((known + 3) % 6) == 0).all())
