"""Statistics other than counts: extremes and percentiles, degrees of freedom, dominance, thin groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from egress_review.count_columns import layout
from egress_review.findings import Finding
from egress_review.rules.catalogue import Subject, many, rule
from egress_review.table import Floats, Table

EXTREME = rule(
    "statistics.extreme",
    "warns",
    "A minimum or maximum",
    source="OpenSAFELY: no min, max; SDC Handbook",
    why="The least and the greatest value belong to one person each.",
    remedy="Show the 5th and 95th percentile, or say why the limits are structural.",
)
PERCENTILE = rule(
    "statistics.percentile",
    "blocks",
    "A percentile with few people beyond it",
    source="ACRO; SDC Handbook: k on each side",
    why="A percentile with fewer than k people on one side is close to single values.",
    remedy="Show quartiles of larger groups only.",
)
FREEDOM = rule(
    "statistics.freedom",
    "blocks",
    "Too few degrees of freedom",
    source="ACRO: residual degrees of freedom ≥ 10",
    why="A nearly saturated model gives its data back.",
    remedy="Fit fewer parameters, or on more people.",
)
SMALL_SAMPLE = rule(
    "statistics.sample",
    "blocks",
    "A statistic of very few people",
    source="ONS LS: means, SDs and medians need n ≥ 10",
    why="Statistics of few people give their values away.",
    remedy="Join groups.",
)
DOMINANCE = rule(
    "statistics.dominance",
    "blocks",
    "One contributor dominates",
    source="ACRO NK(2, 90 %), p-ratio 10 %; Bundesbank (2, 85 %); ABS (1, 50 %), (2, 67 %)",
    why="A sum that one or two make up nearly alone tells their value.",
    remedy="Join groups or suppress the sum, and another one beside it.",
)
SURVIVAL = rule(
    "statistics.survival",
    "blocks",
    "A survival step with few at risk",
    source="ACRO: survival 10",
    why="Each step of the curve is an event of few people.",
    remedy="Group time so that each step has at least k events, and end the curve where fewer than k are at risk.",
)
SATURATED = rule("statistics.saturated", "blocks", "A perfect fit", source="SDC Handbook: saturated models",
    why="A model with R² = 1 gives its data back.", remedy="Fit fewer parameters.")  # fmt: skip

_MINIMUM = re.compile(
    r"^(?:\w+[ _./|-]+)?(?:whis(?:ker)?[ _]?(?:lo|hi|low|high|upper|lower)|fliers?|outliers?|min|max|minimum|maximum|range|smallest|largest|lowest|highest|amin|amax|oldest|youngest|top ?\d*|first|last)(?:[ _./|-]+\w+)?$",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"depth|iter|feature|leaf|leaves|bins?\b|epoch|min_samples|max_samples|child_weight|n_?gram|tokens|max_df|min_df",
    re.IGNORECASE,
)
_RANGED = re.compile(r"[(\[,]\s*(?:range|min(?:imum)?\W{1,3}(?:to )?max(?:imum)?)\s*[)\]]?\s*$", re.IGNORECASE)
_LIMITS = re.compile(
    r"^(?:min|max|minimum|maximum|whis(?:ker)?[ _]?(?:lo|hi|low|high)|fliers?|outliers?)\.?$", re.IGNORECASE
)
_PERCENT = re.compile(
    r"^(?:p|q|pct|perc|percentile|quantile)?[ _]?(\d{1,2}(?:\.\d+)?)(?:th|st|nd|rd)?[ _]?(?:%|percentile|pctl|quantile)?$",
    re.IGNORECASE,
)
_FREEDOM = re.compile(
    r"(?:df residuals?|residual df|df[_ ]resid\w*|residual degrees of freedom|degrees of freedom|df\.residual|resid(?:ual)?[_. ]?do?f)\W{0,60}?(\d+)\b(?!\.\d)|on (?:\d+ and )?(\d+) (?:degrees of freedom|DF)\b|\b[Ft]\((?:\s*\d+,)?\s*(\d+)\)|residual std[^\n]{0,60}\bdf\s*=\s*(\d+)"
    r"|(?:\bt\s*=\s*|Ttest\w*\([^)\n]*)[-+\d.e]*[^\n]{0,40}?\bdf\s*=\s*(\d+(?:\.\d+)?)"
    r"|^(?:Residuals?|Within groups)[ \t]+(\d+)[ \t]+[\d.]+[ \t]+[\d.]+[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAMPLE = re.compile(
    r"(?:no\. ?observations|number of obs(?:ervations)?|nobs|n_obs|sample size|observations used)\s*[:=]\s*(\d[\d,]*)",
    re.IGNORECASE,
)
_FIT = re.compile(r"(?:^|[^.\w-])R-squared(?: \(uncentered\))?:?\s*=?\s*(1\.0+)\b", re.IGNORECASE | re.MULTILINE)


_RANGE = re.compile(
    r"\brange[ds]?\b[^.\n\d]{0,24}[-+]?\d[\d,.]*\s*(?:-|–|—|to|and|;)\s*[-+]?\d[\d,.]*(?!\d)", re.IGNORECASE
)
_SAID = re.compile(
    r"\b(?:highest|lowest|largest|smallest|oldest|youngest|minimum|maximum|richest|poorest|heaviest|tallest)\b(?: [a-z]+){0,4}? (?:is|was|were|being|aged|of|at|earns?|weighs?) \$?€?£?[-+]?\d[\d,.]*",
    re.IGNORECASE,
)
# Words of models and programs, whose limits are nobody's values.
_STRUCTURE = re.compile(
    r"depth|iter|degree|feature|leaf|epoch|lag|likelihood|learning|number of|sample|size|fold|order|steps?\b|score|auc|r2|effect|share|rate|coefficient|order of|likelihood|group",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings in tables and in printed model summaries."""
    for table in subject.tables:
        yield from _extremes(subject, table)
        yield from _named_values(subject, table)
        yield from _dominance(subject, table)
        yield from _survival(subject, table)
    seen: set[str] = set()
    for where, text in subject.texts:
        for finding in _printed(subject, where, text[:2_000_000]):
            if finding.message not in seen:
                seen.add(finding.message)
                yield finding


