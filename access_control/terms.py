"""Purpose terms: what data may be used for, in the words of the Data Use Ontology (DUO) and of W3C's ODRL.

Sources: https://github.com/EBISPOT/DUO (labels and shorthands of duo.csv, the hierarchy of duo.owl, and what the
definition of general research use counts among it) and https://www.w3.org/TR/odrl-vocab/. A term covers itself and what
is narrower: an agreement for health research covers research into one disease, and none covers a project that has a
second purpose besides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from access_control.errors import Invalid


@dataclass(frozen=True)
class Term:
    """A purpose term: `id` is what is stored, `code` a short name that is accepted in its place."""

    id: str
    code: str
    label: str


TERMS: dict[str, Term] = {
    term.id: term
    for term in (
        Term("DUO:0000004", "NRES", "no restriction"),
        Term("DUO:0000042", "GRU", "general research use"),
        Term("DUO:0000006", "HMB", "health or medical or biomedical research"),
        Term("DUO:0000007", "DS", "disease specific research"),
        Term("DUO:0000011", "POA", "population origins or ancestry research"),
        Term("DUO:0000043", "CC", "clinical care use"),
        Term("DUO:0000046", "NCU", "non-commercial use"),
        Term("DUO:0000018", "NPUNCU", "not for profit, non commercial use"),
        Term("DUO:0000031", "MDS", "method development"),
        Term("DUO:0000032", "PR", "population research"),
        Term("DUO:0000033", "AR", "ancestry research"),
        Term("DUO:0000034", "ACR", "age category research"),
        Term("DUO:0000035", "GCR", "gender category research"),
        Term("DUO:0000036", "RC", "research control"),
        Term("DUO:0000037", "BR", "biomedical research"),
        Term("DUO:0000038", "GR", "genetic research"),
        Term("DUO:0000039", "DDR", "drug development research"),
        Term("DUO:0000040", "DCR", "disease category research"),
        Term("odrl:aggregate", "aggregate", "use in aggregates"),
        Term("odrl:anonymize", "anonymize", "making anonymous"),
        Term("odrl:derive", "derive", "making a derived work"),
        Term("odrl:index", "index", "recording in an index"),
        Term("odrl:use", "use", "any use that the other terms leave open"),
    )
}

# Conditions such as non-commercial use are no narrower purposes, and stand alone; so does ODRL.
_NEXT_BROADER = {
    "DUO:0000042": "DUO:0000004", "DUO:0000043": "DUO:0000004", "DUO:0000006": "DUO:0000042",
    "DUO:0000011": "DUO:0000042", "DUO:0000031": "DUO:0000042", "DUO:0000032": "DUO:0000042",
    "DUO:0000034": "DUO:0000042", "DUO:0000035": "DUO:0000042", "DUO:0000036": "DUO:0000042",
    "DUO:0000007": "DUO:0000006", "DUO:0000037": "DUO:0000006", "DUO:0000033": "DUO:0000011",
    "DUO:0000038": "DUO:0000037", "DUO:0000039": "DUO:0000037", "DUO:0000040": "DUO:0000037",
}  # fmt: skip

_BY_NAME: dict[str, Term] = {
    name.lower(): term
    for term in TERMS.values()
    for name in (term.id, term.code, term.label, term.label.replace(" ", "-"))
}


def term(name: str) -> Term:
    """The term of that id, short name or label in any case; raises Invalid for an unknown one, naming those known."""
    found = _BY_NAME.get(name.strip().lower())
    if found is None:
        known = ", ".join(f"{known.id} ({known.code})" for known in TERMS.values())
        raise Invalid(
            f"'{name}' is no purpose term. Use the id or the short name of one of these: {known}. "
            "`enclave policy terms` lists them with their labels."
        )
    return found


def term_ids(names: Iterable[str]) -> list[str]:
    """The ids of purpose terms, each once, sorted; raises Invalid for an unknown one and for none at all."""
    ids = sorted({term(name).id for name in names})
    if not ids:
        raise Invalid("At least one purpose is needed, such as DUO:0000042 (general research use).")
    return ids


@lru_cache(4096)
def with_broader(term_id: str) -> frozenset[str]:
    """The term and all that are broader: a row or a licence that lists any of them speaks of this purpose too."""
    found = [term_id]
    while broader := _NEXT_BROADER.get(found[-1]):
        found.append(broader)
    return frozenset(found)


def uncovered(purposes: Iterable[str], listed: Iterable[str]) -> list[str]:
    """The purposes that no listed term covers, sorted."""
    terms = set(listed)
    return sorted(purpose for purpose in purposes if with_broader(purpose).isdisjoint(terms))


def label(term_id: str) -> str:
    """The words for a stored term; an id that isn't known here is shown as it is."""
    known = TERMS.get(term_id)
    return known.label if known else term_id
