"""Purpose terms: what data may be used for, in the words of the Data Use Ontology (DUO) and of W3C's ODRL.

Sources: https://github.com/EBISPOT/DUO (labels and shorthands of duo.csv) and https://www.w3.org/TR/odrl-vocab/. Terms
are compared by equality: an agreement for `DUO:0000006` covers a project whose purposes include `DUO:0000006`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


def label(term_id: str) -> str:
    """The words for a stored term; an id that isn't known here is shown as it is."""
    known = TERMS.get(term_id)
    return known.label if known else term_id