def _structural(values: list[float]) -> bool:
    return all(value in (0.0, 1.0) for value in values)


def extreme_cells(table: Table) -> Iterator[tuple[str, str, list[tuple[str, float]]]]:
    """(column or row, its name, [(name beside the value, value)]) of what a table calls a minimum or maximum."""
    if table.height > 2000:
        return
    labels = [str(label or "").strip() for label in table.texts(0).to_list()]
    for column, name in enumerate(table.header):
        leaf = re.split(r"[/|]|', '", name.strip().strip("()'"))[-1].strip("' .")
        if (
            leaf
            and _MINIMUM.match(leaf)
            and not _SETTING.search(name)
            and not re.match(r"^(?:first|last)$", leaf, re.IGNORECASE)
        ):
            cells = [
                (f"{name} {label}", float(v))
                for label, v in zip(labels, table.numbers(column), strict=True)
                if not np.isnan(v)
            ]
            if cells and not _structural([value for _, value in cells]):
                yield "column", name[:60], cells
    for row, text in enumerate(labels):
        if _LIMITS.match(text):
            cells = [
                (table.header[c], float(v)) for c in range(1, table.width) if not np.isnan(v := table.numbers(c)[row])
            ]
            if cells and not _structural([value for _, value in cells]):
                yield "row", text, cells


def _extremes(subject: Subject, table: Table) -> Iterator[Finding]:
    where = table.where or subject.name
    if table.height > 2000:
        return
    for kind, name, cells in extreme_cells(table):
        yield EXTREME.found(
            f"{where}: {name}",
            f"The {kind} {name!r} holds {many(len(cells), 'extreme value', 'extreme values')}.",
        )
    for row, label in enumerate(table.texts(0).fill_null("").to_list()):
        ranged = _RANGED.search(str(label)) is not None
        if ranged and any(re.search(r"\d", table.cell(row, c)) for c in range(1, table.width)):
            yield EXTREME.found(f"{where}: {str(label)[:40]}", "The row gives the least and the greatest value.")
    labels = table.texts(0).to_list()
    counts: dict[int, float] = {}
    for row, label in enumerate(labels):
        text = str(label or "").strip()
        if re.match(r"^(?:count|n|nobs|obs|N)$", text):
            counts = {c: v for c in range(1, table.width) if not np.isnan(v := table.numbers(c)[row])}
    yield from _percentiles(subject, table, counts)


