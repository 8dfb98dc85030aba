import pytest

from access_control import terms
from access_control.errors import Invalid
from access_control.validation import check_rows


@pytest.mark.parametrize("name", ["DUO:0000006", "hmb", "Health or medical or biomedical research"])
def test_a_term_goes_by_its_id_its_short_name_and_its_label(name: str) -> None:
    assert terms.term(name).id == "DUO:0000006"


def test_an_unknown_term_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(Invalid, match=r"'profiling' is no purpose term.*DUO:0000042 \(GRU\)"):
        terms.term_ids(["GRU", "profiling"])


def test_names_are_told_apart() -> None:
    names = [name.lower() for term in terms.TERMS.values() for name in (term.id, term.code, term.label)]
    assert len(names) == len(set(names))


def test_every_term_can_stand_in_a_row() -> None:
    row = {
        "id": "X", "eft": "deny", "role": "anyone", "project": "any", "data": "data:hiv", "act": "mount",
        "purpose": "|".join(terms.TERMS), "region": "any", "start": "2026-01-01", "until": "2026-01-01",
    }  # fmt: skip
    assert check_rows([row]) == []


def test_terms_are_stored_once_and_in_order() -> None:
    assert terms.term_ids(["odrl:use", "GRU", "DUO:0000042"]) == ["DUO:0000042", "odrl:use"]
    assert terms.label("DUO:0000042") == "general research use"
    assert terms.label("DUO:9999999") == "DUO:9999999"


def test_a_narrower_purpose_falls_under_the_broader_ones_and_not_the_other_way_round() -> None:
    assert terms.with_broader("DUO:0000007") == {"DUO:0000007", "DUO:0000006", "DUO:0000042", "DUO:0000004"}
    assert terms.with_broader("DUO:0000004") == {"DUO:0000004"}
    assert terms.with_broader("cancer") == {"cancer"}
    assert terms.uncovered(["DUO:0000007", "odrl:use"], ["DUO:0000006"]) == ["odrl:use"]
    assert terms.uncovered(["DUO:0000006"], ["DUO:0000007"]) == ["DUO:0000006"]


def test_conditions_of_use_are_no_narrower_purposes() -> None:
    alone = ["DUO:0000046", "DUO:0000018", *(one for one in terms.TERMS if one.startswith("odrl:"))]
    assert all(terms.with_broader(one) == {one} for one in alone)
    assert all(terms.with_broader(one) <= set(terms.TERMS) for one in terms.TERMS)
