"""All families of rules, in the order in which they look at a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from egress_review.findings import Finding
from egress_review.rules import (
    acro,
    columnar,
    counts,
    delimited,
    dominance,
    figures,
    files,
    hiding,
    identifying,
    images,
    markup,
    models,
    notebooks,
    pdfs,
    people,
    records,
    source,
    statistics,
    suppression,
    text,
    told,
    types,
    workbooks,
    zipped,
)
from egress_review.rules.catalogue import Subject

_Check = Callable[[Subject], Iterator[Finding]]

# Cheap looks at the container first; a broken container ends the look into it.
CONTAINER: tuple[_Check, ...] = (
    files.check, types.check, models.check, zipped.check, images.check, pdfs.check, workbooks.check, columnar.check,
    notebooks.check, markup.check, text.check, hiding.check, figures.check, acro.check,
)  # fmt: skip
CONTENT: tuple[_Check, ...] = (
    delimited.check, counts.check, told.check, suppression.check, statistics.check, records.check, people.check,
    identifying.check,
)  # fmt: skip
SOURCE: tuple[_Check, ...] = (source.check, dominance.check)