def _percentiles(subject: Subject, table: Table, counts: dict[int, float]) -> Iterator[Finding]:
    k = subject.profile.threshold
    where = table.where or subject.name
    for row, label in enumerate(table.texts(0).to_list()):
        match = re.match(r"^(\d{1,2}(?:\.\d+)?) ?%$", str(label or "").strip())
        share = float(match.group(1)) / 100 if match else None
        for column, people in counts.items():
            if share and min(share, 1 - share) * people < k and not np.isnan(table.numbers(column)[row]):
                yield PERCENTILE.found(
                    f"{where}: {label} / {table.header[column][:40]}",
                    f"Of {people:.0f} people fewer than {k} lie beyond this percentile.",
                )
                return
    senses = layout(table)
    sized = [c for c in senses.counts if c not in senses.labels]
    if not sized or senses.crossed:
        return
    people_column = table.numbers(sized[0])
    for column, name in enumerate(table.header):
        match = _PERCENT.match(name.strip())
        share = (
            float(match.group(1)) / 100
            if match and re.search(r"[%pq]", name, re.IGNORECASE)
            else (0.5 if re.search(r"median", name, re.IGNORECASE) else None)
        )
        if share is None or not 0 < share < 1:
            continue
        thin = np.flatnonzero((min(share, 1 - share) * people_column < k) & ~np.isnan(table.numbers(column)))
        if len(thin):
            row = int(thin[0])
            yield PERCENTILE.found(
                f"{where}: {table.cell(row, 0)[:40]} / {name[:40]}",
                f"Of {people_column[row]:.0f} people fewer than {k} lie beyond this percentile.",
            )


def _named_values(subject: Subject, table: Table) -> Iterator[Finding]:
    """Degrees of freedom and sample sizes in columns or in rows of name and value."""
    where = table.where or subject.name
    freedom = re.compile(
        r"^(?:df[_. ]?resid\w*|residual[_. ]?(?:df|dof)|dof|resid[_. ]?dof|df residuals?|degrees of freedom|dof_resid\w*)$",
        re.IGNORECASE,
    )
    sample = re.compile(
        r"^(?:nobs|n_obs|no\. observations|observations|num\.? ?obs\.?|sample[_ ]size|n)$", re.IGNORECASE
    )
    pairs = [
        (table.header[c], float(v), c) for c in range(table.width) for v in table.numbers(c)[:200] if not np.isnan(v)
    ]
    if table.width >= 2:
        pairs += [
            (str(label or ""), float(v), c)
            for c in range(1, min(table.width, 30))
            for label, v in zip(table.texts(0)[:200], table.numbers(c)[:200], strict=True)
            if not np.isnan(v)
        ]
    for name, value, _ in pairs:
        if freedom.match(name.strip()) and 0 <= value < subject.profile.residual_dof:
            yield FREEDOM.found(
                f"{where}: {name[:40]}",
                f"{value:.0f} residual degrees of freedom, fewer than {subject.profile.residual_dof}.",
            )
            return
    if (found := _residual_row(table)) is not None and found < subject.profile.residual_dof:
        yield FREEDOM.found(
            f"{where}: residuals", f"{found:g} residual degrees of freedom, fewer than {subject.profile.residual_dof}."
        )
    for name, value, column in pairs:
        if (
            sample.match(name.strip())
            and 0 < value < subject.profile.threshold
            and value == int(value)
            and column not in layout(table).counts
        ):
            yield SMALL_SAMPLE.found(
                f"{where}: {name[:40]}", f"This is of {value:.0f} people, fewer than {subject.profile.threshold}."
            )
            return


def _residual_row(table: Table) -> float | None:
    """The degrees of freedom in the last line of an analysis of variance."""
    names = [name.strip().lower() for name in table.header]
    if table.height > 200 or "df" not in names:
        return None
    values = table.numbers(names.index("df"))
    for row, label in enumerate(table.texts(0).fill_null("").to_list()):
        if re.match(r"^(?:residuals?|error|within(?: groups)?)\b", str(label).strip(), re.IGNORECASE) and not np.isnan(
            values[row]
        ):
            return float(values[row])
    return None


