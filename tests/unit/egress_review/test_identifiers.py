import pytest

from egress_review import identifiers


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("mail jane.doe@hospital.example", "e-mail address"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("card 4111 1111 1111 1111.", "credit card number"),
        ("NHS 943 476 5919", "NHS number"),
        ("SSN 219-09-9998", "US social security number"),
        ("AB 12 34 56 C", "National Insurance number"),
        ("+44 20 7946 0958", "telephone number"),
    ],
)
def test_identifiers_are_found_and_never_repeated(text, what):
    found = list(identifiers.hits(text))
    assert what in {hit.what for hit in found}
    assert all(len(hit.masked.split("…")[0]) <= 2 for hit in found)


@pytest.mark.parametrize(
    "text",
    [
        "n = 4,820, p < 0.001, 95 % CI [0.12, 0.35]",
        "AIC 12345.678 BIC 12399.12",
        "2026-03-01 10:00:01 INFO",
        "v1.2.3",
        "DE00 0000 0000 0000 0000 00",
    ],
)
def test_results_hold_no_identifier(text):
    assert list(identifiers.hits(text)) == []