def _dominance(subject: Subject, table: Table) -> Iterator[Finding]:
    profile, where = subject.profile, table.where or subject.name
    names = [name.strip().lower() for name in table.header]
    sums = [
        i for i, name in enumerate(names) if re.search(r"(?:^|_|\b)(?:sum|total|turnover|aggregate)(?:$|_|\b)", name)
    ]
    for column, name in enumerate(names):
        values = table.numbers(column)
        if re.search(
            r"(?:max|largest|top|biggest|dominan|nk|n_k|top_?\d)\w*[ _]?(?:share|percent|pct|contrib|prop|%)|^nk$|concentration|dominance|share_(?:of_)?(?:largest|top)",
            name,
        ):
            top = np.nanmax(values) if not np.isnan(values).all() else 0
            limit = profile.dominance_percent if top > 1 else profile.dominance_percent / 100
            if np.any(values >= limit):
                row = int(np.flatnonzero(values >= limit)[0])
                yield DOMINANCE.found(
                    f"{where}: {table.cell(row, 0)[:40]} / {name[:40]}",
                    f"The largest make up {values[row]:g} of the sum, at least {limit:g}.",
                )
        if re.search(r"p[_ -]?(?:ratio|percent)", name) and np.any(values < profile.p_percent / 100):
            yield DOMINANCE.found(f"{where}: {name[:40]}", f"A p-ratio is below {profile.p_percent:g} %.")
        if re.search(r"(?:^|_|\b)(?:max|largest|biggest|top1|top_1|top2|second)(?:$|_|\b)", name):
            for whole in sums:
                with np.errstate(divide="ignore", invalid="ignore"):
                    part = values / table.numbers(whole)
                if whole != column and np.any((part >= profile.dominance_percent / 100) & (part <= 1)):
                    row = int(np.flatnonzero((part >= profile.dominance_percent / 100) & (part <= 1))[0])
                    yield DOMINANCE.found(
                        f"{where}: {table.cell(row, 0)[:40]} / {name[:40]}",
                        f"One contributor is {100 * part[row]:.0f} % of the sum.",
                    )


def _survival(subject: Subject, table: Table) -> Iterator[Finding]:
    names = [name.strip().lower() for name in table.header]
    curves = [i for i, name in enumerate(names) if re.search(r"surviv|kaplan|^km|_km|s\(t\)", name)]
    risks = [i for i, name in enumerate(names) if re.search(r"risk", name)]
    for curve in curves:
        values = table.numbers(curve)
        drops = -np.diff(values, prepend=1.0 if np.nanmax(values, initial=0) <= 1 else 100.0)
        for risk in risks:
            before = np.where(values + drops > 0, values + drops, np.nan)
            events = drops / before * table.numbers(risk)
            few = np.flatnonzero((events > 0.4) & (events < subject.profile.threshold - 0.5))
            if len(few):
                place = f"{table.where or subject.name}: row {int(few[0]) + 1}"
                yield SURVIVAL.found(
                    place, f"{many(len(few), 'step is', 'steps are')} of fewer than {subject.profile.threshold} events."
                )
        if not risks and _of_events(table, curve, values):
            yield SURVIVAL.found(
                f"{table.where or subject.name}: {names[curve][:40]}",
                "The curve steps at the times of single events, without the numbers at risk.",
                severity="warns",
            )
        elif not risks and table.height > 60 and np.all(drops[~np.isnan(drops)] >= 0):
            yield SURVIVAL.found(
                table.where or subject.name,
                f"A curve of {table.height} steps without the numbers at risk.",
                severity="warns",
            )


def _of_events(table: Table, curve: int, values: Floats) -> bool:
    """Whether a curve has its steps where events fell, in all their digits: each step is one person or a few."""
    known = values[~np.isnan(values)]
    digits = max((len(text.partition(".")[2]) for text in table.texts(curve).drop_nulls().to_list()), default=0)
    if table.height < 5 or digits < 4 or len(known) < table.height or (np.diff(known) > 0).any():
        return False
    times = [table.numbers(c) for c in range(table.width) if c != curve]
    uneven = [
        t
        for t in times
        if not np.isnan(t).any() and (np.diff(t) > 0).all() and not np.allclose(np.diff(t), np.diff(t)[0])
    ]
    return bool(uneven)


def _printed(subject: Subject, where: str, text: str) -> Iterator[Finding]:
    low = text.lower()
    for match in (
        _FREEDOM.finditer(text)
        if "df" in low or "dof" in low or "freedom" in low or "F(" in text or "t(" in text
        else ()
    ):
        value = float(next(group for group in match.groups() if group))  # hundreds of digits are infinite, and no int
        if value < subject.profile.residual_dof and not re.search(r"Df Model", match.group()):
            yield FREEDOM.found(
                where, f"{int(value)} residual degrees of freedom, fewer than {subject.profile.residual_dof}."
            )
    for match in _SAMPLE.finditer(text):
        value = float(match.group(1).replace(",", ""))
        if 0 < value < subject.profile.threshold:
            yield SMALL_SAMPLE.found(where, f"This is of {value:.0f} people, fewer than {subject.profile.threshold}.")
    for match in _RANGE.finditer(text):
        yield EXTREME.found(where, f"The text gives a range: “{' '.join(match.group().split())[:80]}”.")
    for match in _SAID.finditer(text):
        if not _STRUCTURE.search(match.group()):
            yield EXTREME.found(where, f"The text gives an extreme value: “{' '.join(match.group().split())[:80]}”.")
    if _FIT.search(text):
        yield SATURATED.found(where, "R² is 1: the model fits its data exactly.")
